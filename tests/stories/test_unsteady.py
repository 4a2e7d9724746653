"""A device on a loose plug comes and goes: the log stays small, and no change of it is lost without being counted."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from edge import cells
from edge.events import DeviceFaulted, DeviceRecovered, DoorForced
from edge.house import _device_fact
from edge.model import CellNo
from edge.unsteady import MOST
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, Point

HOUR_S = 3600
EVERY_S = 30


async def comes_and_goes(point: Point, times: int, then_still_s: int = 0) -> None:
    """The display's plug is loose while the house watches its devices."""
    watch = asyncio.create_task(point.house.watch_devices())
    for _ in range(times):
        point.led_plug.unplug()
        await asyncio.sleep(EVERY_S)
        point.led_plug.replug()
        await asyncio.sleep(EVERY_S)
    await asyncio.sleep(then_still_s)
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


async def told(point: Point) -> list[DeviceFaulted | DeviceRecovered]:
    facts = [fact for fact in await point.facts() if isinstance(fact, DeviceFaulted | DeviceRecovered)]
    return [fact for fact in facts if fact.device == "display"]


async def test_a_device_that_fails_once_leaves_two_facts_that_count_nothing(point: Point) -> None:
    await comes_and_goes(point, 1)

    failed, works = await told(point)
    assert isinstance(failed, DeviceFaulted)
    assert works == DeviceRecovered("display")
    assert failed.left_out is None


async def test_a_device_that_comes_and_goes_leaves_few_facts_and_is_told_as_away(point: Point) -> None:
    await comes_and_goes(point, 50)

    facts = await told(point)
    assert len(facts) == MOST
    assert isinstance(facts[-1], DeviceFaulted)
    assert any("display" in alarm for alarm in await point.alarms())


async def test_every_change_is_written_or_counted_once_it_keeps_still(point: Point) -> None:
    await comes_and_goes(point, 50, then_still_s=HOUR_S)

    facts = await told(point)
    assert isinstance(facts[-1], DeviceRecovered)
    assert len(facts) + sum(fact.left_out or 0 for fact in facts) == 2 * 50
    assert not any("display" in alarm for alarm in await point.alarms())


async def chatters(point: Point, times: int) -> list[DoorForced]:
    """The contact of a door is loose: it says open and shut although nobody touches it."""
    for _ in range(times):
        point.board.open_by_hand(2)
        await asyncio.sleep(5)
        point.board.close_door(2)
        await asyncio.sleep(5)
    return [fact for fact in await point.facts() if isinstance(fact, DoorForced)]


async def test_a_loose_door_contact_leaves_few_facts_and_the_next_one_counts_the_rest(point: Point) -> None:
    forced = await chatters(point, 50)
    await asyncio.sleep(HOUR_S)
    again = await chatters(point, 1)

    assert [fact.left_out for fact in forced] == [None] * MOST
    assert again == [*forced, DoorForced(2, "open", 50 - MOST)]


async def test_a_door_that_is_forced_again_rings_again_however_often_it_was(point: Point) -> None:
    await chatters(point, 50)
    await point.store.run(cells.to_service, CellNo(2), True, "lock", OPERATOR)
    assert "forced_door:2" not in await point.alarms()

    await chatters(point, 1)

    assert "forced_door:2" in await point.alarms()


def test_a_device_that_was_away_at_a_stop_and_is_there_at_the_start_is_told_as_back(tmp_path: Path) -> None:
    """A technician cuts the power to plug it in."""
    point = Point(tmp_path / "data")

    async def watched(seconds: int) -> tuple[str, ...]:
        async with point.running():
            watch = asyncio.create_task(point.house.watch_devices())
            await asyncio.sleep(seconds)
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            return await point.alarms()

    async def story() -> None:
        assert await watched(30) == ()
        point.gun_plug.unplug()
        point.board_plug.unplug()
        assert set(await watched(30)) == {"device_away:scanner", "device_away:locker"}
        point.gun_plug.replug()
        point.board_plug.replug()
        assert await watched(30) == ()

    run_patiently(story())


async def test_a_device_that_is_named_no_more_is_not_told_as_away(point: Point) -> None:
    await point.store.run(_device_fact, "old-gun", "away", None)

    await comes_and_goes(point, 1)

    assert await point.alarms() == ()
