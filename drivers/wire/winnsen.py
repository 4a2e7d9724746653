"""Frames of the Winnsen-style lock board (90 .. 03) to values and back. No I/O here.

Two requests are built: the pulse of one lock and the state of one lock; the board can tell no more at once.

Shape:  90 LEN CMD STATION .. 03, LEN counts the whole frame. The reply to an opening ends LOCK ST 03, the reply to a
        question ST LOCK 03: the two are swapped.
        There is NO check byte. A damaged answer is told by its head, length, numbers and end alone; therefore the
        answer to an opening never says that a door is open, and the caller reads the state twice.
Doubt:  stations count from 1 in the newest revision, where 0 means all boards, and from 0 in older ones. `first` is 1
        unless set to 0, which only an old board may be given.
Source: one project in five revisions (vectors with their key in tests/drivers/wire/test_winnsen.py); no capture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.wire.frame_hunt import MORE, NO_FRAME, Found, HuntingParser, within
from drivers.wire.lock import Declined, Echoed, LockEvent, LockState, Look, OpenReply, UsualManners

BAUD = 9600
WAYS = 16
BOARDS = 4

_HEAD, _END = 0x90, 0x03
_OPEN, _READ, _OPENED, _TOLD = 0x05, 0x12, 0x85, 0x92
_REQUEST_FRAME, _REPLY_FRAME = 6, 7
_CLOSED, _IS_OPEN, _COOLING = 0x00, 0x01, 0x02


@dataclass(frozen=True, slots=True)
class Winnsen(UsualManners):
    """The codec of one bus of such boards. `first` is the station of board 1; a contact is "shorted" when open (01)."""

    ways: int = WAYS
    first: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.ways <= WAYS:
            raise ValueError(f"ways must be 1..{WAYS}, not {self.ways}")
        if self.first not in (0, 1):
            raise ValueError(f"first must be 0 or 1, not {self.first}")

    def open(self, board: int, lock: int) -> bytes:
        """Pulse one lock. Errors: ValueError outside the board."""
        return self._request(_OPEN, board, lock)

    def read_one(self, board: int, lock: int) -> bytes:
        """Ask for one contact."""
        return self._request(_READ, board, lock)

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:
        """Build one question for each lock, or for this one."""
        locks = range(1, self.ways + 1) if lock is None else (lock,)
        return [Look(self.read_one(board, each), range(each, each + 1)) for each in locks]

    def parser(self) -> ParserWinnsen:
        """Make a fresh parser for one bus."""
        return ParserWinnsen(self.ways, self.first)

    def _request(self, command: int, board: int, lock: int) -> bytes:
        station = self.first + within(board, BOARDS, "board") - 1
        return bytes((_HEAD, _REQUEST_FRAME, command, station, within(lock, self.ways, "lock"), _END))


class ParserWinnsen(HuntingParser):
    """Bytes to values: a window of seven bytes in which everything that can be judged is right."""

    head = bytes((_HEAD,))

    def __init__(self, ways: int, first: int) -> None:
        super().__init__()
        self._ways = ways
        self._first = first

    def _front(self, buffer: bytearray) -> Found:
        if len(buffer) < 2:
            return MORE
        length = buffer[1]
        if length not in (_REQUEST_FRAME, _REPLY_FRAME):
            return NO_FRAME
        if len(buffer) < length:
            return MORE
        frame = bytes(buffer[:length])
        event = self._echo(frame) if length == _REQUEST_FRAME else self._event(frame)
        return NO_FRAME if event is None else (length, event)

    def _echo(self, frame: bytes) -> LockEvent | None:
        return Echoed(self._board(frame)) if frame == self._asked else None

    def _event(self, frame: bytes) -> LockEvent | None:
        board = self._board(frame)
        if frame[-1] != _END or not 1 <= board <= BOARDS:
            return None
        match frame[2], frame[4], frame[5]:
            case 0x85, lock, state if 1 <= lock <= self._ways:
                if state == _COOLING:
                    return Declined(board, lock, "cooling down", is_certain=False)
                return OpenReply(board, lock, None) if state in (_CLOSED, _IS_OPEN) else None
            case 0x92, state, lock if 1 <= lock <= self._ways and state in (_CLOSED, _IS_OPEN):
                return LockState(board, lock, state == _IS_OPEN)
        return None

    def _board(self, frame: bytes) -> int:
        return frame[3] - self._first + 1
