"""Intents: what a person wants. Screens to the desk."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model import AccountNo, BillId, CellNo, Fen, ParcelId, Phone, PickupCode
from edge.steps.batches import BatchIntent
from edge.steps.counter import CounterIntent
from edge.steps.first import FirstIntent
from edge.steps.pairing import BeginAnew
from edge.steps.stick import StickIntent
from edge.steps.wizard import WizardIntent
from edge.steps.workbench import WorkbenchIntent


@dataclass(frozen=True, slots=True)
class PickUp:
    """A villager typed six digits and the last four digits of the phone."""

    code: PickupCode
    last4: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeParcels:
    """The identified person wants these parcels (from a ParcelsFound)."""

    parcels: tuple[ParcelId, ...]
    grant: str = field(repr=False)  # the grant of the ParcelsFound; single use, held by the flows


@dataclass(frozen=True, slots=True)
class Scanned:
    """A code came in from a scanner. `screen` names what was open: standby, intake, handover, pickup, bill, raw, ..."""

    text: str = field(repr=False)
    screen: str
    scanner: str = ""


@dataclass(frozen=True, slots=True)
class FindBill:
    kind: str  # water | power | gas | "" for any
    account_no: AccountNo


@dataclass(frozen=True, slots=True)
class AcceptBill:
    """The operator holds exactly this amount in cash and confirms with the PIN."""

    bill: BillId
    fen: Fen
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefundBill:
    bill: BillId


@dataclass(frozen=True, slots=True)
class Login:
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Logout:
    pass


@dataclass(frozen=True, slots=True)
class CallHelp:
    screen: str


@dataclass(frozen=True, slots=True)
class ChooseCarrier:
    """Answer to AskCarrier during intake. `waybill_no`: of which parcel, for another may have been scanned since."""

    waybill_no: str
    carrier: str


@dataclass(frozen=True, slots=True)
class GivePhone:
    """Answer to AskPhone during intake of an unexpected parcel; `waybill_no` as in ChooseCarrier."""

    waybill_no: str
    phone: Phone
    consented: bool


@dataclass(frozen=True, slots=True)
class RecordConsent:
    """The operator telephoned: the recipient agreed to `consent` ("shelf" or "locker")."""

    parcel: ParcelId
    consent: str


@dataclass(frozen=True, slots=True)
class DoorIsShut:
    """A person confirms that the door is shut (boards without a door sensor)."""

    cell: CellNo


@dataclass(frozen=True, slots=True)
class CancelDeposit:
    parcel: ParcelId


@dataclass(frozen=True, slots=True)
class SetIntakeTarget:
    """Where the next parcels go: "auto", "locker" or "shelf"."""

    target: str


@dataclass(frozen=True, slots=True)
class Search:
    """Operator's search: digits match waybill tail, phone tail or place; else the place or surname."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandOver:
    """The operator hands a parcel out, having checked the person; one in a cell needs the PIN, which opens its door."""

    parcel: ParcelId
    by: str  # "self" | "proxy"
    pin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ResolveException:
    """The operator looked: parcel `gone` (taken), `in_cell`, or `on_shelf` at a new place."""

    parcel: ParcelId
    found: str


@dataclass(frozen=True, slots=True)
class ShowBoard:
    """Ask for a fresh snapshot: "checkup", "day", "parcels", "bills", "sync", "devices", "weigh", "batch"."""

    board: str


@dataclass(frozen=True, slots=True)
class CellToService:
    """A technician or operator puts a cell in or out of service, with a reason."""

    cell: CellNo
    in_service: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CancelFlow:
    """The person pressed back or went away."""


Intent = (
    PickUp | TakeParcels | Scanned | FindBill | AcceptBill | RefundBill | Login | Logout | CallHelp | ChooseCarrier
    | GivePhone | RecordConsent | DoorIsShut | CancelDeposit | SetIntakeTarget | Search | HandOver | ResolveException
    | ShowBoard | CellToService | CancelFlow | CounterIntent | BatchIntent | StickIntent
    | WorkbenchIntent | BeginAnew | FirstIntent | WizardIntent
)  # fmt: skip
