"""A cabinet of several lock devices: numbers, one device away, wrong doors, changes, sensors, status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.base import Door, DoorChanged, Health, NoAnswer, NotThere, Opening, WrongDoor
from drivers.cabinet import MAX_CHANGES, JointLocker, Part
from tests.links import run_instantly
from tests.lock_makes import BASE, Bench

Story = Callable[["Joint"], Awaitable[None]]
SHUFFLED = (25, 26, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27)


class Joint:
    """24 cells of 8A/80 and 12 of CU16, whose locks are numbered another way than the doors."""

    def __init__(self, second_senses: bool = True) -> None:
        self.left, self.right = Bench(BASE["8A/80"]), Bench(BASE["CU16"], 12, has_door_sensor=second_senses)
        self.left.locker.name, self.right.locker.name = "left", "right"
        self.locker = JointLocker("cabinet", [Part(self.left.locker, range(1, 25)), Part(self.right.locker, SHUFFLED)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.locker.start()
        ticking = asyncio.create_task(self._ticked())
        await asyncio.sleep(3)
        try:
            yield
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            async with asyncio.timeout(2):
                await self.locker.stop()
                await self.locker.stop()

    async def _ticked(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.left.pipe.tick()
            self.right.pipe.tick()


def play(joint: Joint, story: Story) -> Joint:
    async def main() -> None:
        async with joint.running():
            await story(joint)

    run_instantly(main())
    return joint


def test_each_cell_opens_at_its_own_device_and_nowhere_else() -> None:
    async def story(joint: Joint) -> None:
        for cell in joint.locker.cells:
            assert await joint.locker.open(cell) is Opening.OPEN
        assert set((await joint.locker.doors()).values()) == {Door.OPEN}

    joint = play(Joint(), story)

    assert joint.locker.cells == list(range(1, 37))
    assert joint.left.board.pulses == dict.fromkeys(range(1, 25), 1)
    assert joint.right.board.pulses == dict.fromkeys(range(1, 13), 1)


def test_a_cell_of_a_mixed_up_map_waits_for_its_own_door() -> None:
    async def story(joint: Joint) -> None:
        assert await joint.locker.open(36) is Opening.OPEN
        assert joint.right.board.open_doors == {3}
        assert await joint.locker.until_closed(36, 0.5) is Door.OPEN
        joint.right.board.close_door(3)
        assert await joint.locker.until_closed(36, 20) is Door.CLOSED

    play(Joint(), story)


def test_a_wrong_door_is_named_by_its_number_in_the_cabinet() -> None:
    joint = Joint()
    joint.right.board.wrong_door(3, 12)

    async def story(joint: Joint) -> None:
        with pytest.raises(WrongDoor) as caught:
            await joint.locker.open(36)
        assert (caught.value.commanded, caught.value.moved) == (36, (27,))

    play(joint, story)


def test_doors_behind_a_device_that_is_away_are_unknown_and_the_others_work() -> None:
    async def story(joint: Joint) -> None:
        joint.right.pipe.unplug()
        await asyncio.sleep(1)
        doors = await joint.locker.doors()
        assert {doors[cell] for cell in SHUFFLED} == {Door.UNKNOWN}
        assert {doors[cell] for cell in range(1, 25)} == {Door.CLOSED}
        assert await joint.locker.open(7) is Opening.OPEN
        with pytest.raises(NotThere):
            await joint.locker.open(30)
        assert await joint.locker.until_closed(30, 1) is Door.UNKNOWN

    assert not play(Joint(), story).right.board.pulses


def test_doors_fail_only_when_no_device_can_be_asked() -> None:
    async def story(joint: Joint) -> None:
        joint.left.board.line.mute()
        joint.right.board.line.mute()
        with pytest.raises((NoAnswer, NotThere)):
            await joint.locker.doors()

    play(Joint(), story)


def test_changes_of_all_devices_come_in_one_stream_with_the_cabinets_numbers() -> None:
    async def story(joint: Joint) -> None:
        changes = joint.locker.changes()
        await joint.locker.open(36)
        joint.left.board.open_by_hand(5)
        joint.right.board.open_by_hand(12)
        async with asyncio.timeout(30):
            seen = {await anext(changes) for _ in range(3)}
        assert seen == {
            DoorChanged(36, Door.OPEN, True), DoorChanged(5, Door.OPEN, False), DoorChanged(27, Door.OPEN, False)
        }  # fmt: skip

    play(Joint(), story)


def test_changes_nobody_takes_are_bounded_to_the_newest() -> None:
    async def story(joint: Joint) -> None:
        for number in range(MAX_CHANGES):
            joint.left.board.open_by_hand(1 + number % 24)
            await asyncio.sleep(2.5)
            joint.left.board.close_door(1 + number % 24)
            await asyncio.sleep(2.5)
        changes = joint.locker.changes()
        seen = []
        while len(seen) < MAX_CHANGES:
            seen.append(await anext(changes))
        assert seen[-1] == DoorChanged(1 + (MAX_CHANGES - 1) % 24, Door.CLOSED, False)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(changes)

    play(Joint(), story)


def test_cells_without_sensors_are_known_one_by_one() -> None:
    async def story(joint: Joint) -> None:
        assert not joint.locker.has_door_sensor
        assert [cell for cell in joint.locker.cells if not joint.locker.senses(cell)] == sorted(SHUFFLED)
        assert await joint.locker.open(7) is Opening.OPEN
        assert await joint.locker.open(30) is Opening.UNKNOWN
        assert await joint.locker.until_closed(30, 60) is Door.UNKNOWN
        doors = await joint.locker.doors()
        assert (doors[7], doors[8], doors[30]) == (Door.OPEN, Door.CLOSED, Door.UNKNOWN)

    play(Joint(second_senses=False), story)


def test_the_status_is_the_worst_and_names_each_that_is_ill() -> None:
    async def story(joint: Joint) -> None:
        assert (joint.locker.status().health, joint.locker.status().hint) == (Health.OK, "")
        joint.right.pipe.unplug()
        await asyncio.sleep(1)
        status = joint.locker.status()
        assert (status.device, status.health) == ("cabinet", Health.AWAY)
        assert status.hint.startswith("right: ")
        joint.left.pipe.unplug()
        await asyncio.sleep(1)
        assert "left: " in joint.locker.status().hint
        assert "right: " in joint.locker.status().hint

    play(Joint(), story)


def test_a_cell_that_is_none_is_a_mistake_of_the_caller() -> None:
    async def story(joint: Joint) -> None:
        for cell in (0, 37):
            with pytest.raises(ValueError, match=str(cell)):
                await joint.locker.open(cell)

    play(Joint(), story)


@pytest.mark.parametrize("cells", [range(24, 36), range(1, 13), (30, 30, 31)])
def test_a_cell_given_twice_is_refused(cells: range | tuple[int, ...]) -> None:
    left, right = Bench(BASE["8A/80"]).locker, Bench(BASE["CU16"], 12).locker

    with pytest.raises(ValueError, match="twice"):
        JointLocker("cabinet", [Part(left, range(1, 25)), Part(right, cells)])


def test_more_cells_than_locks_are_refused() -> None:
    with pytest.raises(ValueError, match="12 locks, but gets 13 cells"):
        JointLocker("cabinet", [Part(Bench(BASE["CU16"], 12).locker, range(1, 14))])
