"""The vocabulary: one frozen dataclass per fact, past tense, with a versioned kind; and the codec to and from its body.

Personal fields (masked types of `edge.model`) never enter the hashed body: it carries a digest salted per field; value
and salt travel and rest beside it, so that they can be erased while the chain still verifies.
Facts are never edited: a changed shape gets a new class with the next version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from edge.chain import field_digest
from edge.model import AccountNo, Address, Name, Phone, PickupCode, PickupToken

PERSONAL = (Phone, Name, Address, AccountNo, PickupCode, PickupToken)
DIGESTS = "~"  # key of the digests inside a body


class BadFact(ValueError):
    """A body that is not of its kind: missing field, wrong type, digest that does not fit."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts. `kind` is `name.version`."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A fact on its way: kind, canonical JSON body, and field -> (salt hex, value) of the personal fields."""

    kind: str
    body: str
    personal: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UnknownFact(Fact):
    """A fact of a kind this release does not know. Kept, passed on, never guessed at."""

    name: str
    body: str


# --- parcels ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParcelExpected(Fact):  # from the hub
    kind: ClassVar[str] = "parcel_expected.1"
    parcel: str
    waybill_no: str
    carrier: str
    recipient: Name | None
    phone: Phone | None
    address: Address | None
    consent: str
    size: str


@dataclass(frozen=True, slots=True)
class ParcelArrived(Fact):
    kind: ClassVar[str] = "parcel_arrived.1"
    parcel: str
    waybill_no: str
    carrier: str
    expected: bool
    operator: str
    cell: int | None  # reserved cell
    place: str | None  # reserved place
    phone: Phone | None = None  # only of a parcel the hub does not know


@dataclass(frozen=True, slots=True)
class PlaceTaken(Fact):
    """No cell worked: the parcel got a place on the shelf instead."""

    kind: ClassVar[str] = "place_taken.1"
    parcel: str
    place: str


@dataclass(frozen=True, slots=True)
class ConsentRecorded(Fact):
    kind: ClassVar[str] = "consent_recorded.1"
    parcel: str
    consent: str
    how: str  # phone_call | at_counter
    operator: str


@dataclass(frozen=True, slots=True)
class ParcelShelved(Fact):
    kind: ClassVar[str] = "parcel_shelved.1"
    parcel: str
    place: str
    code: PickupCode | None
    token: PickupToken | None


@dataclass(frozen=True, slots=True)
class ParcelDeposited(Fact):
    kind: ClassVar[str] = "parcel_deposited.1"
    parcel: str
    cell: int
    evidence: str  # sensor | confirmed | reconciled
    code: PickupCode | None
    token: PickupToken | None


@dataclass(frozen=True, slots=True)
class DepositCancelled(Fact):
    kind: ClassVar[str] = "deposit_cancelled.1"
    parcel: str
    cell: int | None
    place: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PickupStarted(Fact):
    kind: ClassVar[str] = "pickup_started.1"
    parcel: str
    by: str  # code | token | operator


@dataclass(frozen=True, slots=True)
class ParcelPickedUp(Fact):
    kind: ClassVar[str] = "parcel_picked_up.1"
    parcel: str
    by: str  # self | proxy | operator
    evidence: str  # sensor | confirmed | reconciled | left_open | handed_over | operator
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class PickupFailed(Fact):
    kind: ClassVar[str] = "pickup_failed.1"
    parcel: str
    cell: int | None
    why: str


@dataclass(frozen=True, slots=True)
class PickupLeftOnShelf(Fact):
    kind: ClassVar[str] = "pickup_left_on_shelf.1"
    parcel: str


@dataclass(frozen=True, slots=True)
class PickupRefused(Fact):
    """A code, token or phone tail that did not fit. Holds no digits."""

    kind: ClassVar[str] = "pickup_refused.1"
    why: str  # wrong_code | locked_out
    parcel: str | None  # when the code was right and the tail wrong


@dataclass(frozen=True, slots=True)
class PickupTried(Fact):
    """A try was taken off the allowance before anything was compared."""

    kind: ClassVar[str] = "pickup_tried.1"
    scope: str  # pickup | pin


@dataclass(frozen=True, slots=True)
class PickupMismatch(Fact):
    """The wrong parcel was about to be handed out."""

    kind: ClassVar[str] = "pickup_mismatch.1"
    parcel: str | None
    scanned: str


@dataclass(frozen=True, slots=True)
class ParcelExcepted(Fact):
    kind: ClassVar[str] = "parcel_excepted.1"
    parcel: str
    why: str


@dataclass(frozen=True, slots=True)
class ParcelFound(Fact):
    kind: ClassVar[str] = "parcel_found.1"
    parcel: str
    place: str
    operator: str


@dataclass(frozen=True, slots=True)
class ParcelFoundInCell(Fact):
    kind: ClassVar[str] = "parcel_found_in_cell.1"
    parcel: str
    cell: int
    operator: str


@dataclass(frozen=True, slots=True)
class NoticeSent(Fact):  # from the hub
    kind: ClassVar[str] = "notice_sent.1"
    parcel: str
    channel: str


# --- doors and cells ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DoorAuthorised(Fact):
    """Committed before the pulse. Names the one cell that may move."""

    kind: ClassVar[str] = "door_authorised.1"
    opening: str
    cell: int
    purpose: str  # deposit | pickup | service | found
    parcel: str | None
    operator: str | None


@dataclass(frozen=True, slots=True)
class DoorOpened(Fact):
    kind: ClassVar[str] = "door_opened.1"
    opening: str
    cell: int


@dataclass(frozen=True, slots=True)
class DoorNotOpened(Fact):
    """The outcome of an authorised opening that is not an open door."""

    kind: ClassVar[str] = "door_not_opened.1"
    opening: str
    cell: int
    why: str  # stayed_closed | unknown | not_there | refused | wrong_door | reconciled_closed | power_cut


@dataclass(frozen=True, slots=True)
class DoorClosed(Fact):
    kind: ClassVar[str] = "door_closed.1"
    opening: str
    cell: int


@dataclass(frozen=True, slots=True)
class DoorLeftOpen(Fact):
    kind: ClassVar[str] = "door_left_open.1"
    opening: str
    cell: int


@dataclass(frozen=True, slots=True)
class DoorForced(Fact):
    """A door moved without an authorised opening."""

    kind: ClassVar[str] = "door_forced.1"
    cell: int
    door: str


@dataclass(frozen=True, slots=True)
class CellFaulted(Fact):
    kind: ClassVar[str] = "cell_faulted.1"
    cell: int
    why: str


@dataclass(frozen=True, slots=True)
class CellRestored(Fact):
    kind: ClassVar[str] = "cell_restored.1"
    cell: int
    operator: str
    reason: str


@dataclass(frozen=True, slots=True)
class CellWithdrawn(Fact):
    kind: ClassVar[str] = "cell_withdrawn.1"
    cell: int
    operator: str
    reason: str


# --- bills --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BillIssued(Fact):  # from the hub
    kind: ClassVar[str] = "bill_issued.1"
    bill: str
    biller: str
    sort: str  # water | power | gas
    account_no: AccountNo
    name: Name
    address: Address | None
    period: str
    fen: int
    due: str


@dataclass(frozen=True, slots=True)
class BillAccepted(Fact):
    kind: ClassVar[str] = "bill_accepted.1"
    bill: str
    fen: int
    tender: str  # cash
    slip: str
    operator: str


@dataclass(frozen=True, slots=True)
class SlipIssued(Fact):
    """The slip was put before the payer."""

    kind: ClassVar[str] = "slip_issued.1"
    bill: str
    slip: str


@dataclass(frozen=True, slots=True)
class BillPosted(Fact):  # from the hub
    kind: ClassVar[str] = "bill_posted.1"
    bill: str
    slip: str
    serial: str


@dataclass(frozen=True, slots=True)
class BillRefused(Fact):  # from the hub
    kind: ClassVar[str] = "bill_refused.1"
    bill: str
    slip: str
    reason: str


@dataclass(frozen=True, slots=True)
class BillRefunded(Fact):
    kind: ClassVar[str] = "bill_refunded.1"
    bill: str
    slip: str
    fen: int
    operator: str


# --- the point itself ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoticePublished(Fact):  # from the hub
    kind: ClassVar[str] = "notice_published.1"
    notice: str
    text: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class OperatorAdded(Fact):
    kind: ClassVar[str] = "operator_added.1"
    operator: str
    role: str


@dataclass(frozen=True, slots=True)
class LoggedIn(Fact):
    kind: ClassVar[str] = "logged_in.1"
    operator: str
    role: str


@dataclass(frozen=True, slots=True)
class HelpCalled(Fact):
    kind: ClassVar[str] = "help_called.1"
    screen: str


@dataclass(frozen=True, slots=True)
class DeviceFaulted(Fact):
    kind: ClassVar[str] = "device_faulted.1"
    device: str
    what: str


@dataclass(frozen=True, slots=True)
class DeviceRecovered(Fact):
    kind: ClassVar[str] = "device_recovered.1"
    device: str


@dataclass(frozen=True, slots=True)
class TerminalStarted(Fact):
    kind: ClassVar[str] = "terminal_started.1"
    version: str
    boot: str
    clean: bool  # whether the last run ended in order


@dataclass(frozen=True, slots=True)
class TerminalStopped(Fact):
    kind: ClassVar[str] = "terminal_stopped.1"
    version: str


@dataclass(frozen=True, slots=True)
class LogForked(Fact):
    """Our history and the hub's differ (card restored or copied). A new log id starts here."""

    kind: ClassVar[str] = "log_forked.1"
    old_log: str
    new_log: str
    at_seq: int


