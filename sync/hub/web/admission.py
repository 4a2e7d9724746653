"""Devices that ask to be let in, as the desk sees them; decided as `village-hub approve` and `refuse` do it."""

from __future__ import annotations

import asyncio
from typing import Any

from edge.model import SiteCode
from sync.hub import broker_files, cli_enrolment
from sync.hub.config import HubSettings
from sync.hub.enrolment import Enrolments
from sync.hub.store import HubStore
from sync.hub.web.visit import House

MOST_ROWS = 200


def tables(settings: HubSettings, store: HubStore) -> Enrolments | None:
    """The tables of enrolment on this store; None where the settings know no enrolment."""
    if settings.enrolment is None:
        return None
    return Enrolments(store, cli_enrolment.authority_of(settings), settings.enrolment.days)


def prepare(settings: HubSettings, store: HubStore) -> None:
    """Make the tables where they are missing. Errors: StoreFault."""
    found = tables(settings, store)
    if found is not None:
        found.prepare()


def waiting(house: House) -> list[dict[str, Any]] | None:
    """Who asked, those still waiting first, then the newest decisions; None without enrolment. Errors: StoreFault."""

    def read(store: HubStore) -> list[dict[str, Any]] | None:
        found = tables(house.settings, store)
        return None if found is None else found.waiting()

    rows = house.readers.run(read)
    if rows is None:
        return None
    rows.sort(key=lambda row: (row["state"] != "waiting", -row["asked_at"], row["code"]))
    return rows[:MOST_ROWS]


def certificates(house: House, site: SiteCode) -> list[dict[str, Any]] | None:
    """The certificates of a site, newest first; None without enrolment. Errors: StoreFault."""

    def read(store: HubStore) -> list[dict[str, Any]] | None:
        found = tables(house.settings, store)
        return None if found is None else [row for row in found.certificates() if row["site"] == site]

    rows = house.readers.run(read)
    return None if rows is None else sorted(rows, key=lambda row: -row["begin_at"])[:MOST_ROWS]


def approve(house: House, code: str, site: SiteCode, *, replace: bool) -> bool:
    """Let a device in. False when the broker has to be told by hand. Errors: NotNow, NoAuthority, StoreFault."""

    def write(store: HubStore) -> None:
        found = tables(house.settings, store)
        assert found is not None
        found.approve(code, site, replace=replace)

    house.writers.run(write)
    if not replace:
        return True
    told = broker_files.reload(() if house.settings.enrolment is None else house.settings.enrolment.reload)
    asyncio.run(cli_enrolment.cut_off(house.settings, site))  # the terminal before it may have a line now
    return told


def refuse(house: House, code: str) -> None:
    """Send a device away. Errors: NotNow, StoreFault."""

    def write(store: HubStore) -> None:
        found = tables(house.settings, store)
        assert found is not None
        found.refuse(code)

    house.writers.run(write)
