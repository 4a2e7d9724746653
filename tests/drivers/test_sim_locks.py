"""The simulated lock boards as their makers' frames see them, and several on one terminal of `village-sim`."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
import serial

from drivers.sim.cabinet import CabinetSim
from drivers.sim.host import Host, Terminal
from drivers.sim.kerong import Cu16Board, Cu16Cabinet, Cu48Board, Cu48Cabinet
from drivers.sim.modbus_relay import RelayBoard, RelayCabinet
from drivers.sim.settings import BadBench, read_bench
from drivers.sim.shared_bus import SharedBus
from drivers.sim.winnsen import WinnsenBoard, WinnsenCabinet
from drivers.sim.wkly import WklyBoard, WklyCabinet
from drivers.wire.kerong_cu48 import CommandSet, Layout
from drivers.wire.modbus_relay import sealed

ROOT = Path(__file__).parents[2]


def said(board: CabinetSim | SharedBus, digits: str) -> str:
    return b"".join(board.receive(bytes.fromhex(digits))).hex(" ").upper()


RELAYS = [
    ("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A", "relay on"),
    ("01 05 02 00 00 07 8D B0", "01 05 02 00 00 07 8D B0", "flash"),
    ("01 02 00 00 00 08 79 CC", "01 02 01 00 A1 88", "inputs: no door is shut in this cabinet"),
    ("01 01 00 00 00 08 3D CC", "01 01 01 00 51 88", "relays: none is on"),
    ("02 01 00 00 00 08 3D FF", "", "another board's business"),
    (sealed(bytes.fromhex("01 20 00 00 00 08")).hex(" "), "01 A0 01 99 C0", "exception 01: no such function"),
    (sealed(bytes.fromhex("01 02 00 00 00 09")).hex(" "), "01 82 02 C1 61", "exception 02: no such input"),
    (sealed(bytes.fromhex("01 05 02 00 00 00")).hex(" "), "01 85 03 02 91", "exception 03: no time to flash"),
    ("01 05 00 FF FF 00 BC 0A", "01 85 03 02 91", "all on is refused by the fuse"),
    ("01 02 00 00 00 08 79 CD", "", "wrong CRC: silence"),
]


@pytest.mark.parametrize(("asked", "answer", "what"), RELAYS)
def test_relay_boards_answer_as_the_makers_examples(asked: str, answer: str, what: str) -> None:
    board = RelayBoard(RelayCabinet())
    for cell in range(1, 9):
        board.open_by_hand(cell)

    assert said(board, asked) == answer, what


def test_a_word_to_all_relay_boards_is_obeyed_in_silence() -> None:
    board = RelayBoard(RelayCabinet(cells=16))

    assert said(board, sealed(bytes.fromhex("00 05 02 02 00 05")).hex()) == ""
    assert board.open_doors == {3, 11}


def test_a_flash_ends_by_itself_and_a_held_relay_does_not() -> None:
    board = RelayBoard()
    board.tick(1000)
    said(board, "01 05 02 00 00 07 8D B0")
    said(board, "01 05 00 01 FF 00 DD FA")
    assert said(board, "01 01 00 00 00 08 3D CC")[9:11] == "03"

    board.tick(1699)
    assert set(board.flashing) == {1}
    board.tick(1700)
    assert (board.flashing, board.held) == ({}, {2})
    said(board, "01 05 00 01 00 00 9C 0A")
    assert not board.held


def test_wkly_boards_answer_as_the_makers_examples() -> None:
    board = WklyBoard(WklyCabinet(cells=4, ways=4, pushes=False))
    board.open_by_hand(4)

    assert said(board, "57 4B 4C 59 09 00 82 01 83") == "57 4B 4C 59 0B 00 82 00 01 00 81"
    assert said(board, "57 4B 4C 59 09 00 83 01 82") == "57 4B 4C 59 0B 00 83 00 01 00 80"
    assert said(board, "57 4B 4C 59 08 00 84 85") == "57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87"
    assert said(board, "57 4B 4C 59 08 00 86 87") == ""
    assert board.refused == 1
    assert (board.pulses, board.open_doors) == ({1: 1}, {1, 4})


def test_wkly_boards_push_before_they_answer() -> None:
    board = WklyBoard(WklyCabinet(cells=4, ways=4))

    assert said(board, "57 4B 4C 59 09 00 82 01 83") == (
        "57 4B 4C 59 0A 00 85 01 00 87 57 4B 4C 59 0B 00 82 00 01 00 81"
    )
    board.close_door(1)
    assert board.tick(0) == [bytes.fromhex("57 4B 4C 59 0A 00 85 01 01 86")]


def test_kerong_boards_answer_as_derived() -> None:
    board = Cu16Board(Cu16Cabinet())
    board.open_by_hand(16)
    board.put(1)

    assert said(board, "02 00 30 03 35") == "02 00 35 FF 7F 01 00 03 B9"
    assert said(board, "02 00 31 03 36") == ""
    assert said(board, "02 00 33 03 38") == ""
    assert (board.pulses, board.refused) == ({1: 1}, 1)


def test_busy_kerong_boards_are_deaf_until_they_are_freed() -> None:
    board = Cu16Board(Cu16Cabinet(gets_busy=True, answers_open=True))

    assert said(board, "02 00 31 03 36") != ""
    assert said(board, "02 00 30 03 35") == ""
    assert said(board, "02 01 31 03 37") == ""
    said(board, "02 00 38 03 3D")
    assert said(board, "02 00 30 03 35") != ""
    assert board.pulses == {1: 1}


@pytest.mark.parametrize(
    ("commands", "layout", "asked", "answer"),
    [
        (CommandSet.A, Layout.ETX, "02 00 00 50 03 55", "02 00 00 65 FE FF FF FF FF FF 03 63"),
        (CommandSet.B, Layout.LENGTH, "02 00 00 60 03 65", "02 00 00 75 06 FE FF FF FF FF FF 76"),
    ],
)
def test_both_generations_and_layouts_are_there(commands: CommandSet, layout: Layout, asked: str, answer: str) -> None:
    board = Cu48Board(Cu48Cabinet(command_set=commands, layout=layout))
    board.open_by_hand(1)

    assert said(board, asked) == answer


def test_winnsen_boards_swap_and_cool_down() -> None:
    board = WinnsenBoard(WinnsenCabinet(cool_s=5))

    assert said(board, "90 06 12 01 07 03") == "90 07 92 01 00 07 03"
    assert said(board, "90 06 05 01 07 03") == "90 07 85 01 07 01 03"
    assert said(board, "90 06 05 01 07 03") == "90 07 85 01 07 02 03"
    assert said(board, "90 06 05 00 07 03") == ""
    board.tick(5001)
    assert said(board, "90 06 05 01 07 03") == "90 07 85 01 07 01 03"
    assert (board.pulses, board.refused) == ({7: 2}, 1)


def test_boards_on_one_bus_answer_in_their_own_tongue_and_echo_once() -> None:
    relays, locks = RelayBoard(), WinnsenBoard()
    bus = SharedBus({"relays": relays, "locks": locks})
    bus.line.echoes = True

    assert said(bus, "90 06 12 01 07 03") == "90 06 12 01 07 03 90 07 92 01 00 07 03"
    assert said(bus, "01 02 00 00 00 08 79 CC") == "01 02 00 00 00 08 79 CC 01 02 01 FF E1 C8"
    bus.line.mute()
    assert said(bus, "90 06 05 01 07 03") == "90 06 05 01 07 03"
    assert locks.pulses == {7: 1}


BUS = """
[devices.left]
kind = "kerong_cu16"
bus = "cellar"
path = "dev/cellar"
first = 3
answers_open = true