@dataclass(frozen=True, slots=True)
class PersonalErased(Fact):
    kind: ClassVar[str] = "personal_erased.1"
    fields: int
    why: str  # used | retention


@dataclass(frozen=True, slots=True)
class BackupMade(Fact):
    kind: ClassVar[str] = "backup_made.1"
    upto: int
    mark: str


@dataclass(frozen=True, slots=True)
class FactRefused(Fact):  # from the hub
    """The hub keeps the fact but could not apply it; the operator sees the reason."""

    kind: ClassVar[str] = "fact_refused.1"
    event: str
    reason: str


KINDS: dict[str, type[Fact]] = {cls.kind: cls for cls in Fact.__subclasses__() if cls.kind}


def name_of(fact: Fact) -> str:
    """Return the kind without its version: the word of the state tables."""
    return fact.kind.partition(".")[0]


def encode(fact: Fact, new_salt: Callable[[], bytes]) -> Encoded:
    """Turn a fact into its body. Every personal field gets a fresh salt of 16 bytes from `new_salt`."""
    plain: dict[str, Any] = {}
    digests: dict[str, str] = {}
    personal: dict[str, tuple[str, str]] = {}
    for name in _shape(type(fact)):
        value = getattr(fact, name)
        if isinstance(value, PERSONAL):
            salt = new_salt()
            digests[name] = field_digest(salt, value.plain())
            personal[name] = (salt.hex(), value.plain())
        elif value is not None:
            plain[name] = value
    if digests:
        plain[DIGESTS] = digests
    return Encoded(fact.kind, canonical(plain), personal)


