"""Values of the trade: ids, money, masked personal values, stamps, records, state tables and refusals.

No I/O, no clock. *The* masking rule lives here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, NewType

from edge.typed_json import Struct

WaybillNo = NewType("WaybillNo", str)
ParcelId = NewType("ParcelId", str)
BillId = NewType("BillId", str)
SiteCode = NewType("SiteCode", str)
OperatorId = NewType("OperatorId", str)
EventId = NewType("EventId", str)  # first 32 hex digits of the chain hash: same history and content, same id
LogId = NewType("LogId", str)  # names one database, not one device
CellNo = NewType("CellNo", int)
Place = NewType("Place", str)  # shelf-level-position, for example A-2-013; no secret
Seq = NewType("Seq", int)
Fen = NewType("Fen", int)  # 1/100 yuan; money is never a float
Ms = NewType("Ms", int)  # milliseconds

HIDDEN_DIGITS = 6  # of a telephone number, at least (GB/T 41833)


class _Masked:
    """A personal value. `str`, `repr` and formatting mask; `plain()` is the one way to the full value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def plain(self) -> str:
        return self._value

    def masked(self) -> str:
        return "*"

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked()})"

    def __format__(self, spec: str) -> str:
        return format(self.masked(), spec)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._value == other._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __getstate__(self) -> Any:  # pickles end up in crash files
        raise TypeError("personal values are not pickled")


class Phone(_Masked):
    """A telephone number. At least six digits stay hidden, or all of a shorter one."""

    __slots__ = ()

    @property
    def last4(self) -> str:
        """The last four digits, as a pad can type them: a hyphen before an extension is none."""
        return "".join(sign for sign in self._value if sign.isdigit())[-4:]

    def masked(self) -> str:
        """For villagers' screens, LED, prints and logs: 138******78."""
        return self._hiding(3, 2)

    def for_operator(self) -> str:
        """For the operator, who matches by the last four digits: 1******5678."""
        return self._hiding(1, 4)

    def _hiding(self, first: int, last: int) -> str:
        """Show only `first` and `last` signs; nothing at all of a number that is too short to hide six digits."""
        middle = self._value[first:-last]
        if sum(sign.isdigit() for sign in middle) < HIDDEN_DIGITS:
            return "*" * len(self._value)
        return self._value[:first] + "*" * len(middle) + self._value[-last:]


class Name(_Masked):
    """A person's name: the surname stays, the rest is hidden (王*). Two-character surnames stay whole."""

    __slots__ = ()

    def masked(self) -> str:
        keep = 2 if self._value[:2] in _DOUBLE_SURNAMES and len(self._value) > 2 else 1
        return self._value[:keep] + "*" if self._value else ""


class Address(_Masked):
    """An address: everything from the first digit on (group, door) is hidden."""

    __slots__ = ()

    def masked(self) -> str:
        for i, sign in enumerate(self._value):
            if sign.isdigit():
                return self._value[:i] + "***"
        return self._value[:6]


class AccountNo(_Masked):
    """A biller's account number (户号): ****1234."""

    __slots__ = ()

    def masked(self) -> str:
        return "****" + (self._value[-4:] if len(self._value) > 4 else "")


class PickupCode(_Masked):
    """Six random digits. Never shown whole to anyone but the recipient."""

    __slots__ = ()

    def masked(self) -> str:
        return "******"


class PickupToken(_Masked):
    """26 random base32 signs (130 bits), read from the recipient's slip or screen by the scanner."""

    __slots__ = ()

    def masked(self) -> str:
        return "VP1:…"


_DOUBLE_SURNAMES = frozenset(
    (
        "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 "
        "公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 令狐"
    ).split()
)


class Stamp(NamedTuple):
    """When something happened, as far as this board can know.

    Units:  `at` UTC milliseconds since 1970 by the wall clock, `ms` monotonic milliseconds since boot.
    Order within a terminal is the sequence number, never this.
    """

    at: int
    boot: str  # first 8 hex digits of the kernel's boot id
    ms: int
    synced: bool  # whether the wall clock had been set from a trusted source


class ParcelState(StrEnum):
    EXPECTED = "expected"
    ARRIVED = "arrived"
    ON_SHELF = "on_shelf"
    IN_LOCKER = "in_locker"
    RELEASING = "releasing"
    PICKED_UP = "picked_up"
    RETURN_PENDING = "return_pending"
    RETURNED = "returned"
    EXCEPTION = "exception"


class CellState(StrEnum):
    FREE = "free"
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    OUT_OF_SERVICE = "out_of_service"


class BillState(StrEnum):
    UNPAID = "unpaid"
    ACCEPTED = "accepted"  # cash taken, acceptance slip given
    POSTED = "posted"  # the biller has booked it
    REFUSED = "refused"  # the biller refused: cash must be given back
    REVERSED = "reversed"


class Consent(StrEnum):
    """Whether the recipient agreed to shelf or locker (快递市场管理办法 art. 28)."""

    NONE = "none"
    SHELF = "shelf"
    LOCKER = "locker"  # locker or shelf


class Role(StrEnum):
    OPERATOR = "operator"
    TECHNICIAN = "technician"


SIZES = ("S", "M", "L")
_STATES = {state.value: state for state in ParcelState}  # a call of an enumeration takes ten times as long
_CONSENTS = {consent.value: consent for consent in Consent}


