"""Login, the day board, and the bills taken."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import BillLine, DayBoard
from ui import words
from ui.screens import theme
from ui.screens.bill_pages import pin_boxes
from ui.screens.chrome import notice, staff_page, villager_page
from ui.screens.keypad import keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import beside, pager
from ui.screens.theme import Colour
from ui.screens.widgets import Tap, column, fix, row, weigh
from ui.viewmodels.formats import capitals, minute, pages, yuan
from ui.viewmodels.staff_states import Login, Money
from ui.viewmodels.states import PIN_MIN


def login(kit: Kit) -> Widget:
    """The operator's PIN; dots only."""
    state = kit.frame.state
    assert isinstance(state, Login)
    go = kit.button("ok", kit.t("chrome.ok"), theme.STAFF, em=theme.TITLE, height=20, icon="check")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN)
    news: Widget = fix(notice(kit), height=kit.mm(19)) if kit.frame.notice else Widget()
    left = column(
        kit.text(
            kit.t("login.busy" if state.busy else "login.ask"), 11, bold=True, height=20, floor=7, valign="bottom"
        ),
        pin_boxes(kit),
        news,
        go,
        Widget(),
        gap=kit.mm(4),
    )
    pad = keypad(kit, lambda f: not getattr(f.state, "busy", False))
    return villager_page(kit, (kit.t("login.title"), theme.STAFF, "person"), beside(kit, left, pad))


def board(kit: Kit) -> Widget:
    """The day at a glance: counts, alarms, and where to go."""
    day = kit.frame.day
    menu = _menu(kit)
    facts = _facts(kit, day) if day else column(kit.text(kit.t("wait.words"), theme.STAFF_TITLE, align="center"))
    if kit.portrait:
        body: Widget = column(weigh(facts, 1), fix(menu, height=kit.mm(100)), gap=kit.mm(4))
    else:
        body = row(weigh(facts, 1), fix(menu, width=kit.mm(62)), gap=kit.mm(4))
    leave = kit.button("logout", kit.t("board.logout"), look="line", icon="leave", width=44)
    return staff_page(kit, kit.t("board.title"), body, "home", leave, back=False)


def _menu(kit: Kit) -> Widget:
    small = [
        _entry(kit, "search", "search"), _entry(kit, "money", "money"), _entry(kit, "sync", "sync"),
        _entry(kit, "devices", "device"), _entry(kit, "cells", "door"),
    ]  # fmt: skip
    if kit.frame.face.has_scale:
        small.insert(2, _entry(kit, "weigh", "scale"))
    intake = kit.button(
        "intake",
        kit.t("board.intake"),
        theme.PICKUP,
        icon="scan",
        em=theme.STAFF_TITLE,
        left=True,
        height=None,
        pad=(5, 1),
    )
    return column(weigh(intake, 1.4), *small, gap=kit.mm(2))


def _entry(kit: Kit, name: str, icon: str) -> Tap:
    return kit.button(
        name, kit.t(f"board.{name}"), look="line", icon=icon, left=True, em=theme.STAFF_MAIN, height=None, pad=(5, 1),
        icon_size=7, icon_gap=4,
    )  # fmt: skip


