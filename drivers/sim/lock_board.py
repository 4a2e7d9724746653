"""A cabinet with "8A/80" lock boards, seen from the wire: doors, contacts, pulses. Pure; no port and no clock.

It also obeys no request that would move several doors: such frames are counted as refused, as a fuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from drivers.sim.line import Line, poke_line
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import BOARDS, WAYS, bcc, sealed

_LONGEST_REQUEST = 6


class Reply(Enum):
    """How a board answers an opening; it varies between makers."""

    ANSWER = "8a"
    PUSH = "81"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Cabinet:
    """How a simulated cabinet is built. Cells count through the boards: 1..ways on board 1, and so on."""

    cells: int = 24
    ways: int = 24
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    reply: Reply = Reply.ANSWER
    auto_close_s: float = 0  # 0: a door stays open until a hand closes it

    def __post_init__(self) -> None:
        if self.ways not in WAYS or not 1 <= self.cells <= self.ways * len(BOARDS):
            raise ValueError(f"cells must be 1..{self.ways * len(BOARDS)} and ways one of {WAYS}")
        if self.auto_close_s < 0:
            raise ValueError("auto_close_s must not be negative")


class LockBoard:
    """The cabinet. `pulses` counts what each coil got, `asked` what each cell was commanded."""

    def __init__(self, cabinet: Cabinet = Cabinet()) -> None:
        self.cabinet = cabinet
        self.line = Line()
        self.auto_close_s = cabinet.auto_close_s
        self.open_doors: set[int] = set()
        self.jammed: set[int] = set()
        self.pulses: Counter[int] = Counter()
        self.asked: Counter[int] = Counter()
        self.refused = 0
        self._miswired: dict[int, int] = {}
        self._opened_ms: dict[int, int] = {}
        self._now_ms = 0
        self._buffer = bytearray()
        self._unasked: list[bytes] = []

    def receive(self, chunk: bytes) -> list[bytes]:
        """Take bytes from the kiosk; returns the chunks that go back."""
        self._buffer += self.line.incoming(chunk)
        replies: list[bytes] = []
        while self._buffer:
            taken = self._request()
            if taken is None:
                break
            replies += self._answer(bytes(self._buffer[:taken])) if taken > 1 else []
            del self._buffer[:taken]
        return self.line.outgoing(chunk, replies + self._take_unasked())

    def tick(self, now_ms: int) -> list[bytes]:
        """Tell the time; closes doors that have stood open long enough, and returns what the board says unasked."""
        self._now_ms = now_ms
        if self.auto_close_s > 0:
            for cell, opened_ms in list(self._opened_ms.items()):
                if now_ms - opened_ms >= self.auto_close_s * 1000:
                    self.close_door(cell)
        return self.line.outgoing(b"", self._take_unasked())

    def close_door(self, cell: int) -> None:
        """A hand closes a door."""
        self._move(self._own(cell), is_open=False)

    def open_by_hand(self, cell: int) -> None:
        """A door opens without a pulse: somebody forces it."""
        self._move(self._own(cell), is_open=True)

    def jam(self, cell: int, is_jammed: bool = True) -> None:
        """The door does not open when pulsed."""
        (self.jammed.add if is_jammed else self.jammed.discard)(self._own(cell))

    def wrong_door(self, cell: int, other: int) -> None:
        """A pulse for `cell` reaches the coil of `other`; the same number puts the wiring right."""
        self._miswired[self._own(cell)] = self._own(other)

    def state(self) -> dict[str, object]:
        """Everything a test asks for, ready for JSON. `pulses` holds only cells that got one."""
        cells = range(1, self.cabinet.cells + 1)
        return {
            "doors": {str(cell): "open" if cell in self.open_doors else "closed" for cell in cells},
            "pulses": {str(cell): count for cell, count in sorted(self.pulses.items())},
            "asked": {str(cell): count for cell, count in sorted(self.asked.items())},
            "refused": self.refused,
            "faults": self.line.faults,
        }

    def poke(self, handle: str, args: Sequence[str]) -> object:
        """Move a handle by name; all return the state. Errors: LookupError, ValueError."""
        match handle, [int(arg) for arg in args] if handle in _CELL_HANDLES else list(args):
            case (("state" | "pulses"), []):
                pass
            case "close_door", [int(cell)]:
                self.close_door(cell)
            case "open_by_hand", [int(cell)]:
                self.open_by_hand(cell)
            case ("jam" | "unjam") as word, [int(cell)]:
                self.jam(cell, word == "jam")
            case "wrong_door", [int(cell), int(other)]:
                self.wrong_door(cell, other)
            case "auto_close", [str(seconds)]:
                self.auto_close_s = float(seconds)
            case _:
                return poke_line(self.line, handle, args)
        return self.state()

    def _own(self, cell: int) -> int:
        if not 1 <= cell <= self.cabinet.cells:
            raise ValueError(f"cell {cell} is not in 1..{self.cabinet.cells}")
        return cell

    def _request(self) -> int | None:
        """Length of the request at the front of the buffer; 1 for a byte to skip, None when more bytes are needed."""
        if self._buffer[0] not in (0x8A, 0x80, 0x90):
            return 1
        for length in (5, _LONGEST_REQUEST):
            if len(self._buffer) < length:
                return None
            if bcc(bytes(self._buffer[:length])) == 0:
                return length
        return 1

    def _answer(self, frame: bytes) -> list[bytes]:
        head, board, lock, mark = frame[:4]
        cell = (board - 1) * self.cabinet.ways + lock
        has_board = 1 <= board <= -(-self.cabinet.cells // self.cabinet.ways)
        if not has_board or lock > self.cabinet.ways:
            return []  # another board's business
        match head, mark:
            case 0x80, 0x33 if len(frame) == 5 and lock == 0:
                return [self._all(board)]
            case 0x80, 0x33 if len(frame) == 5 and cell <= self.cabinet.cells:
                return [self._one(0x80, cell)]
            case 0x8A, 0x11 if lock > 0 and cell <= self.cabinet.cells and (len(frame) == 5 or 1 <= frame[4] <= 9):
                return self._pulse(cell)
        self.refused += head != 0x80
        return []

    def _pulse(self, cell: int) -> list[bytes]:
        self.asked[cell] += 1
        reached = self._miswired.get(cell, cell)
        self.pulses[reached] += 1
        if reached not in self.jammed:
            self._move(reached, is_open=True)
        self.line.moved()
        return [self._one(0x8A, cell)] if self.cabinet.reply is Reply.ANSWER else []

    def _move(self, cell: int, is_open: bool) -> None:
        if (cell in self.open_doors) is is_open:
            return
        if is_open:
            self.open_doors.add(cell)
            self._opened_ms[cell] = self._now_ms
        else:
            self.open_doors.discard(cell)
            self._opened_ms.pop(cell, None)
        if self.cabinet.reply is Reply.PUSH:
            self._unasked.append(self._one(0x81, cell))

    def _take_unasked(self) -> list[bytes]:
        unasked, self._unasked = self._unasked, []
        return unasked

    def _shorted(self, cell: int) -> bool:
        if cell > self.cabinet.cells:
            return False  # no lock is wired there
        return self.cabinet.polarity.shorted(cell in self.open_doors)

    def _one(self, head: int, cell: int) -> bytes:
        board, lock = divmod(cell - 1, self.cabinet.ways)
        return sealed(bytes((head, board + 1, lock + 1, 0x11 if self._shorted(cell) else 0x00)))

    def _all(self, board: int) -> bytes:
        first = (board - 1) * self.cabinet.ways + 1
        bits = sum(self._shorted(first + i) << i for i in range(self.cabinet.ways))
        return sealed(bytes((0x80, board)) + bits.to_bytes(self.cabinet.ways // 8, "big") + b"\x33")


_CELL_HANDLES = ("close_door", "open_by_hand", "jam", "unjam", "wrong_door")
