"""A deposit is given up at the open door, a pick-up while the operator fetches: nothing is left half done."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from edge import boards, cells, guard
from edge.model import CellNo, ParcelId, ParcelState, Role
from edge.steps import (
    AcceptBill,
    CallStaff,
    CancelDeposit,
    CancelFlow,
    DayBoard,
    FetchFromShelf,
    HandOver,
    HandOverAsk,
    LoggedIn,
    Login,
    PickUp,
    PutIn,
    Refusal,
    Scanned,
    TakeParcel,
)
from edge.store import Tx
from tests.stories.point import OPERATOR, PIN, Point, waybill
from ui.viewmodels import Face, on_step, press, start
from ui.viewmodels.staff_states import ParcelCard, Search
from ui.viewmodels.states import BillCash, Fetch

PATIENCE_S = 10.0


async def given_up(point: Point) -> ParcelId:
    """Scan a parcel in, and press "cancel this one" two seconds after the door opened; nobody shuts the door yet."""
    parcel = await point.expected()
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    point.runner.submit(Scanned(str(waybill(1)), "intake"))
    await asyncio.sleep(3)
    assert isinstance(point.posted[-1], PutIn)
    point.runner.submit(CancelDeposit(parcel))
    await asyncio.sleep(1)
    return parcel


async def test_giving_up_at_the_open_door_ends_the_deposit_at_once(point: Point) -> None:
    parcel = await given_up(point)

    assert point.posted[-1] == CallStaff(CellNo(1), "left_open")
    assert (await point.parcel(parcel)).state is ParcelState.EXPECTED
    assert await point.cell(1) == ("out_of_service", None, "door_left_open")


async def test_the_cell_is_free_again_once_its_door_is_shut(point: Point) -> None:
    await given_up(point)

    point.board.close_door(1)
    await asyncio.sleep(5)

    assert await point.cell(1) == ("free", None, None)
    assert await point.unfinished() == ()


async def test_the_next_parcel_is_taken_in_after_one_was_given_up(point: Point) -> None:
    await given_up(point)
    second = await point.expected(2)

    point.runner.submit(Scanned(str(waybill(2)), "intake"))
    await asyncio.sleep(3)
    point.board.close_door(2)
    await asyncio.sleep(3)

    assert (await point.parcel(second)).state is ParcelState.IN_LOCKER


async def test_a_cancel_meant_for_the_parcel_before_does_not_give_up_the_next_one(point: Point) -> None:
    """A slow window still shows the first door while the gun's next parcel already has one."""
    first, second = await point.expected(1), await point.expected(2)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    for number in (1, 2):
        point.runner.submit(Scanned(str(waybill(number)), "intake"))
    await asyncio.sleep(3)
    point.shut(1)
    await asyncio.sleep(3)
    assert isinstance(point.posted[-1], PutIn)

    point.runner.submit(CancelDeposit(first))
    await asyncio.sleep(3)
    point.shut(2)
    await asyncio.sleep(5)

    assert [(await point.parcel(parcel)).state for parcel in (first, second)] == [ParcelState.IN_LOCKER] * 2
    assert point.posted[-1] == Refusal("not_allowed")


async def test_no_page_of_the_one_before_comes_back_once_the_wrong_parcel_was_told(point: Point) -> None:
    """The villager goes home while "that is not the right parcel" is up; the next one types a code."""
    parcel = await point.shelved()
    point.runner.submit(PickUp(await point.code(parcel.id), "5678"))
    await asyncio.sleep(5)
    point.runner.submit(Scanned(str(waybill(7)), "handover"))
    await asyncio.sleep(1)
    frame, _ = on_step(start(Face()).to(Fetch(())), point.posted[-1])

    for intent in press(frame, "refused.home")[1]:
        point.runner.submit(intent)
    told = len(point.posted)
    await asyncio.sleep(60)

    assert point.posted[told:] == []
    assert (await point.parcel(parcel.id)).state is ParcelState.ON_SHELF


def busy(_tx: Tx) -> None:
    """A long transaction of somebody else: a manifest that comes in, a slow card."""
    time.sleep(0.2)