[devices.right]
kind = "modbus_relay"
bus = "cellar"
path = "dev/cellar"
polarity = "short_when_open"

[devices.alone]
kind = "wkly"
path = "dev/alone"
pushes = false
"""


def test_a_bench_puts_boards_on_one_terminal_and_moves_their_handles(tmp_path: Path) -> None:
    (tmp_path / "sim.toml").write_text(BUS)
    bench = read_bench(tmp_path / "sim.toml")
    assert [name for name, _, _ in bench.devices] == ["cellar", "alone"]
    host = Host([Terminal(*device) for device in bench.devices], None)

    async def main() -> None:
        await host.start()
        try:
            host.poke("left", "put", ["2"])
            host.poke("right", "jam", ["1"])
            heard = await asyncio.to_thread(talk, tmp_path / "dev" / "cellar")
            assert heard == bytes.fromhex("02 30 35 FF FF 02 00 03 6A 01 02 01 00 A1 88")
            told = host.poke("cellar", "state", [])
            assert isinstance(told, dict)
            assert sorted(told) == ["left", "right"]
            json.dumps(told)
            host.poke("cellar", "mute", [])
            assert host.poke("right", "unplug", []) == {"plugged": False}
            with pytest.raises(LookupError, match="no device 'middle'"):
                host.poke("middle", "state", [])
        finally:
            await host.stop()

    asyncio.run(main())


def talk(path: Path) -> bytes:
    with serial.Serial(str(path), 9600, timeout=2, exclusive=True) as line:
        line.write(bytes.fromhex("02 30 30 03 65"))
        first = line.read(9)
        time.sleep(0.01)
        line.write(bytes.fromhex("01 02 00 00 00 08 79 CC"))
        return first + line.read(6)


def test_mistakes_about_buses_are_told(tmp_path: Path) -> None:
    wrong = BUS.replace('path = "dev/cellar"\npolarity', 'path = "dev/attic"\npolarity')
    wrong = wrong.replace("[devices.alone]", "[devices.cellar]").replace("pushes = false", "pushes = 1\ncool_s = 3")
    (tmp_path / "sim.toml").write_text(wrong)

    with pytest.raises(BadBench) as caught:
        read_bench(tmp_path / "sim.toml")

    said = [mistake.partition(": ")[2] for mistake in caught.value.mistakes]  # behind file and line
    assert "devices.right: bus 'cellar' has another path" in said
    assert "devices.cellar: unknown setting 'cool_s'" in said
    assert any("pushes: 1 is not of type bool" in mistake for mistake in caught.value.mistakes)
