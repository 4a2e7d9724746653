"""Random histories of a point against the hub's real database: bad lines, restarts, disks that go back in time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from hub_places import KINDS, Places, PostgresPlaces, SqlitePlaces
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from memory_logs import KEY
from points import Point
from test_relay import QUICK, History

from edge import events as ev
from edge.clock import SystemClock, SystemDice
from edge.model import SiteCode
from sync.hub import report
from sync.hub.intake import accept
from sync.hub.store import HubStore
from sync.relay import digest
from sync.wire import Ack, Batch, encode_batch

SITE = SiteCode("QJ-0001")


class Kept:
    """What the base machine looks at, read from the database."""

    def __init__(self, store: HubStore) -> None:
        with store.reading() as tx:
            self.applied = [row["event"] for row in tx.rows("SELECT event FROM fact")]


class StoredHub:
    """The hub's intake on a file, behind the face of the in-memory one."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.names = (f"hub{number}" for number in count())
        self.name = next(self.names)
        self.backup: str | None = None
        self.open()

    def open(self) -> None:
        self.store = HubStore(self.places.database(self.name), SystemClock(), SystemDice(), {SITE: KEY})
        self.store.open()

    def on_batch(self, batch: Batch) -> Ack:
        return accept(self.store, SITE, encode_batch(batch))

    @property
    def kept(self) -> Kept:
        return Kept(self.store)

    def back_up(self) -> None:
        self.store.close()
        self.backup = next(self.names)
        self.places.copy(self.name, self.backup)
        self.open()

    def restore(self) -> None:
        if self.backup is not None:
            self.store.close()
            self.name = next(self.names)
            self.places.copy(self.backup, self.name)
            self.open()


class StoredHistory(History):
    """The same rules; each fact is money taken for a bill nobody knows, so each must be refused exactly once."""

    new_places: ClassVar[Callable[[], Places]]

    def __init__(self) -> None:
        super().__init__()
        self.point = Point(facts_per_batch=3)
        self.old_disk = self.point.copy_disk()
        self.hub = StoredHub(type(self).new_places())

    @rule(how_many=st.integers(1, 8))
    def facts_happen(self, how_many: int) -> None:
        for _ in range(how_many):
            self.number += 1
            self.point.happened(ev.BillAccepted(f"B{self.number}", 100, "cash", f"S{self.number}", "op"))

    @rule()
    def the_hub_is_backed_up(self) -> None:
        self.hub.back_up()

    @rule()
    def the_hub_is_restored(self) -> None:
        self.hub.restore()

    @invariant()
    def each_payment_has_one_answer(self) -> None:
        with self.hub.store.reading() as tx:
            taken = tx.value("SELECT count(*) FROM fact WHERE kind = 'bill_accepted.1'")
            assert tx.value("SELECT count(*) FROM refusal") == taken
            assert tx.value("SELECT count(*) FROM down WHERE kind = 'bill_refused.1'") == taken
            assert tx.value("SELECT count(*) FROM unprojected WHERE reason = 'failed'") == 0

    def teardown(self) -> None:
        try:
            self.settle()
            self.each_payment_has_one_answer()
            self._digests_agree_unless_history_was_lost()
        finally:
            self.hub.store.close()
            self.hub.places.drop()

    def _digests_agree_unless_history_was_lost(self) -> None:
        status = report.status(self.hub.store)["sites"][0]
        if status["facts"] == len(self.point.disk.items):
            assert status["digest"] == digest(self.point.disk.events())


@pytest.fixture(params=KINDS)
def histories(request: pytest.FixtureRequest, tmp_path: Path) -> type[StoredHistory]:
    """The machine on one kind of database, a new one for each history."""
    if request.param == "sqlite":
        folders = (tmp_path / str(number) for number in count())
        return type("OnFiles", (StoredHistory,), {"new_places": lambda: SqlitePlaces(next(folders))})
    server = request.getfixturevalue("postgres_server")
    return type("OnServer", (StoredHistory,), {"new_places": lambda: PostgresPlaces(server, tmp_path)})


def test_every_history_ends_with_point_and_database_agreeing(
    histories: type[StoredHistory],
) -> None:
    examples = 25 if histories.__name__ == "OnFiles" else 8  # a copy of a database takes a tenth of a second there
    run_state_machine_as_test(histories, settings=settings(QUICK, max_examples=examples))


@pytest.mark.soak
def test_a_thousand_histories_end_with_point_and_database_agreeing(histories: type[StoredHistory]) -> None:
    run_state_machine_as_test(histories, settings=settings(QUICK, max_examples=1_000, stateful_step_count=50))