def canonical(body: Mapping[str, Any]) -> str:
    """The one JSON text of a body: sorted keys, no blanks, no escapes beyond the needed."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def decode(encoded: Encoded) -> Fact:
    """Turn a body back into a fact. Erased personal fields come back as None.

    Errors: BadFact for a body that does not fit its kind. An unknown kind is no error: UnknownFact.
    """
    cls = KINDS.get(encoded.kind)
    body = parse_body(encoded.body)
    if cls is None:
        return UnknownFact(encoded.kind, encoded.body)
    digests = body.pop(DIGESTS, {})
    values: dict[str, Any] = {}
    for name, types in _shape(cls).items():
        personal = next((t for t in types if t in PERSONAL), None)
        if personal is not None:
            values[name] = _personal(name, personal, digests, encoded.personal)
        else:
            values[name] = _plain(cls, name, types, body)
    return cls(**values)


def parse_body(text: str) -> dict[str, Any]:
    """Parse a body. Errors: BadFact if it is no JSON object."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise BadFact(f"body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadFact("body is no object")
    if not isinstance(body.get(DIGESTS, {}), dict):
        raise BadFact("digests are no object")
    return body


_SHAPES: dict[type[Fact], dict[str, tuple[type, ...]]] = {}


def _shape(cls: type[Fact]) -> dict[str, tuple[type, ...]]:
    if cls not in _SHAPES:
        hints = get_type_hints(cls)
        _SHAPES[cls] = {f.name: _members(hints[f.name]) for f in fields(cls)}
    return _SHAPES[cls]


def _members(hint: Any) -> tuple[type, ...]:
    return tuple(get_args(hint)) if get_origin(hint) is not None else (hint,)


def _plain(cls: type[Fact], name: str, types: tuple[type, ...], body: Mapping[str, Any]) -> Any:
    value = body.get(name)
    if value is None:
        if type(None) in types:
            return None
        raise BadFact(f"{cls.kind}: {name} is missing")
    if type(value) not in types:  # bool is no int here
        raise BadFact(f"{cls.kind}: {name} has the wrong type {type(value).__name__}")
    return value


def _personal(name: str, kind: Any, digests: Mapping[str, Any], personal: Mapping[str, tuple[str, str]]) -> Any:
    held = personal.get(name)
    if held is None:
        return None
    salt, value = held
    try:
        fits = field_digest(bytes.fromhex(salt), value) == digests.get(name)
    except ValueError as error:
        raise BadFact(f"{name}: salt is no hex") from error
    if not fits:
        raise BadFact(f"{name}: value does not fit its digest")
    return kind(value)
