"""Facts about parcels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edge.events.base import Fact
from edge.model import Address, Name, Phone, PickupCode, PickupToken


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
