"""`village-hub forget`: forget now whose time is over, or only count them. Manners are those of sync/hub/cli.py."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from typing import Any

from edge.command_line import emit
from edge.model import SiteCode
from sync.hub.config import HubSettings
from sync.hub.forgetter import Forgetter
from sync.hub.forgetting import Forgotten, would_forget
from sync.hub.lived import times
from sync.hub.store import HubStore

DONE, REFUSED = 0, 1
OpenStore = Callable[[HubSettings], AbstractContextManager[HubStore]]


def add(commands: Any, open_store: OpenStore) -> None:
    """Add the command to those of `village-hub`."""
    forgetting = commands.add_parser("forget", help="forget people whose parcels are gone and whose bills are settled")
    forgetting.add_argument("--site", help="code of one point; all points when not given")
    forgetting.add_argument("--dry-run", action="store_true", help="count them, change nothing")
    forgetting.set_defaults(command=partial(_forget, open_store))


def _forget(open_store: OpenStore, settings: HubSettings, options: argparse.Namespace) -> int:
    days = settings.work.personal_keep_days
    with open_store(settings) as store:
        forgetter = Forgetter(store, days, lambda: settings.sites)
        sites = forgetter.all_sites() if options.site is None else [SiteCode(options.site)]
        if unknown := set(sites) - set(forgetter.all_sites()):
            return _said(f"site {unknown.pop()!r} is neither in {settings.file} nor in the database", REFUSED)
        done = Forgotten() if options.dry_run else asyncio.run(forgetter.go_round(sites))
        with store.reading() as tx:
            now = times(tx, days)
        if options.dry_run:
            done = sum((would_forget(store, site, now) for site in sites), done)
        emit({"keep_days": days, "would_forget" if options.dry_run else "forgotten": asdict(done)})
        if now.old is None:
            _said(f"this hub has not worked for {days} days yet: nothing is old enough", DONE)
    return REFUSED if forgetter.failed else DONE


def _said(text: str, code: int) -> int:
    sys.stderr.write(f"village-hub: {text}\n")
    return code
