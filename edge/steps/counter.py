"""Steps and intents of what stands at the counter: slips on paper, the price display, the scale."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model import Fen

# --- what the screen must show


@dataclass(frozen=True, slots=True)
class Printing:
    """How a slip fares at the printer. `copy` 0 is the original, n its n-th copy.

    `state`: printing | done | sent (a printer that never answers) | unknown (begun and broken off: somebody looks)
             or why nothing was printed: paper | cover | fault | away | silent.
    """

    slip: str
    state: str
    copy: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """One weighing. Units: grams, fen per kilogram, fen, UTC ms. No price: weighed without one.

    `tare_g` None: the instrument itself had been tared. `check` is the check code, as on a bill's slip.
    """

    ticket: str
    net_g: int
    tare_g: int | None
    fen_per_kg: Fen | None
    fen: Fen | None
    operator: str
    at: int
    check: str
    reweigh: str | None = None  # the ticket of the weighing before, of the same load


@dataclass(frozen=True, slots=True)
class WeighBoard:
    """The scale's page: the last ticket of this point, and the box that counts as zero now."""

    last: Ticket | None
    tare_g: int


@dataclass(frozen=True, slots=True)
class Weighing:
    """The scale is being read: nobody touches the pan."""


@dataclass(frozen=True, slots=True)
class Weighed:
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class NotWeighed:
    """`why`: empty | same_load | restless | overload, or of the scale: away | silent | garbled | unfit."""

    why: str


@dataclass(frozen=True, slots=True)
class TareSet:
    """What counts as zero from now on; 0 when the pan was empty."""

    tare_g: int


# --- what a person wants


@dataclass(frozen=True, slots=True)
class PrintAgain:
    """Put this slip on paper again, with the number it has."""

    slip: str


@dataclass(frozen=True, slots=True)
class ShowAmount:
    """What the person at the screen is told to pay or has paid, for the price display; `what` "" takes it away.

    `what`: total | received | "".
    """

    fen: Fen
    what: str


@dataclass(frozen=True, slots=True)
class Weigh:
    """Weigh what lies on the pan. `again`: also when it has been weighed before (再称一次)."""

    fen_per_kg: Fen | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class SetTare:
    """Count what lies on the pan as zero; an empty pan ends it."""


CounterStep = Printing | WeighBoard | Weighing | Weighed | NotWeighed | TareSet
CounterIntent = PrintAgain | ShowAmount | Weigh | SetTare