@pytest.mark.parametrize("turns", range(6))
async def test_back_is_pressed_just_as_the_fetched_parcel_is_scanned(point: Point, turns: int) -> None:
    """Whichever comes first: the parcel has left or lies on its shelf, and never in between."""
    parcel = await point.shelved()
    point.runner.submit(PickUp(await point.code(parcel.id), "5678"))
    await asyncio.sleep(5)
    assert isinstance(point.posted[-1], FetchFromShelf)

    slow = asyncio.create_task(point.store.run(busy))
    await asyncio.sleep(0)
    point.runner.submit(Scanned(str(waybill(1)), "standby"))
    for _ in range(turns):
        await asyncio.sleep(0)
    point.runner.submit(CancelFlow())
    await slow
    await asyncio.sleep(5)

    assert (await point.parcel(parcel.id)).state in (ParcelState.ON_SHELF, ParcelState.PICKED_UP)


async def waits_behind_an_open_door(point: Point) -> tuple[ParcelId, str]:
    """The first villager stands at an open door. Return the parcel of the next one, and its code."""
    first, second = await point.deposited(1), await point.deposited(2, "13900001111")
    point.runner.submit(PickUp(await point.code(first.id), "5678"))
    await asyncio.sleep(3)
    assert isinstance(point.posted[-1], TakeParcel)
    return second.id, await point.code(second.id)


async def test_no_door_opens_for_a_villager_who_has_left_the_page_before_it_was_their_turn(point: Point) -> None:
    parcel, code = await waits_behind_an_open_door(point)

    point.runner.submit(PickUp(code, "1111"))
    await asyncio.sleep(5)
    point.runner.submit(CancelFlow())  # home was pressed, or the page has given up
    await asyncio.sleep(120)

    assert (await point.parcel(parcel)).state is ParcelState.IN_LOCKER


async def test_a_code_that_waited_for_its_turn_still_opens_the_door(point: Point) -> None:
    parcel, code = await waits_behind_an_open_door(point)

    point.runner.submit(PickUp(code, "1111"))
    await asyncio.sleep(120)

    assert (await point.parcel(parcel)).state is ParcelState.PICKED_UP


async def test_nobody_is_logged_in_and_no_cash_taken_after_they_have_left(point: Point) -> None:
    await point.with_operator()
    bill = await point.billed()
    await waits_behind_an_open_door(point)

    point.runner.submit(Login(PIN))
    point.runner.submit(AcceptBill(bill, (await point.bill(bill)).fen, PIN))
    point.runner.submit(CancelFlow())
    await asyncio.sleep(120)

    assert point.desk.counter.session is None
    assert (await point.bill(bill)).state == "unpaid"


async def test_no_cash_is_taken_and_no_cell_opened_behind_a_door_after_the_operator_went_back(point: Point) -> None:
    """The PIN was typed while another door stood open, and nothing seemed to happen."""
    await point.with_operator()
    bill = await point.billed()
    lines = await point.store.run(boards.bill_lines, (bill,))
    parcel, _ = await waits_behind_an_open_door(point)
    line = await point.store.run(boards.line, parcel)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    for page in (BillCash(lines[0], lines), ParcelCard(line, Search(), "self")):
        frame = start(Face()).to(page)
        for button in (*PIN, "ok", "back"):
            frame, intents = press(frame, f"{page.screen}.{button}")
            for intent in intents:
                point.runner.submit(intent)

    await asyncio.sleep(120)

    assert (await point.bill(bill)).state == "unpaid"
    assert (await point.parcel(parcel)).state is ParcelState.IN_LOCKER


