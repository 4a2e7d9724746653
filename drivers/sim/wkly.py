"""A cabinet with "WKLY" lock boards, seen from the wire. Doors, coils and hands are in drivers/sim/cabinet.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.sim.cabinet import CabinetSim, Walls
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import bcc, sealed
from drivers.wire.wkly import ADDRESSES, MAX_WAYS, framed

_MAGIC = b"WKLY"
_LONGEST_REQUEST = 9 + MAX_WAYS  # open several
_MANY_DOORS = (0x80, 0x86, 0x87, 0x88, 0x89)


@dataclass(frozen=True, slots=True)
class WklyCabinet:
    """How a cabinet with such boards is built. `polarity` short_when_locked: byte 01 is a closed door."""

    cells: int = 24
    ways: int = 24
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    auto_close_s: float = 0
    first: int = 0
    pushes: bool = True  # a door that moves is told at once, also between a request and its reply

    def __post_init__(self) -> None:
        self.walls.check(range(1, MAX_WAYS + 1), len(ADDRESSES) - self.first)

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class WklyBoard(CabinetSim):
    """The boards of the cabinet. With `lies_on_length` every answer carries a LEN one too small."""

    def __init__(self, cabinet: WklyCabinet = WklyCabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet
        self.failing: set[int] = set()
        self.lies_on_length = False

    def fail(self, cell: int, is_failing: bool = True) -> None:
        """The board cannot tell the state of a lock any more."""
        (self.failing.add if is_failing else self.failing.discard)(self._own(cell))

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """As every cabinet, and `fail N`, `mend N`, `lie on|off`. Errors: LookupError, ValueError."""
        match handle, list(args):
            case (("fail" | "mend"), [cell]):
                self.fail(int(cell), handle == "fail")
                return self.state()
            case "lie", [("on" | "off") as way]:
                self.lies_on_length = way == "on"
                return self.state()
        return super().poke(handle, args)

    def _take(self, buffer: bytearray) -> int:
        if not _MAGIC.startswith(buffer[:4]):
            return 1
        if len(buffer) < 5:
            return 0
        length = buffer[4]
        if not 8 <= length <= _LONGEST_REQUEST:
            return 1
        if len(buffer) < length:
            return 0
        return length if bcc(bytes(buffer[:length])) == 0 else 1

    def _answer(self, frame: bytes) -> list[bytes]:
        address, command, values = frame[5], frame[6], frame[7:-1]
        board = address - self.cabinet.first + 1
        if not 1 <= board <= self.walls.boards:
            return []
        if command in _MANY_DOORS:
            self.refused += 1
            return []
        if command == 0x84 and not values:
            first, ways = (board - 1) * self.walls.ways + 1, self.walls.ways
            return [self._framed(address, 0x84, 0x00, ways, *(self._byte(first + i) for i in range(ways)))]
        cell = self._cell(board, values[0]) if len(values) == 1 else None
        if cell is None:
            return []
        if command == 0x82:
            self._pulse(cell)
            # the reply comes when the pulse is over: a push of the door that moved meanwhile is before it
            return [*self._take_unasked(), self._framed(address, 0x82, 0x00, values[0], self._byte(cell))]
        return [self._framed(address, 0x83, 0x00, values[0], self._byte(cell))] if command == 0x83 else []

    def _moved(self, cell: int) -> list[bytes]:
        board, lock = divmod(cell - 1, self.walls.ways)
        return [framed(board + self.cabinet.first, 0x85, lock + 1, self._byte(cell))] if self.cabinet.pushes else []

    def _byte(self, cell: int) -> int:
        return 0xFF if cell in self.failing else int(self._shorted(cell))

    def _framed(self, address: int, command: int, *values: int) -> bytes:
        frame = framed(address, command, *values)
        if not self.lies_on_length:
            return frame
        return sealed(frame[:4] + bytes((frame[4] - 1,)) + frame[5:-1])
