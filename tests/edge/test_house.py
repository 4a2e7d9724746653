"""Chores of a running terminal: what of the line's news reaches the banner."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.base import Device, Health
from drivers.build import DeviceSettings, build
from drivers.faults import Fault
from edge.clock import SystemClock, SystemDice
from edge.house import BANNER_MS, House
from edge.model import Ms, Stamp
from edge.steps import Finding, LinkState, Step
from edge.store import Keys, Store
from edge.unsteady import HOUR_MS, MOST, Changes


class HandClock:
    """Time that stands until it is moved."""

    now = 0

    def stamp(self) -> Stamp:
        return Stamp(self.now, "boot", self.now, True)

    def ms(self) -> Ms:
        return Ms(self.now)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def posted() -> list[Step]:
    return []


@pytest.fixture
def house(tmp_path: Path, clock: HandClock, posted: list[Step]) -> House:
    return House(Store(tmp_path, clock, SystemDice(), Keys(b"link", b"device")), clock, [], posted.append)


@pytest.mark.logs("gun is away")
def test_the_devices_page_has_of_an_absent_gun_its_code_and_sentence(tmp_path: Path) -> None:
    """What a driver says in English stays with the driver."""
    gun = build(DeviceSettings("gun", "serial_scanner", str(tmp_path / "none")), SystemClock())
    store = Store(tmp_path, HandClock(), SystemDice(), Keys(b"link", b"device"))
    house = House(store, HandClock(), [("serial_scanner", gun)], lambda _step: None)

    asyncio.run(until_away(gun))
    [line] = house.devices_board().devices

    assert (line.name, line.kind, line.health) == ("gun", "scanner", "away")
    assert line.finding == Finding("scanner", "fault", "G01", "scanner_no_port", (), "gun", 1)


async def until_away(device: Device) -> None:
    await device.start()
    try:
        async with asyncio.timeout(20):
            while device.status().health is not Health.AWAY or device.status().fault is Fault.STARTING:
                await asyncio.sleep(0.01)
    finally:
        await device.stop()


def test_a_draining_backlog_moves_the_banner_once_a_second(house: House, clock: HandClock, posted: list[Step]) -> None:
    for pending in range(1_000, 0, -1):
        house.line_changed(online=True, pending=pending)
        clock.now += 10

    shown = [step.pending for step in posted if isinstance(step, LinkState)]
    assert shown == list(range(1_000, 0, -BANNER_MS // 10))


def test_the_end_of_a_backlog_and_a_lost_line_show_at_once(house: House, posted: list[Step]) -> None:
    house.line_changed(online=True, pending=3)
    house.line_changed(online=True, pending=2)
    house.line_changed(online=True, pending=0)
    house.line_changed(online=False, pending=0)

    assert posted == [LinkState(True, 0, 3), LinkState(True, 0, 0), LinkState(False, 1, 0)]


def test_a_device_that_fails_and_stays_away_is_written_at_once() -> None:
    changes = Changes()

    assert [changes.look("away", 0), changes.look("away", 2_000), changes.look("", 4_000)] == [0, None, 0]


def test_a_device_that_never_keeps_still_is_written_so_often_in_any_hour_and_no_change_is_lost() -> None:
    changes = Changes()

    written = {now: changes.look("away" if now % 4_000 else "", now) for now in range(0, 6 * HOUR_MS, 2_000)}
    times = [now for now, left_out in written.items() if left_out is not None]

    assert all(later - earlier >= HOUR_MS for earlier, later in zip(times, times[MOST:], strict=False))
    assert len(times) >= 5 * MOST
    seen = 6 * HOUR_MS // 2_000 - 1  # it begins as one that works
    assert len(times) + sum(left_out or 0 for left_out in written.values()) + changes.unwritten == seen


def test_the_last_fact_before_the_silence_says_away() -> None:
    changes = Changes()

    written = [ill for at in range(100) for ill in [("away", "")[at % 2]] if changes.look(ill, at) is not None]

    assert written[-1] == "away"
    assert len(written) == MOST
