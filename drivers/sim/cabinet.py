"""A cabinet as a lock board's simulator sees it: doors, coils, contacts, hands. Pure; no frames, no port and no clock.

The frames of each make are in a file of their own (`CabinetSim._take`, `CabinetSim._answer`). No simulated board obeys
a request that would move several doors: such requests are counted as refused, as a fuse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.sim.line import Line, poke_line
from drivers.wire.lock import Polarity


@dataclass(frozen=True, slots=True)
class Walls:
    """How a simulated cabinet is built. Cells count through the boards: 1..ways on board 1, and so on."""

    cells: int
    ways: int
    polarity: Polarity
    auto_close_s: float = 0  # 0: a door stays open until a hand closes it

    @property
    def boards(self) -> int:
        """How many boards the cells need."""
        return -(-self.cells // self.ways)

    def check(self, ways: Sequence[int], boards: int) -> None:
        """Errors: ValueError when no such boards hold so many cells."""
        if self.ways not in ways or not 1 <= self.cells <= self.ways * boards:
            raise ValueError(f"cells must be 1..{self.ways * boards} and ways one of {tuple(ways)}")
        if self.auto_close_s < 0:
            raise ValueError("auto_close_s must not be negative")


class CabinetSim(ABC):
    """The cabinet. `pulses` counts what each coil got, `asked` what each cell was commanded."""

    def __init__(self, walls: Walls) -> None:
        self.walls = walls
        self.line = Line()
        self.auto_close_s = walls.auto_close_s
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
            taken = self._take(self._buffer)
            if taken == 0:
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
        cells = range(1, self.walls.cells + 1)
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

    @abstractmethod
    def _take(self, buffer: bytearray) -> int:
        """Length of the request at the front; 1 for a byte to skip, 0 when more bytes are needed."""

    @abstractmethod
    def _answer(self, frame: bytes) -> list[bytes]:
        """Obey a request; returns what goes back."""

    def _moved(self, cell: int) -> list[bytes]:  # noqa: ARG002  most makes wait to be asked
        """Tell what the board says unasked when a door has moved."""
        return []

    def _own(self, cell: int) -> int:
        if not 1 <= cell <= self.walls.cells:
            raise ValueError(f"cell {cell} is not in 1..{self.walls.cells}")
        return cell

    def _pulse(self, cell: int) -> None:
        """The coil of a cell gets its pulse."""
        self.asked[cell] += 1
        reached = self._miswired.get(cell, cell)
        self.pulses[reached] += 1
        if reached not in self.jammed:
            self._move(reached, is_open=True)
        self.line.moved()

    def _move(self, cell: int, is_open: bool) -> None:
        if (cell in self.open_doors) is is_open:
            return
        if is_open:
            self.open_doors.add(cell)
            self._opened_ms[cell] = self._now_ms
        else:
            self.open_doors.discard(cell)
            self._opened_ms.pop(cell, None)
        self._unasked += self._moved(cell)

    def _take_unasked(self) -> list[bytes]:
        unasked, self._unasked = self._unasked, []
        return unasked

    def _cell(self, board: int, lock: int) -> int | None:
        """The cell behind a lock, all from 1; None when there is no such lock."""
        cell = (board - 1) * self.walls.ways + lock
        is_there = 1 <= board <= self.walls.boards and 1 <= lock <= self.walls.ways and cell <= self.walls.cells
        return cell if is_there else None

    def _shorted(self, cell: int) -> bool:
        """The feedback contact of a cell; open where no lock is wired."""
        return cell <= self.walls.cells and self.walls.polarity.shorted(cell in self.open_doors)

    def _bits(self, board: int) -> int:
        """All contacts of a board; bit 0 is lock 1."""
        first = (board - 1) * self.walls.ways + 1
        return sum(self._shorted(first + i) << i for i in range(self.walls.ways))


_CELL_HANDLES = ("close_door", "open_by_hand", "jam", "unjam", "wrong_door")
