"""Random histories of a point against the hub's real database: bad lines, restarts, disks that go back in time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
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

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hub-history-"))
        self.open()

    def open(self) -> None:
        self.store = HubStore(self.folder / "hub", SystemClock(), SystemDice(), {SITE: KEY}, durable=False)
        self.store.open()

    def on_batch(self, batch: Batch) -> Ack:
        return accept(self.store, SITE, encode_batch(batch))

    @property
    def kept(self) -> Kept:
        return Kept(self.store)

    def back_up(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder / "backup", ignore_errors=True)
        shutil.copytree(self.folder / "hub", self.folder / "backup")
        self.open()

    def restore(self) -> None:
        if (self.folder / "backup").exists():
            self.store.close()
            shutil.rmtree(self.folder / "hub")
            shutil.copytree(self.folder / "backup", self.folder / "hub")
            self.open()


class StoredHistory(History):
    """The same rules; each fact is money taken for a bill nobody knows, so each must be refused exactly once."""

    def __init__(self) -> None:
        super().__init__()
        self.point = Point(facts_per_batch=3)
        self.old_disk = self.point.copy_disk()
        self.hub = StoredHub()

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
            shutil.rmtree(self.hub.folder)

    def _digests_agree_unless_history_was_lost(self) -> None:
        status = report.status(self.hub.store)["sites"][0]
        if status["facts"] == len(self.point.disk.items):
            assert status["digest"] == digest(self.point.disk.events())


def test_every_history_ends_with_point_and_database_agreeing() -> None:
    run_state_machine_as_test(StoredHistory, settings=settings(QUICK, max_examples=25))


@pytest.mark.soak
def test_a_thousand_histories_end_with_point_and_database_agreeing() -> None:
    run_state_machine_as_test(StoredHistory, settings=settings(QUICK, max_examples=1_000, stateful_step_count=50))
