"""The operator's parcels: search, one parcel, handing it over, half-done deposits."""

from __future__ import annotations

from kivy.uix.widget import Widget

from edge.steps import ParcelLine
from ui.screens import theme
from ui.screens.bill_pages import pair, pin_boxes
from ui.screens.chrome import staff_page
from ui.screens.intake_pages import staff_beside
from ui.screens.keypad import field, keypad
from ui.screens.kit import Kit
from ui.screens.parcel_lines import carrier_name, person, state_name, where
from ui.screens.pickup_pages import pager
from ui.screens.widgets import Tap, column, fix, row, weigh
from ui.viewmodels.formats import pages
from ui.viewmodels.staff_states import CheckPerson, ParcelCard, Pending, Search
from ui.viewmodels.states import PIN_MIN

PAD = (
    ("1", "2", "3", "A", "B"),
    ("4", "5", "6", "C", "D"),
    ("7", "8", "9", "E", "F"),
    ("clear", "0", "erase", "G", "dash"),
)


def search(kit: Kit) -> Widget:
    """Tail of the waybill or phone, or the place; results beside the keys."""
    state = kit.frame.state
    assert isinstance(state, Search)
    rows = kit.frame.face.operator_rows
    found = state.result.parcels if state.result else ()
    shown = found[state.page * rows : state.page * rows + rows]
    lines: list[Widget] = [_line(kit, line, i) for i, line in enumerate(shown)]
    if not shown:
        said = kit.t("search.none") if state.result else kit.t("wait.words")
        lines.append(kit.text(said, theme.STAFF_TITLE, align="center", height=30, colour=theme.SOFT))
    elif state.result and state.result.more and state.page == pages(len(found), rows) - 1:
        more = kit.t("search.more", n=state.result.more)
        lines.append(kit.text(more, theme.STAFF_LESS, colour=theme.SOFT, height=6, align="center"))
    results = column(*lines, Widget(), gap=kit.mm(1.8))
    go = kit.button("ok", kit.t("search.go"), theme.PICKUP, icon="search", height=15, em=theme.STAFF_MAIN)
    shown_text = field(kit, lambda f: getattr(f.state, "text", ""), kit.t("search.empty"), theme.STAFF, 14)
    pad = column(shown_text, weigh(_pads(kit), 1), go, gap=kit.mm(2))
    if kit.portrait:
        body: Widget = column(weigh(results, 1), fix(pad, height=kit.mm(132)), gap=kit.mm(4))
    else:
        body = row(weigh(results, 1), fix(pad, width=kit.mm(88)), gap=kit.mm(4))
    turn = [fix(t, width=kit.mm(72)) for t in pager(kit, state.page, pages(len(found), rows), theme.STAFF)]
    return staff_page(kit, kit.t("search.title"), body, "search", *turn)


def _pads(kit: Kit) -> Widget:
    """Digits, and the letters of shelves beside them; the operator's keys may be smaller."""
    lines = [row(*[_pad_key(kit, name) for name in names], gap=kit.mm(1.6)) for names in PAD]
    return column(*lines, gap=kit.mm(1.6))


def _pad_key(kit: Kit, name: str) -> Tap:
    if name in ("clear", "erase"):
        return kit.button(name, kit.t(f"keys.{name}"), look="pale", em=5, height=None, pad=1)
    return kit.button(name, "-" if name == "dash" else name, look="key", em=8.5, height=None, pad=1)


def _line(kit: Kit, line: ParcelLine, index: int) -> Tap:
    late = line.overdue or line.state == "exception"
    accent = theme.HELP if late else theme.STAFF
    second = f"{person(kit, line)}  {state_name(kit, line)}"
    if line.days_here:
        second += "  " + kit.t("parcel.days", n=line.days_here)
    if line.notified:
        second += "  " + kit.t("parcel.notified")
    first = f"{where(kit, line)}  {carrier_name(kit, line.carrier)} {line.waybill_no}"
    return kit.button(
        f"row_{index}", first, accent, look="line", left=True, icon="warn" if late else "parcel", em=5.2, sub=second,
        sub_em=4.4, height=16.6, icon_size=7, icon_gap=3, pad=(3, 0.8),
    )  # fmt: skip


def _about(kit: Kit, line: ParcelLine) -> Widget:
    facts = [
        ("label.place", where(kit, line)),
        ("label.waybill", f"{carrier_name(kit, line.carrier)} {line.waybill_no}"),
        ("label.person", person(kit, line)),
        (
            "label.state",
            state_name(kit, line) + ("  " + kit.t("parcel.days", n=line.days_here) if line.days_here else ""),
        ),
        ("label.notified", kit.t("parcel.notified" if line.notified else "parcel.not_notified")),
    ]
    lines = [pair(kit, (kit.t(key), said), theme.CARD, 6, 30) for key, said in facts]
    card = kit.card(column(*lines, gap=kit.mm(1)), pad=(7, 3))
    return column(fix(card, height=kit.mm(95)), Widget()) if kit.portrait else card


def card(kit: Kit) -> Widget:
    """One parcel and what the operator can do with it."""
    state = kit.frame.state
    assert isinstance(state, ParcelCard)
    if state.wants_pin:
        return _open_for(kit, state)
    if state.ask == "key":
        return _by_key(kit, state)
    if state.ask:
        ask = kit.text(kit.t(f"parcel_ask.{state.ask}"), theme.STAFF_TITLE, bold=True, height=16, floor=4.6)
        yes = kit.button("yes", kit.t("parcel_ask.yes"), theme.PICKUP, em=theme.STAFF_TITLE, height=19, icon="check")
        body = column(weigh(_about(kit, state.parcel), 1), ask, yes, gap=kit.mm(3))
        return staff_page(kit, kit.t("parcel.title"), body, "parcel")
    body = column(weigh(_about(kit, state.parcel), 1), _stacked(kit, _acts(kit, state.parcel)), gap=kit.mm(3))
    return staff_page(kit, kit.t("parcel.title"), body, "parcel")