class Parcel(Struct, frozen=True, gc=False):
    id: ParcelId
    waybill_no: WaybillNo
    carrier: str
    state: ParcelState
    recipient: Name | None
    phone: Phone | None
    consent: Consent
    size: str
    place: Place | None
    cell: CellNo | None
    notified: bool
    arrived_at: int | None

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("id", "waybill_no", "carrier", "state", "recipient", "phone", "consent", "size", "place", "cell"),
        *("notified_at", "arrived_at"),
    )

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Parcel:
        return cls.of([row[name] for name in cls.COLUMNS])

    @classmethod
    def of(cls, values: Sequence[Any]) -> Parcel:
        """The parcel whose columns, in the order of COLUMNS, hold these values."""
        ident, number, carrier, state, recipient, phone, consent, size, place, cell, notified_at, arrived_at = values
        return cls(
            ident,
            number,
            carrier,
            _STATES.get(state) or ParcelState(state),
            Name(recipient) if recipient else None,
            Phone(phone) if phone else None,
            _CONSENTS.get(consent) or Consent(consent),
            size,
            place or None,
            cell,
            notified_at is not None,
            arrived_at,
        )


@dataclass(frozen=True, slots=True)
class Bill:
    id: BillId
    biller: str
    kind: str  # water | power | gas
    account_no: AccountNo
    name: Name
    period: str
    fen: Fen
    state: BillState
    slip: str | None
    serial: str | None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Bill:
        return cls(
            id=BillId(row["id"]),
            biller=row["biller"],
            kind=row["kind"],
            account_no=AccountNo(row["account_no"]),
            name=Name(row["name"]),
            period=row["period"],
            fen=Fen(row["fen"]),
            state=BillState(row["state"]),
            slip=row["slip"],
            serial=row["serial"],
        )


class Rejected(Exception):
    """A refusal the user can act on. `code` names it; the sentence for people is in `ui/`.

    Codes: unreadable, unknown_code, no_consent, already_in_stock, no_free_place, wrong_code, locked_out, ask_staff,
           wrong_parcel, not_here, unknown_bill, already_accepted, refund_due, refunded, wrong_pin, not_allowed,
           secret_code, no_locker, busy, scan_again.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class IllegalMove(Exception):
    """A state change that the table does not know. A bug of the programmer; nothing was changed."""

    def __init__(self, state: str, move: str) -> None:
        super().__init__(f"{move} is not possible from {state}")
        self.state = state
        self.move = move


P = ParcelState
# state -> name of the fact -> next state. What is not here raises IllegalMove.
PARCEL_MOVES: dict[ParcelState, dict[str, ParcelState]] = {
    P.EXPECTED: {"parcel_arrived": P.ARRIVED},
    P.ARRIVED: {
        "parcel_shelved": P.ON_SHELF,
        "parcel_deposited": P.IN_LOCKER,
        "deposit_cancelled": P.EXPECTED,
    },
    P.ON_SHELF: {"pickup_started": P.RELEASING, "return_started": P.RETURN_PENDING, "parcel_excepted": P.EXCEPTION},
    P.IN_LOCKER: {"pickup_started": P.RELEASING, "return_started": P.RETURN_PENDING, "parcel_excepted": P.EXCEPTION},
    P.RELEASING: {
        "parcel_picked_up": P.PICKED_UP,
        "pickup_failed": P.IN_LOCKER,  # back where it lay; the shelf variant is below
        "pickup_left_on_shelf": P.ON_SHELF,
        "parcel_excepted": P.EXCEPTION,
    },
    P.RETURN_PENDING: {"parcel_returned": P.RETURNED, "parcel_excepted": P.EXCEPTION},
    P.EXCEPTION: {
        "parcel_picked_up": P.PICKED_UP,
        "parcel_found": P.ON_SHELF,
        "parcel_found_in_cell": P.IN_LOCKER,
        "return_started": P.RETURN_PENDING,
    },
    P.PICKED_UP: {},
    P.RETURNED: {},
}

B = BillState
BILL_MOVES: dict[BillState, dict[str, BillState]] = {
    B.UNPAID: {"bill_accepted": B.ACCEPTED},
    B.ACCEPTED: {"bill_posted": B.POSTED, "bill_refused": B.REFUSED},
    B.POSTED: {},
    B.REFUSED: {"bill_refunded": B.REVERSED},
    B.REVERSED: {},
}

UTC8 = timezone(timedelta(hours=8))  # China has one time zone
_UTC8_MS, _DAY_MS, _EPOCH = 8 * 3_600_000, 86_400_000, date(1970, 1, 1)

GONE = (ParcelState.PICKED_UP, ParcelState.RETURNED)


def moved(state: ParcelState, move: str) -> ParcelState:
    """Return the next state of a parcel. Errors: IllegalMove."""
    try:
        return PARCEL_MOVES[state][move]
    except KeyError as error:
        raise IllegalMove(state, move) from error


def bill_moved(state: BillState, move: str) -> BillState:
    """Return the next state of a bill. Errors: IllegalMove."""
    try:
        return BILL_MOVES[state][move]
    except KeyError as error:
        raise IllegalMove(state, move) from error


def local_day(at: int) -> str:
    """Return the calendar day in China of a UTC millisecond time, for example 2026-11-22."""
    return _day((at + _UTC8_MS) // _DAY_MS)


@lru_cache(8)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).isoformat()
