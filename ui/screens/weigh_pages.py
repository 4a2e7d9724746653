"""Goods on the scale: the weight large enough for both sides of the counter, the value at a price, the ticket."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import Ticket
from ui.screens import theme
from ui.screens.chrome import staff_page
from ui.screens.intake_pages import staff_beside
from ui.screens.keypad import field, keypad
from ui.screens.kit import Kit
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row
from ui.screens.widgets import weigh as share
from ui.viewmodels import Frame
from ui.viewmodels.formats import jin, kilograms, plain_yuan, yuan
from ui.viewmodels.weigh import WeighGoods


def weigh(kit: Kit) -> Widget:
    """Weight and value on the left, the price's pad on the right; paper and tare below."""
    state = kit.frame.state
    assert isinstance(state, WeighGoods)
    go = kit.button("weigh", kit.t("weigh.go"), theme.PICKUP, icon="scale", em=theme.STAFF_TITLE, height=17)
    again = kit.button("again", kit.t("weigh.again"), theme.PICKUP, look="line", em=theme.STAFF_MAIN, height=17)
    for tap in (go, again):
        kit.able(tap, _is_free)
    left = column(
        share(_card(kit, state), 1),
        fix(_news(kit, state), height=kit.mm(11)),
        fix(row(share(go, 1.2), share(again, 1), gap=kit.mm(3)), height=kit.mm(17)),
        gap=kit.mm(2),
    )
    price = field(kit, _price, kit.t("weigh.price_empty"), theme.STAFF, 14)
    ask = kit.text(kit.t("weigh.price"), theme.STAFF_MAIN, height=7, colour=theme.SOFT)
    pad = column(ask, price, share(keypad(kit, _is_free), 1), gap=kit.mm(2))
    acts: list[Widget] = [kit.able(kit.button("tare", kit.t("weigh.tare"), look="line", width=34), _is_free)]
    shown = state.ticket or state.last
    if kit.frame.face.has_printer and shown is not None:
        key = "weigh.print" if state.ticket else "weigh.print_last"
        paper = kit.button("print", kit.t(key), look="line", width=46)
        acts.append(kit.able(paper, lambda f: _is_free(f) and getattr(f.state, "printed", "") != "printing"))
    return staff_page(kit, kit.t("weigh.title"), staff_beside(kit, left, pad), "scale", *acts)


def _is_free(frame: Frame) -> bool:
    return not getattr(frame.state, "busy", False)


def _price(frame: Frame) -> str:
    digits = getattr(frame.state, "price", "")
    return plain_yuan(int(digits)) if digits else ""


def _card(kit: Kit, state: WeighGoods) -> Widget:
    """The weight, or what to do."""
    if state.busy:
        return _words(kit, kit.t("weigh.busy"), theme.CARD, theme.INK)
    if state.why and state.ticket is None:
        return _words(kit, kit.t(f"weigh_why.{state.why}"), theme.BRICK_PALE, theme.BRICK_DEEP)
    if state.ticket is None:
        return _words(kit, kit.t("weigh.ask"), theme.CARD, theme.SLATE)
    ticket, ground, ink = state.ticket, theme.JADE_PALE, theme.JADE_DEEP
    style = {"on": ground, "colour": ink}
    is_net = ticket.tare_g is None or ticket.tare_g > 0
    said = kit.t("weigh.net" if is_net else "weigh.weight") + "  " + kit.t("weigh.jin", jin=jin(ticket.net_g))
    lines: list[Widget] = [
        kit.text(said, theme.STAFF_LESS, height=7, **style),
        share(kit.text(f"{kilograms(ticket.net_g)} kg", 20 if kit.portrait else 16, bold=True, floor=9, **style), 1),
    ]
    if ticket.fen is not None and ticket.fen_per_kg is not None:
        by = kit.t("weigh.by", price=yuan(ticket.fen_per_kg))
        lines.append(kit.text(by, theme.STAFF_LESS, height=6, **style))
        lines.append(kit.text(yuan(ticket.fen), 13, bold=True, height=16, floor=6, **style))
    lines.append(kit.text(_number(kit, ticket), theme.STAFF_LESS, height=7, **style))
    return kit.card(*lines, fill=ground, border=ink, pad=(6, 2), gap=0.5)


def _number(kit: Kit, ticket: Ticket) -> str:
    said = kit.t("weigh.ticket", ticket=ticket.ticket)
    return said if ticket.reweigh is None else said + "  " + kit.t("weigh.repeats", ticket=ticket.reweigh)


def _words(kit: Kit, said: str, ground: Colour, ink: Colour) -> Widget:
    text = kit.text(said, 9, bold=True, on=ground, colour=ink, floor=5.5)
    return kit.card(share(text, 1), fill=ground, pad=(6, 3))


def _news(kit: Kit, state: WeighGoods) -> Widget:
    """What became of the paper; or that these goods were weighed already; or the box that counts as zero."""
    if state.printed:
        return _line(kit, kit.t(f"print_ticket.{state.printed}"), state.printed not in ("printing", "done", "sent"))
    if state.why == "same_load":
        return _line(kit, kit.t("weigh_why.same_load"), True)
    if state.tare_g:
        return _line(kit, kit.t("weigh.tared", kg=kilograms(state.tare_g)), False)
    return Widget()


def _line(kit: Kit, said: str, bad: bool) -> Widget:
    ink = theme.BRICK_DEEP if bad else theme.SLATE_DEEP
    return kit.text(said, theme.STAFF_LESS, bold=True, colour=ink, floor=theme.STAFF_FLOOR)
