"""What the last opening of each cell says about its lock. Pure; who opens is drivers/locker.py."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.base import Opening, WrongDoor
from drivers.faults import Fault

_WORST = (Fault.WRONG_DOOR, Fault.LOCK_REFUSED, Fault.STUCK, Fault.UNCONFIRMED)


class LockTroubles:
    """A trouble stands until the cell is opened as it should be. Bounded by the number of cells."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._moved: dict[int, tuple[int, ...]] = {}  # commanded cell -> the doors that moved instead

    def opened(self, cell: int, outcome: Opening, has_sensor: bool) -> None:
        """An opening has ended. With a sensor "unknown" is the talk of the board, not a trouble of this lock."""
        if outcome is Opening.STAYED_CLOSED:
            self._faults[cell] = Fault.STUCK
        elif outcome is Opening.UNKNOWN and not has_sensor:
            self._faults[cell] = Fault.UNCONFIRMED
        elif outcome is Opening.OPEN:
            self._faults.pop(cell, None)

    def refused(self, cell: int) -> None:
        """The board would not."""
        self._faults[cell] = Fault.LOCK_REFUSED

    def went_wrong(self, error: WrongDoor) -> None:
        """Another door moved."""
        self._faults[error.commanded] = Fault.WRONG_DOOR
        self._moved[error.commanded] = error.moved

    def worst(self) -> tuple[Fault, tuple[int, ...]] | None:
        """The gravest trouble and its cells; for a wrong door the commanded cell, then those that moved."""
        for fault in _WORST:
            cells = sorted(cell for cell, seen in self._faults.items() if seen is fault)
            if cells:
                return fault, self._named(fault, cells)
        return None

    def _named(self, fault: Fault, cells: Sequence[int]) -> tuple[int, ...]:
        return (cells[0], *self._moved[cells[0]]) if fault is Fault.WRONG_DOOR else tuple(cells)
