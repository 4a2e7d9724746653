"""Stories of a cabinet of two makes: one sees its doors, the other does not; each cell has its own rule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.base import Door, Opening
from drivers.cabinet import JointLocker, Part
from edge import cells
from edge.flows.doors import Outcome, pulse, state_of_doors, unshut, wait_shut
from edge.model import CellNo
from tests.lock_makes import BASE, Bench
from tests.stories.point import OPERATOR, SIZES, Point

SEEN, BLIND = CellNo(1), CellNo(len(SIZES) + 3)


@asynccontextmanager
async def joined(point: Point) -> AsyncIterator[Bench]:
    """Add twelve cells whose doors nobody sees, while the point works."""
    blind = Bench(BASE["CU16"], 12, has_door_sensor=False)
    ends = len(SIZES)
    parts = [Part(point.locker, range(1, ends + 1)), Part(blind.locker, range(ends + 1, ends + 13))]
    await blind.locker.start()
    await asyncio.sleep(3)
    point.site.locker = JointLocker("both", parts)
    try:
        yield blind
    finally:
        point.site.locker = point.locker
        await blind.locker.stop()


async def opened(point: Point) -> str:
    opening = await point.store.run(cells.authorise, SEEN, "service", None, OPERATOR)
    assert await pulse(point.site, opening, SEEN) is Outcome.OPEN
    return opening


async def test_a_door_that_is_seen_needs_nobody_to_say_that_it_is_shut(point: Point) -> None:
    async with joined(point):
        opening = await opened(point)
        point.later(2, point.shut, SEEN)

        assert await wait_shut(point.site, SEEN, 60) == (Door.CLOSED, "sensor")
        await point.store.run(cells.closed, opening)


async def test_a_door_that_nobody_sees_is_shut_when_a_person_says_so(point: Point) -> None:
    async with joined(point) as blind:
        assert point.site.locker is not None
        assert await point.site.locker.open(BLIND) is Opening.UNKNOWN
        point.later(2, point.site.shut.put_nowait, BLIND)

        assert await wait_shut(point.site, BLIND, 60) == (Door.CLOSED, "confirmed")
        assert blind.board.pulses == {3: 1}


async def test_only_doors_that_are_seen_can_be_seen_open(point: Point) -> None:
    async with joined(point):
        assert point.site.locker is not None
        opening = await opened(point)
        await point.site.locker.open(BLIND)

        doors = await state_of_doors(point.site)
        assert (doors[SEEN], doors[BLIND]) == (Door.OPEN, Door.UNKNOWN)
        assert await unshut(point.site) == {SEEN}
        point.shut(SEEN)
        await point.store.run(cells.closed, opening)