def _facts(kit: Kit, day: DayBoard) -> Widget:
    counts: tuple[tuple[str, int, bool], ...] = (
        ("arrived", day.arrived, False),
        ("picked_up", day.picked_up, False),
        ("expected", day.expected, False),
        ("in_locker", day.in_locker, False),
        ("on_shelf", day.on_shelf, False),
        ("overdue", day.overdue, True),
        ("exceptions", day.exceptions, True),
        ("cells_free", day.cells_free, False),
        ("cells_out", day.cells_out, True),
    )
    tiles = [_count(kit, name, number, bad and number > 0) for name, number, bad in counts]
    lines: list[Widget] = [row(*tiles[i : i + 3], gap=kit.mm(2.5)) for i in range(0, 9, 3)]
    parts: list[Widget] = [weigh(column(*lines, gap=kit.mm(2.5)), 1), _money_line(kit, day)]
    asks: list[Widget] = []
    if day.pending_deposits:
        asks.append(kit.button(
            "pending", kit.t("board.pending", n=len(day.pending_deposits)), theme.HELP, icon="warn", left=True,
            em=theme.STAFF_MAIN, pad=(4, 1),
        ))  # fmt: skip
    if day.codes:
        asks.append(kit.button(
            "batch", kit.t("board.codes", n=day.codes), theme.STAFF, look="line", icon="scan", left=True,
            em=theme.STAFF_MAIN, pad=(4, 1),
        ))  # fmt: skip
    if asks:
        parts.append(fix(row(*asks, gap=kit.mm(2.5)), height=kit.mm(theme.STAFF_BUTTON)))
    if day.alarms:
        parts.append(_alarms(kit, day.alarms))
    return column(*parts, gap=kit.mm(2.5))


def _count(kit: Kit, name: str, number: int, bad: bool) -> Widget:
    ground: Colour = theme.BRICK_PALE if bad else theme.CARD
    ink: Colour = theme.BRICK_DEEP if bad else theme.INK
    label = kit.text(kit.t(f"count.{name}"), theme.STAFF_LESS, on=ground, colour=ink if bad else theme.SOFT)
    figure = kit.text(str(number), 10, bold=True, on=ground, colour=ink, floor=5, align="right")
    wide = 18 if number < 100 else 24
    parts = (weigh(label, 1), fix(figure, width=kit.mm(wide)))
    return kit.card(*parts, fill=ground, orientation="horizontal", pad=(3.5, 0.8), gap=1)


def _money_line(kit: Kit, day: DayBoard) -> Widget:
    said = kit.t("board.cash", n=day.bills_accepted, yuan=yuan(day.cash_fen))
    open_bills = kit.t("board.unposted", n=day.bills_unposted)
    if day.refunds:
        open_bills += "  " + kit.t("board.refunds", n=day.refunds)
    return kit.card(
        row(
            kit.icon("money", 7.5, theme.INDIGO, theme.CARD),
            weigh(kit.text(said, theme.STAFF_MAIN, bold=True, on=theme.CARD), 1.15),
            weigh(kit.text(open_bills, theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT, align="right"), 1),
            gap=kit.mm(3),
        ),
        pad=(4, 1), height=14,
    )  # fmt: skip


def _alarms(kit: Kit, alarms: tuple[str, ...]) -> Widget:
    shown = alarms[: 6 if kit.portrait else 2]
    lines = [
        row(
            kit.icon("warn", 5.5, theme.BRICK_DEEP, theme.BRICK_PALE),
            weigh(kit.text(_alarm(kit, a), 5, bold=True, on=theme.BRICK_PALE, colour=theme.BRICK_DEEP), 1),
            gap=kit.mm(3),
        )
        for a in shown
    ]
    rest = len(alarms) - len(shown)
    if rest:
        lines.append(kit.text(kit.t("board.more_alarms", n=rest), 4.2, on=theme.BRICK_PALE, colour=theme.BRICK_DEEP))
    height = 8 * len(shown) + (6.5 if rest else 0) + 3
    return kit.card(*lines, fill=theme.BRICK_PALE, border=theme.BRICK, pad=(4, 1.5), gap=0, height=height)


def _alarm(kit: Kit, code: str) -> str:
    """An alarm is a code, with what it is about after a colon: wrong_door:7."""
    name, _, about = code.partition(":")
    said = kit.t(f"alarm.{name}") if words.known(f"alarm.{name}", kit.lang) else name
    return f"{said} {about}".strip()


