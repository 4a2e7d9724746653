"""Frames of the "WKLY" lock board (magic 57 4B 4C 59) to values and back. No I/O here.

Only three requests are built: the pulse of one lock, the state of one, the state of all. The board knows others
(several at once, all, a channel held on); none of them is here, and a coil that is held burns.

Shape:  57 4B 4C 59 LEN ADDR CMD DATA .. XOR; LEN counts the whole frame, XOR goes over all before it. ADDR from the
        switches, 0..31; channels from 1. A frame whose LEN or XOR does not fit is no frame.
Doubt:  the sources contradict each other on the sense of a lock's byte (00 open, 01 closed; or the reverse): here 01 is
        "shorted", and the cabinet's polarity says what that means. The board's number is 0 on one product and 1 on the
        other (`first`). FF, a failed lock, is a contact nobody can tell.
Source: two unrelated products (vectors with their keys in tests/drivers/wire/test_wkly.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.wire.frame_hunt import MORE, NO_FRAME, Found, HuntingParser, within
from drivers.wire.lock import BoardState, Echoed, LockEvent, LockMoved, LockState, Look, OpenReply, UsualManners
from drivers.wire.lock_8a80 import bcc, sealed

BAUD = 9600  # one source; make it a setting where it is not
MAX_WAYS = 50
ADDRESSES = range(32)  # DIP switch

_MAGIC = bytes.fromhex("57 4B 4C 59")
_OPEN, _READ, _READ_ALL, _PUSH = 0x82, 0x83, 0x84, 0x85
_SHORTEST = 8
_LONGEST = 10 + MAX_WAYS
_CONTACT: dict[int, bool | None] = {0x00: False, 0x01: True, 0xFF: None}
_TAKEN = 0x00


@dataclass(frozen=True, slots=True)
class Wkly(UsualManners):
    """The codec of one bus of such boards. `first` is the number on the switches of board 1."""

    ways: int = 24
    first: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.ways <= MAX_WAYS:
            raise ValueError(f"ways must be 1..{MAX_WAYS}, not {self.ways}")
        if self.first not in ADDRESSES:
            raise ValueError(f"first must be 0..{ADDRESSES[-1]}, not {self.first}")

    def open(self, board: int, lock: int) -> bytes:
        """Pulse one lock. Errors: ValueError outside the board."""
        return self._request(board, _OPEN, within(lock, self.ways, "lock"))

    def read_one(self, board: int, lock: int) -> bytes:
        """Ask for one contact."""
        return self._request(board, _READ, within(lock, self.ways, "lock"))

    def read_all(self, board: int) -> bytes:
        """Ask for all contacts of a board."""
        return self._request(board, _READ_ALL)

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:  # noqa: ARG002  one frame tells all
        """Build the question for all contacts."""
        return (Look(self.read_all(board), range(1, self.ways + 1)),)

    def parser(self) -> ParserWkly:
        """Make a fresh parser for one bus."""
        return ParserWkly(self.ways, self.first)

    def _request(self, board: int, command: int, *channel: int) -> bytes:
        return framed(self.first + within(board, len(ADDRESSES) - self.first, "board") - 1, command, *channel)


def framed(address: int, command: int, *values: int) -> bytes:
    """Put magic, length and check byte around."""
    return sealed(_MAGIC + bytes((_SHORTEST + len(values), address, command, *values)))


class ParserWkly(HuntingParser):
    """Bytes to values. A push may come at any time, also between a question and its answer."""

    head = _MAGIC

    def __init__(self, ways: int, first: int) -> None:
        super().__init__()
        self._ways = ways
        self._first = first

    def _front(self, buffer: bytearray) -> Found:
        if not _MAGIC.startswith(buffer[:4]):
            return NO_FRAME
        if len(buffer) < 5:
            return MORE
        length = buffer[4]
        if not _SHORTEST <= length <= _LONGEST:
            return NO_FRAME
        if len(buffer) < length:
            return MORE
        frame = bytes(buffer[:length])
        if bcc(frame) != 0:
            return NO_FRAME
        board = frame[5] - self._first + 1
        if frame == self._asked:
            return length, Echoed(board)
        return length, self._event(board, frame[6], frame[7:-1]) if board > 0 else None

    def _event(self, board: int, command: int, values: bytes) -> LockEvent | None:
        """Read an answer or a push; a frame of another kind or size says nothing."""
        match command, len(values):
            case 0x82, 3 if self._has(values[1], values[2]):
                is_taken = values[0] == _TAKEN
                return OpenReply(board, values[1], _CONTACT[values[2]] if is_taken else None)
            case 0x83, 3 if self._has(values[1], values[2]):
                return LockState(board, values[1], _CONTACT[values[2]] if values[0] == _TAKEN else None)
            case 0x85, 2 if self._has(values[0], values[1]):
                return LockMoved(board, values[0], _CONTACT[values[1]])
            case 0x84, size if size == self._ways + 2 and values[:2] == bytes((_TAKEN, self._ways)):
                if all(value in _CONTACT for value in values[2:]):
                    return BoardState(board, tuple(_CONTACT[value] for value in values[2:]))
        return None

    def _has(self, channel: int, value: int) -> bool:
        return 1 <= channel <= self._ways and value in _CONTACT
