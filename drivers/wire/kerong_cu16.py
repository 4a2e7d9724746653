"""Frames of the Kerong KR-CU12 and KR-CU16 lock boards to values and back. No I/O here.

Only two requests are built: the state of one board, and the pulse of one lock (31h) for the time set in the board.
The board knows others (all locks, delayed, the pulse time itself); none of them is here. These boards also see what
lies in the cells.

Shape:  02 ADDR CMD [DATA ..] 03 SUM; SUM is the low byte of the sum of all before it. ADDR holds the board in the high
        half and the lock in the low half, both from 0; F0 means all boards and is never sent. A sum lets about one in
        seventeen two-bit errors through, so no single frame is proof: the caller reads again.
Doubt:  whether 31h is answered is told both ways; an answer may come, none is needed, the state is read in any case.
        One source knows boards that fall silent ("BUSY") after a pulse until they get 38h: sent only on silence.
Source: three independent programs (vectors with their keys in tests/drivers/wire/test_kerong_cu16.py); no capture of a
        reply was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.wire.frame_hunt import MORE, NO_FRAME, Found, HuntingParser, within
from drivers.wire.lock import BoardState, Echoed, LockEvent, Look, UsualManners

BAUD = 19200  # factory setting, every source; 8N1
WAYS = (12, 16)
BOARDS = 15  # the high half of ADDR; F means all boards

_STX, _ETX = 0x02, 0x03
_STATE, _UNLOCK, _STATE_REPLY, _TIME_REPLY = 0x30, 0x31, 0x35, 0x38
# command -> length of the frame; frames of others on the bus are stepped over as a whole
_LENGTHS = {_STATE: 5, _UNLOCK: 5, 0x32: 5, 0x33: 5, _STATE_REPLY: 9, 0x36: 9, _TIME_REPLY: 7}
_ENDLESS = 5  # a request, whose ETX and SUM follow the command at once


def sealed(body: bytes) -> bytes:
    """Append the check byte."""
    return body + bytes((sum(body) & 0xFF,))


def is_sealed(frame: bytes) -> bool:
    """Tell whether the last byte is the check byte of the others."""
    return sum(frame[:-1]) & 0xFF == frame[-1]


@dataclass(frozen=True, slots=True)
class KerongCu16(UsualManners):
    """The codec of one bus of such boards. `first` is the number on the switches of board 1; factory: 0."""

    ways: int = 16
    first: int = 0

    def __post_init__(self) -> None:
        if self.ways not in WAYS:
            raise ValueError(f"ways must be one of {WAYS}, not {self.ways}")
        if not 0 <= self.first < BOARDS:
            raise ValueError(f"first must be 0..{BOARDS - 1}, not {self.first}")

    def open(self, board: int, lock: int) -> bytes:
        """Pulse one lock. Errors: ValueError outside the board."""
        return self._request(board, within(lock, self.ways, "lock") - 1, _UNLOCK)

    def read_all(self, board: int) -> bytes:
        """Ask for all hooks and item sensors of a board."""
        return self._request(board, 0, _STATE)

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:  # noqa: ARG002  one frame tells all
        """Build the question for all contacts."""
        return (Look(self.read_all(board), range(1, self.ways + 1)),)

    def answers_open(self, event: LockEvent, board: int, lock: int) -> bool:  # noqa: ARG002  a state names no lock
        """The answer, where one comes, is the state of the board."""
        return isinstance(event, BoardState) and event.board == board

    def revive(self, board: int) -> bytes:
        """Build what one source sends to a board that is busy after a pulse: an empty 38h."""
        return self._request(board, 0, _TIME_REPLY)

    def parser(self) -> ParserCu16:
        """Make a fresh parser for one bus."""
        return ParserCu16(self.ways, self.first)

    def _request(self, board: int, low: int, command: int) -> bytes:
        number = self.first + within(board, BOARDS - self.first, "board") - 1
        return sealed(bytes((_STX, number << 4 | low, command, _ETX)))


class ParserCu16(HuntingParser):
    """Bytes to values."""

    head = bytes((_STX,))

    def __init__(self, ways: int, first: int) -> None:
        super().__init__()
        self._ways = ways
        self._first = first

    def _front(self, buffer: bytearray) -> Found:
        if self._is_revival(buffer):
            return len(self._asked), Echoed(self._board(buffer[1]))
        if len(buffer) < 3:
            return MORE
        length = _LENGTHS.get(buffer[2])
        if length is None:
            return NO_FRAME
        if len(buffer) < length:
            return MORE
        frame = bytes(buffer[:length])
        if frame[-2] != _ETX or not is_sealed(frame):
            return NO_FRAME
        board = self._board(frame[1])
        if frame == self._asked:
            return length, Echoed(board)
        if frame[2] != _STATE_REPLY or not 1 <= board <= BOARDS - self._first:
            return length, None
        return length, BoardState(board, self._bits(frame[3:5]), self._bits(frame[5:7]))

    def _is_revival(self, buffer: bytearray) -> bool:
        """An empty 38h that comes back is shorter than the 38h a board would send."""
        is_asked = self._asked[2:3] == bytes((_TIME_REPLY,))
        return is_asked and len(buffer) >= _ENDLESS and buffer.startswith(self._asked)

    def _board(self, address: int) -> int:
        return (address >> 4) - self._first + 1

    def _bits(self, pair: bytes) -> tuple[bool, ...]:
        """Shape: two bytes, bit 0 of the first is lock 1; hooks: 1 closed, sensors: 1 something is there."""
        bits = int.from_bytes(pair, "little")
        return tuple(bool(bits >> lock & 1) for lock in range(self._ways))
