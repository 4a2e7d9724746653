"""What stands on a slip of paper, line by line: a bill's acceptance or receipt, and a weighing. Pure.

The sentences come from the catalogue through `Letterhead.say`; how they are drawn is the printer's matter
(drivers/printer.py). Only masked values reach paper: a slip is dropped in the street.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.paper import BarCode, Cut, Line, Text
from edge.sheet import Figures, Sheet
from edge.steps import SlipShown, Ticket


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who issues the slip, and the words: `say` is (key, **slots); `site` and `phone` may be ""."""

    say: Callable[..., str]
    site: str = ""
    phone: str = ""


def bill_slip(head: Letterhead, shown: SlipShown, copy: int) -> tuple[Line, ...]:
    """Set the slip of a bill as it stands now: accepted, posted, refused or given back; never more than is known."""
    bill, say = shown.bill, head.say
    facts = (
        say("paper.slip", slip=shown.slip),
        say("paper.biller", biller=bill.biller),
        say("paper.period", kind=say(f"kind.{bill.kind}"), period=bill.period),
        say("paper.payer", name=bill.name.masked()) if bill.name.plain() else "",
        say("paper.account", account=bill.account_no.masked()),
    )
    lines = (
        *_top(head, say(f"paper.title_{bill.state}"), copy),
        Text(say(f"paper.state_{bill.state}"), is_big=True, is_centred=True),
        *_texts(facts),
        Text(say("paper.amount", fen=bill.fen), is_big=True),
        *_texts((say("paper.capitals", fen=bill.fen), say("paper.cash"))),
        *_texts((say(f"paper.note_{bill.state}"), say("paper.time", at=shown.at))),
        *_texts((say("paper.operator", name=shown.operator), say("paper.check", check=shown.check))),
    )
    return (*lines, *_foot(head, shown.slip))


def weighing_slip(head: Letterhead, ticket: Ticket, copy: int) -> tuple[Line, ...]:
    """Set the slip of a weighing: weight in kilograms, price and value if there were any."""
    say = head.say
    lines: list[Line] = [*_top(head, say("paper.title_weighing"), copy)]
    lines += _texts((say("paper.slip", slip=ticket.ticket),))
    if ticket.reweigh is not None:
        lines += _texts((say("paper.reweigh", slip=ticket.reweigh),))
    if ticket.tare_g:
        gross = ticket.net_g + ticket.tare_g
        lines += _texts((say("paper.gross", grams=gross), say("paper.tare", grams=ticket.tare_g)))
    is_net = ticket.tare_g is None or ticket.tare_g > 0
    lines.append(Text(say("paper.net" if is_net else "paper.weight", grams=ticket.net_g), is_big=True))
    if ticket.fen_per_kg is not None and ticket.fen is not None:
        lines += _texts((say("paper.price", fen=ticket.fen_per_kg),))
        lines.append(Text(say("paper.amount", fen=ticket.fen), is_big=True))
        lines += _texts((say("paper.capitals", fen=ticket.fen), say("paper.rounding")))
    lines += _texts((say("paper.time", at=ticket.at), say("paper.operator", name=ticket.operator)))
    lines += _texts((say("paper.check", check=ticket.check), say("paper.note_weighing")))
    return (*lines, *_foot(head, ticket.ticket))


def sheet_slip(head: Letterhead, sheet: Sheet) -> tuple[Line, ...]:
    """Set the reconciliation sheet: each figure of ours, and the hub's beside it where they differ."""
    say, end = head.say, sheet.stretch.end
    lines: list[Line] = [*_top(head, say("sheet.title"), 0)]
    lines.append(Text(say(f"sheet.verdict_{verdict(sheet)}"), is_big=True, is_centred=True))
    lines += _texts((say("sheet.site", site=sheet.stretch.site), say("sheet.away", days=sheet.days, hours=sheet.hours)))
    lines += _texts((say("sheet.from", at=sheet.since), say("sheet.to", at=sheet.until)))
    lines += [Text(say("sheet.row", name=name, figure=figure)) for name, figure in sheet_rows(head, sheet)]
    lines += _texts((say("sheet.log", log=end.log_id), say("sheet.span", first=sheet.stretch.after + 1, last=end.upto)))
    lines.append(Text(say("sheet.digest", digest=sheet.ours.digest[:16])))
    if sheet.hub is not None:
        lines.append(Text(say("sheet.digest_hub", digest=sheet.hub.digest[:16])))
    if sheet.code:
        lines.append(Text(say("sheet.code", code=sheet.code), is_big=True, is_centred=True))
    return (*lines, Cut())


def verdict(sheet: Sheet) -> str:
    """One word: waits (the hub has not answered), agrees, differs, forged (the code is not the hub's)."""
    if sheet.hub is None:
        return "waits"
    if not sheet.is_genuine:
        return "forged"
    return "differs" if sheet.differences else "agrees"


def sheet_rows(head: Letterhead, sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """Names and figures, ours first and the hub's after it where it counts something else."""
    rows: list[tuple[str, str]] = []
    for name in ("facts", "parcels_in", "parcels_out", "accepted", "posted", "refused"):
        sides = [sheet.ours] if sheet.hub is None else [sheet.ours, sheet.hub]
        told = [_figure(head, each, name) for each in sides]
        same = len(set(told)) == 1
        figure = told[0] if same else head.say("sheet.both", ours=told[0], hub=told[-1])
        rows.append((head.say(f"sheet.{name}"), figure))
    return tuple(rows)


def _figure(head: Letterhead, side: Figures, name: str) -> str:
    number = getattr(side, name)
    fen = getattr(side, f"{name}_fen", None)
    return str(number) if fen is None else head.say("sheet.money", n=number, fen=fen)


def _top(head: Letterhead, title: str, copy: int) -> Iterator[Line]:
    if head.site:
        yield Text(head.site, is_centred=True)
    yield Text(title, is_big=True, is_centred=True)
    if copy:
        yield Text(head.say("paper.copy", n=copy), is_big=True, is_centred=True)


def _foot(head: Letterhead, slip: str) -> Iterator[Line]:
    yield Text(head.say("paper.no_invoice"))
    if head.phone:
        yield Text(head.say("paper.phone", phone=head.phone))
    yield BarCode(slip)
    yield Cut()


def _texts(lines: tuple[str, ...]) -> list[Line]:
    return [Text(line) for line in lines if line]
