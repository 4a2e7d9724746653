"""The villager's way to a paid bill: kind, account, list, confirm, cash, slip."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from edge.steps import BillLine
from ui.screens import theme
from ui.screens.chrome import notice, villager_page
from ui.screens.keypad import boxes, field, keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import beside, pager
from ui.screens.print_line import print_line
from ui.screens.theme import Accent, Colour
from ui.screens.widgets import column, fix, row, weigh
from ui.viewmodels import Frame
from ui.viewmodels.formats import capitals, full_minute, pages, spaced, yuan
from ui.viewmodels.states import (
    ACCOUNT_MIN,
    PIN_MAX,
    PIN_MIN,
    BillAccount,
    BillCash,
    BillConfirm,
    BillList,
    Slip,
)

ICONS = {"water": "water", "power": "power", "gas": "gas"}


def kinds(kit: Kit) -> Widget:
    tiles = [
        weigh(kit.button(
            kind, kit.t(f"kind.{kind}"), theme.BILL, icon=icon, stack=True, em=12, height=None, radius=5, icon_size=28,
        ), 1)
        for kind, icon in ICONS.items()
    ]  # fmt: skip
    every = kit.button("any", kit.t("bill.any"), theme.BILL, look="line", em=theme.MAIN, height=20, icon="search")
    hint = kit.text(kit.t("bill.hint"), theme.LESS, colour=theme.INDIGO_DEEP, on=theme.INDIGO_PALE)
    scan = kit.card(
        row(kit.icon("scan", 11, theme.INDIGO_DEEP, theme.INDIGO_PALE), weigh(hint, 1), gap=kit.mm(3)),
        fill=theme.INDIGO_PALE, border=theme.INDIGO_PALE, pad=(4, 1.5), height=20,
    )  # fmt: skip
    if kit.portrait:
        body: Widget = column(*tiles, every, scan, gap=kit.mm(4))
    else:
        below = fix(row(weigh(scan, 1.3), weigh(every, 1), gap=kit.mm(4)), height=kit.mm(20))
        body = column(weigh(row(*tiles, gap=kit.mm(4)), 1), below, gap=kit.mm(4))
    return villager_page(kit, (kit.t("bill.title"), theme.BILL, "bill"), body)


def account(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, BillAccount)
    shown = field(kit, lambda f: spaced(getattr(f.state, "digits", "")), kit.t("account.empty"), theme.BILL, 19)
    go = kit.button("ok", kit.t("account.go"), theme.BILL, em=theme.TITLE, height=20, icon="search")
    kit.able(go, lambda f: len(getattr(f.state, "digits", "")) >= ACCOUNT_MIN)
    left = column(
        kit.text(kit.t("account.ask"), 10, bold=True, height=15, floor=6),
        shown,
        kit.text(kit.t("account.hint"), theme.LESS, colour=theme.SOFT, height=19, floor=4.8),
        go,
        Widget(),
        gap=kit.mm(3),
    )
    title = kit.t(f"kind.{state.kind}") if state.kind else kit.t("bill.title")
    body = beside(kit, left, keypad(kit, lambda _f: True))
    return villager_page(kit, (title, theme.BILL, ICONS.get(state.kind, "bill")), body)


def found(kit: Kit) -> Widget:
    state = kit.frame.state
    assert isinstance(state, BillList)
    rows = kit.frame.face.villager_rows
    first = state.page * rows
    shown = state.bills[first : first + rows]
    lines: list[Widget] = [_bill_row(kit, line, i) for i, line in enumerate(shown)]
    turn = pager(kit, state.page, pages(len(state.bills), rows), theme.BILL)
    body = column(*lines, Widget(), *turn, gap=kit.mm(2.5))
    return villager_page(kit, (kit.t("bills.title", n=len(state.bills)), theme.BILL, "bill"), body)


def _bill_row(kit: Kit, line: BillLine, index: int) -> Widget:
    """One bill: what and whose on the left, how much on the right, a button only if it can be paid."""
    height = 27 if kit.portrait else 21
    what = column(
        kit.text(f"{kit.t('kind.' + line.kind)}  {line.period}", theme.MAIN, bold=True, on=theme.CARD, valign="bottom"),
        kit.text(f"{line.biller}  {line.name.masked()}", theme.FLOOR, on=theme.CARD, colour=theme.SOFT, valign="top"),
    )
    amount = kit.text(yuan(line.fen), 10, bold=True, on=theme.CARD, align="right", width=58, floor=6)
    if line.state == "unpaid":
        act: Widget = kit.button(
            f"row_{index}", kit.t("bills.pay"), theme.BILL, em=theme.MAIN, height=height - 6, width=32
        )
    else:
        act = kit.text(kit.t(f"bill_state.{line.state}"), theme.FLOOR, on=theme.CARD, align="center", width=32)
    return kit.card(weigh(what, 1), amount, act, orientation="horizontal", pad=(5, 2, 3, 2), gap=3, height=height)


def confirm(kit: Kit) -> Widget:
    """Name, biller, period and amount, in figures and in capitals: right, or go back."""
    state = kit.frame.state
    assert isinstance(state, BillConfirm)
    pay = kit.button("pay", kit.t("confirm.pay"), theme.BILL, em=theme.TITLE, height=22, icon="check")
    body = column(weigh(_details(kit, state.bill), 1), pay, gap=kit.mm(3.5))
    return villager_page(kit, (kit.t("confirm.title"), theme.BILL, ICONS.get(state.bill.kind, "bill")), body)


def _details(kit: Kit, bill: BillLine) -> Widget:
    facts = (
        ("label.name", bill.name.masked()),
        ("label.account", bill.account_no.masked()),
        ("label.biller", bill.biller),
        ("label.period", bill.period),
    )
    left = column(*[pair(kit, (kit.t(key), said), theme.CARD) for key, said in facts], gap=kit.mm(1))
    right = money_card(kit, bill, theme.BILL, kit.t("label.amount"))
    if kit.portrait:
        card = fix(kit.card(weigh(left, 1), pad=(6, 3)), height=kit.mm(100))
        return column(card, fix(right, height=kit.mm(80)), Widget(), gap=kit.mm(4))
    return row(weigh(kit.card(weigh(left, 1), pad=(6, 3)), 1), fix(right, width=kit.mm(92)), gap=kit.mm(4))


def pair(kit: Kit, fact: tuple[str, str], on: Colour, em: float = theme.MAIN, wide: float = 34) -> Widget:
    """A fact: its name small, its value large."""
    label, said = fact
    return _named(kit, label, kit.text(said, em, bold=True, on=on), on, (em, wide))


def live_pair(kit: Kit, label: str, say: Callable[[Frame], str], on: Colour) -> Widget:
    """A fact of a staff page whose value changes while the page stays."""
    em = theme.STAFF_MAIN
    return _named(kit, label, kit.live_text(say, em, bold=True, on=on), on, (em, 24))


def _named(kit: Kit, label: str, value: Widget, on: Colour, sizes: tuple[float, float]) -> Widget:
    em, wide = sizes
    small = max(em * 0.72, 4.2 if kit.staff else 4.8)
    floor = 3.5 if kit.staff else 4.8
    name = kit.text(label, small, on=on, colour=theme.SOFT, width=wide, floor=floor)
    return row(name, weigh(value, 1), gap=kit.mm(2))


def money_card(kit: Kit, bill: BillLine, accent: Accent, label: str) -> Widget:
    deep = {"on": accent.pale, "colour": accent.deep}
    return kit.card(
        kit.text(label, theme.LESS, height=10, **deep),
        weigh(kit.text(yuan(bill.fen), 17, bold=True, floor=7, **deep), 1),
        kit.text(capitals(bill.fen), theme.LESS, height=20, valign="top", **deep),
        fill=accent.pale, border=accent.pale, pad=(5, 3), gap=1,
    )  # fmt: skip


def cash(kit: Kit) -> Widget:
    """The villager gives the cash, the operator types the PIN; only then it is taken."""
    state = kit.frame.state
    assert isinstance(state, BillCash)
    go = kit.button("ok", kit.t("cash.ok"), theme.BILL, em=theme.MAIN, height=20, icon="check")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN)
    ask = kit.text(kit.t("cash.busy") if state.busy else kit.t("cash.pin"), theme.LESS, colour=theme.SOFT)
    left = column(
        kit.text(kit.t("cash.ask"), 9.5, bold=True, height=13, floor=6),
        weigh(kit.text(yuan(state.bill.fen), 17, bold=True, colour=theme.INDIGO_DEEP, floor=8), 1),
        fix(notice(kit) if kit.frame.notice else ask, height=kit.mm(12)),
        pin_boxes(kit),
        go,
        gap=kit.mm(3),
    )
    body = beside(kit, left, keypad(kit, lambda f: not getattr(f.state, "busy", False)))
    return villager_page(kit, (kit.t("cash.title"), theme.BILL, "money"), body)


def pin_boxes(kit: Kit) -> Widget:
    return boxes(kit, PIN_MAX, lambda f: "●" * len(getattr(f.state, "pin", "")), theme.STAFF, 10.5)


def slip(kit: Kit) -> Widget:
    """The slip: acceptance (not booked yet) or receipt. The two must never look the same."""
    state = kit.frame.state
    assert isinstance(state, Slip)
    shown = state.slip
    bill, accent = shown.bill, theme.PICKUP if shown.posted else theme.BILL
    kind = "slip.receipt" if shown.posted else "slip.acceptance"
    stamp = kit.text(kit.t(f"{kind}_stamp"), theme.LESS, bold=True, on=accent.pale, colour=accent.deep, align="center")
    head = row(
        weigh(kit.text(kit.t(kind), theme.TITLE, bold=True, on=theme.CARD, colour=accent.deep), 1),
        kit.card(stamp, fill=accent.pale, border=accent.deep, pad=(2, 0.8), width=42, radius=2),
        gap=kit.mm(3),
    )
    facts = (
        ("label.slip", shown.slip),
        ("label.biller", bill.biller),
        ("label.person", f"{bill.name.masked()}  {bill.account_no.masked()}"),
        ("label.period", bill.period),
        ("label.time", f"{full_minute(shown.at)}  {kit.t('chrome.operator', name=shown.operator)}"),
        ("label.check", shown.check),
    )
    left = column(*[pair(kit, (kit.t(key), said), theme.CARD, 6, 25) for key, said in facts], gap=kit.mm(0.5))
    note = print_line(kit, state, accent) if state.printed else kit.text(
        kit.t(f"{kind}_note"), 5.2, on=theme.CARD, height=9 if kit.lang == "zh" else 14
    )  # fmt: skip
    paper = kit.card(fix(head, height=kit.mm(13)), weigh(left, 1), note, pad=(6, 3), border=accent.fill, gap=1.5)
    finish = kit.button("done", kit.t("chrome.done"), accent, em=theme.TITLE, height=21)
    money = money_card(kit, bill, accent, kit.t("label.paid"))
    if kit.portrait:
        paper = fix(paper, height=kit.mm(140))
        body: Widget = column(paper, fix(money, height=kit.mm(70)), Widget(), finish, gap=kit.mm(4))
    else:
        body = row(
            weigh(paper, 1), fix(column(weigh(money, 1), finish, gap=kit.mm(3)), width=kit.mm(76)), gap=kit.mm(4)
        )
    return villager_page(kit, (kit.t("slip.title"), accent, "check"), body)
