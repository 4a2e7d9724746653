"""Facts about what is done at the counter beside parcels and money: slips on paper, goods on the scale."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class PrintStarted(Fact, frozen=True):
    """A slip goes to the printer. `copy` 0 is the original, n its n-th copy; `slip` is a bill's or a weighing's."""

    kind: ClassVar[str] = "print_started.1"
    slip: str
    copy: int
    operator: str  # who asked for it; "" when whoever stood before the screen did


class PrintEnded(Fact, frozen=True):
    kind: ClassVar[str] = "print_ended.1"
    slip: str
    copy: int
    outcome: str  # done | sent | unknown, or why nothing was printed: see `edge.prints`


class GoodsWeighed(Fact, frozen=True):
    """Goods were weighed and the weighing got its number. Nothing was bought, sold or paid by it.

    Units:  grams; fen per kilogram; fen. `tare_g` is None when the instrument itself had been tared.
    """

    kind: ClassVar[str] = "goods_weighed.1"
    ticket: str
    net_g: int
    tare_g: int | None
    fen_per_kg: int | None  # None: weighed without a price
    fen: int | None
    operator: str
    reweigh: str | None = None  # the ticket of the weighing before, of the same load
