"""Facts about parcels."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact
from edge.model import Address, Name, Phone, PickupCode, PickupToken


class ParcelExpected(Fact, frozen=True):  # from the hub
    kind: ClassVar[str] = "parcel_expected.1"
    parcel: str
    waybill_no: str
    carrier: str
    recipient: Name | None
    phone: Phone | None
    address: Address | None
    consent: str
    size: str


class ParcelArrived(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_arrived.1"
    parcel: str
    waybill_no: str
    carrier: str
    expected: bool
    operator: str
    cell: int | None  # reserved cell
    place: str | None  # reserved place
    phone: Phone | None = None  # only of a parcel the hub does not know


class PlaceTaken(Fact, frozen=True):
    """No cell worked: the parcel got a place on the shelf instead."""

    kind: ClassVar[str] = "place_taken.1"
    parcel: str
    place: str


class ConsentRecorded(Fact, frozen=True):
    kind: ClassVar[str] = "consent_recorded.1"
    parcel: str
    consent: str
    how: str  # phone_call | at_counter
    operator: str


class ParcelShelved(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_shelved.1"
    parcel: str
    place: str
    code: PickupCode | None
    token: PickupToken | None


class ParcelDeposited(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_deposited.1"
    parcel: str
    cell: int
    evidence: str  # sensor | confirmed | reconciled
    code: PickupCode | None
    token: PickupToken | None


class DepositCancelled(Fact, frozen=True):
    kind: ClassVar[str] = "deposit_cancelled.1"
    parcel: str
    cell: int | None
    place: str | None
    reason: str


class PickupStarted(Fact, frozen=True):
    kind: ClassVar[str] = "pickup_started.1"
    parcel: str
    by: str  # code | token | operator


class ParcelPickedUp(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_picked_up.1"
    parcel: str
    by: str  # self | proxy | operator
    evidence: str  # sensor | confirmed | reconciled | left_open | handed_over | operator
    operator: str | None = None


class PickupFailed(Fact, frozen=True):
    kind: ClassVar[str] = "pickup_failed.1"
    parcel: str
    cell: int | None
    why: str


class PickupLeftOnShelf(Fact, frozen=True):
    kind: ClassVar[str] = "pickup_left_on_shelf.1"
    parcel: str


class PickupRefused(Fact, frozen=True):
    """A code, token or phone tail that did not fit. Holds no digits."""

    kind: ClassVar[str] = "pickup_refused.1"
    why: str  # wrong_code | locked_out
    parcel: str | None  # when the code was right and the tail wrong


class PickupTried(Fact, frozen=True):
    """A try was taken off the allowance before anything was compared."""

    kind: ClassVar[str] = "pickup_tried.1"
    scope: str  # pickup | pin


class PickupMismatch(Fact, frozen=True):
    """The wrong parcel was about to be handed out."""

    kind: ClassVar[str] = "pickup_mismatch.1"
    parcel: str | None
    scanned: str


class ParcelExcepted(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_excepted.1"
    parcel: str
    why: str


class ParcelFound(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_found.1"
    parcel: str
    place: str
    operator: str


class ParcelFoundInCell(Fact, frozen=True):
    kind: ClassVar[str] = "parcel_found_in_cell.1"
    parcel: str
    cell: int
    operator: str


class NoticeSent(Fact, frozen=True):  # from the hub
    kind: ClassVar[str] = "notice_sent.1"
    parcel: str
    channel: str
