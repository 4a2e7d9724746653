"""Frames of the unbranded "8A/80" RS-485 lock board (8 to 24 ways) to values and back. No I/O here.

The port, the time-outs and what a contact means for a door live in drivers/locker.py. Only requests that move at most
one door for at most nine seconds can be built here; the board knows others (whole cabinet, energised hold), and
a coil that is held burns.

Check byte: XOR of all bytes before it. It lets about one in ten two-bit errors through (measured), so no single frame
is proof of anything: the caller reads again.
Source: "24-way RS-485 lock board protocol 2021" as followed by several independent programs; vectors with their
origin in tests/drivers/wire/test_lock_8a80.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import xor

from drivers.wire.lock import BoardState, Echoed, LockEvent, LockMoved, LockState, Look, OpenReply, UsualManners

BAUD = 9600  # every source; 8N1
BOARDS = range(1, 0x21)  # DIP switch; one source says 31, one 32
WAYS = (16, 24, 32)  # length of the state bitmap: 12-way boards send 16 bits, 18-way boards 24
MAX_PULSE_S = 9  # one digit on the wire

_OPEN, _READ, _PUSH, _SEVERAL = 0x8A, 0x80, 0x81, 0x90
_HEADS = bytes((_OPEN, _READ, _PUSH, _SEVERAL))
_OPEN_MARK, _READ_MARK = 0x11, 0x33
_CONTACT = {0x00: False, 0x11: True}  # contact open, contact shorted
_SHORT_FRAME = 5
_SEVERAL_FRAME = 6


def bcc(frame: bytes) -> int:
    """XOR of all bytes."""
    return reduce(xor, frame, 0)


def sealed(body: bytes) -> bytes:
    """Append the check byte."""
    return body + bytes((bcc(body),))


@dataclass(frozen=True, slots=True)
class Board8A80(UsualManners):
    """The codec of one bus of such boards. `pulse_s` None means the board's own pulse of about 300 ms."""

    ways: int = 24
    pulse_s: int | None = None

    def __post_init__(self) -> None:
        if self.ways not in WAYS:
            raise ValueError(f"ways must be one of {WAYS}, not {self.ways}")
        if self.pulse_s is not None and not 1 <= self.pulse_s <= MAX_PULSE_S:
            raise ValueError(f"pulse_s must be 1..{MAX_PULSE_S}, not {self.pulse_s}")

    def open(self, board: int, lock: int) -> bytes:
        """Pulse one lock. Errors: ValueError outside the board; lock 0 would mean the whole cabinet."""
        body = bytes((_OPEN, self._board(board), self._lock(lock), _OPEN_MARK))
        return sealed(body if self.pulse_s is None else body + bytes((self.pulse_s,)))

    def read_one(self, board: int, lock: int) -> bytes:
        """Ask for one contact."""
        return sealed(bytes((_READ, self._board(board), self._lock(lock), _READ_MARK)))

    def read_all(self, board: int) -> bytes:
        """Ask for all contacts of a board."""
        return sealed(bytes((_READ, self._board(board), 0, _READ_MARK)))

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:  # noqa: ARG002  one frame tells all
        """Build the question for all contacts."""
        return (Look(self.read_all(board), range(1, self.ways + 1)),)

    def answers_open(self, event: LockEvent, board: int, lock: int) -> bool:
        """Some boards answer, some push the new state of the lock instead."""
        return isinstance(event, OpenReply) or (
            isinstance(event, LockMoved) and (event.board, event.lock) == (board, lock)
        )

    def parser(self) -> Parser8A80:
        """Make a fresh parser for one bus."""
        return Parser8A80(self.ways)

    def _board(self, board: int) -> int:
        if board not in BOARDS:
            raise ValueError(f"board {board} is not in 1..{BOARDS[-1]}")
        return board

    def _lock(self, lock: int) -> int:
        if not 1 <= lock <= self.ways:
            raise ValueError(f"lock {lock} is not in 1..{self.ways}")
        return lock


def all_contacts(frame: bytes) -> BoardState:
    """Read the answer to "read all".

    Shape:  80 AA Sn .. S1 33 BCC, check byte already verified; the FIRST state byte is the highest group of eight,
            bit 0 the lowest lock of its group. The number of groups follows from the length.
    """
    groups = frame[2:-2]
    return BoardState(frame[1], tuple(bool(byte >> bit & 1) for byte in reversed(groups) for bit in range(8)))


class Parser8A80:
    """Bytes to values. Frames have no delimiter, so it looks for a head byte with a whole valid frame behind it.

    A 5-byte answer and the start of a long one cannot be told apart by their bytes. The parser therefore knows what
    was asked last (`expect`) and tries that length first. At most one long frame is ever buffered.
    """

    def __init__(self, ways: int) -> None:
        self._ways = ways
        self._long = 4 + ways // 8
        self._asked_all = False
        self._buffer = bytearray()
        self._rejected = 0

    @property
    def rejected(self) -> int:
        """How many bytes belonged to no frame so far."""
        return self._rejected

    def expect(self, request: bytes) -> None:
        """Forget a half frame and prepare for the answer to this request."""
        self._rejected += len(self._buffer)
        self._buffer.clear()
        self._asked_all = request[:1] == bytes((_READ,)) and request[2:3] == b"\0"

    def feed(self, chunk: bytes) -> list[LockEvent]:
        """Take bytes as they come and return the values completed by them."""
        events: list[LockEvent] = []
        for byte in chunk:
            self._buffer.append(byte)
            while self._buffer:
                taken, event = self._front()
                if taken == 0:
                    break
                if event is not None:
                    events.append(event)
                del self._buffer[:taken]
        return events

    def _front(self) -> tuple[int, LockEvent | None]:
        """Look at the front of the buffer: bytes to take off (0: more are needed), and the value in them if any."""
        head = self._buffer[0]
        if head not in _HEADS:
            self._rejected += 1
            return 1, None
        for length, read in self._shapes(head):
            if len(self._buffer) < length:
                return 0, None
            frame = bytes(self._buffer[:length])
            if bcc(frame) == 0 and frame[1] in BOARDS:
                event = read(frame)
                if event is not None or head == _SEVERAL:
                    return length, event
        self._rejected += 1
        return 1, None

    def _shapes(self, head: int) -> list[tuple[int, Callable[[bytes], LockEvent | None]]]:
        if head == _SEVERAL:
            return [(_SEVERAL_FRAME, _ignored)]  # somebody else's request on the bus: skip it as a whole
        short = (_SHORT_FRAME, self._short)
        if head != _READ:
            return [short]
        long = (self._long, _long)
        return [long, short] if self._asked_all else [short, long]

    def _short(self, frame: bytes) -> LockEvent | None:
        head, board, lock, state = frame[:4]
        if head == _READ and state == _READ_MARK and lock <= self._ways:
            return Echoed(board)
        if state not in _CONTACT or not 1 <= lock <= self._ways:
            return None
        shorted = _CONTACT[state]
        match head:
            case 0x8A:
                return OpenReply(board, lock, shorted)
            case 0x81:
                return LockMoved(board, lock, shorted)
        return LockState(board, lock, shorted)


def _long(frame: bytes) -> LockEvent | None:
    return all_contacts(frame) if frame[-2] == _READ_MARK else None


def _ignored(_frame: bytes) -> LockEvent | None:
    return None
