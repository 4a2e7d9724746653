"""Facts about doors and cells."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class DoorAuthorised(Fact, frozen=True):
    """Committed before the pulse. Names the one cell that may move."""

    kind: ClassVar[str] = "door_authorised.1"
    opening: str
    cell: int
    purpose: str  # deposit | pickup | service | found | test
    parcel: str | None
    operator: str | None


class DoorTrialAsked(Fact, frozen=True):
    """Why a technician opens an empty cell; committed with the authorisation."""

    kind: ClassVar[str] = "door_trial_asked.1"
    opening: str
    cell: int
    reason: str  # new_lock | repair | complaint | routine | commissioning
    operator: str


class PolarityProven(Fact, frozen=True):
    """A technician held the door contact of one cell against what the eyes saw."""

    kind: ClassVar[str] = "polarity_proven.1"
    cell: int
    verdict: str  # right | inverted | stuck | other | not_opened | blind
    polarity: str  # what the settings should say; empty when nothing was proven
    operator: str


class DoorOpened(Fact, frozen=True):
    kind: ClassVar[str] = "door_opened.1"
    opening: str
    cell: int


class DoorNotOpened(Fact, frozen=True):
    """The outcome of an authorised opening that is not an open door."""

    kind: ClassVar[str] = "door_not_opened.1"
    opening: str
    cell: int
    why: str  # stayed_closed | unknown | not_there | refused | wrong_door | reconciled_closed | power_cut


class DoorClosed(Fact, frozen=True):
    kind: ClassVar[str] = "door_closed.1"
    opening: str
    cell: int


class DoorLeftOpen(Fact, frozen=True):
    kind: ClassVar[str] = "door_left_open.1"
    opening: str
    cell: int


class DoorForced(Fact, frozen=True):
    """A door moved without an authorised opening."""

    kind: ClassVar[str] = "door_forced.1"
    cell: int
    door: str
    left_out: int | None = None  # movements since this cell's last such fact that were too many to be written


class CellFaulted(Fact, frozen=True):
    kind: ClassVar[str] = "cell_faulted.1"
    cell: int
    why: str


class CellRestored(Fact, frozen=True):
    kind: ClassVar[str] = "cell_restored.1"
    cell: int
    operator: str
    reason: str


class CellWithdrawn(Fact, frozen=True):
    kind: ClassVar[str] = "cell_withdrawn.1"
    cell: int
    operator: str
    reason: str
