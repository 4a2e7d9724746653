"""A cabinet behind Modbus RTU relay boards with inputs, seen from the wire: relays, flash timers, exceptions.

Doors, coils and hands are in drivers/sim/cabinet.py. These boards do what they are told, also what burns a coil: relays
that stay on without a timer are listed as `held`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.sim.cabinet import CabinetSim, Walls
from drivers.wire.lock import Polarity
from drivers.wire.modbus_relay import ADDRESSES, WAYS, is_sealed, sealed

_FUNCTIONS = range(0x01, 0x11)
_WRITE_SEVERAL = 0x0F
_ON, _OFF, _TOGGLE, _ALL, _FLASH_ON = 0xFF00, 0x0000, 0x5500, 0x00FF, 0x0200
_BAD_FUNCTION, _BAD_ADDRESS, _BAD_VALUE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class RelayCabinet:
    """How a cabinet with such boards is built. `polarity` short_when_locked: an input is triggered by a shut door."""

    cells: int = 8
    ways: int = 8
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    auto_close_s: float = 0
    first: int = 1
    has_flash: bool = True  # look-alikes have no flash register

    def __post_init__(self) -> None:
        self.walls.check(WAYS, ADDRESSES[-1] - self.first + 1)

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class RelayBoard(CabinetSim):
    """The boards of the cabinet. `held` are cells whose relay is on for good, `flashing` until when the others are."""

    def __init__(self, cabinet: RelayCabinet = RelayCabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet
        self.held: set[int] = set()
        self.flashing: dict[int, int] = {}
        self.exceptions = 0

    def tick(self, now_ms: int) -> list[bytes]:
        """As every cabinet; ends the flashes whose time is over."""
        self.flashing = {cell: until_ms for cell, until_ms in self.flashing.items() if until_ms > now_ms}
        return super().tick(now_ms)

    def hold(self, cell: int) -> None:
        """Somebody else left a relay on."""
        self.held.add(self._own(cell))

    def state(self) -> dict[str, object]:
        """As every cabinet, and its relays."""
        relays = {"held": sorted(self.held), "flashing": sorted(self.flashing), "exceptions": self.exceptions}
        return super().state() | relays

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """As every cabinet, and `hold N`. Errors: LookupError, ValueError."""
        match handle, list(args):
            case "hold", [cell]:
                self.hold(int(cell))
                return self.state()
        return super().poke(handle, args)

    def _take(self, buffer: bytearray) -> int:
        if len(buffer) < 2:
            return 0
        if buffer[1] not in _FUNCTIONS:
            length = 8 if buffer[1] < 0x80 else 1
        elif buffer[1] != _WRITE_SEVERAL:
            length = 8
        elif len(buffer) < 7:
            return 0
        else:
            length = 9 + buffer[6]
        if len(buffer) < length:
            return 0
        return length if length > 1 and is_sealed(bytes(buffer[:length])) else 1

    def _answer(self, frame: bytes) -> list[bytes]:
        board = frame[0] - self.cabinet.first + 1
        boards = range(1, self.walls.boards + 1)
        if frame[0] == 0:  # to all boards: obeyed in silence
            for each in boards:
                self._obey(each, frame)
            return []
        return [self._obey(board, frame)] if board in boards else []

    def _obey(self, board: int, frame: bytes) -> bytes:
        register, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        match frame[1]:
            case 0x01 | 0x02 if register != 0 or not 1 <= value <= self.walls.ways:
                return self._exception(frame, _BAD_ADDRESS)
            case 0x01:
                first = (board - 1) * self.walls.ways + 1
                relays = sum((first + i in self.held or first + i in self.flashing) << i for i in range(value))
                return self._told(frame, relays, value)
            case 0x02:
                return self._told(frame, self._bits(board) & (1 << value) - 1, value)
            case 0x05:
                return self._write(board, frame, register, value)
        return self._exception(frame, _BAD_FUNCTION)

    def _write(self, board: int, frame: bytes, register: int, value: int) -> bytes:
        if register == _ALL and value == _OFF:
            cells = range((board - 1) * self.walls.ways + 1, board * self.walls.ways + 1)
            self.held.difference_update(cells)
            self.flashing = {cell: until_ms for cell, until_ms in self.flashing.items() if cell not in cells}
            return frame
        if register == _ALL:
            self.refused += 1
            return self._exception(frame, _BAD_VALUE)
        if register >= _FLASH_ON and self.cabinet.has_flash:
            return self._flash(self._cell(board, register - _FLASH_ON + 1), frame, value)
        cell = self._cell(board, register + 1)
        if cell is None:
            return self._exception(frame, _BAD_ADDRESS)
        return self._switch(cell, frame, value)

    def _flash(self, cell: int | None, frame: bytes, value: int) -> bytes:
        if cell is None:
            return self._exception(frame, _BAD_ADDRESS)
        if not 1 <= value <= 0x7FFF:
            return self._exception(frame, _BAD_VALUE)
        self.flashing[cell] = self._now_ms + value * 100
        self._pulse(cell)
        return frame

    def _switch(self, cell: int, frame: bytes, value: int) -> bytes:
        if value not in (_ON, _OFF, _TOGGLE):
            return self._exception(frame, _BAD_VALUE)
        if value == _OFF or (value == _TOGGLE and cell in self.held):
            self.held.discard(cell)
            return frame
        self.held.add(cell)
        self._pulse(cell)
        return frame

    def _told(self, frame: bytes, bits: int, count: int) -> bytes:
        size = -(-count // 8)
        return sealed(bytes((*frame[:2], size)) + bits.to_bytes(size, "little"))

    def _exception(self, frame: bytes, code: int) -> bytes:
        self.exceptions += 1
        return sealed(bytes((frame[0], frame[1] | 0x80, code)))
