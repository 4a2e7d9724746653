"""A cabinet with Winnsen-style lock boards, seen from the wire; doors and hands are in drivers/sim/cabinet.py."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.sim.cabinet import CabinetSim, Walls
from drivers.wire.lock import Polarity
from drivers.wire.winnsen import BOARDS, WAYS

_CLOSED, _OPEN, _COOLING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class WinnsenCabinet:
    """How a cabinet with such boards is built. A lock that was pulsed refuses for `cool_s` seconds."""

    cells: int = 16
    ways: int = 16
    polarity: Polarity = Polarity.SHORT_WHEN_OPEN
    auto_close_s: float = 0
    first: int = 1
    cool_s: float = 0

    def __post_init__(self) -> None:
        self.walls.check(range(1, WAYS + 1), BOARDS)
        if self.cool_s < 0:
            raise ValueError("cool_s must not be negative")

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class WinnsenBoard(CabinetSim):
    """The boards of the cabinet."""

    def __init__(self, cabinet: WinnsenCabinet = WinnsenCabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet
        self._warm: dict[int, int] = {}

    def _take(self, buffer: bytearray) -> int:
        if buffer[0] != 0x90:
            return 1
        if len(buffer) < 6:
            return 0
        is_request = buffer[1] == 6 and buffer[2] in (0x05, 0x12) and buffer[5] == 0x03
        return 6 if is_request else 1

    def _answer(self, frame: bytes) -> list[bytes]:
        command, station, lock = frame[2:5]
        if station == 0 and self.cabinet.first > 0:
            self.refused += command == 0x05  # to all boards
            return []
        cell = self._cell(station - self.cabinet.first + 1, lock)
        if cell is None:
            return []
        if command == 0x12:
            return [bytes((0x90, 7, 0x92, station, int(self._shorted(cell)), lock, 0x03))]
        return [bytes((0x90, 7, 0x85, station, lock, self._open(cell), 0x03))]

    def _open(self, cell: int) -> int:
        """Pulse, unless the coil is still warm; returns the state byte."""
        if self._warm.get(cell, self._now_ms) > self._now_ms:
            return _COOLING
        self._warm[cell] = self._now_ms + int(self.cabinet.cool_s * 1000)
        self._pulse(cell)
        return _OPEN if self._shorted(cell) else _CLOSED
