"""A gun gone mad: a thousand codes at once are bounded, told in one line, and over when they are over."""

from __future__ import annotations

import asyncio

import pytest

from edge.model import ParcelState, Role
from edge.runner import QUEUE
from edge.steps import PutIn, Refusal, Scanned
from tests.stories.point import OPERATOR, Point, waybill

pytestmark = pytest.mark.logs("more intents")


async def test_a_thousand_codes_at_once_are_bounded_and_told_once(
    point: Point, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1000):
        point.runner.submit(Scanned(str(waybill(number)), "standby"))

    await asyncio.sleep(10)

    assert sum("more intents" in record.message for record in caplog.records) == 1
    assert len([step for step in point.posted if isinstance(step, Refusal)]) <= QUEUE + 1


async def test_the_parcel_after_a_flood_at_the_open_door_is_taken_in(point: Point) -> None:
    parcel, second = await point.expected(), await point.expected(2)
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    point.runner.submit(Scanned(str(waybill(1)), "intake"))
    await asyncio.sleep(3)
    assert isinstance(point.posted[-1], PutIn)
    for _ in range(1000):
        point.runner.submit(Scanned(str(waybill(1)), "intake"))

    point.shut(1)
    await asyncio.sleep(20)
    point.runner.submit(Scanned(str(waybill(2)), "intake"))
    await asyncio.sleep(3)
    point.shut(2)
    await asyncio.sleep(3)

    states = [(await point.parcel(each)).state for each in (parcel, second)]
    assert states == [ParcelState.IN_LOCKER] * 2
    assert point.board.poke("pulses", [])["pulses"] == {"1": 1, "2": 1}  # type: ignore[index, call-overload]
