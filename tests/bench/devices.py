"""Lock boards at their real baud rates: open-to-confirmed, and a look at every cell of one bus, against the wire.

Bytes take their time on a simulated wire (10 bits each), boards take theirs to answer, doors to spring open; the clock
is virtual, so that a second costs nothing, and what the processor really needed for the driver is added to it.
The limit is the time the exchanged bytes need on the wire. What boards need by themselves is taken off first: until
they answer, until a board that never answers may be asked again, and the silence between frames their makers ask for.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, Path(__file__).parent):
    sys.path.insert(0, str(place))

from table import Figure, Rounds, table  # noqa: E402

from drivers.base import Door, Opening  # noqa: E402
from drivers.link import Link  # noqa: E402
from drivers.locker import BoardLocker, Cabinet  # noqa: E402
from drivers.sim.cabinet import CabinetSim  # noqa: E402
from tests.links import LoopClock, run_instantly  # noqa: E402
from tests.lock_makes import BASE, Make  # noqa: E402

WANTED = 1.2  # the driver adds at most a fifth
SPRING_S = 0.3  # the pulse of most boards; then the door is open
BITS = 10  # 8N1
CELLS = 240
MOST_BOARDS = {"Winnsen": 4}
# Until the first byte of an answer. Modbus boards were seen to take 40 to 60 ms; the maker of WKLY names 200 ms for all
# locks and 350 ms for an opening; 8A/80 and Kerong hosts wait 50 and 100 ms; for the others nobody says: 50 ms.
ANSWER_S = {"8A/80": 0.05, "CU16": 0.1, "CU48": 0.05, "WKLY": 0.2, "Modbus": 0.05, "Winnsen": 0.05}
OPEN_ANSWER_S = {"WKLY": 0.35}


@dataclass
class Ledger:
    """What happened on the wire since it was last cleared."""

    wire_s: float = 0
    board_s: float = 0
    bytes: int = 0
    frames: int = 0


class TimedPort:
    """A port on a wire that carries `baud` bits in a second."""

    def __init__(self, board: CabinetSim, baud: int, gap_s: float, answer_s: Callable[[bytes], float]) -> None:
        self.ledger = Ledger()
        self._board = board
        self._byte_s = BITS / baud
        self._gap_s = gap_s
        self._answer_s = answer_s
        self._free_s = 0.0  # when the last byte had passed
        self._is_answered = True
        self._received: Callable[[bytes], None] | None = None

    def attach(self, received: Callable[[bytes], None], _lost: Callable[[str], None]) -> None:
        self._received = received

    async def write(self, chunk: bytes) -> int:
        """The kernel takes the bytes at once; the board has them when the last has passed."""
        loop = asyncio.get_running_loop()
        idle_s = max(0.0, loop.time() - self._free_s)
        self.ledger.board_s += min(idle_s, self._gap_s) if self._is_answered else idle_s
        self._free_s = max(loop.time(), self._free_s) + self._passed(chunk)
        loop.call_at(self._free_s, self._arrived, chunk)
        return len(chunk)

    def clear(self) -> None:
        """Begin to count."""
        self.ledger = Ledger()
        self._free_s = asyncio.get_running_loop().time()

    def close(self) -> None:
        self._received = None

    def _passed(self, chunk: bytes) -> float:
        took_s = len(chunk) * self._byte_s
        self.ledger.wire_s += took_s
        self.ledger.bytes += len(chunk)
        self.ledger.frames += 1
        return took_s

    def _arrived(self, chunk: bytes) -> None:
        loop = asyncio.get_running_loop()
        before = self._board.asked.copy()
        replies = b"".join(self._board.receive(chunk))
        for cell in self._board.asked - before:
            loop.call_later(SPRING_S, self._board.open_by_hand, cell)
        self._is_answered = bool(replies)
        if replies:
            wait_s = self._answer_s(chunk)
            self.ledger.board_s += wait_s
            self._free_s = loop.time() + wait_s + self._passed(replies)
            loop.call_at(self._free_s, self._deliver, replies)

    def _deliver(self, replies: bytes) -> None:
        if self._received is not None:
            self._received(replies)


@dataclass(frozen=True)
class Taken:
    """How long one thing took, and why."""

    all_s: float
    ledger: Ledger
    cpu_s: float

    @property
    def driver_s(self) -> float:
        """Without what the boards needed for themselves."""
        return self.all_s - self.ledger.board_s + self.cpu_s


async def timed(name: str, make: Make, cells: int, rounds: int, is_poll: bool) -> list[Taken]:
    """Open doors one after the other, or look at all of them again and again."""
    board = make.sim(cells)
    openings = {make.wire.open(1, lock) for lock in range(1, make.ways + 1)}
    for_open = dict.fromkeys(openings, OPEN_ANSWER_S.get(name, ANSWER_S[name]))
    port = TimedPort(board, make.baud, make.timing.gap_s, lambda chunk: for_open.get(chunk, ANSWER_S[name]))
    timing = replace(make.timing, watch_s=1e9)  # the first look only: this measures one thing
    locker = BoardLocker(Link("locker", lambda: port), make.wire, Cabinet(cells, make.polarity), LoopClock(), timing)
    await locker.start()
    await asyncio.sleep(60)  # all boards were seen and, where that is needed, made safe
    taken = [await _one(locker, board, port, 1 + at % cells, is_poll) for at in range(rounds)]
    await locker.stop()
    return taken


async def _one(locker: BoardLocker, board: CabinetSim, port: TimedPort, cell: int, is_poll: bool) -> Taken:
    loop = asyncio.get_running_loop()
    board.jam(cell)  # the coil pulls at once, the door springs later
    port.clear()
    began, cpu = loop.time(), time.process_time()
    if is_poll:
        doors = await locker.doors()
        assert set(doors.values()) == {Door.CLOSED}
    else:
        assert await locker.open(cell) is Opening.OPEN
    taken = Taken(loop.time() - began, replace(port.ledger), time.process_time() - cpu)
    board.close_door(cell)
    await asyncio.sleep(5)
    return taken


def openings(rounds: int) -> list[Figure]:
    """Open-to-confirmed of each make."""
    return [_figure(name, run_instantly(timed(name, make, make.ways, rounds, is_poll=False)), f"open, {name}")
            for name, make in BASE.items()]  # fmt: skip


def polls(rounds: int) -> list[Figure]:
    """One look at all cells of a full bus of each make."""
    figures = []
    for name, make in BASE.items():
        cells = min(CELLS, MOST_BOARDS.get(name, CELLS) * make.ways)
        taken = run_instantly(timed(name, make, cells, rounds, is_poll=True))
        figures.append(_figure(name, taken, f"poll {cells} cells, {name}"))
    return figures


def _figure(name: str, taken: list[Taken], what: str) -> Figure:
    make, last = BASE[name], taken[-1]
    note = (
        f"{_ms(last.all_s)} in all at {make.baud} baud: {last.ledger.bytes} bytes in {last.ledger.frames} frames "
        f"{_ms(last.ledger.wire_s)}, boards {_ms(last.ledger.board_s)}, processor {_ms(last.cpu_s)}"
    )
    return Figure(
        what,
        "ms",
        Rounds(tuple(each.driver_s * 1000 for each in taken)),
        Rounds(tuple(each.ledger.wire_s * 1000 for each in taken)),
        at_most=WANTED,
        note=note,
        extra={"all_ms": [each.all_s * 1000 for each in taken], "bytes": last.ledger.bytes},
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """All figures of the lock boards."""
    rounds = 4 if quick else 24
    return openings(rounds) + polls(rounds)


if __name__ == "__main__":
    print(table(measure(Path(), quick="--quick" in sys.argv)))
