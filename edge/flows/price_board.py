"""What the customer reads while paying or weighing. It never waits and never fails: a dark display stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.base import Lamp, PriceDisplay
from edge.steps import Ticket

TURN_S = 3.0  # each of weight and value stays up so long; eight digits show one of them at a time
TURNS = 40  # two minutes; then the value stays

_LAMPS = {"total": Lamp.TOTAL, "received": Lamp.RECEIVED}


class PriceBoard:
    """The price display of a point, if it has one. Owned by the io thread."""

    def __init__(self, display: PriceDisplay | None, say: Callable[..., str]) -> None:
        self._display = display
        self._say = say
        self._turn: asyncio.TimerHandle | None = None

    def amount(self, fen: int, what: str) -> None:
        """Show an amount: total or received; anything else blanks the display."""
        self._stop()
        if self._display is None:
            return
        lamp = _LAMPS.get(what)
        if lamp is None:
            self._display.show([])
        else:
            self._display.price(fen, lamp)

    def blank(self) -> None:
        self.amount(0, "")

    def weighed(self, ticket: Ticket) -> None:
        """Show the weight, and the value in turn with it."""
        self._stop()
        if self._display is not None:
            self._show_weight(self._display, ticket, TURNS)

    def _show_weight(self, display: PriceDisplay, ticket: Ticket, left: int) -> None:
        """The weight alone in the first line: a display of digits shows the first line that is a number."""
        slots = {"grams": ticket.net_g}
        if ticket.fen_per_kg is None or ticket.fen is None:
            display.show([self._say("price.weight", **slots), self._say("price.unit")])
            return
        price, value = self._say("price.yuan", fen=ticket.fen_per_kg), self._say("price.yuan", fen=ticket.fen)
        display.show([self._say("price.weight", **slots), self._say("price.by", price=price, value=value)])
        self._later(self._show_value, display, ticket, left)

    def _show_value(self, display: PriceDisplay, ticket: Ticket, left: int) -> None:
        display.price(ticket.fen or 0, Lamp.TOTAL)
        if left > 1:
            self._later(self._show_weight, display, ticket, left - 1)

    def _later(self, act: Callable[..., None], display: PriceDisplay, ticket: Ticket, left: int) -> None:
        self._turn = asyncio.get_running_loop().call_later(TURN_S, act, display, ticket, left)

    def _stop(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