@pytest.mark.parametrize("page", ["cell", "cash"])
@pytest.mark.parametrize("goes_back", [True, False])
async def test_going_back_while_the_pin_is_compared_moves_no_door_and_takes_no_cash(
    point: Point, monkeypatch: pytest.MonkeyPatch, page: str, *, goes_back: bool
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    compare = guard.whose

    def slowly(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return compare(*args)

    await point.with_operator()
    bill, parcel = await point.billed(), (await point.deposited()).id
    lines = await point.store.run(boards.bill_lines, (bill,))
    line = await point.store.run(boards.line, parcel)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    monkeypatch.setattr(guard, "whose", slowly)
    frame = start(Face()).to(ParcelCard(line, Search(), "self") if page == "cell" else BillCash(lines[0], lines))

    for button in (*PIN, "ok"):
        frame, intents = press(frame, f"{frame.state.screen}.{button}")
        for intent in intents:
            point.runner.submit(intent)
    assert await asyncio.to_thread(begun.wait, PATIENCE_S)
    for intent in press(frame, f"{frame.state.screen}.back")[1] if goes_back else ():
        point.runner.submit(intent)
    go_on.set()
    await asyncio.sleep(120)

    moved = ((await point.parcel(parcel)).state, (await point.bill(bill)).state) != (ParcelState.IN_LOCKER, "unpaid")
    assert moved is not goes_back
    assert not goes_back or await point.store.run(cells.unfinished) == ()
    assert not point.runner.busy


@pytest.mark.parametrize("what", ["cell", "cash"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3, None])
async def test_going_back_before_the_pin_is_looked_at_moves_no_door_and_takes_no_cash(
    point: Point, what: str, turns: int | None
) -> None:
    """So many turns of the loop after "ok" was pressed; None: while the store is asked for the parcel."""
    await point.with_operator()
    bill, parcel = await point.billed(), (await point.deposited()).id
    fen = (await point.bill(bill)).fen
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)

    if turns is None:
        point.at_commit(1, point.runner.submit, CancelFlow())
    point.runner.submit(HandOver(parcel, "self", PIN) if what == "cell" else AcceptBill(bill, fen, PIN))
    for _ in range(turns or 0):
        await asyncio.sleep(0)
    if turns is not None:
        point.runner.submit(CancelFlow())
    await asyncio.sleep(120)

    assert (await point.parcel(parcel)).state is ParcelState.IN_LOCKER
    assert (await point.bill(bill)).state == "unpaid"
    assert await point.store.run(cells.unfinished) == ()
    assert not point.runner.busy


async def test_what_was_handed_over_the_counter_behind_an_open_door_is_written_down(point: Point) -> None:
    """It has left with its person, whatever page the operator looks at since."""
    parcel = await point.shelved(3, "13700001111")
    await waits_behind_an_open_door(point)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)

    point.runner.submit(HandOver(parcel.id, "self"))
    point.runner.submit(CancelFlow())
    await asyncio.sleep(120)

    assert (await point.parcel(parcel.id)).state is ParcelState.PICKED_UP


async def test_the_parcels_that_an_operator_scans_at_an_open_door_are_taken_in_after_a_page_was_left(
    point: Point,
) -> None:
    parcel = await point.expected(3, consent="shelf")
    await waits_behind_an_open_door(point)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)

    point.runner.submit(Scanned(str(waybill(3)), "intake"))
    point.runner.submit(CancelFlow())
    await asyncio.sleep(120)

    assert (await point.parcel(parcel)).state is ParcelState.ON_SHELF


async def test_the_operator_called_to_the_shelf_page_logs_in_at_once_and_hands_the_parcel_out(point: Point) -> None:
    await point.with_operator()
    parcel = await point.shelved()
    point.runner.submit(PickUp(await point.code(parcel.id), "5678"))
    await asyncio.sleep(5)
    assert isinstance(point.posted[-1], FetchFromShelf)

    _, intents = press(start(Face()).to(Fetch(point.posted[-1].parcels)), "fetch.operator")
    for intent in (*intents, Login(PIN)):
        point.runner.submit(intent)
    await asyncio.sleep(5)
    assert any(isinstance(step, LoggedIn) for step in point.posted)
    point.runner.submit(Scanned(str(waybill(1)), "handover"))
    await asyncio.sleep(1)
    assert isinstance(point.posted[-1], HandOverAsk)
    point.runner.submit(HandOver(parcel.id, "self"))
    await asyncio.sleep(1)

    assert (await point.parcel(parcel.id)).state is ParcelState.PICKED_UP


@pytest.mark.parametrize("commit", range(1, 5))
async def test_nobody_is_logged_in_who_left_while_their_pin_was_compared(point: Point, commit: int) -> None:
    """Left while any commit of the log-in is under way: whoever stands there when it ends finds nothing open."""
    await point.with_operator()
    point.at_commit(commit, point.runner.submit, CancelFlow())

    point.runner.submit(Login(PIN))
    await asyncio.sleep(5)

    assert point.desk.counter.session is None
    assert not any(isinstance(step, DayBoard) for step in point.posted)


async def test_the_next_person_logs_in_after_one_has_left_while_their_pin_was_compared(point: Point) -> None:
    await point.with_operator()
    point.at_commit(2, point.runner.submit, CancelFlow())
    point.runner.submit(Login(PIN))
    await asyncio.sleep(5)

    point.runner.submit(Login(PIN))
    await asyncio.sleep(5)

    assert isinstance(point.posted[-1], DayBoard)
    assert point.desk.counter.session is not None
