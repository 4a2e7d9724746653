"""The screens of the villager: pick-up, bills, help, and the two that say "not now".

Typed digits are kept out of `repr`, so that a traceback cannot show a code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from edge.model import CellNo, ParcelId
from edge.steps import BillLine, ParcelLine, SlipShown
from ui.viewmodels.frame import State

CODE_DIGITS = 6  # architecture section 12.7
TAIL_DIGITS = 4
ACCOUNT_MIN, ACCOUNT_MAX = 4, 20
PIN_MIN, PIN_MAX = 4, 8
# What the page of a terminal that is not yet enrolled has own sentences for; "other" for all else.
PAIRING_WORDS = ("waiting", "granted", "refused", "line", "wrong_hub", "hub_clock")


@dataclass(frozen=True, slots=True)
class Standby(State):
    screen: ClassVar[str] = "standby"
    idle: ClassVar[str] = "none"


@dataclass(frozen=True, slots=True)
class Home(State):
    screen: ClassVar[str] = "home"
    idle: ClassVar[str] = "home"
    scan: ClassVar[str] = "home"


@dataclass(frozen=True, slots=True)
class CodeEntry(State):
    """Six digits, then the last four of the phone. `busy`: sent, digits already forgotten."""

    screen: ClassVar[str] = "pickup"
    idle: ClassVar[str] = "pickup"
    scan: ClassVar[str] = "pickup"
    code: str = field(default="", repr=False)
    tail: str = field(default="", repr=False)
    busy: bool = False

    @property
    def asks_tail(self) -> bool:
        return self.busy or len(self.code) == CODE_DIGITS


@dataclass(frozen=True, slots=True)
class Wait(State):
    """Something is looked up. `retry` names the task to go back to when it is refused."""

    screen: ClassVar[str] = "wait"
    idle: ClassVar[str] = "none"
    scan: ClassVar[str] = "pickup"
    retry: str = "pickup"
    words: bool = False


@dataclass(frozen=True, slots=True)
class Choose(State):
    screen: ClassVar[str] = "choose"
    idle: ClassVar[str] = "pickup"
    scan: ClassVar[str] = "pickup"
    parcels: tuple[ParcelLine, ...]
    grant: str = field(repr=False)
    chosen: tuple[ParcelId, ...] = ()
    page: int = 0


@dataclass(frozen=True, slots=True)
class Opening(State):
    screen: ClassVar[str] = "opening"
    idle: ClassVar[str] = "none"
    scan: ClassVar[str] = "door"
    cell: CellNo


@dataclass(frozen=True, slots=True)
class Door(State):
    """A door is open. `stage`: take | remind | late (the time is over and it still stands open)."""

    screen: ClassVar[str] = "door"
    idle: ClassVar[str] = "none"
    scan: ClassVar[str] = "door"
    cell: CellNo
    seconds: int
    left: int = 0
    stage: str = "take"


@dataclass(frozen=True, slots=True)
class Fetch(State):
    """The operator brings it from the shelf; the operator's scan here hands it out."""

    screen: ClassVar[str] = "fetch"
    scan: ClassVar[str] = "handover"
    parcels: tuple[ParcelLine, ...]


@dataclass(frozen=True, slots=True)
class Done(State):
    screen: ClassVar[str] = "thanks"
    idle: ClassVar[str] = "result"
    scan: ClassVar[str] = "home"
    count: int


@dataclass(frozen=True, slots=True)
class Refused(State):
    """`retry`: pickup | bill | "" (nothing to try again); `slots` fill the sentence."""

    screen: ClassVar[str] = "refused"
    idle: ClassVar[str] = "result"
    scan: ClassVar[str] = "home"
    code: str
    slots: tuple[tuple[str, str | int], ...] = ()
    retry: str = ""


@dataclass(frozen=True, slots=True)
class Staff(State):
    screen: ClassVar[str] = "staff"
    idle: ClassVar[str] = "result"
    cell: CellNo | None
    why: str


@dataclass(frozen=True, slots=True)
class Help(State):
    """The operator was called; `back` is what the person was doing."""

    screen: ClassVar[str] = "help"
    idle: ClassVar[str] = "result"
    phone: str
    back: State


@dataclass(frozen=True, slots=True)
class BillKind(State):
    screen: ClassVar[str] = "bill"
    scan: ClassVar[str] = "bill"


@dataclass(frozen=True, slots=True)
class BillAccount(State):
    screen: ClassVar[str] = "account"
    scan: ClassVar[str] = "bill"
    kind: str
    digits: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BillList(State):
    screen: ClassVar[str] = "bills"
    scan: ClassVar[str] = "bill"
    bills: tuple[BillLine, ...]
    page: int = 0


@dataclass(frozen=True, slots=True)
class BillConfirm(State):
    screen: ClassVar[str] = "confirm"
    scan: ClassVar[str] = "bill"
    bill: BillLine
    bills: tuple[BillLine, ...]


@dataclass(frozen=True, slots=True)
class BillCash(State):
    """The villager gives the cash, the operator types the PIN."""

    screen: ClassVar[str] = "cash"
    scan: ClassVar[str] = "bill"
    bill: BillLine
    bills: tuple[BillLine, ...]
    pin: str = field(default="", repr=False)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Slip(State):
    """`printed`: as `Printing.state`, never (not tried yet), limit (tried too often), or "" without a printer.

    `further`: more slips that a power cut kept from their payers, to be seen when this one is left.
    """

    screen: ClassVar[str] = "slip"
    scan: ClassVar[str] = "home"
    slip: SlipShown
    printed: str = ""
    further: tuple[SlipShown, ...] = ()

    @property
    def can_print(self) -> bool:
        return self.printed not in ("", "printing", "done", "limit")


@dataclass(frozen=True, slots=True)
class Shut(State):
    """The terminal cannot work (S1 damaged database, S2 disk full, S3 disk error, S4 other)."""

    screen: ClassVar[str] = "closed"
    idle: ClassVar[str] = "none"
    code: str
    backup: str | None = None


@dataclass(frozen=True, slots=True)
class Broken(State):
    """A bug of ours: shown shortly, then home."""

    screen: ClassVar[str] = "trouble"
    idle: ClassVar[str] = "none"
    number: str