def money(kit: Kit) -> Widget:
    """Bills taken; a refused one is paid back here."""
    state = kit.frame.state
    assert isinstance(state, Money)
    if state.refund is not None:
        return _refund(kit, state.refund)
    if state.board is None:
        return staff_page(kit, kit.t("money.title"), kit.text(kit.t("wait.words"), align="center"), "money")
    rows = kit.frame.face.operator_rows
    first = state.page * rows
    shown = state.board.bills[first : first + rows]
    lines: list[Widget] = [_money_row(kit, line, i) for i, line in enumerate(shown)]
    if not shown:
        lines.append(kit.text(kit.t("money.none"), theme.STAFF_TITLE, align="center", height=30, colour=theme.SOFT))
    total = kit.text(kit.t("money.total", yuan=yuan(state.board.total_fen)), theme.STAFF_TITLE, bold=True)
    waits = kit.text(
        kit.t("money.unposted", yuan=yuan(state.board.unposted_fen)), theme.STAFF_MAIN, align="right", colour=theme.SOFT
    )
    head = fix(row(weigh(total, 1), weigh(waits, 1)), height=kit.mm(11))
    body = column(head, *lines, Widget(), gap=kit.mm(2))
    turn = pager(kit, state.page, pages(len(state.board.bills), rows), theme.STAFF)
    return staff_page(kit, kit.t("money.title"), body, "money", *[fix(t, width=kit.mm(72)) for t in turn])


def _money_row(kit: Kit, line: BillLine, index: int) -> Widget:
    bad = line.state == "refused"
    ground = theme.BRICK_PALE if bad else theme.CARD
    ink = theme.BRICK_DEEP if bad else theme.INK
    who = f"{kit.t('kind.' + line.kind)}  {line.name.masked()}  {line.account_no.masked()}"
    what = column(
        kit.text(who, theme.STAFF_MAIN, bold=True, on=ground, colour=ink),
        kit.text(
            f"{line.slip or '--'}  {minute(line.at)}" + (f"  {line.reason}" if line.reason else ""),
            theme.STAFF_LESS, on=ground, colour=ink if bad else theme.SOFT,
        ),
    )  # fmt: skip
    prints = kit.frame.face.has_printer and line.slip is not None
    wide = 32 if prints else 38  # of the state's words, which then stand in two lines
    amount = kit.text(yuan(line.fen), 6.5, bold=True, on=ground, colour=ink, align="right", width=38 if prints else 44)
    if bad:
        act: Widget = kit.button(f"row_{index}", kit.t("money.refund"), theme.HELP, width=wide, em=theme.STAFF_LESS)
    else:
        act = kit.text(
            kit.t(f"bill_state.{line.state}"), theme.STAFF_LESS, on=ground, colour=ink, align="center", width=wide
        )
    parts = [weigh(what, 1), amount, act]
    if prints:
        parts.append(kit.button(f"print_{index}", kit.t("money.print"), look="line", width=21, em=theme.STAFF_LESS))
    return kit.card(*parts, fill=ground, orientation="horizontal", pad=(4, 0.8, 2, 0.8), gap=3, height=15)


def _refund(kit: Kit, line: BillLine) -> Widget:
    """Count the money into the hand, then confirm."""
    body = column(
        Widget(),
        kit.text(kit.t("refund.ask", name=line.name.masked()), 9, bold=True, height=16, floor=5),
        kit.text(yuan(line.fen), 20, bold=True, height=26, colour=theme.BRICK_DEEP, floor=9),
        kit.text(capitals(line.fen), theme.STAFF_TITLE, height=18, floor=4.6, valign="top"),
        kit.text(kit.t("refund.slip", slip=line.slip or "--", reason=line.reason or ""), theme.STAFF_MAIN, height=10),
        Widget(),
        kit.button("yes", kit.t("refund.yes"), theme.HELP, em=theme.STAFF_TITLE, height=20, icon="check"),
        gap=kit.mm(1),
    )
    return staff_page(kit, kit.t("refund.title"), body, "money")
