"""Every make of lock board in the ways it behaves: a simulated cabinet, its codec, its waits, its line in the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from drivers import lock_kinds
from drivers.kinds import Options
from drivers.lock_bus import USUAL, Timing
from drivers.locker import BoardLocker, Cabinet
from drivers.sim import lock_board
from drivers.sim.cabinet import CabinetSim
from drivers.sim.kerong import Cu16Board, Cu16Cabinet, Cu48Board, Cu48Cabinet
from drivers.sim.lock_board import LockBoard, Reply
from drivers.sim.modbus_relay import RelayBoard, RelayCabinet
from drivers.sim.winnsen import WinnsenBoard, WinnsenCabinet
from drivers.sim.wkly import WklyBoard, WklyCabinet
from drivers.wire.kerong_cu16 import KerongCu16
from drivers.wire.kerong_cu48 import CommandSet, KerongCu48, Layout
from drivers.wire.lock import LockWire, Polarity
from drivers.wire.lock_8a80 import Board8A80
from drivers.wire.modbus_relay import ModbusRelay
from drivers.wire.winnsen import Winnsen
from drivers.wire.wkly import Wkly
from tests.links import LoopClock, Pipe, Shape, whole

LOCKED, OPENED = Polarity.SHORT_WHEN_LOCKED, Polarity.SHORT_WHEN_OPEN


@dataclass(frozen=True)
class Make:
    """One make in one way of behaving. `sim` makes a cabinet of so many cells."""

    kind: str
    ways: int
    baud: int
    wire: LockWire
    sim: Callable[[int], CabinetSim]
    timing: Timing = USUAL
    polarity: Polarity = LOCKED
    options: Options = field(default_factory=dict)
    says_open: bool = False  # its answer to an opening tells the door
    has_check: bool = True


def _8a80(polarity: Polarity, reply: Reply, ways: int = 24) -> Make:
    return Make(
        "lock_8a80", ways, 9600, Board8A80(ways),
        lambda cells: LockBoard(lock_board.Cabinet(cells, ways, polarity, reply)),
        polarity=polarity, options={"polarity": polarity.value, "ways": ways}, says_open=reply is not Reply.NONE,
    )  # fmt: skip


def _cu16(answers: bool, busy: bool, ways: int = 16) -> Make:
    return Make(
        "kerong_cu16", ways, 19200, KerongCu16(ways),
        lambda cells: Cu16Board(Cu16Cabinet(cells, ways, answers_open=answers, gets_busy=busy)),
        lock_kinds.CU16_TIMING, options={"ways": ways},
    )  # fmt: skip


def _cu48(commands: CommandSet, layout: Layout, answers: bool, ways: int = 48) -> Make:
    return Make(
        "kerong_cu48", ways, 19200, KerongCu48(ways, commands=commands),
        lambda cells: Cu48Board(Cu48Cabinet(cells, ways, command_set=commands, layout=layout, answers_open=answers)),
        lock_kinds.CU48_TIMING, options={"command_set": commands.value, "ways": ways},
    )  # fmt: skip


def _wkly(polarity: Polarity, pushes: bool) -> Make:
    return Make(
        "wkly", 24, 9600, Wkly(), lambda cells: WklyBoard(WklyCabinet(cells, polarity=polarity, pushes=pushes)),
        lock_kinds.WKLY_TIMING, polarity, {"polarity": polarity.value}, says_open=True,
    )  # fmt: skip


def _modbus(polarity: Polarity) -> Make:
    return Make(
        "modbus_relay", 8, 9600, ModbusRelay(), lambda cells: RelayBoard(RelayCabinet(cells, polarity=polarity)),
        lock_kinds.MODBUS_TIMING, polarity, {"polarity": polarity.value},
    )  # fmt: skip


BASE = {
    "8A/80": _8a80(LOCKED, Reply.ANSWER),
    "CU16": _cu16(answers=False, busy=False),
    "CU48": _cu48(CommandSet.B, Layout.LENGTH, answers=True),
    "WKLY": _wkly(LOCKED, pushes=True),
    "Modbus": _modbus(LOCKED),
    "Winnsen": Make(
        "winnsen", 16, 9600, Winnsen(), lambda cells: WinnsenBoard(WinnsenCabinet(cells)),
        lock_kinds.WINNSEN_TIMING, OPENED, has_check=False,
    ),
}  # fmt: skip
MAKES = BASE | {
    "8A/80 pushing": _8a80(OPENED, Reply.PUSH),
    "8A/80 silent": _8a80(LOCKED, Reply.NONE),
    "8A/80 of 16": _8a80(OPENED, Reply.ANSWER, 16),
    "8A/80 of 32": _8a80(LOCKED, Reply.PUSH, 32),
    "CU16 answering": _cu16(answers=True, busy=False),
    "CU16 busy": _cu16(answers=False, busy=True),
    "CU12 answering, busy": _cu16(answers=True, busy=True, ways=12),
    "CU48 set A": _cu48(CommandSet.A, Layout.ETX, answers=False),
    "CU48 set A, length": _cu48(CommandSet.A, Layout.LENGTH, answers=False),
    "CU24 set A": _cu48(CommandSet.A, Layout.ETX, answers=True, ways=24),
    "CU24 set B": _cu48(CommandSet.B, Layout.LENGTH, answers=False, ways=24),
    "WKLY reversed": _wkly(OPENED, pushes=True),
    "WKLY quiet": _wkly(LOCKED, pushes=False),
    "Modbus reversed": _modbus(OPENED),
}


class Bench:
    """A locker of one make, its simulated cabinet and the cable between them."""

    def __init__(
        self, make: Make, cells: int = 0, shape: Shape = whole, echo: bool = False, has_door_sensor: bool = True
    ) -> None:
        self.make = make
        self.board = make.sim(cells or make.ways)
        self.board.line.echoes = echo
        self.pipe = Pipe(self.board, shape)
        wired = Cabinet(self.board.walls.cells, make.polarity, has_door_sensor)
        self.locker = BoardLocker(self.pipe.link("locker", echo), make.wire, wired, LoopClock(), make.timing)
