"""A door, a shelf, an end: opening, take it, fetch, thanks, refused, ask the staff, help, closed, trouble."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import ParcelLine
from ui.screens import theme
from ui.screens.chrome import refusal_text, villager_page
from ui.screens.kit import Kit
from ui.screens.parcel_lines import carrier_name
from ui.screens.theme import Accent, Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.formats import tail
from ui.viewmodels.states import Broken, Done, Door, Fetch, Help, Opening, Refused, Shut, Staff


def number_card(kit: Kit, number: int, ground: Colour, ink: Colour, side: float = 62) -> Widget:
    """The number of the cell, to be seen from two steps away."""
    made = kit.card(
        kit.text(str(number), 44, bold=True, align="center", on=ground, colour=ink, floor=20),
        kit.text(kit.t("door.cell_word"), theme.TITLE, align="center", on=ground, colour=ink, height=13),
        fill=ground, border=ground, radius=5, gap=0, pad=(3, 3),
    )  # fmt: skip
    return fix(made, width=kit.mm(side)) if not kit.portrait else fix(made, height=kit.mm(side * 1.3))


def opening(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, Opening)
    side = middle_if_tall(kit)
    words = column(
        Widget(),
        kit.text(kit.t("door.opening", n=state.cell), 13, bold=True, height=40, floor=8, valign="bottom", align=side),
        kit.text(kit.t("door.opening_hint"), theme.MAIN, colour=theme.SOFT, height=24, valign="top", align=side),
        Widget(),
        gap=kit.mm(3),
    )
    number = number_card(kit, state.cell, theme.JADE_PALE, theme.JADE_DEEP)
    return villager_page(kit, (kit.t("pickup.title"), theme.PICKUP, "door"), two(kit, number, words), leave=False)


def middle_if_tall(kit: Kit) -> str:
    """Beside a card text starts at the left; under one it stands in the middle."""
    return "center" if kit.portrait else "left"


def two(kit: Kit, left: Widget, right: Widget) -> Widget:
    if kit.portrait:
        return column(left, weigh(right, 1), gap=kit.mm(6))
    return row(left, weigh(right, 1), gap=kit.mm(7))


def door(kit: Kit) -> Widget:
    """The door stands open: what to do, and how long."""
    state = kit.frame.state
    assert isinstance(state, Door)
    urgent = state.stage != "take"
    accent = theme.HELP if urgent else theme.PICKUP
    title = kit.text(kit.t(f"door.{state.stage}", n=state.cell), 13, bold=True, floor=7, colour=accent.deep)
    title.valign, title.align = "bottom", middle_if_tall(kit)
    hint = kit.text(kit.t(f"door.{state.stage}_hint"), theme.TITLE, floor=5.5, valign="top", align=title.align)
    lines: list[Widget] = [weigh(title, 1.25), weigh(hint, 1)]
    if state.left:
        more = kit.t("door.left", n=state.left)
        lines.append(kit.text(more, theme.LESS, height=9, colour=theme.SOFT, align=title.align))
    if state.seconds:
        lines.append(countdown(kit, accent))
    if state.cell in kit.frame.face.blind_cells:
        lines.append(kit.button("shut", kit.t("door.shut"), theme.PICKUP, em=theme.TITLE, icon="check", height=20))
    number = number_card(kit, state.cell, accent.fill, theme.WHITE)
    body = two(kit, number, column(*lines, gap=kit.mm(3)))
    return villager_page(kit, (kit.t("pickup.title"), accent, "door"), body, leave=False)


def countdown(kit: Kit, accent: Accent) -> Widget:
    text = kit.live_text(
        lambda frame: kit.t("door.seconds", n=frame.left_s if frame.left_s is not None else _seconds(frame)),
        theme.TITLE, bold=True, on=accent.pale, colour=accent.deep, align="center",
    )  # fmt: skip
    card = kit.card(text, fill=accent.pale, border=accent.pale, pad=(4, 1), height=15, width=84)
    return fix(row(*([Widget()] if kit.portrait else []), card, Widget()), height=kit.mm(15))


def _seconds(frame: Frame) -> int:
    return int(getattr(frame.state, "seconds", 0))


def fetch(kit: Kit) -> Widget:
    """The place on the shelf, large; the operator brings it and scans it."""
    state = kit.frame.state
    assert isinstance(state, Fetch)
    most = 6 if kit.portrait else 3
    cards = [_place_card(kit, line) for line in state.parcels[:most]]
    rest = len(state.parcels) - len(cards)
    more = [kit.text(kit.t("fetch.more", n=rest), theme.LESS, colour=theme.SOFT, height=9)] if rest else []
    spare = [weigh(Widget(), most - len(cards))] if len(cards) < most else []
    ask = kit.text(kit.t("fetch.ask"), 9.5, bold=True, height=13, floor=6)
    body = column(ask, *cards, *more, *spare, gap=kit.mm(2.4))
    operator = kit.button("operator", kit.t("home.operator"), theme.STAFF, look="line", width=44, em=theme.FLOOR)
    if kit.portrait:
        body.add_widget(fix(row(Widget(), operator), height=kit.mm(theme.VILLAGER_BUTTON)))
    page = villager_page(kit, (kit.t("fetch.title"), theme.PICKUP, "shelf"), body)
    if not kit.portrait:
        page.children[0].add_widget(operator, index=1)  # in the foot, before the language
    return page


def _place_card(kit: Kit, line: ParcelLine) -> Widget:
    deep = {"on": theme.JADE_PALE, "colour": theme.JADE_DEEP}
    place = kit.text(line.place or "--", 18, bold=True, floor=9, **deep)
    named = kit.t("choose.line", carrier=carrier_name(kit, line.carrier), tail=tail(line.waybill_no))
    what = kit.text(named, theme.LESS, align="right", **deep)
    card = kit.card(
        weigh(place, 1.2), weigh(what, 1), fill=theme.JADE_PALE, border=theme.JADE_PALE, orientation="horizontal",
        pad=(6, 1.5),
    )  # fmt: skip
    return weigh(card, 1)


def done(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, Done)
    body = ending(kit, "check", theme.PICKUP, kit.t("thanks.title", n=state.count), kit.t("thanks.hint"))
    return villager_page(kit, (kit.t("pickup.title"), theme.PICKUP, "parcel"), body)


def ending(kit: Kit, icon: str, accent: Accent, title: str, hint: str, *actions: Widget) -> Widget:
    """A result page: one sign, one sentence, what next, and the seconds until it goes away."""
    side = 46.0
    sign = kit.card(kit.icon(icon, 28, theme.WHITE, accent.fill), fill=accent.fill, border=accent.fill, radius=side / 2)
    fix(sign, kit.mm(side), kit.mm(side))
    sign.padding = [kit.mm((side - 28) / 2)] * 4
    sign.pos_hint = {"center_x": 0.5, "center_y": 0.5}
    acts: list[Widget] = list(actions)
    if kit.frame.state.screen != "closed":
        finish = kit.button(
            "done", kit.t("chrome.done"), accent, em=theme.TITLE, height=21, look="line" if acts else "fill"
        )
        acts.append(finish)
    goes = kit.live_text(
        lambda frame: kit.t("chrome.goes", n=frame.left_s) if frame.left_s is not None else "",
        theme.FLOOR, colour=theme.SOFT, height=7,
    )  # fmt: skip
    em, align = (14 if kit.portrait else 12 if kit.lang == "zh" else 10.5), middle_if_tall(kit)
    goes.align = align
    said: list[Widget] = [
        weigh(kit.text(title, em, bold=True, colour=accent.deep, floor=6.5, valign="bottom", align=align), 1.2),
        weigh(kit.text(hint, theme.MAIN, floor=4.8, valign="top", align=align), 1),
        goes,
    ]
    if kit.portrait:
        middle = fix(row(Widget(), sign, Widget()), height=kit.mm(side))
        block = fix(column(*said, gap=kit.mm(4)), height=kit.mm(100))
        return column(Widget(), middle, block, Widget(), *acts, gap=kit.mm(4))
    line = row(sign, weigh(column(*said, gap=kit.mm(2)), 1), gap=kit.mm(8), pad=(kit.mm(4), 0, 0, 0))
    if not acts:
        return line
    return column(weigh(line, 1), fix(row(*acts, gap=kit.mm(4)), height=kit.mm(21)), gap=kit.mm(2))


def refused(kit: Kit) -> Widget:
    """A plain sentence for each refusal, and what can be done."""
    state = kit.frame.state
    assert isinstance(state, Refused)
    said = refusal_text(kit, state.code, dict(state.slots))
    acts = []
    if state.retry and state.code != "locked_out":
        acts.append(kit.button("retry", kit.t("chrome.retry"), theme.PICKUP, em=theme.TITLE, height=21))
    title = kit.t("refused_title.bill" if state.retry == "bill" else "refused_title.pickup")
    body = ending(kit, "warn", theme.HELP, said, kit.t("refused_title.hint"), *acts)
    return villager_page(kit, (title, theme.HELP, "warn"), body)


def staff(kit: Kit) -> Widget:
    """A device failed: a person must help."""
    state = kit.frame.state
    assert isinstance(state, Staff)
    why = kit.t(f"staff_why.{state.why}", cell=state.cell or 0)
    phone = kit.frame.face.help_phone
    hint = why + ("\n" + kit.t("help.phone", phone=phone) if phone else "")
    body = ending(kit, "person", theme.HELP, kit.t("staff.title"), hint)
    return villager_page(kit, (kit.t("staff.head"), theme.HELP, "warn"), body)


def help_called(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, Help)
    hint = kit.t("help.hint") + ("\n" + kit.t("help.phone", phone=state.phone) if state.phone else "")
    body = ending(kit, "person", theme.HELP, kit.t("help.title"), hint)
    return villager_page(kit, (kit.t("help.head"), theme.HELP, "person"), body)


def shut(kit: Kit) -> Widget:
    """The terminal cannot work: what it is, whom to call, that nothing is lost."""
    state = kit.frame.state
    assert isinstance(state, Shut)
    why = kit.t(f"closed.{state.code}") if state.code in ("S1", "S2", "S3") else kit.t("closed.S4")
    lines = [why]
    if state.backup:
        lines.append(kit.t("closed.backup"))
    if kit.frame.face.help_phone:
        lines.append(kit.t("help.phone", phone=kit.frame.face.help_phone))
    body = ending(kit, "warn", theme.HELP, kit.t("closed.title", code=state.code), "\n".join(lines))
    return villager_page(kit, (kit.t("closed.head"), theme.HELP, "warn"), body, leave=False)


def broken(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, Broken)
    title = kit.text(kit.t("trouble.title"), 13, bold=True, align="center", valign="bottom", floor=7)
    hint = kit.text(kit.t("trouble.hint"), theme.TITLE, align="center", valign="top", floor=6)
    number = kit.text(kit.t("trouble.number", number=state.number), theme.LESS, align="center", colour=theme.SOFT)
    body = column(weigh(title, 1), weigh(hint, 0.7), fix(number, height=kit.mm(12)), gap=kit.mm(3))
    return villager_page(kit, (kit.t("trouble.head"), theme.HELP, "warn"), body, leave=False)
