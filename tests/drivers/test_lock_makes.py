"""What every make of lock board promises, over every pipe; the promises are those of `drivers.base.Locker`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from drivers.base import Door, DoorChanged, Health, NoAnswer, NotThere, Opening, WrongDoor
from drivers.build import DeviceSettings, build
from drivers.locker import BoardLocker
from drivers.sim.host import Host, Terminal
from tests.links import Shape, byte_by_byte, glued, lossy, run_instantly, whole
from tests.lock_makes import BASE, MAKES, Bench, Make

PIPES: dict[str, tuple[Shape, int, bool, float]] = {  # shape, delay, echo, share of damaged chunks
    "whole": (whole, 0, False, 0),
    "byte by byte": (byte_by_byte, 0, False, 0),
    "glued": (glued, 0, False, 0),
    "lossy": (lossy(11, 0.05), 0, False, 0),
    "slow": (whole, 100, False, 0),
    "echoing": (whole, 0, True, 0),
}
Story = Callable[[Bench], Awaitable[None]]


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    await bench.locker.start()
    ticking = asyncio.create_task(ticked(bench))
    await asyncio.sleep(3)  # the first look at the doors
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        async with asyncio.timeout(2):  # as the contract says
            await bench.locker.stop()
            await bench.locker.stop()


async def ticked(bench: Bench) -> None:
    while True:
        await asyncio.sleep(0.02)
        bench.pipe.tick()


def play(bench: Bench, story: Story) -> Bench:
    async def main() -> None:
        async with running(bench):
            await story(bench)

    run_instantly(main())
    return bench


@pytest.fixture(params=MAKES)
def make(request: pytest.FixtureRequest) -> Make:
    return MAKES[request.param]


@pytest.mark.parametrize("pipe", PIPES)
def test_a_locker_opens_watches_and_closes(make: Make, pipe: str) -> None:
    shape, delay_ms, echo, rate = PIPES[pipe]
    bench = Bench(make, shape=shape, echo=echo)
    bench.board.line.delay_ms = delay_ms
    bench.board.line.garble(rate, 20261122)

    async def story(bench: Bench) -> None:
        changes = bench.locker.changes()
        assert await bench.locker.open(7) is Opening.OPEN
        assert (await bench.locker.doors())[7] is Door.OPEN
        assert await bench.locker.until_closed(7, 0.2) is Door.OPEN
        asyncio.get_running_loop().call_later(0.3, bench.board.close_door, 7)
        assert await bench.locker.until_closed(7, 60) is Door.CLOSED
        async with asyncio.timeout(60):
            seen = [await anext(changes), await anext(changes)]
        assert seen == [DoorChanged(7, Door.OPEN, True), DoorChanged(7, Door.CLOSED, True)]

    assert play(bench, story).board.pulses == {7: 1}


@pytest.mark.parametrize("seed", range(6))
def test_on_a_noisy_line_doors_are_told_as_they_are_or_not_at_all(make: Make, seed: int) -> None:
    bench = Bench(make)

    async def story(bench: Bench) -> None:
        bench.board.line.garble(0.1, seed)
        bench.board.jam(4)
        try:
            jammed = await bench.locker.open(4)
            opened = await bench.locker.open(7)
        except (NotThere, WrongDoor):
            assert bench.board.pulses.total() <= 2
            return
        assert jammed in (Opening.STAYED_CLOSED, Opening.UNKNOWN)
        assert opened in ((Opening.OPEN, Opening.UNKNOWN) if 7 in bench.board.open_doors else (Opening.STAYED_CLOSED,))
        assert await bench.locker.until_closed(7, 1) is not Door.CLOSED or 7 not in bench.board.open_doors

    board = play(bench, story).board
    assert board.asked.total() <= 2
    assert max(board.asked.values(), default=0) <= 1


@pytest.mark.parametrize("echo", [False, True])
def test_a_jammed_door_stayed_closed(make: Make, echo: bool) -> None:
    bench = Bench(make, echo=echo)
    bench.board.jam(5)

    async def story(bench: Bench) -> None:
        assert await bench.locker.open(5) is Opening.STAYED_CLOSED
        assert bench.locker.status().health in (Health.OK, Health.DEGRADED)

    assert play(bench, story).board.pulses == {5: 1}


def test_an_echo_nobody_configured_opens_doors_all_the_same_and_is_reported(make: Make) -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.echoes = True
        bench.board.jam(4)
        assert await bench.locker.open(3) is Opening.OPEN
        assert await bench.locker.open(4) is Opening.STAYED_CLOSED
        assert "echo = true" in bench.locker.status().hint

    play(Bench(make), story)


def test_cells_count_through_two_boards_and_a_wrong_door_on_the_other_is_seen(make: Make) -> None:
    first_of_second = make.ways + 1
    bench = Bench(make, cells=2 * make.ways)
    bench.board.wrong_door(5, make.ways + 3)

    async def story(bench: Bench) -> None:
        for cell in (1, make.ways, first_of_second, 2 * make.ways):
            assert await bench.locker.open(cell) is Opening.OPEN
        opened = {cell for cell, door in (await bench.locker.doors()).items() if door is Door.OPEN}
        assert opened == {1, make.ways, first_of_second, 2 * make.ways}
        with pytest.raises(WrongDoor) as caught:
            await bench.locker.open(5)
        assert (caught.value.commanded, caught.value.moved) == (5, (make.ways + 3,))

    play(bench, story)


def test_a_wrong_door_on_the_same_board_is_seen(make: Make) -> None:
    bench = Bench(make)
    bench.board.wrong_door(5, 6)

    async def story(bench: Bench) -> None:
        with pytest.raises(WrongDoor) as caught:
            await bench.locker.open(5)
        assert caught.value.moved == (6,)

    assert play(bench, story).board.pulses == {6: 1}


def test_a_board_silent_after_the_pulse_leaves_the_outcome_unknown_and_one_pulse(make: Make) -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.mute(after_moves=1)
        assert await bench.locker.open(2) is Opening.UNKNOWN
        assert await bench.locker.until_closed(2, 5) is Door.UNKNOWN

    assert play(Bench(make), story).board.pulses == {2: 1}


def test_a_board_silent_before_the_pulse_gets_none(make: Make) -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.mute()
        with pytest.raises(NotThere, match="no pulse was sent"):
            await bench.locker.open(2)
        with pytest.raises(NoAnswer):
            await bench.locker.doors()
        assert bench.locker.status().health is Health.AWAY

    assert not play(Bench(make), story).board.pulses


@pytest.mark.parametrize("after_s", [n / 5 for n in range(12)])
def test_a_port_that_vanishes_while_a_door_opens_never_costs_a_second_pulse(make: Make, after_s: float) -> None:
    outcomes: list[Opening | None] = []

    async def story(bench: Bench) -> None:
        bench.board.line.delay_ms = 40
        pulled = asyncio.get_running_loop().call_later(after_s, bench.pipe.unplug)
        try:
            outcomes.append(await bench.locker.open(6))
        except NotThere:
            outcomes.append(None)
        pulled.cancel()
        await asyncio.sleep(1)
        bench.pipe.replug()
        await asyncio.sleep(10)
        assert bench.locker.status().health is not Health.AWAY

    bench = play(Bench(make), story)
    allowed = [(0, None), (1, Opening.UNKNOWN), (1, Opening.OPEN)]
    assert (bench.board.asked[6], outcomes[0]) in allowed


def test_without_sensors_only_the_boards_word_counts(make: Make) -> None:
    async def story(bench: Bench) -> None:
        outcome = await bench.locker.open(3)
        assert outcome is (Opening.OPEN if make.says_open else Opening.UNKNOWN)
        assert set((await bench.locker.doors()).values()) == {Door.UNKNOWN}
        assert await bench.locker.until_closed(3, 60) is Door.UNKNOWN

    assert play(Bench(make, has_door_sensor=False), story).board.pulses == {3: 1}


def test_without_sensors_a_silent_board_is_unknown(make: Make) -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.mute(after_moves=1)
        assert await bench.locker.open(3) is Opening.UNKNOWN

    assert play(Bench(make, has_door_sensor=False), story).board.pulses == {3: 1}


def test_a_forced_door_is_told(make: Make) -> None:
    async def story(bench: Bench) -> None:
        changes = bench.locker.changes()
        bench.board.open_by_hand(5)
        async with asyncio.timeout(10):
            assert await anext(changes) == DoorChanged(5, Door.OPEN, commanded=False)

    play(Bench(make), story)


class WallClock:
    def ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def local(self) -> datetime:
        return datetime(2026, 11, 22, 14, 30, 5)  # noqa: DTZ001


@pytest.mark.parametrize("name", BASE)
def test_built_from_settings_it_works_on_a_terminal_that_comes_back_under_another_name(
    name: str, tmp_path: Path
) -> None:
    make = BASE[name]
    board = make.sim(make.ways)
    terminal = Terminal("box", board, tmp_path / "box")
    host = Host([terminal], None)

    async def main() -> None:
        await host.start()
        locker = build(DeviceSettings("box", make.kind, str(tmp_path / "box"), None, make.options), WallClock())
        assert isinstance(locker, BoardLocker)
        await locker.start()
        was = terminal.path.readlink()
        try:
            assert await locker.open(7) is Opening.OPEN
            asyncio.get_running_loop().call_later(0.1, board.close_door, 7)
            assert await locker.until_closed(7, 20) is Door.CLOSED
            terminal.unplug()
            await asyncio.sleep(0.05)
            with pytest.raises(NotThere):
                await locker.open(1)
            held = Terminal("other", make.sim(make.ways), tmp_path / "other")  # takes the old name
            held.replug()
            terminal.replug()
            await asyncio.sleep(0.5)
            assert terminal.path.readlink() != was
            assert await locker.open(1) is Opening.OPEN
            held.unplug()
        finally:
            await locker.stop()
            await host.stop()

    asyncio.run(main())
    assert board.pulses == {7: 1, 1: 1}
