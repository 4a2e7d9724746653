"""How every site stands, worst first: a handful of statements however many sites there are. Reads only.

What is bad and how bad is decided in `judge`. The indexes that make it quick are made when the page is first started.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from edge.model import ParcelState, SiteCode
from sync.hub.store import HubStore, Tx
from sync.hub.web.words import DAY_MS

# What is settled is by far the most; these indexes hold the rest only.
INDEXES = (
    "CREATE INDEX IF NOT EXISTS parcel_not_gone ON parcel (site, state) "
    "WHERE state <> 'picked_up' AND state <> 'returned'",
    "CREATE INDEX IF NOT EXISTS refusal_not_settled ON refusal (site) WHERE refunded < fen",
)
WORST_FIRST = (
    "forced", "unposted", "grave_alarm", "offline_days",
    "left_open", "owed", "offline", "ill_devices", "update_failed", "alarm", "backlog", "not_set_up", "never_heard",
)  # fmt: skip
ALARM_MS = 7 * DAY_MS  # an alarm is news for a week; the book of alarms keeps it for ever
BACKLOG_NOTED = 2_000  # facts: a day at the festival peak of one point
GRAVE_ALARMS = ("clone", "bad_chain", "advance_differs")

SITES = "SELECT code AS site, online, version, pending, seen_at FROM site WHERE 1 = 1 {only}"
HEARD = "SELECT site, max(heard_at) AS heard_at FROM head WHERE 1 = 1 {only} GROUP BY site"
PARCELS = (
    "SELECT site, state, count(*) AS n FROM parcel WHERE state <> 'picked_up' AND state <> 'returned' {only} "
    "GROUP BY site, state"
)
DEVICES = "SELECT site, count(*) AS n FROM device WHERE state = 'failed' {only} GROUP BY site"
# A door alarm that came ahead of a backlog counts until the log itself has reached it.
DOORS = (
    "SELECT site, state, count(*) AS n FROM (SELECT site, state FROM door UNION ALL SELECT site, CASE kind "
    "WHEN 'door_forced.1' THEN 'forced' WHEN 'door_left_open.1' THEN 'left_open' END AS state FROM advance "
    "WHERE state <> 'differs') d WHERE state IN ('forced', 'left_open') {only} GROUP BY site, state"
)
UPDATES = (
    "SELECT site, count(*) AS n FROM site_update WHERE state IN ('fell_back', 'refused') AND why <> 'expired' {only} "
    "GROUP BY site"
)
OWED = "SELECT site, CAST(sum(fen - refunded) AS BIGINT) AS fen FROM refusal WHERE refunded < fen {only} GROUP BY site"
# A bill that was accepted and neither posted nor refused is among what could not be applied: a short list.
UNPOSTED = (
    "SELECT site, body FROM (SELECT u.site AS site, f.body AS body, u.event AS event FROM unprojected u "
    "CROSS JOIN fact f WHERE f.site = u.site AND f.seq = u.seq AND f.event = u.event "
    "AND f.kind LIKE 'bill_accepted.%') b "
    "WHERE NOT EXISTS (SELECT 1 FROM posting p WHERE p.site = b.site AND p.event = b.event) "
    "AND NOT EXISTS (SELECT 1 FROM refusal r WHERE r.site = b.site AND r.event = b.event) {only}"
)
ALARMS = "SELECT site, what, count(*) AS n FROM alarm WHERE last_at > ? {only} GROUP BY site, what"


class Level(IntEnum):
    """How soon somebody has to do something."""

    FINE = 0
    NEW = 1  # was never heard
    LOOK = 2
    ACT = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing wrong: a word of the catalogue's room `reason`, how bad, and how many."""

    word: str
    level: Level
    count: int = 1


