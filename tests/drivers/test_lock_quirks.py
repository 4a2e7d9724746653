"""What is odd about single makes of lock boards, on virtual time against their simulators."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from drivers.base import DeviceError, Door, Health, NotThere, Opening, Refused
from drivers.build import DeviceSettings, build
from drivers.kinds import Options
from drivers.lock_kinds import LOCK_KINDS, MODBUS_TIMING, WINNSEN_TIMING, WKLY_TIMING
from drivers.locker import BoardLocker, Cabinet
from drivers.mistakes import Unfit
from drivers.sim.cabinet import CabinetSim
from drivers.sim.kerong import Cu16Board, Cu16Cabinet, Cu48Board, Cu48Cabinet
from drivers.sim.modbus_relay import RelayBoard, RelayCabinet
from drivers.sim.shared_bus import SharedBus
from drivers.sim.winnsen import WinnsenBoard, WinnsenCabinet
from drivers.sim.wkly import WklyBoard
from drivers.wire.kerong_cu16 import KerongCu16
from drivers.wire.kerong_cu48 import CommandSet, KerongCu48, Layout
from drivers.wire.modbus_relay import ModbusRelay
from drivers.wire.winnsen import Winnsen
from tests.drivers.test_lock_makes import play
from tests.links import LoopClock, Pipe, run_instantly
from tests.lock_makes import BASE, LOCKED, MAKES, OPENED, Bench, Make
from tests.mistakes import english


def bench_of(board: CabinetSim, make: Make, wire: object = None, has_door_sensor: bool = True) -> Bench:
    """A bench around a board of our own, or with a codec that does not fit it."""
    bench = Bench(make, has_door_sensor=has_door_sensor)
    bench.board = board
    bench.pipe = Pipe(board)
    wired = Cabinet(board.walls.cells, make.polarity, has_door_sensor)
    codec = wire or make.wire
    bench.locker = BoardLocker(bench.pipe.link("locker"), codec, wired, LoopClock(), make.timing)  # type: ignore[arg-type]
    return bench


# Kerong CU12/CU16


def test_items_are_told_where_the_boards_see_them() -> None:
    board = Cu16Board(Cu16Cabinet(cells=20))

    async def story(bench: Bench) -> None:
        for cell in (1, 16, 17):
            board.put(cell)
        assert await bench.locker.items() == {cell: cell in (1, 16, 17) for cell in range(1, 21)}
        board.put(1, lies=False)
        assert (await bench.locker.items())[1] is False
        board.line.mute()
        with pytest.raises(DeviceError):
            await bench.locker.items()

    play(bench_of(board, BASE["CU16"]), story)


@pytest.mark.parametrize("name", [name for name in BASE if name != "CU16"])
def test_boards_without_such_sensors_tell_of_no_items(name: str) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.locker.items() == {}

    play(Bench(BASE[name]), story)


def test_a_hand_in_a_cell_makes_its_item_untold_and_no_door_unknown() -> None:
    board = Cu16Board()
    answered = board.receive

    def flickering(chunk: bytes) -> list[bytes]:
        board.put(3, 3 not in board.items)
        return answered(chunk)

    board.receive = flickering  # type: ignore[method-assign]

    async def story(bench: Bench) -> None:
        items = await bench.locker.items()
        assert 3 not in items
        assert items[4] is False
        assert (await bench.locker.doors())[3] is Door.CLOSED

    play(bench_of(board, BASE["CU16"]), story)


def test_a_busy_board_is_freed_once_and_one_that_answers_never() -> None:
    board = Cu16Board(Cu16Cabinet(gets_busy=True))
    heard: list[bytes] = []
    answered = board.receive
    board.receive = lambda chunk: heard.append(chunk) or answered(chunk)  # type: ignore[method-assign,func-returns-value]

    async def story(bench: Bench) -> None:
        await asyncio.sleep(20)
        assert KerongCu16().revive(1) not in heard, "a board that answers is not told anything odd"
        assert await bench.locker.open(2) is Opening.OPEN
        assert heard.count(KerongCu16().revive(1)) == 1

    play(bench_of(board, BASE["CU16"]), story)


def test_a_board_left_busy_by_who_ran_before_is_freed_when_it_stays_silent() -> None:
    board = Cu16Board(Cu16Cabinet(gets_busy=True))
    board.receive(KerongCu16().open(1, 5))  # and then the kiosk lost its power

    async def story(bench: Bench) -> None:
        await asyncio.sleep(5)
        assert (await bench.locker.doors())[5] is Door.OPEN
        assert await bench.locker.open(2) is Opening.OPEN

    assert play(bench_of(board, BASE["CU16"]), story).board.pulses == {5: 1, 2: 1}


def test_a_late_answer_of_before_the_pulse_does_not_leave_the_board_busy() -> None:
    board = Cu16Board(Cu16Cabinet(gets_busy=True))

    async def story(bench: Bench) -> None:
        for cell in range(1, 16):
            board.line.delay_ms = 30 * cell  # some answers come after their time, to the next question
            with contextlib.suppress(NotThere):
                await bench.locker.open(cell)
            board.line.delay_ms = 0
            await asyncio.sleep(10)
            assert bench.locker.status().health is not Health.AWAY

    board = play(bench_of(board, BASE["CU16"]), story).board  # type: ignore[assignment]
    assert max(board.asked.values()) == 1


def test_boards_that_need_no_freeing_never_hear_of_it() -> None:
    heard: list[bytes] = []

    async def story(bench: Bench) -> None:
        answered = bench.board.receive
        bench.board.receive = lambda chunk: heard.append(chunk) or answered(chunk)  # type: ignore[method-assign,func-returns-value]
        await bench.locker.open(2)

    play(Bench(MAKES["CU16"]), story)
    assert KerongCu16().revive(1) not in heard


# Kerong CU24/CU48


def test_a_wrong_layout_or_generation_leaves_doors_unknown_and_coils_alone() -> None:
    board = Cu48Board(Cu48Cabinet(layout=Layout.ETX, command_set=CommandSet.A))
    for wire in (KerongCu48(commands=CommandSet.A, layout=Layout.LENGTH), KerongCu48(commands=CommandSet.B)):

        async def story(bench: Bench) -> None:
            with pytest.raises(NotThere, match="no pulse was sent"):
                await bench.locker.open(3)
            assert bench.locker.status().health is Health.AWAY

        play(bench_of(board, BASE["CU48"], wire), story)
    assert not board.pulses


# WKLY


def test_a_push_between_question_and_answer_is_no_answer() -> None:
    said: list[int] = []

    async def story(bench: Bench) -> None:
        answered = bench.board.receive

        def noting(chunk: bytes) -> list[bytes]:
            replies = answered(chunk)
            if chunk[6] == 0x82:
                said.extend(reply[6] for reply in replies)
            return replies

        bench.board.receive = noting  # type: ignore[method-assign]
        assert await bench.locker.open(7) is Opening.OPEN
        assert bench.locker.status().health is Health.OK

    play(Bench(BASE["WKLY"]), story)
    assert said == [0x85, 0x82]


def test_a_lock_whose_sensor_failed_is_a_door_nobody_can_tell() -> None:
    board = WklyBoard()
    board.fail(7)

    async def story(bench: Bench) -> None:
        assert (await bench.locker.doors())[7] is Door.UNKNOWN
        assert await bench.locker.open(7) is Opening.UNKNOWN
        assert await bench.locker.open(8) is Opening.OPEN

    play(bench_of(board, BASE["WKLY"]), story)
    assert board.pulses == {7: 1, 8: 1}


def test_answers_with_a_wrong_length_are_none() -> None:
    board = WklyBoard()

    async def story(bench: Bench) -> None:
        board.lies_on_length = True
        with pytest.raises(NotThere, match="no pulse was sent"):
            await bench.locker.open(7)

    play(bench_of(board, BASE["WKLY"]), story)
    assert not board.pulses


def test_each_command_has_the_time_the_maker_names() -> None:
    assert (WKLY_TIMING.reply_s, WKLY_TIMING.open_reply_s) == (0.4, 0.7)
    assert MODBUS_TIMING.gap_s > 3.5 * 10 / 9600
    assert WINNSEN_TIMING.open_reply_s == 2.5


# Modbus relays


def test_relays_that_somebody_left_on_are_off_before_anything_else_is_asked() -> None:
    board = RelayBoard(RelayCabinet(cells=16))
    board.hold(3)
    board.hold(12)
    heard: list[bytes] = []
    answered = board.receive
    board.receive = lambda chunk: heard.append(chunk) or answered(chunk)  # type: ignore[method-assign,func-returns-value]

    async def story(bench: Bench) -> None:
        assert heard[0] == ModbusRelay().at_start(1)[0]
        assert not board.held
        bench.pipe.unplug()
        board.hold(5)
        await asyncio.sleep(1)
        bench.pipe.replug()
        await asyncio.sleep(3)
        assert not board.held, "whoever had the port meanwhile may have left one on"
        assert heard.count(ModbusRelay().at_start(1)[0]) == 2

    play(bench_of(board, BASE["Modbus"]), story)


@pytest.mark.parametrize("has_door_sensor", [True, False])
def test_a_board_that_does_not_confirm_its_relays_off_gets_no_pulse(has_door_sensor: bool) -> None:
    board = RelayBoard()
    answered = board.receive
    calming = ModbusRelay().at_start(1)[0]
    board.receive = lambda chunk: [] if chunk == calming else answered(chunk)  # type: ignore[method-assign]

    async def story(bench: Bench) -> None:
        with pytest.raises(NotThere, match="no pulse was sent"):
            await bench.locker.open(1)

    play(bench_of(board, BASE["Modbus"], has_door_sensor=has_door_sensor), story)
    assert not board.pulses


@pytest.mark.parametrize("has_door_sensor", [True, False])
def test_a_look_alike_without_flash_refuses_and_moves_nothing(has_door_sensor: bool) -> None:
    board = RelayBoard(RelayCabinet(has_flash=False))

    async def story(bench: Bench) -> None:
        with pytest.raises(Refused, match="exception 02"):
            await bench.locker.open(1)

    play(bench_of(board, BASE["Modbus"], has_door_sensor=has_door_sensor), story)
    assert (board.pulses, board.held) == ({}, set())


def test_fewer_inputs_than_were_set_are_told_by_the_board() -> None:
    board = RelayBoard(RelayCabinet(cells=8, ways=8))

    async def story(bench: Bench) -> None:
        with pytest.raises(Refused, match="exception 02"):
            await bench.locker.doors()

    play(bench_of(board, BASE["Modbus"], ModbusRelay(16)), story)


def test_the_board_ends_the_pulse_also_when_nobody_is_there_any_more() -> None:
    async def main() -> None:
        bench = Bench(BASE["Modbus"])
        board = bench.board
        assert isinstance(board, RelayBoard)
        await bench.locker.start()
        bench.pipe.tick()
        opening = asyncio.create_task(bench.locker.open(2))
        while not board.pulses:
            await asyncio.sleep(0.001)
        opening.cancel()  # the terminal dies here
        await asyncio.gather(opening, return_exceptions=True)
        await bench.locker.stop()
        assert (set(board.flashing), board.held) == ({2}, set())
        await asyncio.sleep(0.6)
        bench.pipe.tick()
        assert not board.flashing

    run_instantly(main())


def test_a_dead_board_behind_an_echo_is_dead() -> None:
    """Each request comes back, and an echo of a write looks like its answer."""

    async def story(bench: Bench) -> None:
        bench.board.line.echoes = True
        bench.board.line.mute()
        with pytest.raises(NotThere, match="no pulse was sent"):
            await bench.locker.open(1)

    assert not play(Bench(BASE["Modbus"]), story).board.pulses


def test_without_sensors_behind_an_echo_nobody_knows() -> None:
    async def story(bench: Bench) -> None:
        bench.board.line.echoes = True
        bench.board.jam(1)
        assert await bench.locker.open(1) is Opening.UNKNOWN

    play(Bench(BASE["Modbus"], has_door_sensor=False), story)


# Winnsen


def test_a_coil_that_cools_down_refuses_and_is_not_asked_again() -> None:
    board = WinnsenBoard(WinnsenCabinet(cool_s=30))

    async def story(bench: Bench) -> None:
        assert await bench.locker.open(3) is Opening.OPEN
        board.close_door(3)
        await bench.locker.until_closed(3, 10)
        with pytest.raises(Refused, match="cooling down"):
            await bench.locker.open(3)
        assert board.asked == {3: 1}
        await asyncio.sleep(30)
        assert await bench.locker.open(3) is Opening.OPEN

    play(bench_of(board, BASE["Winnsen"]), story)
    assert board.pulses == {3: 2}


def test_a_refusal_without_a_check_and_without_a_sensor_is_no_certainty() -> None:
    board = WinnsenBoard(WinnsenCabinet(cool_s=30))

    async def story(bench: Bench) -> None:
        await bench.locker.open(3)
        assert await bench.locker.open(3) is Opening.UNKNOWN

    play(bench_of(board, BASE["Winnsen"], has_door_sensor=False), story)


def test_a_refusal_while_the_door_stands_open_is_an_open_door() -> None:
    board = WinnsenBoard(WinnsenCabinet(cool_s=30))

    async def story(bench: Bench) -> None:
        await bench.locker.open(3)
        assert await bench.locker.open(3) is Opening.OPEN

    play(bench_of(board, BASE["Winnsen"]), story)


def test_one_door_is_watched_without_asking_for_all() -> None:
    asked: list[bytes] = []

    async def story(bench: Bench) -> None:
        answered = bench.board.receive
        bench.board.receive = lambda chunk: asked.append(chunk) or answered(chunk)  # type: ignore[method-assign,func-returns-value]
        await bench.locker.until_closed(3, 0)
        assert asked.count(Winnsen().read_one(1, 3)) >= 2

    play(Bench(BASE["Winnsen"]), story)


# several boards on one bus


def built(pipe: Pipe, kind: str, options: Options, monkeypatch: pytest.MonkeyPatch) -> BoardLocker:
    monkeypatch.setattr("drivers.lock_kinds.link_for", lambda settings, _baud, _options: pipe.link(settings.name))
    locker = build(DeviceSettings(kind, kind, "memory", None, options), LoopClock())
    assert isinstance(locker, BoardLocker)
    return locker


def test_cells_follow_the_numbers_set_on_the_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = Cu16Board(Cu16Cabinet(first=7)), Cu16Board(Cu16Cabinet(first=2))
    pipe = Pipe(SharedBus({"left": left, "right": right}))

    async def main() -> None:
        locker = built(pipe, "kerong_cu16", {"boards": 2, "numbers": "7,2"}, monkeypatch)
        await locker.start()
        assert await locker.open(3) is Opening.OPEN
        assert await locker.open(18) is Opening.OPEN
        assert {cell for cell, door in (await locker.doors()).items() if door is Door.OPEN} == {3, 18}
        right.put(1)
        assert {cell for cell, lies in (await locker.items()).items() if lies} == {17}
        await locker.stop()

    run_instantly(main())
    assert (left.pulses, right.pulses) == ({3: 1}, {2: 1})


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("wkly", {"boards": 2, "numbers": "1"}, "must name 2 different boards"),
        ("wkly", {"boards": 2, "numbers": "1,1"}, "must name 2 different boards"),
        ("wkly", {"boards": 2, "numbers": "1;2"}, "is no list like 3,1"),
        ("modbus_relay", {"numbers": "0"}, "must name 1 different boards from 1 on"),
        ("kerong_cu16", {"numbers": "15"}, "numbers this make has no board 15"),
        ("winnsen", {"boards": 5}, "boards must be a whole number from 1 to 4"),
        ("winnsen", {"first": 2}, "first must be a whole number from 0 to 1"),
        ("modbus_relay", {"pulse_ms": 3000}, "pulse_ms must be a whole number from 100 to 2000"),
        ("kerong_cu48", {"command_set": "c"}, "command_set must be one of: a, b"),
        ("kerong_cu48", {"layout": "guess"}, "layout must be one of: auto, etx, length"),
        ("wkly", {"cells": 25}, "25 cells do not fit on 1 boards of 24 locks"),
    ],
)
def test_settings_that_no_board_can_have_are_told(kind: str, options: Options, said: str) -> None:
    with pytest.raises(Unfit) as caught:
        build(DeviceSettings("box", kind, "/dev/box", options=options), LoopClock())

    assert said in english(caught.value)


def test_the_makes_have_the_baud_rates_and_polarities_of_their_makers() -> None:
    bauds = {name: kind.baud for name, kind in LOCK_KINDS.items()}
    usual = {name: kind.options["polarity"].default for name, kind in LOCK_KINDS.items()}

    assert bauds == {
        "lock_8a80": 9600, "kerong_cu16": 19200, "kerong_cu48": 19200, "wkly": 9600, "modbus_relay": 9600,
        "winnsen": 9600,
    }  # fmt: skip
    assert {name for name, polarity in usual.items() if polarity == OPENED.value} == {"winnsen"}
    assert set(usual.values()) == {LOCKED.value, OPENED.value}


@pytest.mark.parametrize("name", BASE)
def test_a_driver_shares_its_bus_with_boards_of_every_other_make(name: str) -> None:
    make = BASE[name]
    ours = make.sim(make.ways)
    others = {other: BASE[other].sim(BASE[other].ways) for other in BASE if other != name}
    pipe = Pipe(SharedBus({"ours": ours, **others}))

    async def main() -> None:
        wired = Cabinet(make.ways, make.polarity)
        locker = BoardLocker(pipe.link("locker"), make.wire, wired, LoopClock(), make.timing)
        await locker.start()
        for cell in (1, 2, make.ways):
            assert await locker.open(cell) is Opening.OPEN
        for other in others.values():
            other.open_by_hand(1)
        pipe.tick()
        ours.close_door(2)
        assert await locker.until_closed(2, 10) is Door.CLOSED
        opened = {cell for cell, door in (await locker.doors()).items() if door is Door.OPEN}
        assert opened == {1, make.ways}
        await locker.stop()

    run_instantly(main())
    assert ours.pulses == {1: 1, 2: 1, make.ways: 1}
    assert not [other for other, board in others.items() if board.pulses]
