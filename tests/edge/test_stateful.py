"""Days at the counter in any order, with kills in between: money, cells and the log must agree after every step.

Holds R4 (money), R5 (a bill is taken once), R6 (one parcel, one cell) and R11 (no gap) of the ledger of invariants.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from stockroom import (
    MEMORY,
    OPERATOR,
    SOAK,
    Clock,
    Dice,
    Hub,
    arrival,
    bill,
    disagreements,
    expected,
    furnish,
    new_store,
)

from edge import backup, bills, cells, events, guard, log, parcels, pickups, retention
from edge.model import (
    PARCEL_MOVES,
    BillId,
    BillState,
    CellNo,
    Fen,
    IllegalMove,
    ParcelId,
    ParcelState,
    PickupCode,
    Rejected,
)
from edge.prints import NUMBER_GAP
from edge.store import FILE, Store, Tx

parcel_numbers = st.integers(1, 6)
bill_numbers = st.integers(1, 4)
SENSIBLE = {
    "expected": ("arrive",),
    "arrived": ("deposited", "shelved", "deposited", "shelved", "cancel", "cell_failed", "to_shelf"),
    "in_locker": ("begin", "begin", "excepted"),
    "on_shelf": ("begin", "begin", "excepted"),
    "releasing": ("taken", "taken", "taken, door open", "failed", "left", "excepted"),
    "exception": ("gone", "in_cell", "on_shelf"),
}
ACTIONS = sorted({action for actions in SENSIBLE.values() for action in actions})
MONEY = ("accepted", "posted", "refused")  # in the drawer until it is given back


class Counter(RuleBasedStateMachine):
    """One point. Rules may refuse (then nothing may have changed) or do their work."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="counter-", dir=MEMORY))
        self.clock, self.dice, self.hub = Clock(), Dice(), Hub()
        self.lives = 0
        self.drawer: dict[str, int] = {}  # what the cashier knows: bill -> fen
        self.states: dict[str, str] = {}
        self.facts = 0
        self.put_back: list[int] = []  # how many bills had been taken each time a backup was put back

    @initialize()
    def opens(self) -> None:
        self.store = self._opened(self.root / "life0")
        self.store.run_now(furnish, "SSM", 2)
        self.hub.tell(self.store, *(expected(n, phone=f"1380000{n % 3:04d}") for n in range(1, 5)), bill(1), bill(2))

    def _opened(self, folder: Path) -> Store:
        store = new_store(folder, self.clock, self.dice)
        store.open()
        return store

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert self.store.run_now(log.verify) is None
            self.store.close()
        shutil.rmtree(self.root)

    def attempt(self, work: Callable[..., object], *args: object) -> bool:
        """Try it. A refusal must leave the log where it was."""
        try:
            self.store.run_now(work, *args)
        except (Rejected, IllegalMove, AssertionError):
            assert self.store.run_now(log.head).upto == self.facts
            return False
        self._sync()
        return True

    # -- the hub

    @rule(number=parcel_numbers, size=st.sampled_from("SML"), consent=st.sampled_from(["locker", "shelf", "none"]))
    def hub_expects(self, number: int, size: str, consent: str) -> None:
        self.hub.tell(self.store, expected(number, size=size, consent=consent, phone=f"1380000{number % 3:04d}"))

    @rule(number=bill_numbers, fen=st.sampled_from([1, 100, 99_999]))
    def hub_issues(self, number: int, fen: int) -> None:
        self.hub.tell(self.store, bill(number, fen))

    @rule(number=bill_numbers, slip=st.sampled_from([None, "000001", "000009"]), posted=st.booleans())
    def hub_answers(self, number: int, slip: str | None, posted: bool) -> None:
        own = self.store.run_now(Tx.value, "SELECT slip FROM bill WHERE id = ?", (f"b{number}",))
        number_of_slip = slip or own or "000001"
        kind = events.BillPosted if posted else events.BillRefused
        self.hub.tell(self.store, kind(f"b{number}", number_of_slip, "x"))

    @rule(share=st.floats(0, 1))
    def hub_confirms(self, share: float) -> None:
        head = self.store.run_now(log.head)
        upto = int(head.upto * share)
        mark = self.store.run_now(log.mark_at, upto)
        self.store.run_now(log.confirm, log.Position(head.log_id, upto, mark))

    # -- parcels

    @rule(pick=st.integers(0, 5), what=st.integers(0, 5), where=st.sampled_from(["auto", "shelf", "locker"]))
    def something_sensible(self, pick: int, what: int, where: str) -> None:
        """Whatever may come next for a parcel that is there: so that days get somewhere."""
        rows = self.store.run_now(Tx.rows, "SELECT id, state FROM parcel ORDER BY id")
        if rows:
            row = rows[pick % len(rows)]
            actions = SENSIBLE.get(row["state"], ("arrive",))
            self._act(actions[what % len(actions)], int(row["id"][1:]), where)

    something_more = something_sensible  # twice as likely
    and_more = something_sensible

    @rule(number=parcel_numbers, action=st.sampled_from(ACTIONS), where=st.sampled_from(["auto", "shelf"]))
    def something_wild(self, number: int, action: str, where: str) -> None:
        self._act(action, number, where)

    def _act(self, action: str, number: int, where: str) -> None:  # noqa: PLR0912 one line per rule
        parcel = ParcelId(f"p{number}")
        row = self.store.run_now(Tx.row, "SELECT state, cell FROM parcel WHERE id = ?", (parcel,)) or {"state": ""}
        match action:
            case "arrive":
                self.attempt(parcels.arrive, arrival(number, where))
            case "deposited":
                self.attempt(parcels.deposited, parcel, "sensor")
            case "shelved":
                self.attempt(parcels.shelved, parcel)
            case "cancel":
                self.attempt(parcels.cancel_deposit, parcel, "operator")
            case "cell_failed" if row["state"] == "arrived":
                self.attempt(parcels.cell_failed, parcel, "stayed_closed")
            case "to_shelf" if row["state"] == "arrived" and row["cell"] is not None:
                self.attempt(parcels.to_shelf, parcel)
            case "begin":
                self.attempt(pickups.begin_pickup, parcel, "operator")
            case "failed":
                self.attempt(pickups.pickup_failed, parcel, "stayed_closed")
            case "left":
                self.attempt(pickups.pickup_left, parcel)
            case "excepted":
                self.attempt(pickups.excepted, parcel, "unknown")
            case "taken":
                self.attempt(pickups.picked_up, parcel, "self", "sensor")
            case "taken, door open":
                self.attempt(pickups.picked_up, parcel, "self", "left_open")
            case "gone" | "in_cell" | "on_shelf":
                self.attempt(pickups.resolve, parcel, action, OPERATOR)

    @rule(number=parcel_numbers, right=st.booleans())
    def identify(self, number: int, right: bool) -> None:
        code = self.store.run_now(Tx.value, "SELECT code FROM parcel WHERE id = ?", (f"p{number}",))
        if code is not None and self.attempt(guard.take_try):
            self.attempt(pickups.identify, PickupCode(code), f"{number % 3:04d}" if right else "9999")

    # -- doors

    @rule(cell=st.integers(1, 3), end=st.sampled_from(["open", "left_open", "unknown", "wrong_door", None]))
    def door(self, cell: int, end: str | None) -> None:
        row = self.store.run_now(
            Tx.row, "SELECT p.id, p.state FROM cell c JOIN parcel p ON p.id = c.parcel WHERE c.cell = ?", (cell,)
        )
        purpose = {None: "service", "arrived": "deposit", "releasing": "pickup", "exception": "found"}.get(
            row and row["state"], "deposit"
        )
        if not self.attempt(cells.authorise, CellNo(cell), purpose, row and row["id"], OPERATOR):
            return
        opening = self.store.run_now(cells.unfinished)[-1].id
        match end:
            case "open":
                self.store.run_now(cells.opened, opening)
                self.store.run_now(cells.closed, opening)
            case "left_open":
                self.store.run_now(cells.opened, opening)
                self.store.run_now(cells.left_open, opening)
            case "unknown":
                self.store.run_now(cells.not_opened, opening, "unknown")
            case "wrong_door":
                self.store.run_now(cells.wrong_door, opening, [cell % 3 + 1])

    @rule(cell=st.integers(1, 3))
    def shut(self, cell: int) -> None:
        self.attempt(cells.shut_later, CellNo(cell))

    @rule(cell=st.integers(1, 3), there=st.booleans())
    def service(self, cell: int, there: bool) -> None:
        self.attempt(cells.to_service, CellNo(cell), there, "hinge", OPERATOR)

    # -- money

    @rule(number=bill_numbers, too_much=st.sampled_from([0, 0, 1, -1]))
    def accept(self, number: int, too_much: int) -> None:
        fen = (self.store.run_now(Tx.value, "SELECT fen FROM bill WHERE id = ?", (f"b{number}",)) or 0) + too_much
        if self.attempt(bills.accept, BillId(f"b{number}"), Fen(fen), OPERATOR):
            self.drawer[f"b{number}"] = self.drawer.get(f"b{number}", 0) + fen

    @rule(number=bill_numbers)
    def refund(self, number: int) -> None:
        if self.attempt(bills.refunded, BillId(f"b{number}"), OPERATOR):
            del self.drawer[f"b{number}"]

    # -- time, retention, kills

    @rule(minutes=st.integers(0, 20_000))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes * 60_000)

    @rule()
    def forget(self) -> None:
        self.attempt(retention.erase_collected, self.clock.wall - 7 * 24 * 3_600_000)
        self.attempt(retention.erase_used_codes)

    @rule(where=st.sampled_from(["here", "restored"]))
    def kill(self, where: str) -> None:
        """SIGKILL: what lies on the disk now is all there is. Or: a backup of this moment is put back elsewhere."""
        self.lives += 1
        folder = self.root / f"life{self.lives}"
        folder.mkdir()
        if where == "restored":
            backup.restore(folder, backup.make(self.store.folder).path)
            self.put_back.append(len(self._taken()))
        else:
            for name in (FILE, f"{FILE}-wal"):
                shutil.copy(self.store.folder / name, folder / name)
        self.store.close()
        self.clock.restart(f"b{self.lives:07d}")
        self.store = self._opened(folder)

    # -- what must hold

    def _sync(self) -> None:
        self.facts = int(self.store.run_now(log.head).upto)

    @invariant()
    def money_agrees(self) -> None:
        rows = self.store.run_now(Tx.rows, f"SELECT id, fen FROM bill WHERE state IN {MONEY}")
        assert {row["id"]: row["fen"] for row in rows} == self.drawer

        taken = self._taken()
        assert len({row["bill"] for row in taken}) == len(taken)
        passed_over = [NUMBER_GAP * sum(at < n for at in self.put_back) for n in range(1, len(taken) + 1)]
        assert [row["slip"] for row in taken] == [f"{n + gap:06d}" for n, gap in enumerate(passed_over, 1)]

    def _taken(self) -> list[dict[str, Any]]:
        return self.store.run_now(
            Tx.rows, "SELECT json_extract(body, '$.bill') AS bill, json_extract(body, '$.slip') AS slip FROM fact"
            " WHERE kind = 'bill_accepted.1' ORDER BY seq"
        )  # fmt: skip

    @invariant()
    def cells_and_parcels_agree(self) -> None:
        assert self.store.run_now(disagreements) == []

    @invariant()
    def the_log_is_whole(self) -> None:
        assert self.store.run_now(log.verify, 30) is None
        head = self.store.run_now(log.head).upto
        assert self.store.run_now(Tx.value, "SELECT count(*) FROM fact") == head
        assert head >= self.facts, "the log has become shorter"
        self._sync()

    @invariant()
    def every_state_was_reached_by_a_move_of_the_table(self) -> None:
        now = {row["id"]: row["state"] for row in self.store.run_now(Tx.rows, "SELECT id, state FROM parcel")}
        for parcel, state in now.items():
            before = self.states.get(parcel, "expected")
            assert state == before or state in PARCEL_MOVES[ParcelState(before)].values()
        assert set(self.states) <= set(now)
        self.states = now

    @invariant()
    def codes_are_apart(self) -> None:
        codes = [row["code"] for row in self.store.run_now(Tx.rows, "SELECT code FROM parcel WHERE code IS NOT NULL")]
        assert all(sum(a != b for a, b in zip(x, y, strict=True)) > 1 for i, x in enumerate(codes) for y in codes[:i])


