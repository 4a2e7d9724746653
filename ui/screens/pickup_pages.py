"""The villager's way to a parcel: standby, home, the code, the choice."""

from __future__ import annotations

from kivy.uix.widget import Widget

from ui.screens import theme
from ui.screens.chrome import FOOT, help_button, language_button, status, villager_page
from ui.screens.keypad import boxes, echo, keypad
from ui.screens.kit import Kit
from ui.screens.pairing_pages import pairing
from ui.screens.parcel_lines import carrier_name, where
from ui.screens.theme import Accent
from ui.screens.widgets import Tap, column, fix, gap, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.formats import pages, tail
from ui.viewmodels.states import CODE_DIGITS, TAIL_DIGITS, Choose, CodeEntry, Wait


def standby(kit: Kit) -> Widget:
    """The clock, the notices, and one way in; the claim code while the hub has not let this terminal in."""
    if kit.frame.pairing is not None:
        return pairing(kit, kit.frame.pairing)
    face = kit.frame.face
    head = row(
        weigh(kit.text(face.site_name, theme.TITLE, bold=True, colour=theme.JADE_DEEP), 1),
        language_button(kit),
        help_button(kit),
        gap=kit.mm(3),
    )
    clock = kit.live_text(
        lambda frame: frame.now.clock, 62 if kit.portrait else 40, bold=True, align="center", floor=14
    )
    day = kit.live_text(lambda frame: day_line(kit, frame), theme.TITLE, align="center", colour=theme.SOFT, height=13)
    start = kit.button("start", kit.t("standby.start"), theme.PICKUP, em=theme.BIG, height=None, radius=4)
    body = [fix(head, height=kit.mm(FOOT)), weigh(clock, 1), day]
    if kit.frame.notices:
        body.append(_notices(kit))
    if not kit.frame.link.online:
        body.append(fix(status(kit), height=kit.mm(10)))
    if kit.frame.setup:
        body.append(_setup(kit))
    body.append(fix(start, height=kit.mm(52 if kit.portrait else 33 if not kit.frame.setup else 24)))
    return column(*body, gap=kit.mm(3), pad=(kit.mm(4), kit.mm(3), kit.mm(4), kit.mm(4)))


def _setup(kit: Kit) -> Widget:
    """A new point: the way in for the technician."""
    said = kit.t(f"standby.setup_{kit.frame.setup}")
    return kit.button("setup", said, theme.STAFF, em=theme.LESS, height=18, icon="device")


def _notices(kit: Kit) -> Widget:
    shown = kit.frame.notices[: 4 if kit.portrait else 1 if kit.frame.setup else 2]
    lines = [
        row(
            kit.icon("dot", 3.2, theme.JADE, theme.CARD),
            weigh(kit.text(text, theme.LESS, on=theme.CARD), 1),
            gap=kit.mm(3),
        )
        for text in shown
    ]
    each = 16 if kit.portrait else 9
    return kit.card(*lines, pad=(5, 1.5), gap=1, height=each * len(shown) + 4)


def day_line(kit: Kit, frame: Frame) -> str:
    if frame.now.day is None:
        return ""
    year, month, day, weekday = frame.now.day
    return kit.t("standby.day", year=year, month=month, day=day, weekday=kit.t(f"weekday.{weekday}"))


def home(kit: Kit) -> Widget:
    """What would you like to do: two great tiles and a person to ask."""
    big = 15 if kit.portrait else 13
    tiles = [
        weigh(_tile(kit, "pickup", theme.PICKUP, "parcel", big), 1.25),
        weigh(_tile(kit, "bill", theme.BILL, "bill", big), 1.25),
        weigh(_tile(kit, "staff", theme.HELP, "person", big * 0.75), 0.8),
    ]
    body = column(*tiles, gap=kit.mm(4)) if kit.portrait else row(*tiles, gap=kit.mm(4))
    operator = kit.button("operator", kit.t("home.operator"), theme.STAFF, look="line", width=44, em=theme.FLOOR)
    page = villager_page(kit, (kit.t("home.title"), theme.PICKUP, "home"), body)
    foot = page.children[0]
    foot.add_widget(operator, index=1)
    return page


def _tile(kit: Kit, name: str, accent: Accent, icon: str, em: float) -> Tap:
    look = "line" if name == "staff" else "fill"
    return kit.button(
        name, kit.t(f"home.{name}"), accent, icon=icon, stack=True, em=em, sub=kit.t(f"home.{name}_sub"),
        sub_em=theme.LESS, height=None, radius=5, look=look, icon_size=em * 2.4, pad=(4, 4),
    )  # fmt: skip


def code_entry(kit: Kit) -> Widget:
    """Six boxes, then four; the pad beside them."""
    state = kit.frame.state
    assert isinstance(state, CodeEntry)
    if state.busy:
        question = kit.t("pickup.checking")
    else:
        question = kit.t("pickup.ask_tail" if state.asks_tail else "pickup.ask_code")
    ask = kit.text(question, 13 if kit.portrait else 11, bold=True, height=30, floor=7, valign="bottom")
    side = 22 if kit.portrait else 14.2
    code = boxes(kit, CODE_DIGITS, _code_shown, theme.PICKUP, side)
    below: list[Widget] = [ask, code]
    if state.asks_tail:
        below += [gap(height=kit.mm(1)), boxes(kit, TAIL_DIGITS, _tail_shown, theme.PICKUP, side)]
    else:
        hint = kit.text(kit.t("pickup.hint"), theme.LESS, colour=theme.JADE_DEEP, on=theme.JADE_PALE)
        scan = row(kit.icon("scan", 12, theme.JADE_DEEP, theme.JADE_PALE), weigh(hint, 1), gap=kit.mm(3))
        below += [gap(height=kit.mm(1)), kit.card(scan, fill=theme.JADE_PALE, border=theme.JADE_PALE, height=21)]
    left = column(*below, Widget(), gap=kit.mm(3.5))
    pad = keypad(kit, lambda frame: not getattr(frame.state, "busy", False))
    return villager_page(kit, (kit.t("pickup.title"), theme.PICKUP, "parcel"), beside(kit, left, pad))