@dataclass(slots=True)
class SiteFigures:
    """One site. Units: fen, UTC milliseconds; `seen_at` None when it was never heard."""

    code: SiteCode
    name: str
    is_set_up: bool
    online: bool
    version: str
    backlog: int
    seen_at: int | None
    offline_ms: int = 0
    at_point: int = 0
    expected: int = 0
    unposted_bills: int = 0
    unposted_fen: int = 0
    owed_fen: int = 0  # of refused bills, not given back yet
    ill_devices: int = 0
    forced: int = 0
    left_open: int = 0
    failed_updates: int = 0
    alarms: dict[str, int] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)

    @property
    def level(self) -> Level:
        """The worst of the reasons."""
        return max((reason.level for reason in self.reasons), default=Level.FINE)

    @property
    def days_offline(self) -> int:
        """Whole days."""
        return self.offline_ms // DAY_MS


@dataclass(frozen=True, slots=True)
class Totals:
    """The district in one line. Units: fen."""

    sites: int
    online: int
    act: int
    look: int
    at_point: int
    backlog: int
    unposted_fen: int
    owed_fen: int
    ill_devices: int
    forced: int
    left_open: int


def prepare(store: HubStore) -> None:
    """Make the indexes where they are missing. Errors: StoreFault."""
    with store.transaction() as tx:
        for statement in INDEXES:
            tx.execute(statement)


def read(tx: Tx, names: Mapping[SiteCode, str], only: SiteCode | None = None) -> list[SiteFigures]:
    """Read the figures of all sites, or of one; judged, in no order. `names`: of the sites in the settings."""
    now = tx.stamp.at
    sites = {each.code: each for each in _sites(tx, names, only)}
    groups: dict[str, dict[SiteCode, dict[Any, Any]]] = {
        "parcel": _grouped(tx, PARCELS, only, "state"),
        "door": _grouped(tx, DOORS, only, "state"),
        "alarm": _grouped(tx, ALARMS, only, "what", now - ALARM_MS),
    }
    ill, owed, heard, failed = (
        {SiteCode(row["site"]): int(row[column]) for row in _rows(tx, statement, only)}
        for statement, column in ((DEVICES, "n"), (OWED, "fen"), (HEARD, "heard_at"), (UPDATES, "n"))
    )
    unposted = _unposted(tx, only)
    for code, site in sites.items():
        site.seen_at = max((at for at in (site.seen_at, heard.get(code)) if at is not None), default=None)
        parcels = groups["parcel"].get(code, {})
        site.expected = parcels.get(ParcelState.EXPECTED.value, 0)
        site.at_point = sum(parcels.values()) - site.expected
        site.ill_devices, site.owed_fen = ill.get(code, 0), owed.get(code, 0)
        site.failed_updates = failed.get(code, 0)
        site.unposted_bills, site.unposted_fen = unposted.get(code, (0, 0))
        doors = groups["door"].get(code, {})
        site.forced, site.left_open = doors.get("forced", 0), doors.get("left_open", 0)
        site.alarms = groups["alarm"].get(code, {})
        judge(site, now)
    return list(sites.values())


def judge(site: SiteFigures, now: int) -> None:
    """Say what is wrong with a site and how bad it is; the worst first."""
    if not site.online and site.seen_at is not None:
        site.offline_ms = max(0, now - site.seen_at)
    grave = sum(n for what, n in site.alarms.items() if what in GRAVE_ALARMS)
    found = {
        "forced": (Level.ACT, site.forced),
        "unposted": (Level.ACT, site.unposted_bills),
        "grave_alarm": (Level.ACT, grave),
        "offline_days": (Level.ACT, site.days_offline),
        "left_open": (Level.LOOK, site.left_open),
        "owed": (Level.LOOK, int(site.owed_fen > 0)),
        "offline": (Level.LOOK, int(site.offline_ms > 0 and not site.days_offline)),
        "ill_devices": (Level.LOOK, site.ill_devices),
        "update_failed": (Level.LOOK, site.failed_updates),
        "alarm": (Level.LOOK, sum(site.alarms.values()) - grave),
        "backlog": (Level.LOOK, site.backlog if site.backlog > BACKLOG_NOTED else 0),
        "not_set_up": (Level.LOOK, int(not site.is_set_up)),
        "never_heard": (Level.NEW, int(not site.online and site.seen_at is None)),
    }
    site.reasons = [Reason(word, *found[word]) for word in WORST_FIRST if found[word][1]]


