"""Frames of the Kerong KR-CU24 and KR-CU48 lock boards to values and back. No I/O here.

Only two requests are built: the state of one board, and the pulse of one lock.

Shape:  02 ADDR LOCK CMD 03 SUM; ADDR and LOCK from 0, SUM the low byte of the sum of all before it. Two generations
        use two command sets (A: 50/51h, B: 60/61h); a reply carries the request's state code + 15h.
Doubt:  the state reply has 12 bytes either way, but the sources contradict each other on where its six data bytes lie:
        before ETX (`Layout.ETX`) or behind a length byte 06 (`Layout.LENGTH`). `Layout.AUTO` takes what fits; a frame
        that fits both is read as the last one that fitted only one, and before any such as `LENGTH`, by its 06.
        Whether an unlock is answered is told both ways: the answer is taken when it comes and says nothing of the door.
        Only boards 0 to 9 are addressed, which both sources allow. 200 ms between commands is one source's word.
Source: two programs, one per command set (vectors with their keys in tests/drivers/wire/test_kerong_cu48.py); no
        capture of a reply was found: prove the settings by opening one empty cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from drivers.wire.frame_hunt import MORE, NO_FRAME, Found, HuntingParser, within
from drivers.wire.kerong_cu16 import is_sealed, sealed
from drivers.wire.lock import BoardState, Echoed, LockEvent, Look, OpenReply, UsualManners

BAUD = 19200
WAYS = (24, 48)
BOARDS = 10

_STX, _ETX = 0x02, 0x03
_DATA_BYTES = 6
_SHORT_FRAME, _STATE_FRAME = 6, 12


class CommandSet(Enum):
    """The generation of the board."""

    A = "a"
    B = "b"

    @property
    def state(self) -> int:
        """The code that asks for the state."""
        return 0x50 if self is CommandSet.A else 0x60

    @property
    def unlock(self) -> int:
        """The code that pulses."""
        return self.state + 1

    @property
    def reply(self) -> int:
        """The code of replies."""
        return self.state + 0x15


class Layout(Enum):
    """Where the data of a state reply lies."""

    AUTO = "auto"
    ETX = "etx"  # 02 ADDR xx CODE D0 .. D5 03 SUM
    LENGTH = "length"  # 02 ADDR 00 CODE 06 D0 .. D5 SUM


@dataclass(frozen=True, slots=True)
class KerongCu48(UsualManners):
    """The codec of one bus of such boards. `first` is the number on the switches of board 1; factory: 0."""

    ways: int = 48
    first: int = 0
    commands: CommandSet = CommandSet.B
    layout: Layout = Layout.AUTO

    def __post_init__(self) -> None:
        if self.ways not in WAYS:
            raise ValueError(f"ways must be one of {WAYS}, not {self.ways}")
        if not 0 <= self.first < BOARDS:
            raise ValueError(f"first must be 0..{BOARDS - 1}, not {self.first}")

    def open(self, board: int, lock: int) -> bytes:
        """Pulse one lock. Errors: ValueError outside the board."""
        return self._request(board, within(lock, self.ways, "lock") - 1, self.commands.unlock)

    def read_all(self, board: int) -> bytes:
        """Ask for all hooks of a board."""
        return self._request(board, 0, self.commands.state)

    def looks(self, board: int, lock: int | None = None) -> Sequence[Look]:  # noqa: ARG002  one frame tells all
        """Build the question for all contacts."""
        return (Look(self.read_all(board), range(1, self.ways + 1)),)

    def parser(self) -> ParserCu48:
        """Make a fresh parser for one bus."""
        return ParserCu48(self)

    def _request(self, board: int, lock: int, command: int) -> bytes:
        number = self.first + within(board, BOARDS - self.first, "board") - 1
        return sealed(bytes((_STX, number, lock, command, _ETX)))


class ParserCu48(HuntingParser):
    """Bytes to values. What was asked last tells whether a long or a short answer is looked for first."""

    head = bytes((_STX,))

    def __init__(self, wire: KerongCu48) -> None:
        super().__init__()
        self._wire = wire
        self._usual = Layout.LENGTH  # of the last state reply that fitted one layout only

    def _front(self, buffer: bytearray) -> Found:
        if len(buffer) < 4:
            return MORE
        commands = self._wire.commands
        if buffer[3] in (commands.state, commands.unlock):
            return self._request(buffer)
        if buffer[3] != commands.reply:
            return NO_FRAME
        has_asked_state = self._asked[3:4] == bytes((commands.state,))
        for length in (_STATE_FRAME, _SHORT_FRAME) if has_asked_state else (_SHORT_FRAME, _STATE_FRAME):
            if len(buffer) < length:
                return MORE
            frame = bytes(buffer[:length])
            event = self._event(frame) if is_sealed(frame) else None
            if event is not None:
                return length, event
        return NO_FRAME

    def _request(self, buffer: bytearray) -> Found:
        """A request on the bus: our own that comes back, or somebody else's."""
        if len(buffer) < _SHORT_FRAME:
            return MORE
        frame = bytes(buffer[:_SHORT_FRAME])
        if frame[-2] != _ETX or not is_sealed(frame):
            return NO_FRAME
        return _SHORT_FRAME, Echoed(self._board(frame)) if frame == self._asked else None

    def _event(self, frame: bytes) -> LockEvent | None:
        board = self._board(frame)
        if not 1 <= board <= BOARDS - self._wire.first:
            return None
        if len(frame) == _SHORT_FRAME:
            is_taken = frame[4] == 0 and frame[2] < self._wire.ways
            return OpenReply(board, frame[2] + 1, None) if is_taken else None
        layout = self._layout(frame)
        return None if layout is None else BoardState(board, self._bits(frame, layout))

    def _layout(self, frame: bytes) -> Layout | None:
        fitting = [Layout.ETX] if frame[-2] == _ETX else []
        fitting += [Layout.LENGTH] if frame[2] == 0 and frame[4] == _DATA_BYTES else []
        if self._wire.layout is not Layout.AUTO:
            return self._wire.layout if self._wire.layout in fitting else None
        if len(fitting) == 1:
            self._usual = fitting[0]
        return self._usual if fitting else None

    def _bits(self, frame: bytes, layout: Layout) -> tuple[bool, ...]:
        """Shape: bit 0 of the first data byte is lock 1; 1 closed, 0 open."""
        at = 4 if layout is Layout.ETX else 5
        bits = int.from_bytes(frame[at : at + _DATA_BYTES], "little")
        return tuple(bool(bits >> lock & 1) for lock in range(self._wire.ways))

    def _board(self, frame: bytes) -> int:
        return frame[1] - self._wire.first + 1
