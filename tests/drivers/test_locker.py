"""The locker on virtual time: one command, one pulse, and what is believed afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from drivers.base import Door, DoorChanged, Health, NoAnswer, NotThere, Opening, WrongDoor
from drivers.locker import BoardLocker, Cabinet
from drivers.sim import lock_board
from drivers.sim.lock_board import LockBoard, Reply
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import Board8A80
from tests.links import LoopClock, Pipe, run_instantly


class Bench:
    """A locker, its simulated cabinet and the cable between them."""

    def __init__(self, cabinet: lock_board.Cabinet, has_door_sensor: bool = True, echo: bool = False) -> None:
        self.board = LockBoard(cabinet)
        self.pipe = Pipe(self.board)
        wired = Cabinet(cabinet.cells, cabinet.polarity, has_door_sensor)
        self.locker = BoardLocker(self.pipe.link("locker", echo), Board8A80(cabinet.ways), wired, LoopClock())

    async def changes(self, count: int) -> list[DoorChanged]:
        seen: list[DoorChanged] = []
        async with asyncio.timeout(30):
            async for change in self.locker.changes():
                seen.append(change)
                if len(seen) == count:
                    break
        return seen


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    await bench.locker.start()
    await asyncio.sleep(0.5)  # the first look at the doors
    try:
        yield bench
    finally:
        await bench.locker.stop()


def play(story: Callable[[Bench], Awaitable[None]], bench: Bench | None = None) -> Bench:
    bench = bench or Bench(lock_board.Cabinet())

    async def main() -> None:
        async with running(bench):
            await story(bench)

    run_instantly(main())
    return bench


@pytest.mark.parametrize("polarity", list(Polarity))
@pytest.mark.parametrize("reply", list(Reply))
@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("is_jammed", [False, True])
def test_every_kind_of_board_is_understood(polarity: Polarity, reply: Reply, echo: bool, is_jammed: bool) -> None:
    bench = Bench(lock_board.Cabinet(polarity=polarity, reply=reply), echo=echo)
    bench.board.line.echoes = echo
    bench.board.jam(7, is_jammed)

    async def story(bench: Bench) -> None:
        outcome = await bench.locker.open(7)

        assert outcome is (Opening.STAYED_CLOSED if is_jammed else Opening.OPEN)
        assert bench.locker.status().health is Health.OK

    play(story, bench)
    assert bench.board.pulses == {7: 1}


def test_an_echo_nobody_configured_opens_doors_all_the_same_and_is_reported() -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.echoes = True
        bench.board.jam(4)

        assert await bench.locker.open(3) is Opening.OPEN
        assert await bench.locker.open(4) is Opening.STAYED_CLOSED
        assert "echo = true" in bench.locker.status().hint

    for polarity in Polarity:
        play(story, Bench(lock_board.Cabinet(polarity=polarity)))


def test_cells_count_through_the_boards() -> None:
    bench = Bench(lock_board.Cabinet(cells=60, ways=24))

    async def story(bench: Bench) -> None:
        for cell in (1, 24, 25, 60):
            assert await bench.locker.open(cell) is Opening.OPEN
        assert {cell for cell, door in (await bench.locker.doors()).items() if door is Door.OPEN} == {1, 24, 25, 60}

    play(story, bench)
    assert bench.board.pulses == {1: 1, 24: 1, 25: 1, 60: 1}


@pytest.mark.parametrize("cell", [0, -1, 25, 1000])
def test_a_cell_that_is_not_ours_is_a_bug_of_the_caller(cell: int) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(ValueError, match="not in"):
            await bench.locker.open(cell)

    assert not play(story).board.pulses


def test_another_door_that_opens_is_told_as_such() -> None:
    bench = Bench(lock_board.Cabinet(cells=48))
    bench.board.wrong_door(5, 30)  # on the other board

    async def story(bench: Bench) -> None:
        with pytest.raises(WrongDoor) as caught:
            await bench.locker.open(5)
        assert (caught.value.commanded, caught.value.moved) == (5, (30,))
        assert await bench.changes(1) == [DoorChanged(30, Door.OPEN, commanded=False)]

    play(story, bench)
    assert bench.board.pulses == {30: 1}


def test_a_door_that_somebody_shuts_meanwhile_is_no_wrong_door() -> None:
    async def story(bench: Bench) -> None:
        bench.board.open_by_hand(9)
        asyncio.get_running_loop().call_later(0.18, bench.board.close_door, 9)

        assert await bench.locker.open(5) is Opening.OPEN

    play(story)


def test_a_board_silent_after_the_pulse_leaves_the_outcome_unknown_and_one_pulse() -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.mute(after_moves=1)

        assert await bench.locker.open(2) is Opening.UNKNOWN
        assert bench.locker.status().health is Health.AWAY

    assert play(story).board.pulses == {2: 1}


def test_a_board_silent_before_the_pulse_gets_none() -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.mute()

        with pytest.raises(NotThere, match="no pulse was sent"):
            await bench.locker.open(2)
        with pytest.raises(NoAnswer):
            await bench.locker.doors()

    assert not play(story).board.pulses


def test_a_silent_board_leaves_the_doors_of_the_other_known() -> None:
    bench = Bench(lock_board.Cabinet(cells=48))
    answered = bench.board.receive
    bench.board.receive = lambda chunk: [] if chunk[1] == 2 else answered(chunk)  # type: ignore[method-assign]

    async def story(bench: Bench) -> None:
        doors = await bench.locker.doors()

        assert doors[24] is Door.CLOSED
        assert doors[25] is Door.UNKNOWN
        assert bench.locker.status().health is Health.DEGRADED
        assert await bench.locker.open(3) is Opening.OPEN

    play(story, bench)


def test_an_absent_port_is_not_there() -> None:
    bench = Bench(lock_board.Cabinet())
    bench.pipe.unplug()

    async def story(bench: Bench) -> None:
        assert bench.locker.status().health is Health.AWAY
        with pytest.raises(NotThere):
            await bench.locker.open(1)
        with pytest.raises(NotThere):
            await bench.locker.doors()
        assert await bench.locker.until_closed(1, 3) is Door.UNKNOWN

    play(story, bench)


@pytest.mark.parametrize("after_s", [n / 50 for n in range(24)])
def test_a_port_that_vanishes_while_a_door_opens_never_costs_a_second_pulse(after_s: float) -> None:
    outcomes: list[Opening | None] = []

    async def story(bench: Bench) -> None:
        bench.board.line.delay_ms = 40  # stretches the opening to half a second
        asyncio.get_running_loop().call_later(after_s, bench.pipe.unplug)
        try:
            outcomes.append(await bench.locker.open(6))
        except NotThere:
            outcomes.append(None)
        await asyncio.sleep(1)
        bench.pipe.replug()
        await asyncio.sleep(3)
        assert bench.locker.status().health is not Health.AWAY

    pulses = play(story).board.pulses[6]
    assert (pulses, outcomes[0]) in [(0, None), (1, Opening.UNKNOWN), (1, Opening.OPEN)]


def test_the_outcome_is_seen_when_the_port_comes_back_in_time() -> None:
    async def story(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        pulsed = bench.board.receive

        def cut_at_the_pulse(chunk: bytes) -> list[bytes]:
            answer = pulsed(chunk)
            if chunk[0] == 0x8A:
                bench.pipe.unplug()
                loop.call_later(0.2, bench.pipe.replug)
            return answer

        bench.board.receive = cut_at_the_pulse  # type: ignore[method-assign]
        assert await bench.locker.open(6) is Opening.OPEN

    assert play(story).board.pulses == {6: 1}


@pytest.mark.parametrize("reply", list(Reply))
def test_without_sensors_only_the_boards_word_counts(reply: Reply) -> None:
    bench = Bench(lock_board.Cabinet(reply=reply), has_door_sensor=False)

    async def story(bench: Bench) -> None:
        outcome = await bench.locker.open(3)

        assert outcome is (Opening.UNKNOWN if reply is Reply.NONE else Opening.OPEN)
        assert set((await bench.locker.doors()).values()) == {Door.UNKNOWN}
        assert await bench.locker.until_closed(3, 60) is Door.UNKNOWN

    play(story, bench)
    assert bench.board.pulses == {3: 1}


def test_without_sensors_an_answer_about_another_cell_is_a_wrong_door() -> None:
    bench = Bench(lock_board.Cabinet(), has_door_sensor=False)
    answered = bench.board.receive

    def about_cell_9(chunk: bytes) -> list[bytes]:
        return [b"\x8a\x01\x09\x00\x82"] if chunk[0] == 0x8A else answered(chunk)

    bench.board.receive = about_cell_9  # type: ignore[method-assign]

    async def story(bench: Bench) -> None:
        with pytest.raises(WrongDoor) as caught:
            await bench.locker.open(3)
        assert caught.value.moved == (9,)

    play(story, bench)


def test_without_sensors_a_seen_echo_makes_success_unbelievable() -> None:
    bench = Bench(lock_board.Cabinet(polarity=Polarity.SHORT_WHEN_OPEN), has_door_sensor=False)
    bench.board.line.echoes = True
    bench.board.jam(3)

    async def story(bench: Bench) -> None:
        assert await bench.locker.open(3) is Opening.UNKNOWN

    play(story, bench)


def test_closing_is_noticed_within_a_poll() -> None:
    async def story(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        await bench.locker.open(3)
        began = loop.time()
        loop.call_later(10, bench.board.close_door, 3)

        assert await bench.locker.until_closed(3, 60) is Door.CLOSED
        assert 10 <= loop.time() - began < 10.7

    play(story)


def test_a_door_left_open_is_told_when_the_time_is_over() -> None:
    async def story(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        await bench.locker.open(3)
        began = loop.time()

        assert await bench.locker.until_closed(3, 45) is Door.OPEN
        assert 45 <= loop.time() - began < 46

    play(story)


def test_a_board_that_falls_silent_makes_waiting_for_a_door_unknown() -> None:
    async def story(bench: Bench) -> None:
        await bench.locker.open(3)
        bench.board.line.mute()

        assert await bench.locker.until_closed(3, 20) is Door.UNKNOWN

    play(story)


@pytest.mark.parametrize("reply", [Reply.ANSWER, Reply.PUSH])
def test_door_movements_tell_commanded_from_forced(reply: Reply) -> None:
    bench = Bench(lock_board.Cabinet(reply=reply))

    async def story(bench: Bench) -> None:
        await bench.locker.open(3)
        bench.board.close_door(3)
        bench.pipe.tick()
        first = await bench.changes(2)
        bench.board.open_by_hand(3)
        bench.pipe.tick()
        second = await bench.changes(1)

        assert first == [DoorChanged(3, Door.OPEN, commanded=True), DoorChanged(3, Door.CLOSED, commanded=True)]
        assert second == [DoorChanged(3, Door.OPEN, commanded=False)]

    play(story, bench)


def test_a_jammed_door_that_is_forced_later_was_not_commanded() -> None:
    async def story(bench: Bench) -> None:
        bench.board.jam(3)
        await bench.locker.open(3)
        await asyncio.sleep(5)
        bench.board.open_by_hand(3)

        assert await bench.changes(1) == [DoorChanged(3, Door.OPEN, commanded=False)]

    play(story)


def test_unread_movements_are_bounded_to_the_newest() -> None:
    async def story(bench: Bench) -> None:
        for turn in range(300):
            (bench.board.open_by_hand if turn % 2 == 0 else bench.board.close_door)(1 + turn // 2 % 24)
            await asyncio.sleep(1.5)

        changes = await bench.changes(256)
        assert changes[-1] == DoorChanged(6, Door.CLOSED, commanded=False)
        assert bench.locker._changes.lost == 300 - 256

    play(story)


def test_a_door_forced_while_the_port_was_away_is_told_when_it_is_back() -> None:
    async def story(bench: Bench) -> None:
        bench.pipe.unplug()
        bench.board.open_by_hand(8)
        await asyncio.sleep(5)
        bench.pipe.replug()

        assert await bench.changes(1) == [DoorChanged(8, Door.OPEN, commanded=False)]

    play(story)


def test_openings_wait_for_each_other() -> None:
    async def story(bench: Bench) -> None:
        outcomes = await asyncio.gather(*(bench.locker.open(cell) for cell in (1, 2, 3)))

        assert outcomes == [Opening.OPEN] * 3

    assert play(story).board.pulses == {1: 1, 2: 1, 3: 1}


def test_stop_ends_the_stream_of_movements_and_may_be_called_twice() -> None:
    async def main() -> None:
        bench = Bench(lock_board.Cabinet())
        await bench.locker.start()
        reader = asyncio.ensure_future(bench.changes(1))
        await asyncio.sleep(0.1)
        await bench.locker.stop()
        await bench.locker.stop()

        assert await reader == []
        with pytest.raises(NotThere):
            await bench.locker.open(1)

    run_instantly(main())
