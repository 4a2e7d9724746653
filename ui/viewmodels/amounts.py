"""What the price display has to show for the page that is open: the amount to pay, the amount paid, or nothing. Pure.

Each way to leave a page (a tap, silence, an error) ends here, so no amount stays up for the next person.
"""

from __future__ import annotations

from edge import steps as s
from edge.model import Fen
from ui.viewmodels.frame import Frame, State
from ui.viewmodels.states import BillCash, BillConfirm, Slip
from ui.viewmodels.weigh import WeighGoods

BLANK = s.ShowAmount(Fen(0), "")


def amounts(before: Frame, after: Frame) -> tuple[s.Intent, ...]:
    """Return what to tell the price display now that `after` follows `before`."""
    wanted = _shown(after.state)
    if wanted == _shown(before.state) or isinstance(wanted, str):
        return ()
    return (wanted or BLANK,)


def of_page(frame: Frame) -> s.ShowAmount:
    """What has to be up for a page that shows no ticket: a flow that ended late has put something else there."""
    wanted = _shown(frame.state)
    return wanted if isinstance(wanted, s.ShowAmount) else BLANK


def _shown(state: State) -> s.ShowAmount | str | None:
    """A ticket's number: its flow has put weight and value up, and they stay."""
    match state:
        case BillConfirm(bill=bill) | BillCash(bill=bill):
            return s.ShowAmount(bill.fen, "total")
        case Slip(slip=slip):
            return s.ShowAmount(slip.bill.fen, "received")
        case WeighGoods(ticket=ticket) if ticket is not None:
            return ticket.ticket
    return None
