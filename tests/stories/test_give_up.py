"""The operator gives a deposit up while the door stands open before them."""

from __future__ import annotations

import asyncio

from edge.model import CellNo, ParcelId, ParcelState, Role
from edge.steps import CallStaff, CancelDeposit, PutIn, Scanned
from tests.stories.point import OPERATOR, Point, waybill


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
