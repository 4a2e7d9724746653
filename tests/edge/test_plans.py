"""No question of the counter reads every parcel there ever was: SQLite's plans, looked at through the real rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, cast

import pytest

from edge import boards, parcels, pickups, retention
from edge.model import OperatorId, PickupToken, WaybillNo
from edge.parcels import Arrival
from edge.store import Store, Tx

FEW = {"alarm", "cell", "place", "notice"}  # tables that stay small by their nature
QUESTIONS = {
    "the day board": boards.day,
    "a search by digits": lambda tx: boards.search(tx, "1234"),
    "a search by name": lambda tx: boards.search(tx, "王"),
    "all that is here": lambda tx: boards.search(tx, ""),
    "the parcels being given out": pickups.releasing,
    "a token": lambda tx: pickups.by_token(tx, PickupToken("A" * 26)),
    "people to forget": lambda tx: retention.erase_collected(tx, 10**14),
    "codes to forget": retention.erase_used_codes,
    "payers to forget": lambda tx: retention.erase_settled_bills(tx, 10**14),
    "a parcel by its waybill": lambda tx: boards.find_line(tx, WaybillNo("SF1")),
    "the bills taken": boards.bills_taken,
    "a new parcel": lambda tx: parcels.find_active(tx, Arrival(WaybillNo("SF1"), "SF", OperatorId("op1")).waybill_no),
}


class Explained:
    """A connection that asks for the plan of every question before it asks the question."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.steps: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")):
            self.steps += [f"{row[3]} <- {sql}" for row in self._real.execute("EXPLAIN QUERY PLAN " + sql, *values)]
        return self._real.execute(sql, *values)


def whole_tables(store: Store, question: Callable[[Tx], object]) -> list[str]:
    """The steps of a question that read a table from end to end."""

    def ask(tx: Tx) -> list[str]:
        watched = Explained(tx._connection)
        tx._connection = cast("sqlite3.Connection", watched)
        question(tx)
        return watched.steps

    steps = store.run_now(ask)
    assert steps
    return [step for step in steps if step.startswith("SCAN ") and step.split()[1] not in FEW | {"json_each"}]


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_reads_every_parcel(store: Store, name: str) -> None:
    assert whole_tables(store, QUESTIONS[name]) == []


def test_a_question_by_state_alone_is_found_out(store: Store) -> None:
    assert whole_tables(store, lambda tx: tx.rows("SELECT * FROM parcel WHERE state = 'releasing' ORDER BY id"))
