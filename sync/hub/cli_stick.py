"""`village-hub stick|sheet`: take in what points have written on a stick, write one, and show a site's sheet.

Manners are those of sync/hub/cli.py; what is believed is decided in sync/hub/stick.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from edge.chain import GENESIS
from edge.command_line import emit
from edge.model import SiteCode
from edge.sheet import to_json
from sync.hub import sheets
from sync.hub.config import HubSettings
from sync.hub.stick import HubStick
from sync.hub.store import HubStore
from sync.stick_file import BadStick
from sync.stick_words import NOTHING_NEW, sentence

DONE, REFUSED = 0, 1
OpenStore = Callable[[HubSettings], AbstractContextManager[HubStore]]


def add(commands: Any, open_store: OpenStore) -> None:
    """Add the commands to those of `village-hub`."""
    stick = commands.add_parser("stick", help="the way over a USB stick")
    actions = stick.add_subparsers(required=True, metavar="ACTION")
    read = actions.add_parser("read", help="take in what points have written")
    write = actions.add_parser("write", help="write answers and messages for a point")
    for each, command in ((read, _read), (write, _write)):
        each.add_argument("folder", type=Path, metavar="DIR", help="where the stick is mounted")
        each.set_defaults(command=partial(command, open_store))
    sheet = commands.add_parser("sheet", help="our side of a point's reconciliation sheet, with its code")
    sheet.set_defaults(command=partial(_sheet, open_store))
    for each in (write, sheet):
        each.add_argument("--site", required=True, help="code of the point")
    sheet.add_argument("--after", type=int, metavar="N", help="count the facts after this one")
    sheet.add_argument("--upto", type=int, metavar="N", help="count the facts up to this one")


def _read(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    code, new = DONE, 0
    with open_store(settings) as store:
        try:
            for taken in HubStick(store, options.folder).read():
                emit(
                    {
                        "site": taken.site,
                        "file": taken.file,
                        "facts": taken.facts,
                        "upto": taken.upto,
                        "refused": taken.refused,
                    }
                )
                new += taken.facts
                if taken.refused is not None:
                    code = _said(f"site {taken.site}: {sentence(taken.refused)}", REFUSED)
        except BadStick as error:
            return _said(sentence(error.word), REFUSED)
    if code == DONE and new == 0:
        _said(NOTHING_NEW, DONE)
    return code


def _write(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    site = SiteCode(options.site)
    if site not in settings.sites:
        return _said(f"site {site!r} is not in {settings.file}", REFUSED)
    with open_store(settings) as store:
        try:
            written = HubStick(store, options.folder).write(site)
        except BadStick as error:
            return _said(sentence(error.word), REFUSED)
    emit({"written": written.file.name, "site": site, "facts": written.facts, "more": written.more})
    return DONE


def _sheet(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    site = SiteCode(options.site)
    if site not in settings.sites:
        return _said(f"site {site!r} is not in {settings.file}", REFUSED)
    with open_store(settings) as store:
        found = sheets.sheet(store, site, options.after, options.upto)
    if found.stretch.end.mark == GENESIS:
        return _said(f"there are no such facts of site {site} here", REFUSED)
    emit({name: value for name, value in to_json(found).items() if name not in ("ours", "differences", "genuine")})
    return DONE


def _said(text: str, code: int) -> int:
    sys.stderr.write(f"village-hub: {text}\n")
    return code
