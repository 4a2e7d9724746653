"""The villager's way to a paid bill: kind, account, list, confirm, cash, slip."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import BillLine
from ui.screens import theme
from ui.screens.chrome import notice, villager_page
from ui.screens.keypad import boxes, field, keypad
from ui.screens.kit import Kit
from ui.screens.pickup_pages import beside, pager
from ui.screens.theme import Colour
from ui.screens.widgets import column, fix, row, weigh
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
        kit.text(kit.t("account.ask"), 11, bold=True, height=22, floor=7, valign="bottom"),
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
    height = 27 if kit.portrait else 22
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
    right = money_card(kit, bill)
    if kit.portrait:
        return column(kit.card(weigh(left, 1), pad=(6, 3)), fix(right, height=kit.mm(80)), gap=kit.mm(4))
    return row(weigh(kit.card(weigh(left, 1), pad=(6, 3)), 1), fix(right, width=kit.mm(92)), gap=kit.mm(4))


def pair(kit: Kit, fact: tuple[str, str], on: Colour, em: float = theme.MAIN, wide: float = 34) -> Widget:
    """A fact: its name small, its value large."""
    label, said = fact
    return row(
        kit.text(label, em * 0.72, on=on, colour=theme.SOFT, width=wide, floor=3.5 if kit.staff else 4.8),
        weigh(kit.text(said, em, bold=True, on=on), 1),
        gap=kit.mm(2),
    )


def money_card(kit: Kit, bill: BillLine) -> Widget:
    return kit.card(
        kit.text(kit.t("label.amount"), theme.LESS, on=theme.INDIGO_PALE, colour=theme.INDIGO_DEEP, height=10),
        kit.text(yuan(bill.fen), 17, bold=True, on=theme.INDIGO_PALE, colour=theme.INDIGO_DEEP, floor=8),
        kit.text(
            capitals(bill.fen), theme.LESS, on=theme.INDIGO_PALE, colour=theme.INDIGO_DEEP, height=20, valign="top"
        ),
        fill=theme.INDIGO_PALE, border=theme.INDIGO_PALE, pad=(6, 3), gap=1,
    )  # fmt: skip


def cash(kit: Kit) -> Widget:
    """The villager gives the cash, the operator types the PIN; only then it is taken."""
    state = kit.frame.state
    assert isinstance(state, BillCash)
    go = kit.button("ok", kit.t("cash.ok"), theme.BILL, em=theme.MAIN, height=20, icon="check")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN)
    news = [fix(notice(kit), height=kit.mm(13))] if kit.frame.notice else []
    ask = kit.t("cash.busy") if state.busy else kit.t("cash.pin")
    left = column(
        kit.text(kit.t("cash.ask"), 9.5, bold=True, height=15, floor=6),
        kit.text(yuan(state.bill.fen), 16, bold=True, height=19, colour=theme.INDIGO_DEEP, floor=8),
        kit.text(ask, theme.LESS, height=10, colour=theme.SOFT),
        pin_boxes(kit),
        *news,
        go,
        Widget(),
        gap=kit.mm(2),
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
        kit.card(stamp, fill=accent.pale, border=accent.deep, pad=(3, 0.8), width=40, radius=2),
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
    left = column(*[pair(kit, (kit.t(key), said), theme.CARD, 5.4, 25) for key, said in facts], gap=kit.mm(0.3))
    right = column(
        kit.text(yuan(bill.fen), 14, bold=True, on=theme.CARD, align="right", floor=7),
        kit.text(capitals(bill.fen), 5.5, on=theme.CARD, align="right", height=17, valign="top", floor=4.8),
    )
    if kit.portrait:
        middle: Widget = column(weigh(left, 2), weigh(right, 1), gap=kit.mm(2))
    else:
        middle = row(weigh(left, 1.5), weigh(right, 1), gap=kit.mm(4))
    note = kit.text(kit.t(f"{kind}_note"), 5.2, on=theme.CARD, colour=theme.INK, height=8)
    paper = kit.card(fix(head, height=kit.mm(12)), weigh(middle, 1), note, pad=(6, 2.5), border=accent.fill, gap=1)
    finish = kit.button("home", kit.t("chrome.done"), accent, em=theme.TITLE, height=19)
    return villager_page(kit, (kit.t("slip.title"), accent, "check"), column(weigh(paper, 1), finish, gap=kit.mm(3)))
