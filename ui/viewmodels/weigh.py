"""The scale's page: what is typed, what the scale said, what becomes of the ticket on paper. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from edge import steps as s
from edge.model import Fen
from ui.viewmodels.formats import kilograms
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.keys import typed
from ui.viewmodels.staff_states import StaffState

Answer = tuple[Frame, tuple[s.Intent, ...]]
PRICE_DIGITS = 5  # fen: up to 999.99 yuan a kilogram


@dataclass(frozen=True, slots=True)
class WeighGoods(StaffState):
    """Goods on the pan. `price` are the digits of a price in fen per kilogram, "" for none; `why` as `NotWeighed`.

    `ticket` is the weighing on the screen, `last` the last one of this point, which can be printed again.
    """

    screen: ClassVar[str] = "weigh"
    price: str = ""
    busy: bool = False
    ticket: s.Ticket | None = None
    why: str = ""
    last: s.Ticket | None = None
    tare_g: int = 0
    printed: str = ""

    @property
    def fen_per_kg(self) -> Fen | None:
        return Fen(int(self.price)) if self.price else None


def press_weigh(frame: Frame, state: WeighGoods, name: str) -> Answer:
    """A tap on the page."""
    if state.busy:
        return frame, ()
    match name:
        case "weigh":
            # Another price for the same goods is another weighing of them, with a ticket of its own.
            is_dearer = state.ticket is not None and state.ticket.fen_per_kg != state.fen_per_kg
            return _asked(frame, state, s.Weigh(state.fen_per_kg, again=is_dearer))
        case "again":
            return _asked(frame, state, s.Weigh(state.fen_per_kg, again=True))
        case "tare":
            return _asked(frame, state, s.SetTare())
        case "print" if shown := state.ticket or state.last:
            return replace(frame, state=replace(state, printed="printing")), (s.PrintAgain(shown.ticket),)
    price = typed(state.price, name, PRICE_DIGITS).lstrip("0")
    return replace(frame, state=replace(state, price=price)), ()


def _asked(frame: Frame, state: WeighGoods, intent: s.Intent) -> Answer:
    return replace(frame, state=replace(state, busy=True, why="", printed=""), notice=None), (intent,)


def on_weigh_step(frame: Frame, state: WeighGoods, step: s.Step) -> Frame | None:
    """The page after a step; None for a step that is not about it."""
    match step:
        case s.WeighBoard():
            return replace(frame, state=replace(state, last=step.last, tare_g=step.tare_g))
        case s.Weighing():
            return replace(frame, state=replace(state, busy=True))
        case s.Weighed():
            done = replace(state, ticket=step.ticket, last=step.ticket, busy=False, why="", printed="")
            return replace(frame, state=done)
        case s.NotWeighed():
            kept = state.ticket if step.why == "same_load" else None  # of other goods than these nothing stays up
            return replace(frame, state=replace(state, ticket=kept, busy=False, why=step.why))
        case s.TareSet():
            told = Notice("told.tare" if step.tare_g else "told.tare_off", (("kg", kilograms(step.tare_g)),), bad=False)
            return replace(frame, state=replace(state, ticket=None, busy=False, tare_g=step.tare_g), notice=told)
        case s.Printing():
            shown = state.ticket or state.last
            is_ours = shown is not None and shown.ticket == step.slip
            return replace(frame, state=replace(state, printed=step.state)) if is_ours else frame
        case s.Refusal():
            return replace(frame, state=replace(state, busy=False, printed=""))
    return None
