"""Cabinets with Kerong lock boards, seen from the wire: CU12/CU16 with item sensors, CU24/CU48 in both generations.

Doors, coils and hands are in drivers/sim/cabinet.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.sim.cabinet import CabinetSim, Walls
from drivers.wire import kerong_cu16, kerong_cu48
from drivers.wire.kerong_cu16 import is_sealed, sealed
from drivers.wire.kerong_cu48 import CommandSet, Layout
from drivers.wire.lock import Polarity

_CU16_REQUESTS = {0x30: 5, 0x31: 5, 0x32: 5, 0x33: 5, 0x37: 7, 0x38: 5, 0x39: 6}


@dataclass(frozen=True, slots=True)
class Cu16Cabinet:
    """How a cabinet with CU12/CU16 boards is built. `first` is the number on the switches of board 1."""

    cells: int = 16
    ways: int = 16
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    auto_close_s: float = 0
    first: int = 0
    answers_open: bool = False  # sources differ on whether 31h is answered
    gets_busy: bool = False  # silent after a pulse until 38h comes

    def __post_init__(self) -> None:
        self.walls.check(kerong_cu16.WAYS, kerong_cu16.BOARDS - self.first)

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class Cu16Board(CabinetSim):
    """The boards of the cabinet. `items` are the cells in which something lies."""

    def __init__(self, cabinet: Cu16Cabinet = Cu16Cabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet
        self.items: set[int] = set()
        self._busy: set[int] = set()

    def put(self, cell: int, lies: bool = True) -> None:
        """A hand lays something into a cell, or takes it out."""
        (self.items.add if lies else self.items.discard)(self._own(cell))

    def state(self) -> dict[str, object]:
        """As every cabinet, and what lies in it."""
        return super().state() | {"items": sorted(self.items)}

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """As every cabinet, and `put N`, `take N`. Errors: LookupError, ValueError."""
        match handle, list(args):
            case (("put" | "take"), [cell]):
                self.put(int(cell), handle == "put")
                return self.state()
        return super().poke(handle, args)

    def _take(self, buffer: bytearray) -> int:
        if buffer[0] != 0x02:
            return 1
        if len(buffer) < 3:
            return 0
        length = _CU16_REQUESTS.get(buffer[2], 1)
        if len(buffer) < length:
            return 0
        frame = bytes(buffer[:length])
        return length if length > 1 and frame[-2] == 0x03 and is_sealed(frame) else 1

    def _answer(self, frame: bytes) -> list[bytes]:
        address, command = frame[1], frame[2]
        board = (address >> 4) - self.cabinet.first + 1
        if not 1 <= board <= self.walls.boards:
            return []
        if command == 0x38:
            self._busy.discard(board)
        if board in self._busy:
            return []
        match command:
            case 0x30:
                return [self._told(board)]
            case 0x31:
                return self._unlock(board, (address & 0x0F) + 1)
            case 0x33 | 0x37 | 0x39:
                self.refused += 1
        return []

    def _unlock(self, board: int, lock: int) -> list[bytes]:
        cell = self._cell(board, lock)
        if cell is None:
            return []
        self._pulse(cell)
        if self.cabinet.gets_busy:
            self._busy.add(board)
        return [self._told(board)] if self.cabinet.answers_open else []

    def _told(self, board: int) -> bytes:
        address = board - 1 + self.cabinet.first << 4
        base = (board - 1) * self.walls.ways + 1
        items = sum((base + i in self.items) << i for i in range(self.walls.ways))
        hooks = self._bits(board)
        return sealed(
            bytes((0x02, address, 0x35)) + hooks.to_bytes(2, "little") + items.to_bytes(2, "little") + b"\x03"
        )


@dataclass(frozen=True, slots=True)
class Cu48Cabinet:
    """How a cabinet with CU24/CU48 boards is built."""

    cells: int = 48
    ways: int = 48
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    auto_close_s: float = 0
    first: int = 0
    command_set: CommandSet = CommandSet.B
    layout: Layout = Layout.LENGTH
    answers_open: bool = True

    def __post_init__(self) -> None:
        self.walls.check(kerong_cu48.WAYS, kerong_cu48.BOARDS - self.first)
        if self.layout is Layout.AUTO:
            raise ValueError("a board has one layout: etx or length")

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class Cu48Board(CabinetSim):
    """The boards of the cabinet."""

    def __init__(self, cabinet: Cu48Cabinet = Cu48Cabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet

    def _take(self, buffer: bytearray) -> int:
        if buffer[0] != 0x02:
            return 1
        if len(buffer) < 6:
            return 0
        return 6 if buffer[4] == 0x03 and is_sealed(bytes(buffer[:6])) else 1

    def _answer(self, frame: bytes) -> list[bytes]:
        address, lock, command = frame[1:4]
        board = address - self.cabinet.first + 1
        if not 1 <= board <= self.walls.boards:
            return []
        if command == self.cabinet.command_set.state and lock == 0:
            return [self._told(board, address)]
        cell = self._cell(board, lock + 1)
        if command != self.cabinet.command_set.unlock or cell is None:
            return []
        self._pulse(cell)
        reply = self.cabinet.command_set.reply
        return [sealed(bytes((0x02, address, lock, reply, 0x00)))] if self.cabinet.answers_open else []

    def _told(self, board: int, address: int) -> bytes:
        hooks = self._bits(board).to_bytes(6, "little")
        head = bytes((0x02, address, 0x00, self.cabinet.command_set.reply))
        return sealed(head + (hooks + b"\x03" if self.cabinet.layout is Layout.ETX else b"\x06" + hooks))
