"""A cabinet with "8A/80" lock boards, seen from the wire. Doors, coils and hands are in drivers/sim/cabinet.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from drivers.sim.cabinet import CabinetSim, Walls
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
        self.walls.check(WAYS, len(BOARDS))

    @property
    def walls(self) -> Walls:
        """What all makes have in common."""
        return Walls(self.cells, self.ways, self.polarity, self.auto_close_s)


class LockBoard(CabinetSim):
    """The boards of the cabinet."""

    def __init__(self, cabinet: Cabinet = Cabinet()) -> None:
        super().__init__(cabinet.walls)
        self.cabinet = cabinet

    def _take(self, buffer: bytearray) -> int:
        if buffer[0] not in (0x8A, 0x80, 0x90):
            return 1
        for length in (5, _LONGEST_REQUEST):
            if len(buffer) < length:
                return 0
            if bcc(bytes(buffer[:length])) == 0:
                return length
        return 1

    def _answer(self, frame: bytes) -> list[bytes]:
        head, board, lock, mark = frame[:4]
        if not 1 <= board <= self.walls.boards or lock > self.walls.ways:
            return []  # another board's business
        cell = self._cell(board, lock)
        match head, mark:
            case 0x80, 0x33 if len(frame) == 5 and lock == 0:
                return [
                    sealed(bytes((0x80, board)) + self._bits(board).to_bytes(self.walls.ways // 8, "big") + b"\x33")
                ]
            case 0x80, 0x33 if len(frame) == 5 and cell is not None:
                return [self._one(0x80, cell)]
            case 0x8A, 0x11 if cell is not None and (len(frame) == 5 or 1 <= frame[4] <= 9):
                self._pulse(cell)
                return [self._one(0x8A, cell)] if self.cabinet.reply is Reply.ANSWER else []
        self.refused += head != 0x80
        return []

    def _moved(self, cell: int) -> list[bytes]:
        return [self._one(0x81, cell)] if self.cabinet.reply is Reply.PUSH else []

    def _one(self, head: int, cell: int) -> bytes:
        board, lock = divmod(cell - 1, self.walls.ways)
        return sealed(bytes((head, board + 1, lock + 1, 0x11 if self._shorted(cell) else 0x00)))
