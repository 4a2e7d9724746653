"""Weighing with a ticket: goods on the pan, a weight at rest, a value at a price that was keyed in.

It buys nothing and pays nothing out: the ticket is a statement of weight that both sides saw, not a settlement of
produce. The customer sees weight and value on the price display; on objection it is weighed again, which is written
down with the ticket it repeats (reference domain.md 3.5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from drivers.base import DeviceError, Garbled, NoAnswer, NotThere, Refused, Scale, Settled
from edge import weighings
from edge.flows.site import Site
from edge.model import Fen, OperatorId, Rejected
from edge.steps import NotWeighed, Step, TareSet, WeighBoard, Weighed, Weighing
from edge.weighings import Load

MAX_FEN_PER_KG = 999_99  # 999.99 yuan/kg: five digits of the pad; dearer goods are not sold by the kilogram here


async def board(site: Site) -> WeighBoard:
    """The page as it opens: the last ticket, and the tare that holds."""
    return WeighBoard(await site.store.run(weighings.newest), site.tare_g)


async def weigh(site: Site, fen_per_kg: Fen | None, operator: OperatorId, again: bool) -> AsyncIterator[Step]:
    """Weigh once what lies on the pan. Errors: Rejected no_scale, wrong_amount for a price beyond the pad."""
    if fen_per_kg is not None and not 0 < fen_per_kg <= MAX_FEN_PER_KG:
        raise Rejected("wrong_amount")
    scale = _scale(site)
    site.price_board.blank()
    yield Weighing()
    try:
        seen = await scale.weigh(site.times.weigh_s, again)
    except DeviceError as error:
        yield NotWeighed(_why(error))
        return
    if seen.outcome is not Settled.WEIGHED or seen.grams is None:
        yield NotWeighed(seen.outcome.value)
        return
    tare_g = site.tare_g if site.tare_g or not seen.is_net else None
    repeats = site.weighed[1] if again and site.weighed and site.weighed[0] == seen.load else None
    ticket = await site.store.run(weighings.weighed, Load(seen.grams, tare_g), fen_per_kg, operator, repeats)
    site.weighed = seen.load, ticket.ticket
    site.price_board.weighed(ticket)
    yield Weighed(ticket)


async def tare(site: Site) -> AsyncIterator[Step]:
    """Count the box on the pan as zero; with an empty pan count from nothing again. Errors: Rejected no_scale."""
    scale = _scale(site)
    yield Weighing()
    try:
        seen = await scale.tare(site.times.weigh_s)
    except DeviceError as error:
        yield NotWeighed(_why(error))
        return
    if seen.outcome not in (Settled.WEIGHED, Settled.EMPTY):
        yield NotWeighed(seen.outcome.value)
        return
    site.tare_g = seen.grams or 0
    yield TareSet(site.tare_g)


def _scale(site: Site) -> Scale:
    if site.counter.scale is None:
        raise Rejected("no_scale")
    return site.counter.scale


def _why(error: DeviceError) -> str:
    match error:
        case NotThere():
            return "away"
        case NoAnswer():
            return "silent"
        case Garbled():
            return "garbled"
        case Refused():
            return "unfit"
    return "silent"
