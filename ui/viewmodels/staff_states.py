"""The screens of the operator and the technician. All of them need a login; `Login` itself is open to anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from edge.model import CellNo
from edge.steps import BillLine, BillsBoard, DevicesBoard, ParcelLine, ParcelsBoard, SyncBoard
from ui.viewmodels.frame import State

PHONE_DIGITS = 11
SEARCH_MAX = 14
CELL_DIGITS = 3
CELL_REASONS = ("lock", "door", "dirty", "other")
TARGETS = ("auto", "locker", "shelf")


@dataclass(frozen=True, slots=True)
class StaffState(State):
    who: ClassVar[str] = "staff"
    idle: ClassVar[str] = "staff"
    scan: ClassVar[str] = "handover"


@dataclass(frozen=True, slots=True)
class Login(State):
    """`busy`: sent, digits already forgotten."""

    screen: ClassVar[str] = "login"
    scan: ClassVar[str] = "home"
    pin: str = field(default="", repr=False)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Board(StaffState):
    screen: ClassVar[str] = "board"


@dataclass(frozen=True, slots=True)
class IntakeState(StaffState):
    scan: ClassVar[str] = "intake"


@dataclass(frozen=True, slots=True)
class Intake(IntakeState):
    """The loop: scan, look, scan. Hands stay on the scanner."""

    screen: ClassVar[str] = "intake"
    busy: bool = False


@dataclass(frozen=True, slots=True)
class IntakeCarrier(IntakeState):
    screen: ClassVar[str] = "intake_carrier"
    waybill_no: str
    carriers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntakePhone(IntakeState):
    """The operator types the phone from the label; whole digits are shown while typing, to be compared."""

    screen: ClassVar[str] = "intake_phone"
    waybill_no: str
    carrier: str
    digits: str = field(default="", repr=False)
    consented: bool = False


@dataclass(frozen=True, slots=True)
class IntakeConsent(IntakeState):
    screen: ClassVar[str] = "intake_consent"
    parcel: ParcelLine


@dataclass(frozen=True, slots=True)
class IntakeDoor(IntakeState):
    """`stage`: opening | put | remind | late."""

    screen: ClassVar[str] = "intake_door"
    idle: ClassVar[str] = "none"
    cell: CellNo
    stage: str
    parcel: ParcelLine | None = None
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Pending(StaffState):
    """Deposits that a power cut or a person left half done."""

    screen: ClassVar[str] = "pending"
    page: int = 0


@dataclass(frozen=True, slots=True)
class Search(StaffState):
    screen: ClassVar[str] = "search"
    text: str = field(default="", repr=False)
    result: ParcelsBoard | None = None
    page: int = 0


@dataclass(frozen=True, slots=True)
class ParcelCard(StaffState):
    """One parcel; `ask` is the question being confirmed: "" | self | proxy | gone | in_cell | on_shelf | key.

    One in a cell is given out with the PIN, which opens its door. `busy`: sent, digits already forgotten.
    """

    screen: ClassVar[str] = "parcel"
    parcel: ParcelLine
    back: Search
    ask: str = ""
    pin: str = field(default="", repr=False)
    busy: bool = False

    @property
    def wants_pin(self) -> bool:
        return self.ask in ("self", "proxy") and self.parcel.cell is not None


@dataclass(frozen=True, slots=True)
class CheckPerson(StaffState):
    """The operator scanned a parcel on the shelf: look at the person, then confirm."""

    screen: ClassVar[str] = "handover"
    parcel: ParcelLine


@dataclass(frozen=True, slots=True)
class Money(StaffState):
    """Bills taken; `refund` is the one whose cash is about to be given back."""

    screen: ClassVar[str] = "money"
    board: BillsBoard | None = None
    page: int = 0
    refund: BillLine | None = None


@dataclass(frozen=True, slots=True)
class Sync(StaffState):
    screen: ClassVar[str] = "sync"
    board: SyncBoard | None = None


@dataclass(frozen=True, slots=True)
class Devices(StaffState):
    screen: ClassVar[str] = "devices"
    board: DevicesBoard | None = None
    page: int = 0


@dataclass(frozen=True, slots=True)
class Cells(StaffState):
    screen: ClassVar[str] = "cells"
    digits: str = ""
    reason: str = "lock"