CALM = list(HealthCheck)
DAYS = settings(max_examples=400 if SOAK else 12, stateful_step_count=120 if SOAK else 40, deadline=None,
                suppress_health_check=CALM)  # fmt: skip
# Generation alone: whether it is found is asked here, not how short the story can be told.
HUNT = settings(DAYS, max_examples=60, stateful_step_count=50, database=None, derandomize=True, print_blob=False,
                phases=[Phase.generate], report_multiple_bugs=False)  # fmt: skip


@pytest.mark.timeout(3600 if SOAK else 120)
@pytest.mark.logs("a fact of the hub")
def test_whatever_happens_at_the_counter_everything_agrees() -> None:
    run_state_machine_as_test(Counter, settings=DAYS)


# --- seeded bugs: proof that the machine bites ---------------------------------------------------------------------


def no_release(tx: Tx, cell: CellNo, *, left_open: bool = False) -> None:
    """The parcel left, but its cell was forgotten."""


def no_giving_back(tx: Tx, place: str) -> None:
    """The parcel left, but its place on the shelf was forgotten."""


def always_unpaid(state: BillState, move: str) -> BillState:
    return BillState.UNPAID if move == "bill_accepted" else BillState.POSTED


BUGS = {
    "a cell that is never released": (cells, "release", no_release),
    "a bill that can be taken twice": (bills, "bill_moved", always_unpaid),
    "a place that is never given back": (parcels.shelves, "give_back", no_giving_back),
}


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
@pytest.mark.logs("a fact of the hub")
def test_the_machine_finds_a_seeded_bug(monkeypatch: pytest.MonkeyPatch, bug: tuple[object, str, object]) -> None:
    monkeypatch.setattr(*bug)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Counter, settings=HUNT)
