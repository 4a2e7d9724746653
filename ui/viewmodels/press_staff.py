"""Taps on the operator's and the technician's screens. Same shape as `press.py`, which calls it. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.model import CellNo, Phone, Role
from ui.viewmodels.batch import GunList, back_to_list, press_list
from ui.viewmodels.checkup import Checkup, open_checkup, press_checkup
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.keys import PLACE_SIGNS, typed
from ui.viewmodels.staff_states import (
    CELL_DIGITS,
    CELL_REASONS,
    PHONE_DIGITS,
    SEARCH_MAX,
    TARGETS,
    Board,
    Cells,
    CheckPerson,
    Devices,
    Intake,
    IntakeCarrier,
    IntakeConsent,
    IntakeDoor,
    IntakePhone,
    IntakeState,
    Money,
    ParcelCard,
    Pending,
    Search,
    Sync,
)
from ui.viewmodels.states import PIN_MAX, PIN_MIN, Standby
from ui.viewmodels.stick import SheetPage, StickPage, open_page, press_page
from ui.viewmodels.technician_press import back_from, press_tool
from ui.viewmodels.technician_states import Tools, ToolState
from ui.viewmodels.weigh import WeighGoods, press_weigh
from ui.viewmodels.wizard import open_wizard, press_wizard
from ui.viewmodels.wizard_states import RecordPage, WizardGrid, WizardState

Answer = tuple[Frame, tuple[s.Intent, ...]]
FOUND = ("gone", "in_cell", "on_shelf")
OUT = ("gone", "on_shelf")  # where a parcel is that the key got out of its cell


def press_staff(frame: Frame, name: str) -> Answer:
    frame = replace(frame, notice=None)
    if name == "logout":
        return frame.cleared(Standby()), (s.Logout(),)
    if name in ("back", "home") and not isinstance(frame.state, WizardState | WizardGrid | RecordPage):
        return _back(frame, name)
    match frame.state:
        case Board():
            return _open(frame, name)
        case IntakeState():
            return _intake(frame, name)
        case Pending() | Search() | ParcelCard() | CheckPerson():
            return _parcels(frame, name)
        case GunList() as found:
            return press_list(frame, found, name)
        case Money() as money:
            return _money(frame, money, name)
        case Devices() | Sync() | StickPage() | SheetPage():
            return _devices(frame, name)
        case Checkup() as checkup:
            return press_checkup(frame, checkup, name)
        case Cells() as cells:
            return _cells(frame, cells, name)
        case ToolState():
            return _tool(frame, frame.state, name)
        case WeighGoods() as goods:
            return press_weigh(frame, goods, name)
    return frame, ()


def _tool(frame: Frame, state: ToolState, name: str) -> Answer:
    if isinstance(state, WizardState | WizardGrid | RecordPage):
        return press_wizard(frame, state, name)
    return press_tool(frame, state, name)


def start(frame: Frame) -> Answer:
    """The first page of whoever is logged in, with a fresh board."""
    if frame.role is Role.TECHNICIAN:
        return frame.to(Devices()), (s.ShowBoard("devices"),)
    return frame.to(Board()), (s.ShowBoard("day"),)


def _back(frame: Frame, name: str) -> Answer:
    if name == "back" and (led := back_to_list(frame)) is not None:
        return led
    if isinstance(frame.state, ToolState) and (led := back_from(frame, frame.state)) is not None:
        return led
    match frame.state:
        case ParcelCard(ask=ask, busy=busy) as card if name == "back" and ask:
            given_up = (s.CancelFlow(),) if busy else ()
            return replace(frame, state=replace(card, ask="", pin="", busy=False)), given_up
        case ParcelCard(back=back) if name == "back":
            return frame.to(back), ()
        case Money(refund=refund) as money if refund and name == "back":
            return replace(frame, state=replace(money, refund=None)), ()
        case IntakeCarrier() | IntakePhone() | IntakeConsent() if name == "back":
            return frame.to(Intake()), (s.CancelFlow(),)
        case Board() | IntakeDoor():
            return frame, ()  # the first page has no page before it; an open door is not left
        case StickPage(busy=True):
            return frame, ()  # nobody leaves while a stick is in use
        case StickPage() | SheetPage() if name == "back":
            return frame.to(Sync()), (s.ShowBoard("sync"),)
        case Checkup() if name == "back":
            return frame.to(Devices()), (s.ShowBoard("devices"),)
        case Devices() if frame.role is Role.TECHNICIAN:
            return frame, ()
        case CheckPerson() | IntakeState() | ParcelCard(busy=True):
            frame, intents = start(frame)
            return frame, (s.CancelFlow(), *intents)
    return start(frame)


def _open(frame: Frame, name: str) -> Answer:
    match name:
        case "intake":
            return replace(frame.to(Intake()), from_list=False), ()
        case "batch":
            return frame.to(GunList()), (s.ShowBoard("batch"),)
        case "search":
            return frame.to(Search()), (s.ShowBoard("parcels"),)
        case "money":
            return frame.to(Money()), (s.ShowBoard("bills"),)
        case "weigh":
            return frame.to(WeighGoods()), (s.ShowBoard("weigh"),)
        case "sync":
            return frame.to(Sync()), (s.ShowBoard("sync"),)
        case "devices":
            return frame.to(Devices()), (s.ShowBoard("devices"),)
        case "cells":
            return frame.to(Cells()), ()
        case "tools" if frame.role is Role.TECHNICIAN:
            return frame.to(Tools()), ()
        case "wizard" if frame.role is Role.TECHNICIAN:
            return open_wizard(frame)
        case "pending":
            return frame.to(Pending()), ()
    return frame, ()


def _intake(frame: Frame, name: str) -> Answer:
    match frame.state:
        case Intake() if name in TARGETS:
            return replace(frame, target=name), (s.SetIntakeTarget(name),)
        case IntakeCarrier(waybill_no=number, carriers=carriers) if name in carriers:
            return frame.to(Intake(busy=True)), (s.ChooseCarrier(number, name),)
        case IntakePhone() as ask:
            return _phone(frame, ask, name)
        case IntakeConsent(parcel=parcel) if name in ("shelf", "locker"):
            return frame.to(Intake(busy=True)), (s.RecordConsent(parcel.id, name),)
        case IntakeDoor(parcel=parcel) if name == "cancel" and parcel:
            return frame, (s.CancelDeposit(parcel.id),)
        case IntakeDoor(cell=cell) if name == "shut":
            return frame, (s.DoorIsShut(cell),)
    return frame, ()


def _phone(frame: Frame, ask: IntakePhone, name: str) -> Answer:
    if name == "consent":
        return replace(frame, state=replace(ask, consented=not ask.consented)), ()
    if name != "ok":
        return replace(frame, state=replace(ask, digits=typed(ask.digits, name, PHONE_DIGITS))), ()
    if len(ask.digits) != PHONE_DIGITS:
        return frame, ()
    return frame.to(Intake(busy=True)), (s.GivePhone(ask.waybill_no, Phone(ask.digits), ask.consented),)


def _parcels(frame: Frame, name: str) -> Answer:
    match frame.state:
        case Pending(page=page) as pending if name in ("next", "previous"):
            return replace(frame, state=replace(pending, page=page + (1 if name == "next" else -1))), ()
        case Pending(page=page) if name.startswith("row_") and frame.day:
            line = frame.day.pending_deposits[page * frame.face.operator_rows + int(name[4:])]
            return frame, (s.CancelDeposit(line.id), s.ShowBoard("day"))
        case Search() as search:
            return _search(frame, search, name)
        case ParcelCard() as card:
            return _card(frame, card, name)
        case CheckPerson(parcel=parcel) if name in ("self", "proxy"):
            return frame, (s.HandOver(parcel.id, name),)
    return frame, ()


def _search(frame: Frame, search: Search, name: str) -> Answer:
    if name == "ok":
        return frame, (s.Search(search.text),)
    if name in ("next", "previous"):
        return replace(frame, state=replace(search, page=search.page + (1 if name == "next" else -1))), ()
    if name.startswith("row_") and search.result:
        row = search.page * frame.face.operator_rows + int(name[4:])
        return frame.to(ParcelCard(search.result.parcels[row], search)), ()
    text = typed(search.text, name, SEARCH_MAX, PLACE_SIGNS)
    return replace(frame, state=replace(search, text=text)), ()


def _card(frame: Frame, card: ParcelCard, name: str) -> Answer:
    may_ask = ("self", "proxy", *FOUND, "key") if card.parcel.stuck else ("self", "proxy", *FOUND)
    if name in may_ask and not card.ask:
        return replace(frame, state=replace(card, ask=name)), ()
    if card.wants_pin:
        return _open_for(frame, card, name)
    found = card.ask if name == "yes" else ""
    if card.ask == "key":
        found = name if name in OUT else ""
    if found in FOUND:
        told = frame.to(replace(card.back, text="", result=None), Notice("told.recorded", bad=False))
        return told, (s.ResolveException(card.parcel.id, found), s.ShowBoard("parcels"))
    if card.ask == "key":
        return frame, ()
    if name == "yes" and card.ask:
        return frame, (s.HandOver(card.parcel.id, card.ask),)
    return frame, ()


def _open_for(frame: Frame, card: ParcelCard, name: str) -> Answer:
    """The person was checked: the PIN opens the cell for them."""
    if card.busy or (name == "ok" and len(card.pin) < PIN_MIN):
        return frame, ()
    if name == "ok":
        intent = s.HandOver(card.parcel.id, card.ask, card.pin)
        return frame.to(replace(card, pin="", busy=True)), (intent,)
    return replace(frame, state=replace(card, pin=typed(card.pin, name, PIN_MAX))), ()


def _money(frame: Frame, money: Money, name: str) -> Answer:
    if name in ("next", "previous"):
        return replace(frame, state=replace(money, page=money.page + (1 if name == "next" else -1))), ()
    if name == "yes" and money.refund:
        done = replace(frame, state=replace(money, refund=None))
        return done, (s.RefundBill(money.refund.id), s.ShowBoard("bills"))
    if name.startswith("print_") and money.board:
        line = money.board.bills[money.page * frame.face.operator_rows + int(name[6:])]
        return frame, ((s.PrintAgain(line.slip),) if line.slip else ())
    if name.startswith("row_") and money.board:
        line = money.board.bills[money.page * frame.face.operator_rows + int(name[4:])]
        return (replace(frame, state=replace(money, refund=line)) if line.state == "refused" else frame), ()
    return frame, ()


def _devices(frame: Frame, name: str) -> Answer:
    if isinstance(frame.state, StickPage | SheetPage):
        return press_page(frame, frame.state, name)
    match (frame.state, name):
        case (Devices(page=page) as devices, "next" | "previous"):
            return replace(frame, state=replace(devices, page=page + (1 if name == "next" else -1))), ()
        case (Devices(), "refresh"):
            return frame, (s.ShowBoard("devices"),)
        case (Devices(), "checkup"):
            return open_checkup(frame)
        case (Sync(), "refresh"):
            return frame, (s.ShowBoard("sync"),)
        case (Sync(), "stick" | "sheet"):
            return open_page(frame, name)
    return _open(frame, name)


def _cells(frame: Frame, cells: Cells, name: str) -> Answer:
    if name in CELL_REASONS:
        return replace(frame, state=replace(cells, reason=name)), ()
    if name in ("in", "out"):
        if not cells.digits or int(cells.digits) == 0:
            return frame, ()
        cell = int(cells.digits)
        told = Notice(f"told.cell_{name}", (("cell", cell),), bad=False)
        intent = s.CellToService(CellNo(cell), name == "in", cells.reason)
        return frame.to(Cells(reason=cells.reason), told), (intent, s.ShowBoard("day"))
    return replace(frame, state=replace(cells, digits=typed(cells.digits, name, CELL_DIGITS))), ()
