"""Facts about bills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edge.events.base import Fact
from edge.model import AccountNo, Address, Name


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
