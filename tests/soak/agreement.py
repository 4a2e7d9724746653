"""Whether a point's books and the hub's say the same. Reads both; returns what is wrong, nothing when all is well."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from edge import events, log
from edge.chain import event_id
from edge.model import SiteCode
from edge.store import Store, Tx
from sync.hub.store import HubStore
from sync.hub.store import Tx as HubTx
from sync.relay import digest


@dataclass(frozen=True, slots=True)
class Books:
    """Both sides of one site at rest."""

    log_id: str
    here: list[str]  # hashes of the point's log, in order
    alarms: set[str]
    applied: int  # different events of the hub that were applied here
    down_upto: int
    facts: list[dict[str, Any]]  # the hub's rows, in the order in which they were kept
    heads: list[dict[str, Any]]
    hub_alarms: set[str]
    down: list[str]  # events of the hub's log
    posted: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @property
    def is_flagged(self) -> bool:
        """Whether somebody was told that a history was rewritten."""
        return bool(self.alarms & {"fork"} or self.hub_alarms & {"fork", "clone", "new_card"})


def books(point: Store, hub: HubStore, site: SiteCode, kept: str = "rowid") -> Books:
    """Read both sides. `kept`: what tells in which order rows were kept.

    PostgreSQL puts rows where there is room, so there it is the time of the transaction, and the number within it.
    """
    here = point.run_now(_here)
    with hub.reading() as tx:
        return Books(*here, *_there(tx, site, kept))


def disagreements(both: Books, *, rewound: bool) -> list[str]:
    """What is wrong. `rewound`: a card or the hub went back in time, so that a history may have parted."""
    bad: list[str] = []
    there = Counter(row["hash"] for row in both.facts)
    if any(times > 1 for times in there.values()):
        bad.append("kept twice")
    if lost := sum(1 for mark in both.here if mark not in there):
        bad.append(f"lost {lost}")
    ends = [(head["upto"], head["mark"]) for head in both.heads if head["log_id"] == both.log_id]
    if ends != [(len(both.here), both.here[-1])]:
        bad.append("ends differ")
    if set(there) - set(both.here) and not both.is_flagged:
        bad.append("history was rewritten in silence")
    if not rewound:
        bad += _unparted(both)
    return [*bad, *_money(both), *_answers(both)]


def _unparted(both: Books) -> list[str]:
    bad = []
    if [row["seq"] for row in both.facts] != list(range(1, len(both.here) + 1)):
        bad.append("order or gap at the hub")
    if digest(row["event"] for row in both.facts) != digest(event_id(mark) for mark in both.here):
        bad.append("digests differ")
    laid = Counter(row["event"] for row in both.facts if row["kind"].startswith(("parcel_deposited", "parcel_shelved")))
    if laid != Counter(row["event"] for row in both.messages):
        bad.append("messages: not one for each parcel that was laid")
    return bad


def _money(both: Books) -> list[str]:
    bad = []
    taken = [row["event"] for row in both.facts if row["kind"] == events.BillAccepted.kind]
    if Counter(taken) != Counter(row["event"] for row in [*both.posted, *both.refused]):
        bad.append("money: accepted and settled differ")
    if any(times > 1 for times in Counter(row["bill"] for row in both.posted).values()):
        bad.append("paid twice")
    return bad


def _answers(both: Books) -> list[str]:
    if both.down_upto != len(both.down):
        return ["the hub's log has not arrived whole"]
    return [] if both.applied >= len(set(both.down)) else ["a message of the hub was not applied"]


def _here(tx: Tx) -> tuple[str, list[str], set[str], int, int]:
    return (
        str(log.head(tx).log_id),
        [mark for _, mark in log.items(tx)],
        {row["code"] for row in tx.rows("SELECT code FROM alarm")},
        int(tx.value("SELECT count(*) FROM applied")),
        int(log.cursor(tx, log.DOWN).upto),
    )


def _there(tx: HubTx, site: SiteCode, kept: str) -> tuple[Any, ...]:
    return (
        list(tx.rows(f"SELECT * FROM fact WHERE site = ? ORDER BY {kept}", (site,))),
        list(tx.rows("SELECT * FROM head WHERE site = ? ORDER BY nth", (site,))),
        {row["what"] for row in tx.rows("SELECT what FROM alarm WHERE site = ?", (site,))},
        [row["event"] for row in tx.rows("SELECT event FROM down WHERE site = ? ORDER BY seq", (site,))],
        list(tx.rows("SELECT * FROM posting WHERE site = ?", (site,))),
        list(tx.rows("SELECT * FROM refusal WHERE site = ?", (site,))),
        list(tx.rows("SELECT * FROM sms WHERE site = ?", (site,))),
    )