def beside(kit: Kit, left: Widget, pad: Widget) -> Widget:
    """Question and keypad: side by side, on a standing panel one above the other."""
    if kit.portrait:
        left.add_widget(Widget(), index=len(left.children))  # the question stands in the middle of the upper part
        return column(weigh(left, 1), fix(pad, height=kit.mm(128)), gap=kit.mm(5))
    return row(weigh(left, 1), fix(pad, width=kit.mm(102)), gap=kit.mm(6))


def _code_shown(frame: Frame) -> str:
    state = frame.state
    assert isinstance(state, CodeEntry)
    return "●" * CODE_DIGITS if state.busy else echo(state.code, lit=len(state.code) < CODE_DIGITS)


def _tail_shown(frame: Frame) -> str:
    state = frame.state
    assert isinstance(state, CodeEntry)
    return "●" * TAIL_DIGITS if state.busy else echo(state.tail, lit=True)


def wait(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, Wait)
    bill = state.retry == "bill"
    accent = theme.BILL if bill else theme.PICKUP
    glass = row(Widget(), kit.icon("hourglass", 30, accent.fill), Widget())
    said = kit.t("wait.words") if state.words else ""
    body = column(
        Widget(),
        fix(glass, height=kit.mm(30)),
        kit.text(said, 11, bold=True, align="center", height=18),
        Widget(),
        gap=kit.mm(4),
    )
    title = kit.t("bill.title") if bill else kit.t("pickup.title")
    return villager_page(kit, (title, accent, "bill" if bill else "parcel"), body)


def choose(kit: Kit) -> Widget:
    """Several parcels wait: take them all, or tick some."""
    state = kit.frame.state
    assert isinstance(state, Choose)
    rows = kit.frame.face.villager_rows
    first = state.page * rows
    lines: list[Widget] = [_parcel_row(kit, state, i) for i in range(first, min(first + rows, len(state.parcels)))]
    lines.append(Widget())
    every = kit.button(
        "all", kit.t("choose.all"), theme.PICKUP, em=theme.TITLE, height=30 if kit.portrait else 27,
        sub=kit.t("choose.count", n=len(state.parcels)), sub_em=theme.LESS,
    )  # fmt: skip
    some_label = kit.t("choose.some", n=len(state.chosen)) if state.chosen else kit.t("choose.none")
    some = kit.button("some", some_label, theme.PICKUP, look="line", em=theme.LESS, height=21 if kit.portrait else 19)
    kit.able(some, lambda frame: bool(getattr(frame.state, "chosen", ())))
    acts = [every, some, *pager(kit, state.page, pages(len(state.parcels), rows), theme.PICKUP)]
    if kit.portrait:
        body: Widget = column(weigh(column(*lines, gap=kit.mm(3)), 1), *acts, gap=kit.mm(4))
    else:
        side = fix(column(*acts, Widget(), gap=kit.mm(4)), width=kit.mm(62))
        body = row(weigh(column(*lines, gap=kit.mm(3)), 1), side, gap=kit.mm(5))
    return villager_page(kit, (kit.t("choose.title", n=len(state.parcels)), theme.PICKUP, "parcel"), body)


def _parcel_row(kit: Kit, state: Choose, index: int) -> Tap:
    line = state.parcels[index]
    on = line.id in state.chosen
    label = kit.t("choose.line", carrier=carrier_name(kit, line.carrier), tail=tail(line.waybill_no))
    return kit.button(
        f"row_{index % kit.frame.face.villager_rows}", label, theme.PICKUP, look="pale" if on else "line",
        icon="check" if on else "ring", left=True, em=theme.MAIN, sub=where(kit, line), sub_em=theme.LESS, height=25,
        icon_size=11, icon_gap=4,
    )  # fmt: skip


def pager(kit: Kit, page: int, count: int, accent: Accent) -> list[Widget]:
    """Pages, not scrolling: a shaky finger turns a tap into a scroll."""
    if count < 2:
        return []
    height = theme.STAFF_BUTTON if kit.staff else theme.VILLAGER_BUTTON
    width = 26 if kit.staff else None
    em = theme.STAFF_LESS if kit.staff else theme.LESS
    label = kit.text(kit.t("page.of", n=page + 1, of=count), em, align="center", bold=True)
    previous = kit.button("previous", kit.t("page.previous"), accent, look="line", height=height, em=em, width=width)
    following = kit.button("next", kit.t("page.next"), accent, look="line", height=height, em=em, width=width)
    kit.able(previous, lambda _frame: page > 0)
    kit.able(following, lambda _frame: page < count - 1)
    if kit.frame.state.screen == "choose" and not kit.portrait:
        return [fix(row(previous, following, gap=kit.mm(2)), height=kit.mm(height)), fix(label, height=kit.mm(8))]
    line = row(previous, fix(label, width=kit.mm(16)), following, gap=kit.mm(2))
    return [fix(line, height=kit.mm(height))]