def worst_first(sites: Iterable[SiteFigures]) -> list[SiteFigures]:
    """By level, then by the worst thing that is wrong, then by days offline, money, and how much else there is."""
    return sorted(
        sites,
        key=lambda site: (
            -site.level,
            WORST_FIRST.index(site.reasons[0].word) if site.reasons else len(WORST_FIRST),
            -site.days_offline,
            -site.unposted_fen - site.owed_fen,
            -len(site.reasons),
            site.code,
        ),
    )


FILTERS: dict[str, Callable[[SiteFigures], bool]] = {
    "all": lambda _site: True,
    "attention": lambda site: site.level >= Level.LOOK,
    "offline": lambda site: not site.online,
    "money": lambda site: site.unposted_fen > 0 or site.owed_fen > 0,
    "devices": lambda site: site.ill_devices > 0,
    "doors": lambda site: site.forced > 0 or site.left_open > 0,
}


def chosen(sites: Iterable[SiteFigures], show: str, wanted: str) -> list[SiteFigures]:
    """Those that a filter lets through and whose code or name has the wanted text in it."""
    passes, text = FILTERS[show], wanted.casefold()
    return [site for site in sites if passes(site) and (text in site.code.casefold() or text in site.name.casefold())]


def totals(sites: list[SiteFigures]) -> Totals:
    """Add the figures up."""
    return Totals(
        sites=len(sites),
        online=sum(site.online for site in sites),
        act=sum(site.level is Level.ACT for site in sites),
        look=sum(site.level is Level.LOOK for site in sites),
        at_point=sum(site.at_point for site in sites),
        backlog=sum(site.backlog for site in sites),
        unposted_fen=sum(site.unposted_fen for site in sites),
        owed_fen=sum(site.owed_fen for site in sites),
        ill_devices=sum(site.ill_devices for site in sites),
        forced=sum(site.forced for site in sites),
        left_open=sum(site.left_open for site in sites),
    )


def _sites(tx: Tx, names: Mapping[SiteCode, str], only: SiteCode | None) -> list[SiteFigures]:
    found = tx.rows(SITES.format(only="" if only is None else "AND code = ?"), () if only is None else (only,))
    return [
        SiteFigures(
            code := SiteCode(row["site"]),
            names.get(code, ""),
            code in names,
            bool(row["online"]),
            row["version"],
            row["pending"],
            row["seen_at"],
        )
        for row in found
    ]


def _rows(tx: Tx, statement: str, only: SiteCode | None, *values: Any) -> list[dict[str, Any]]:
    one = () if only is None else (only,)
    return list(tx.rows(statement.format(only="" if only is None else "AND site = ?"), (*values, *one)))


def _grouped(
    tx: Tx, statement: str, only: SiteCode | None, column: str, *values: Any
) -> dict[SiteCode, dict[Any, Any]]:
    found: dict[SiteCode, dict[Any, Any]] = defaultdict(dict)
    for row in _rows(tx, statement, only, *values):
        found[SiteCode(row["site"])][row[column]] = int(row["n"])
    return found


def _unposted(tx: Tx, only: SiteCode | None) -> dict[SiteCode, tuple[int, int]]:
    found: dict[SiteCode, tuple[int, int]] = {}
    for row in _rows(tx, UNPOSTED, only):
        bills, fen = found.get(SiteCode(row["site"]), (0, 0))
        found[SiteCode(row["site"])] = bills + 1, fen + _fen(row["body"])
    return found


def _fen(body: str) -> int:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return 0
    fen = value.get("fen") if isinstance(value, dict) else None
    return fen if type(fen) is int else 0
