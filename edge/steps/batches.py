"""Steps and intents of lists that came out of a gun's memory."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model import Name

# --- what the screen must show


@dataclass(frozen=True, slots=True)
class CodesWait:
    """A gun has emptied its memory: so many codes wait for the operator, in all lists together."""

    codes: int


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One code of a list.

    `kind`: shelf (proposed for the shelf), cell (is opened one by one), consent, carrier, unknown (questions),
            here (in stock already), taken (lies at `place` now).
    """

    number: str
    carrier: str
    kind: str
    recipient: Name | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class BatchBoard:
    """The oldest open list; `batch` is "" when there is none.

    `at` UTC ms of the upload (when the codes were scanned nobody knows); `more` lines that are not in `lines`;
    `useless` codes that were no waybills; `further` lists wait behind this one.
    """

    batch: str = ""
    scanner: str = ""
    at: int = 0
    lines: tuple[BatchLine, ...] = ()
    more: int = 0
    proposed: int = 0
    waiting: int = 0
    useless: int = 0
    whole: bool = True
    further: int = 0


# --- what a person wants


@dataclass(frozen=True, slots=True)
class TakeBatch:
    """Take in all that is proposed for the shelf."""

    batch: str


@dataclass(frozen=True, slots=True)
class TakeCode:
    """Take in this one, as if it had been scanned at the counter."""

    number: str


@dataclass(frozen=True, slots=True)
class CloseBatch:
    """Done with this list; what is left in it is left out."""

    batch: str


BatchStep = CodesWait | BatchBoard
BatchIntent = TakeBatch | TakeCode | CloseBatch
