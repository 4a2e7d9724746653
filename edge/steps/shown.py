"""Steps: what the screen must show. The desk to the screens."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model import AccountNo, BillId, CellNo, Fen, Name, OperatorId, ParcelId, Phone, PickupCode, Place, Role
from edge.steps.batches import BatchStep
from edge.steps.checkup import CheckupBoard, Finding
from edge.steps.counter import CounterStep
from edge.steps.first import FirstStart
from edge.steps.pairing import Pairing
from edge.steps.stick import StickStep
from edge.steps.wizard import WizardStep
from edge.steps.workbench import WorkbenchStep


@dataclass(frozen=True, slots=True)
class Checking:
    """Something is being looked up; a spinner with words after 1 s."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A Rejected: code plus facts for the sentence. The flow has ended."""

    code: str
    facts: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """A parcel as a list shows it."""

    id: ParcelId
    waybill_no: str
    carrier: str
    recipient: Name | None
    phone: Phone | None
    place: Place | None
    cell: CellNo | None
    state: str
    notified: bool = False
    days_here: int = 0
    overdue: bool = False
    stuck: bool = False  # its door stayed shut when it was to be given out


@dataclass(frozen=True, slots=True)
class ParcelsFound:
    """The person is identified; several parcels wait (a single one is taken at once, without this step)."""

    parcels: tuple[ParcelLine, ...]
    grant: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpeningDoor:
    cell: CellNo


@dataclass(frozen=True, slots=True)
class TakeParcel:
    """The door is open: take it and shut the door within `seconds`."""

    cell: CellNo
    seconds: int
    left: int  # parcels still to come after this one


@dataclass(frozen=True, slots=True)
class FetchFromShelf:
    """The parcel lies on a shelf; the operator hands it out by scanning it."""

    parcels: tuple[ParcelLine, ...]


@dataclass(frozen=True, slots=True)
class DoorStillOpen:
    cell: CellNo


@dataclass(frozen=True, slots=True)
class CallStaff:
    """A device failed: a person must help.

    `why`: stayed_closed | unknown | not_there | wrong_door | no_answer | left_open.
    """

    cell: CellNo | None
    why: str


@dataclass(frozen=True, slots=True)
class Thanks:
    """Picked up. `count` parcels."""

    count: int


@dataclass(frozen=True, slots=True)
class PutIn:
    """Intake: the door is open, put the parcel in and shut it."""

    parcel: ParcelLine
    cell: CellNo
    seconds: int


@dataclass(frozen=True, slots=True)
class Remind:
    """Intake or pick-up: half the time is over and the door is still open."""

    cell: CellNo


@dataclass(frozen=True, slots=True)
class Stored:
    """Intake done for one parcel: cell or place, and how many today."""

    parcel: ParcelLine
    today: int
    code: PickupCode | None = None  # for the slip and the call list; masked unless asked


@dataclass(frozen=True, slots=True)
class AskCarrier:
    """Intake: several carriers are possible for this number; ranked."""

    waybill_no: str
    carriers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskPhone:
    """Intake: not in the manifest; the operator types the phone printed on the label."""

    waybill_no: str
    carrier: str


@dataclass(frozen=True, slots=True)
class NeedConsent:
    """Intake: the recipient has not agreed to shelf or locker; call first. `phone` is shown in full only here."""

    parcel: ParcelLine


@dataclass(frozen=True, slots=True)
class BillLine:
    id: BillId
    biller: str
    kind: str
    account_no: AccountNo
    name: Name
    period: str
    fen: Fen
    state: str
    slip: str | None = None
    at: int | None = None  # UTC ms of acceptance
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BillsFound:
    bills: tuple[BillLine, ...]


@dataclass(frozen=True, slots=True)
class SlipShown:
    """Cash taken. `posted` False: acceptance slip (受理凭证, 未销账); True: payment receipt (缴费凭证)."""

    bill: BillLine
    slip: str
    operator: str
    at: int  # UTC ms
    posted: bool
    check: str  # check code of the slip: first 8 hex digits of the fact's hash
    printed: str = ""  # as `Printing.state`, or never; "" where no printer stands


@dataclass(frozen=True, slots=True)
class LoggedIn:
    operator: OperatorId
    role: Role


@dataclass(frozen=True, slots=True)
class LoggedOut:
    pass


@dataclass(frozen=True, slots=True)
class HelpCalled:
    phone: str  # of the point or station, from the settings; "" when none


@dataclass(frozen=True, slots=True)
class HandOverAsk:
    """The operator scanned a parcel on the shelf: check the person, then confirm."""

    parcel: ParcelLine


@dataclass(frozen=True, slots=True)
class DayBoard:
    arrived: int
    picked_up: int
    in_locker: int
    on_shelf: int
    expected: int
    overdue: int
    exceptions: int
    bills_accepted: int
    bills_unposted: int
    cash_fen: Fen
    cells_free: int
    cells_out: int
    alarms: tuple[str, ...]  # codes: wrong_door, forced_door, door_left_open, fork, disk_low, backup_old, ...
    refunds: int = 0
    pending_deposits: tuple[ParcelLine, ...] = ()
    codes: int = 0  # of guns' memories that wait to be taken in


@dataclass(frozen=True, slots=True)
class ParcelsBoard:
    query: str = field(repr=False)
    parcels: tuple[ParcelLine, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class BillsBoard:
    bills: tuple[BillLine, ...]
    total_fen: Fen
    unposted_fen: Fen


@dataclass(frozen=True, slots=True)
class SyncBoard:
    online: bool
    days_offline: int
    pending: int
    last_ack_at: int | None
    refused: tuple[str, ...]  # reasons
    log_id: str
    upto: int
    fork: bool
    refused_by: str | None = None  # why a certificate was not taken: a word of `sync.dial.TlsRefused`


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device as it is now; `finding` is what the check-up says of it."""

    name: str
    kind: str
    health: str  # ok | degraded | away
    finding: Finding


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """How the system of this terminal stands. `slot`: which half of the card runs, "" while that is not known.

    `state`: of the newest order, a word of edge/updates.py, or fetching, writing; "" without one; `target`: its
    version; `why`: one word.
    """

    slot: str
    version: str
    state: str = ""
    target: str = ""
    percent: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class DevicesBoard:
    devices: tuple[DeviceLine, ...]
    disk_free_mb: int
    backup_age_h: int | None
    clock_synced: bool
    renderer: str
    version: str
    update: UpdateLine | None = None


@dataclass(frozen=True, slots=True)
class LinkState:
    """Sent whenever it changes: the banner."""

    online: bool
    days_offline: int
    pending: int


@dataclass(frozen=True, slots=True)
class NoticeBoard:
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """The terminal can not work; `backup` names one if it can be offered.

    `code`: S1 damaged database, S2 disk full, S3 disk error, S4 other.
    """

    code: str
    backup: str | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A bug: error number for the programmer; the screen goes home."""

    number: str


Step = (
    Checking | Refusal | ParcelsFound | OpeningDoor | TakeParcel | FetchFromShelf | DoorStillOpen | CallStaff | Thanks
    | PutIn | Remind | Stored | AskCarrier | AskPhone | NeedConsent | BillsFound | SlipShown | LoggedIn | LoggedOut
    | HelpCalled | HandOverAsk | DayBoard | ParcelsBoard | BillsBoard | SyncBoard | DevicesBoard | LinkState
    | NoticeBoard | Pairing | Closed | Trouble | CheckupBoard | CounterStep | BatchStep | StickStep | WorkbenchStep
    | FirstStart | WizardStep
)  # fmt: skip
