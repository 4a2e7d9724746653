"""A deposit is given up at the open door, a pick-up while the operator fetches: nothing is left half done."""

from __future__ import annotations

import asyncio
import time

import pytest

from edge.model import CellNo, ParcelId, ParcelState, Role
from edge.steps import CallStaff, CancelDeposit, CancelFlow, FetchFromShelf, PickUp, PutIn, Scanned
from edge.store import Tx
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
