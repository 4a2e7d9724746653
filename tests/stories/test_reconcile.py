"""Starting again: doors are read, nothing is pulsed, and nothing is written down that nobody has seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge import cells, parcels, pickups
from edge.flows import intake, money
from edge.flows.pickup import _begin
from edge.model import CellNo, Fen, ParcelId, ParcelState
from edge.steps import CallStaff, PickUp, Stored
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, Point, arrival, goes_away


async def begun_pickup(point: Point, *, opened: bool) -> None:
    """A pick-up as the power leaves it: authorised and perhaps seen open."""
    parcel = await point.deposited()
    opening = await point.store.run(_begin, parcel.id, "code")
    if opened:
        await point.store.run(cells.opened, opening)


def again(tmp_path: Path) -> Point:
    return Point(tmp_path / "data")


@pytest.mark.parametrize("opened", [False, True])
def test_a_silent_board_at_start_leaves_the_question_to_eyes_and_invents_no_shut_door(
    tmp_path: Path, opened: bool
) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            await begun_pickup(point, opened=opened)
            shut_before = (await point.kinds()).count("door_closed")
        point.board.line.mute()
        async with point.running():
            assert (await point.parcel("p-0001")).state is ParcelState.EXCEPTION
            assert (await point.kinds()).count("door_closed") == shut_before
            await point.sound()
            point.board.line.unmute()
        async with point.running():  # now the board answers, and says that the door is shut
            assert await point.unfinished() == ()
            await point.store.run(pickups.resolve, "p-0001", "gone", OPERATOR)
            assert await point.cell(1) == ("free", None, None)

    run_patiently(story())


def test_a_deposit_cut_right_after_the_pulse_finds_its_door_open_and_says_so(tmp_path: Path) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            await point.expected()
            flow = intake.take_in(point.site, arrival())
            await anext(flow)
            parcel = await point.store.run(parcels.take_in, arrival())
            await point.store.run(cells.authorise, CellNo(1), "deposit", parcel.id, OPERATOR)
            await flow.aclose()
            point.board.open_by_hand(1)  # the pulse had gone out
            await asyncio.sleep(0)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                if "doors of" in task.get_name():
                    task.cancel()
        async with point.running():
            assert (await point.parcel("p-0001")).state is ParcelState.ARRIVED
            assert "door_left_open:1" in await point.alarms()
            point.shut(1)
            await asyncio.sleep(3)
            assert await point.unfinished() == ()
            assert "door_left_open:1" not in await point.alarms()
            await point.sound()

    run_patiently(story())


def test_a_deposit_left_open_goes_on_after_a_restart(tmp_path: Path) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            await point.expected()
            steps = await point.play(intake.take_in(point.site, arrival()), goes_away)
            assert isinstance(steps[-1], CallStaff)
        async with point.running():
            assert (await point.parcel("p-0001")).state is ParcelState.ARRIVED
            steps = await point.play(intake.take_in(point.site, arrival()))
            assert isinstance(steps[-1], Stored)
            await asyncio.sleep(3)
            assert await point.unfinished() == ()
            await point.sound()

    run_patiently(story())


def test_a_slip_that_was_shown_is_not_shown_again(tmp_path: Path) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            bill = await point.billed()
            await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))
        async with point.running():
            assert await point.play(money.show_unseen(point.site)) == []

    run_patiently(story())


@pytest.mark.parametrize(
    ("outcome", "stands_open", "state"),
    [
        ("unknown", False, ParcelState.EXCEPTION),
        ("unknown", True, ParcelState.EXCEPTION),
        ("wrong_door", False, ParcelState.EXCEPTION),
        ("stayed_closed", True, ParcelState.EXCEPTION),  # it sprang open after all
        ("stayed_closed", False, ParcelState.IN_LOCKER),
        ("refused", False, ParcelState.IN_LOCKER),
        ("not_there", False, ParcelState.IN_LOCKER),
    ],
)
def test_a_cut_between_the_outcome_of_a_pulse_and_its_parcel_decides_as_the_pick_up_would_have(
    tmp_path: Path, outcome: str, stands_open: bool, state: ParcelState
) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            parcel = await point.deposited()
            opening = await point.store.run(_begin, parcel.id, "code")
            await point.store.run(cells.not_opened, opening, outcome)
        if stands_open:
            point.board.open_by_hand(1)
        async with point.running():
            assert (await point.parcel("p-0001")).state is state
            assert ("parcel_excepted" in await point.alarms()) is (state is ParcelState.EXCEPTION)
            point.shut(1)
            await asyncio.sleep(3)
            assert await point.store.run(pickups.releasing) == ()
            await point.sound()

    run_patiently(story())


def test_a_cell_to_look_into_after_a_power_cut_is_told_until_its_parcel_has_left(tmp_path: Path) -> None:
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            await begun_pickup(point, opened=False)
        async with point.running():
            assert await point.alarms() == ("check_cell:1",)  # no door was seen to stay shut
            await point.wants(PickUp(await point.code(ParcelId("p-0001")), "5678"))
            assert (await point.parcel(ParcelId("p-0001"))).state is ParcelState.PICKED_UP
            assert await point.alarms() == ()

    run_patiently(story())


@pytest.mark.parametrize("doors", [(1,), (1, 2, 3, 4)])
def test_a_door_that_was_forced_while_the_power_was_off_is_told_at_the_start(
    tmp_path: Path, doors: tuple[int, ...]
) -> None:
    """Where every door says open the contacts are read the wrong way round; that is the doctor's finding."""
    point = again(tmp_path)

    async def story() -> None:
        async with point.running():
            await point.deposited()
        for cell in doors:
            point.board.open_by_hand(cell)
        async with point.running():
            assert ("forced_door:1" in await point.alarms()) is (doors == (1,))
            assert (await point.parcel(ParcelId("p-0001"))).state is ParcelState.IN_LOCKER
        async with point.running():
            assert (await point.kinds()).count("door_forced") == (doors == (1,))

    run_patiently(story())
