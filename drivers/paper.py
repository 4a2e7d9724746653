"""What a receipt printer promises: the lines of a slip, what is known of its paper, and the outcome of a print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from drivers.base import Device, Status


@dataclass(frozen=True, slots=True)
class Text:
    """One line of a slip, wrapped where it is too long for the paper."""

    text: str
    is_big: bool = False
    is_centred: bool = False


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code of this text."""

    text: str


@dataclass(frozen=True, slots=True)
class BarCode:
    """A Code 128 of printable ASCII, with its text below; only the text where the paper is too narrow."""

    text: str


@dataclass(frozen=True, slots=True)
class Cut:
    """Feed and cut; a printer without a knife only feeds."""


Line = Text | QrCode | BarCode | Cut


class Paper(Enum):
    """What the printer says of its paper. UNKNOWN: it does not answer, which many cheap printers never do."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


class Cover(Enum):
    """What the printer says of its cover."""

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrinterStatus(Status):
    """Status of a printer, as last heard from it."""

    paper: Paper = Paper.UNKNOWN
    cover: Cover = Cover.UNKNOWN


class Printed(Enum):
    """Outcome of one slip. A driver never prints a slip twice by itself."""

    DONE = "done"  # the printer said so after the last line
    SENT = "sent"  # all bytes went out to a printer that does not answer
    UNKNOWN = "unknown"  # begun, and then the printer stopped or went silent: somebody looks, and reprints


class Printer(Device, Protocol):
    """A receipt printer."""

    def status(self) -> PrinterStatus:
        """Tell how the printer is, from what was last heard. Never blocks."""

    async def print(self, slip: Sequence[Line]) -> Printed:
        """Print one slip and tell what is known of it. Slips queue up behind each other.

        Errors: NotThere, NoAnswer, Refused (paper, cover or error, in `hint`): nothing of the slip was printed.
                ValueError for a slip that cannot be set (a bar code with other signs; a bug of the caller).
        """
