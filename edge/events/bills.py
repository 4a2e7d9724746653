"""Facts about bills."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact
from edge.model import AccountNo, Address, Name


class BillIssued(Fact, frozen=True):  # from the hub
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


class BillAccepted(Fact, frozen=True):
    kind: ClassVar[str] = "bill_accepted.1"
    bill: str
    fen: int
    tender: str  # cash
    slip: str
    operator: str


class SlipIssued(Fact, frozen=True):
    """The slip was put before the payer."""

    kind: ClassVar[str] = "slip_issued.1"
    bill: str
    slip: str


class BillPosted(Fact, frozen=True):  # from the hub
    kind: ClassVar[str] = "bill_posted.1"
    bill: str
    slip: str
    serial: str


class BillRefused(Fact, frozen=True):  # from the hub
    kind: ClassVar[str] = "bill_refused.1"
    bill: str
    slip: str
    reason: str


class BillRefunded(Fact, frozen=True):
    kind: ClassVar[str] = "bill_refunded.1"
    bill: str
    slip: str
    fen: int
    operator: str
