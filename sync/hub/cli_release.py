"""`village-hub release|rollout`: take releases in, bring them to the points, see what came of it.

Nothing is decided here; see sync/hub/releases.py and sync/hub/rollouts.py. Manners are those of sync/hub/cli.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from edge.command_line import emit
from edge.release import Unfit
from sync.hub import rollouts
from sync.hub.config import HubSettings
from sync.hub.releases import Releases
from sync.hub.rollouts import Aim, NotRolledOut, Terms
from sync.hub.store import HubStore
from sync.update_words import sentence

KEYRING = "release-keyring.pem"  # beside the settings, unless --keyring names another
OpenStore = Callable[[HubSettings], AbstractContextManager[HubStore]]


class Refused(Exception):
    """The command is refused; the text says why."""


def add(commands: Any, open_store: OpenStore) -> None:
    """Add the commands to those of `village-hub`."""
    release = commands.add_parser("release", help="releases of the terminal's system").add_subparsers(
        required=True, metavar="ACTION"
    )
    adding = release.add_parser("add", help="take a signed bundle in")
    adding.add_argument("file", type=Path, metavar="FILE.raucb")
    adding.add_argument("--keyring", type=Path, metavar="PEM", help=f"usual: {KEYRING} beside the settings")
    adding.set_defaults(command=partial(_add, open_store))
    release.add_parser("list", help="what is offered").set_defaults(command=partial(_list, open_store))
    rollout = commands.add_parser("rollout", help="bring a release to points").add_subparsers(
        required=True, metavar="ACTION"
    )
    starting = rollout.add_parser("start", help="one point first, then its township, then all that are meant")
    starting.add_argument("version", metavar="VERSION")
    where = starting.add_mutually_exclusive_group(required=True)
    where.add_argument("--site", metavar="CODE", help="this point alone")
    where.add_argument("--township", metavar="T", help="all points whose code is T-…")
    where.add_argument("--all", action="store_true", help="every point of the settings")
    starting.add_argument("--first", default="", metavar="CODE", help="the point that tries it; usual: one online")
    starting.add_argument("--failures", type=_count, default=3, metavar="N", help="stop at so many; usual: 3")
    starting.add_argument("--days", type=_count, default=14, metavar="N", help="an order is void after; usual: 14")
    starting.add_argument("--at-once", action="store_true", help="do not wait for the night")
    starting.set_defaults(command=partial(_start, open_store))
    rollout.add_parser("stop", help="no new orders, withdraw open ones").set_defaults(
        command=partial(_stop, open_store)
    )
    again = rollout.add_parser("resume", help="go on with the one that was stopped")
    again.add_argument("--retry", action="store_true", help="try the points again where it failed")
    again.set_defaults(command=partial(_resume, open_store))
    rollout.add_parser("status", help="how far it is").set_defaults(command=partial(_status, open_store))


def _add(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    keyring = options.keyring or settings.file.resolve().parent / KEYRING
    if not keyring.is_file():
        raise Refused(f"there is no keyring {keyring}: the certificate that bundles are signed under is needed")
    with open_store(settings) as store:
        try:
            added = Releases(store, settings.data_dir).add(options.file, keyring)
        except Unfit as error:
            raise Refused(f"{options.file.name}: {sentence(error.word)}") from error
        except OSError as error:
            raise Refused(f"{options.file} cannot be read: {error.strerror}") from error
    offer = added.offer
    emit(
        {"added": added.is_new, "version": added.version, "compatible": added.compatible, "base": offer.base,
         "bytes": offer.size, "sha256": offer.sha256, "sheet": added.sheet}
    )  # fmt: skip
    return 0


def _list(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    with open_store(settings) as store:
        for each in Releases(store, settings.data_dir).listed():
            emit(each)
    return 0


def _start(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    aim = Aim("all")
    if options.site is not None:
        aim = Aim("site", options.site)
    elif options.township is not None:
        aim = Aim("township", options.township)
    terms = Terms(options.failures, options.days, options.at_once, options.first)
    return _done(open_store, settings, lambda store: rollouts.start(store, options.version, aim, terms))


def _stop(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    return _done(open_store, settings, rollouts.stop)


def _resume(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    return _done(open_store, settings, lambda store: rollouts.resume(store, retry=options.retry))


def _done(open_store: OpenStore, settings: HubSettings, act: Callable[[HubStore], str]) -> int:
    with open_store(settings) as store:
        try:
            act(store)
        except NotRolledOut as error:
            raise Refused(str(error)) from error
        with store.reading() as tx:
            emit(rollouts.status(tx, last=1)[0])
    return 0


def _status(open_store: OpenStore, settings: HubSettings, _options: argparse.Namespace) -> int:
    with open_store(settings) as store:
        rollouts.advance(store)
        with store.reading() as tx:
            for each in rollouts.status(tx):
                emit(each)
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 10000")
    return int(text)
