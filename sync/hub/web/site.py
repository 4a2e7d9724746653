"""One site in full: devices, doors, alarms, the way down, certificates; and the sums that two ends can compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.model import ParcelState, SiteCode
from sync.hub import commissioning, down
from sync.hub.manifest import GONE
from sync.hub.report import site_digest
from sync.hub.store import Tx

MOST_ROWS = 100  # of one list on the page
DEVICES = "SELECT device, state, what, changed_at FROM device WHERE site = ? ORDER BY state, device LIMIT ?"
DOORS = (
    "SELECT cell, state, fault, changed_at FROM door WHERE site = ? "
    "AND (state IN ('forced', 'left_open', 'not_opened') OR fault IS NOT NULL) ORDER BY cell LIMIT ?"
)
ALARMS = "SELECT what, subject, times, first_at, last_at FROM alarm WHERE site = ? ORDER BY last_at DESC LIMIT ?"
UNAPPLIED = (
    "SELECT u.event, u.reason, u.at, f.seq, f.kind FROM unprojected u CROSS JOIN fact f "
    "WHERE u.site = ? AND f.site = u.site AND f.seq = u.seq AND f.event = u.event ORDER BY u.at DESC, u.event LIMIT ?"
)
LOGS = "SELECT log_id, began_at, upto, mark, heard_at FROM head WHERE site = ? ORDER BY nth DESC LIMIT ?"
SUMS = {
    "posted": "SELECT count(*) AS n, CAST(coalesce(sum(fen), 0) AS BIGINT) AS fen FROM posting WHERE site = ?",
    "refused": "SELECT count(*) AS n, CAST(coalesce(sum(fen), 0) AS BIGINT) AS fen FROM refusal WHERE site = ?",
    "refunded": (
        "SELECT count(*) AS n, CAST(coalesce(sum(refunded), 0) AS BIGINT) AS fen FROM refusal "
        "WHERE site = ? AND refunded > 0"
    ),
}


@dataclass(frozen=True, slots=True)
class SiteLists:
    """What the page of a site shows beside its figures. Shape: rows of the tables; nothing personal is in them."""

    devices: list[dict[str, Any]]
    doors: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    unapplied: list[dict[str, Any]]
    commissioning: dict[str, Any] | None
    down_upto: int
    down_pending: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What both ends count for themselves. Shape: money as word -> (bills, fen)."""

    facts: int
    digest: str
    logs: list[dict[str, Any]]
    parcels: dict[str, int]
    money: dict[str, tuple[int, int]]

    @property
    def parcels_out(self) -> int:
        """Handed out or sent back."""
        return sum(self.parcels.get(state, 0) for state in GONE)

    @property
    def parcels_in(self) -> int:
        """All that ever came to the point."""
        return sum(self.parcels.values()) - self.parcels.get(ParcelState.EXPECTED.value, 0)


def lists(tx: Tx, site: SiteCode) -> SiteLists:
    """Read what stands beside the figures. The site has a row."""
    rows = {
        name: list(tx.rows(statement, (site, MOST_ROWS)))
        for name, statement in (("devices", DEVICES), ("doors", DOORS), ("alarms", ALARMS), ("unapplied", UNAPPLIED))
    }
    end, told = down.head(tx, site), down.cursor(tx, site)
    last = commissioning.newest(tx, site)
    return SiteLists(**rows, commissioning=last, down_upto=int(end.upto), down_pending=int(end.upto - told.upto))


def sums(tx: Tx, site: SiteCode) -> Sums:
    """Count everything of a site, from its first fact on: some time for a long life."""
    states = tx.rows("SELECT state, count(*) AS n FROM parcel WHERE site = ? GROUP BY state ORDER BY state", (site,))
    money: dict[str, tuple[int, int]] = {}
    for word, statement in SUMS.items():
        row = tx.row(statement, (site,)) or {"n": 0, "fen": 0}
        money[word] = int(row["n"]), int(row["fen"])
    return Sums(
        facts=int(tx.value("SELECT count(*) FROM fact WHERE site = ?", (site,))),
        digest=site_digest(tx, site),
        logs=list(tx.rows(LOGS, (site, MOST_ROWS))),
        parcels={row["state"]: int(row["n"]) for row in states},
        money=money,
    )
