"""Rules of ordered releases: one order at a time, each a row whose state moves with a fact. No files, no network here.

waiting -> fetched -> written -> installed | fell_back; refused, expired, withdrawn and replaced end an order before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from edge import events, log
from edge.events import Fact
from edge.release import DIGEST_RULE, number
from edge.store import Tx


class State(StrEnum):
    """How an order stands."""

    WAITING = "waiting"
    FETCHED = "fetched"
    WRITTEN = "written"
    INSTALLED = "installed"
    FELL_BACK = "fell_back"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


OPEN = (State.WAITING, State.FETCHED, State.WRITTEN)


@dataclass(frozen=True, slots=True)
class Order:
    """One order. Units: `until` UTC ms. `why`: one word where it was refused or fell back."""

    id: str
    version: str
    compatible: str
    sheet: str
    until: int
    at_once: bool
    state: State
    why: str


def ordered(tx: Tx, fact: events.UpdateOrdered) -> None:
    """A release was ordered; it takes the place of an order that was not carried out yet. Errors: ValueError."""
    tx.bookkeeping = True
    number(fact.version)
    if not re.fullmatch(DIGEST_RULE, fact.sheet):
        raise ValueError("no digest")
    if _is_being_tried(tx):
        raise ValueError("another release is being tried")  # the hub orders again once it has heard how that ended
    tx.execute(
        "UPDATE update_order SET state = ? WHERE state IN (?, ?)", (State.REPLACED, State.WAITING, State.FETCHED)
    )
    tx.execute(
        "INSERT OR IGNORE INTO update_order (id, version, compatible, sheet, until, at_once, state, why, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, '', ?)",
        (
            fact.order, fact.version, fact.compatible, fact.sheet, fact.until, int(fact.at_once), State.WAITING,
            tx.stamp.at,
        ),
    )  # fmt: skip


def withdrawn(tx: Tx, fact: events.UpdateWithdrawn) -> None:
    """An order is void if nothing of it was written yet."""
    tx.bookkeeping = True
    tx.execute(
        "UPDATE update_order SET state = ? WHERE id = ? AND state IN (?, ?)",
        (State.WITHDRAWN, fact.order, State.WAITING, State.FETCHED),
    )


def current(tx: Tx) -> Order | None:
    """The order that is to be carried out; one whose time is over ends here."""
    order = last(tx)
    if order is None or order.state not in OPEN:
        return None
    if order.state is not State.WRITTEN and tx.stamp.at > order.until:
        move(tx, order.id, State.EXPIRED, events.UpdateRefused(order.id, order.version, "expired"), "expired")
        return None
    return order


def last(tx: Tx) -> Order | None:
    """The newest order, however it ended."""
    row = tx.row("SELECT * FROM update_order ORDER BY rowid DESC LIMIT 1")
    if row is None:
        return None
    return Order(
        row["id"], row["version"], row["compatible"], row["sheet"], row["until"], bool(row["at_once"]),
        State(row["state"]), row["why"],
    )  # fmt: skip


def move(tx: Tx, order: str, state: State, fact: Fact, why: str = "") -> None:
    """Bring an order on, with the fact that tells of it; for a release without an order only the fact is written."""
    log.append(tx, fact)
    tx.execute("UPDATE update_order SET state = ?, why = ? WHERE id = ?", (state, why, order))


def again(tx: Tx, order: str, why: str) -> None:
    """What was fetched could not be used: fetch another file of the same release."""
    tx.bookkeeping = True
    tx.execute("UPDATE update_order SET state = ?, why = ? WHERE id = ?", (State.WAITING, why, order))


def _is_being_tried(tx: Tx) -> bool:
    return bool(tx.value("SELECT count(*) FROM update_order WHERE state = ?", (State.WRITTEN,)))