def _by_key(kit: Kit, state: ParcelCard) -> Widget:
    """The cell was opened with the emergency key: where is the parcel now?"""
    said = kit.t("parcel_ask.key", n=state.parcel.cell or 0)
    ask = kit.text(said, theme.STAFF_TITLE, bold=True, height=16, floor=4.6)
    gone, shelf = (
        kit.button(name, kit.t(f"parcel_ask.key_{name}"), theme.PICKUP, look=look, em=theme.STAFF_MAIN, height=19)
        for name, look in (("gone", "fill"), ("on_shelf", "line"))
    )
    body = column(weigh(_about(kit, state.parcel), 1), ask, _stacked(kit, [gone, shelf]), gap=kit.mm(3))
    return staff_page(kit, kit.t("parcel.title"), body, "parcel")


def _stacked(kit: Kit, acts: list[Widget]) -> Widget:
    stacked = column(*acts, gap=kit.mm(3)) if kit.portrait else row(*acts, gap=kit.mm(3))
    return fix(stacked, height=kit.mm(22 * len(acts) - 3 if kit.portrait else 19) if acts else 1)


def _open_for(kit: Kit, state: ParcelCard) -> Widget:
    """The person was checked; the PIN of the operator opens the cell."""
    line = state.parcel
    go = kit.button("ok", kit.t("parcel_open.go"), theme.HELP, em=theme.STAFF_TITLE, height=17, icon="door")
    kit.able(go, lambda f: len(getattr(f.state, "pin", "")) >= PIN_MIN and not getattr(f.state, "busy", False))
    said = f"{carrier_name(kit, line.carrier)} {line.waybill_no}"
    title = kit.t("parcel_open.busy" if state.busy else f"parcel_open.{state.ask}", n=line.cell or 0)
    left = column(
        kit.text(title, 8, bold=True, height=26, floor=5),
        kit.text(said, theme.STAFF_MAIN, height=8),
        kit.text(person(kit, line), theme.STAFF_MAIN, height=8),
        kit.text(kit.t("parcel_open.pin"), theme.STAFF_LESS, height=6, colour=theme.SOFT),
        pin_boxes(kit),
        Widget(),
        go,
        gap=kit.mm(1.5),
    )
    pad = keypad(kit, lambda f: not getattr(f.state, "busy", False))
    return staff_page(kit, kit.t("parcel.title"), staff_beside(kit, left, pad), "parcel")


def _acts(kit: Kit, line: ParcelLine) -> list[Widget]:
    if line.state in ("on_shelf", "in_locker"):
        by_key = [_act(kit, "key", "line")] if line.stuck else []
        return [_act(kit, "self", "fill"), _act(kit, "proxy", "line"), *by_key]
    if line.state == "exception":
        return [_act(kit, "gone", "line"), _act(kit, "in_cell", "line"), _act(kit, "on_shelf", "line")]
    return []


def _act(kit: Kit, name: str, look: str) -> Tap:
    return kit.button(name, kit.t(f"parcel_act.{name}"), theme.PICKUP, look=look, em=theme.STAFF_MAIN, height=19)


def check_person(kit: Kit) -> Widget:
    """The operator scanned a parcel on the shelf: compare the person, then confirm."""
    state = kit.frame.state
    assert isinstance(state, CheckPerson)
    ask = kit.text(kit.t("handover.ask"), theme.STAFF_TITLE, bold=True, height=14, floor=4.6)
    acts = row(_act(kit, "self", "fill"), _act(kit, "proxy", "line"), gap=kit.mm(3))
    body = column(ask, weigh(_about(kit, state.parcel), 1), fix(acts, height=kit.mm(19)), gap=kit.mm(3))
    return staff_page(kit, kit.t("handover.title"), body, "person")


def pending(kit: Kit) -> Widget:
    """Deposits left half done: scan the parcel again to go on, or cancel it here."""
    state = kit.frame.state
    assert isinstance(state, Pending)
    rows = kit.frame.face.operator_rows
    every = kit.frame.day.pending_deposits if kit.frame.day else ()
    shown = every[state.page * rows : state.page * rows + rows]
    lines: list[Widget] = [kit.text(kit.t("pending.hint"), theme.STAFF_MAIN, height=9)]
    for i, line in enumerate(shown):
        cancel = kit.button(f"row_{i}", kit.t("put.cancel"), theme.HELP, look="line", width=52, em=theme.STAFF_LESS)
        what = column(
            kit.text(f"{where(kit, line)}  {carrier_name(kit, line.carrier)} {line.waybill_no}", theme.STAFF_MAIN,
                     bold=True, on=theme.CARD),
            kit.text(person(kit, line), theme.STAFF_LESS, on=theme.CARD, colour=theme.SOFT),
        )  # fmt: skip
        lines.append(kit.card(weigh(what, 1), cancel, orientation="horizontal", pad=(4, 0.8, 2, 0.8), gap=3, height=15))
    if not shown:
        lines.append(kit.text(kit.t("pending.none"), theme.STAFF_TITLE, align="center", height=30, colour=theme.SOFT))
    turn = [fix(t, width=kit.mm(72)) for t in pager(kit, state.page, pages(len(every), rows), theme.STAFF)]
    return staff_page(kit, kit.t("pending.title"), column(*lines, Widget(), gap=kit.mm(2)), "warn", *turn)
