"""What a flow's step does to the screen: `on_step(frame, step) -> (frame, intents)`. Pure.

A step that shows a person's data is taken only while somebody waits for it: the person may have gone, and the next one
must not see it. A step about a door is always shown, because the door is open whoever stands there.
"""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.model import CellNo, Role
from edge.steps.stick import StickStep
from edge.steps.wizard import WizardStep
from edge.steps.workbench import WorkbenchStep
from ui.viewmodels.amounts import of_page
from ui.viewmodels.batch import on_board, on_codes
from ui.viewmodels.checkup import Checkup, on_checkup
from ui.viewmodels.first import FirstPage, told
from ui.viewmodels.frame import Frame, Notice, State
from ui.viewmodels.staff_states import (
    Board,
    CheckPerson,
    Devices,
    Intake,
    IntakeCarrier,
    IntakeConsent,
    IntakeDoor,
    IntakePhone,
    IntakeState,
    Login,
    Money,
    ParcelCard,
    Search,
    StaffState,
    Sync,
)
from ui.viewmodels.states import (
    BillAccount,
    BillCash,
    BillKind,
    BillList,
    Broken,
    Choose,
    CodeEntry,
    Done,
    Door,
    Fetch,
    Help,
    Home,
    Opening,
    Refused,
    Shut,
    Slip,
    Staff,
    Standby,
    Wait,
)
from ui.viewmodels.stick import SheetPage, on_stick, sheet_printing
from ui.viewmodels.technician_steps import on_tool_step, staff_refused
from ui.viewmodels.weigh import WeighGoods, on_weigh_step
from ui.viewmodels.wizard import on_wizard, record_printing, wizard_refused
from ui.viewmodels.wizard_states import FirstPin, RecordPage, WizardState

Answer = tuple[Frame, tuple[s.Intent, ...]]
UNPRINTED = {"login_first": "limit", "busy": "printing", "no_printer": "away", "unknown_slip": "away"}


def on_step(frame: Frame, step: s.Step) -> Answer:
    """Return the frame after the step, and what to ask the flows next (a fresh board after a login)."""
    match step:
        case s.Closed():
            return frame.cleared(Shut(step.code, step.backup)), ()
        case s.LinkState() | s.NoticeBoard() | s.Pairing():
            return _wall(frame, step)
        case s.FirstStart():
            return told(frame, step), ()
    if isinstance(frame.state, Shut | FirstPage):
        return frame, ()  # only a restart opens the terminal again
    match step:
        case s.LoggedIn():
            return _logged_in(frame, step)
        case s.LoggedOut():
            return (frame.cleared(Standby()) if frame.role else frame), ()
        case _ if isinstance(step, WorkbenchStep | WizardStep):
            return on_wizard(frame, step) if isinstance(step, WizardStep) else (on_tool_step(frame, step), ())
        case s.CodesWait():
            return on_codes(frame, step)
        case s.BatchBoard():
            return on_board(frame, step), ()
        case s.DayBoard() | s.ParcelsBoard() | s.BillsBoard() | s.SyncBoard() | s.DevicesBoard() | s.CheckupBoard():
            return _board(frame, step), ()
        case _:
            # A weighing that ends late has put weight and value up for a page that was left meanwhile.
            is_late = isinstance(step, s.Weighed) and not isinstance(frame.state, WeighGoods)
            turned = _at_counter(frame, step) or _for_staff(frame, _flow(frame, step))
            return turned, (of_page(frame),) if is_late else ()


def _logged_in(frame: Frame, step: s.LoggedIn) -> Answer:
    """Open the first page of the role. Whoever left while their PIN was compared is logged out again instead."""
    doing = frame.state.back if isinstance(frame.state, Help) else frame.state
    if not (isinstance(doing, Login) and doing.busy):
        return frame, (s.Logout(),)  # the flow was given up as the page was left
    page, board = (Devices(), "devices") if step.role is Role.TECHNICIAN else (Board(), "day")
    who = replace(frame.to(page), role=step.role, operator=step.operator, target="auto")
    return who, (s.ShowBoard(board),)


def _wall(frame: Frame, step: s.LinkState | s.NoticeBoard | s.Pairing) -> Answer:
    """What stands on every page or on the one between two people."""
    match step:
        case s.LinkState():
            return replace(frame, link=step), ()
        case s.NoticeBoard():
            return replace(frame, notices=step.texts), ()
        case s.Pairing():
            may_begin = step.state == "granted" and isinstance(frame.state, Standby)
            return replace(frame, pairing=step), (s.BeginAnew(),) if may_begin else ()


def _at_counter(frame: Frame, step: s.Step) -> Frame | None:
    """Sticks, and the scale's page: None for all other steps; of a refusal that page stays and says why."""
    if isinstance(step, StickStep):
        return on_stick(frame, step)
    turned = on_weigh_step(frame, frame.state, step) if isinstance(frame.state, WeighGoods) else None
    if turned is not None and isinstance(step, s.Refusal):
        return replace(turned, notice=refusal_notice(step))
    return turned


def _for_staff(before: Frame, after: Frame) -> Frame:
    """A flow that ends after its operator has left opens no page of theirs; an open door is shown to anybody."""
    if after.role or not isinstance(after.state, StaffState) or isinstance(after.state, IntakeDoor):
        return after
    return before.cleared(Home()) if isinstance(before.state, IntakeDoor) else before


def _board(frame: Frame, step: s.Step) -> Frame:
    """Fill the board that is open; a late answer for another one is dropped."""
    match (step, frame.state):
        case (s.DayBoard(), _):
            return replace(frame, day=step)
        case (s.ParcelsBoard(), Search() as search):
            return replace(frame, state=replace(search, result=step, page=0))
        case (s.BillsBoard(), Money() as money):
            return replace(frame, state=replace(money, board=step, refund=None))
        case (s.SyncBoard(), Sync() as sync):
            return replace(frame, state=replace(sync, board=step))
        case (s.CheckupBoard(), Checkup() as checkup):
            return on_checkup(frame, checkup, step)
        case (s.DevicesBoard(), Devices() as devices):
            return replace(frame, state=replace(devices, board=step))
    return frame


def _flow(frame: Frame, step: s.Step) -> Frame:
    match step:
        case s.Checking():
            return _checking(frame)
        case s.Refusal():
            return _refusal(frame, step)
        case s.HelpCalled():
            back = frame.state.back if isinstance(frame.state, Help) else frame.state
            phone = step.phone or frame.face.help_phone
            return frame if frame.state.who == "staff" else frame.to(Help(phone, back))
        case s.HandOverAsk():
            line = step.parcel
            return frame.to(CheckPerson(line) if line.cell is None else ParcelCard(line, Search()))
        case s.Trouble():
            return frame.to(Broken(step.number))
        case s.SlipShown():
            return _slip(frame, step)
        case s.Printing():
            return _printing(frame, step)
        case s.BillsFound():
            return _bills_found(frame, step)
        case s.ParcelsFound():
            return frame.to(Choose(step.parcels, step.grant)) if _may_choose(frame.state) else frame
        case s.PutIn() | s.Stored() | s.AskCarrier() | s.AskPhone() | s.NeedConsent():
            return _intake(frame, step)
        case _:
            return _door(frame, step)


def waiting(state: State) -> bool:
    """Whether somebody stands there and waits for an answer."""
    return isinstance(state, Wait) or (isinstance(state, CodeEntry) and state.busy)


def _may_choose(state: State) -> bool:
    """A villager's slip is read at the operator's pages and over a paid bill as well, where nothing says "wait"."""
    return waiting(state) or isinstance(state, StaffState | Slip)


def _slip(frame: Frame, step: s.SlipShown) -> Frame:
    """Over any page but another's slip: those of a power cut come together and are seen one after another."""
    if isinstance(frame.state, Slip) and frame.state.slip.slip != step.slip:
        return replace(frame, state=replace(frame.state, further=(*frame.state.further, step)))
    return frame.to(Slip(step, step.printed))


def _printing(frame: Frame, step: s.Printing) -> Frame:
    """Told where the slip is shown, and to an operator who looks at the bills taken; to nobody else."""
    match frame.state:
        case Slip(slip=slip) as page if slip.slip == step.slip:
            return replace(frame, state=replace(page, printed=step.state))
        case SheetPage():
            return sheet_printing(frame, step)
        case RecordPage():
            return record_printing(frame, step)
        case Money():
            good = step.state in ("printing", "done", "sent")
            return replace(frame, notice=Notice(f"told_print.{step.state}", (("slip", step.slip),), bad=not good))
    return frame


def _checking(frame: Frame) -> Frame:
    match frame.state:
        case IntakeState():
            return frame.to(Intake(busy=True))
        case StaffState() | Wait() | CodeEntry(busy=True) | Login(busy=True) | BillCash(busy=True) | FirstPin():
            return frame
        case BillAccount() | BillKind():
            return frame.to(Wait("bill"))
        case Standby() | Home():
            return frame.to(Wait("pickup"))
    return frame


def _refusal(frame: Frame, step: s.Refusal) -> Frame:
    notice = refusal_notice(step)
    match frame.state:
        case IntakeState():
            return frame.to(Intake(), notice)
        case CheckPerson():
            return frame.to(Board(), notice)
        case WizardState() | FirstPin() as page:
            return wizard_refused(frame, page, notice)
        case StaffState() as staff:
            return staff_refused(frame, staff, notice)
        case Login():
            return frame.to(Login(), notice)
        case Fetch() if step.code == "login_first":
            return frame.to(Login(), notice)
        case Slip() as page:
            is_ours = page.printed == "printing" and step.code in UNPRINTED  # else of a code that was read meanwhile
            return replace(frame, state=replace(page, printed=UNPRINTED[step.code])) if is_ours else frame
        case BillCash() as cash if step.code in ("wrong_pin", "locked_out", "not_allowed"):
            return frame.to(replace(cash, pin="", busy=False), notice)
        case Door() | Opening():
            return frame  # another person's scan; the door matters more
        case Wait(retry=retry):
            return frame.to(Refused(step.code, slots(step), retry))
        case CodeEntry():
            return frame.to(Refused(step.code, slots(step), "pickup"))
        case BillAccount() | BillList() | BillCash():
            return frame.to(Refused(step.code, slots(step), "bill"))
    return frame.to(Refused(step.code, slots(step)))


def refusal_notice(step: s.Refusal) -> Notice:
    return Notice(f"refused.{step.code}", slots(step))


def slots(step: s.Refusal) -> tuple[tuple[str, str | int], ...]:
    """What the sentences of refusals may name: minutes to wait, a slip, a place."""
    facts = step.facts
    where = facts.get("place") or facts.get("cell") or ""
    return (("minutes", facts.get("minutes") or 0), ("slip", facts.get("slip") or ""), ("where", where))


def _bills_found(frame: Frame, step: s.BillsFound) -> Frame:
    if not waiting(frame.state):
        return frame
    if not step.bills:
        return frame.to(Refused("unknown_bill", retry="bill"))
    return frame.to(BillList(step.bills))


def _intake(frame: Frame, step: s.Step) -> Frame:
    match step:
        case s.PutIn():
            return frame.to(IntakeDoor(step.cell, "put", step.parcel, step.seconds))
        case s.Stored():
            return replace(frame.to(Intake()), stored=step)
        case s.AskCarrier():
            return frame.to(IntakeCarrier(step.waybill_no, step.carriers))
        case s.AskPhone():
            return frame.to(IntakePhone(step.waybill_no, step.carrier))
        case s.NeedConsent():
            return frame.to(IntakeConsent(step.parcel))
    return frame


def _door(frame: Frame, step: s.Step) -> Frame:
    intake = isinstance(frame.state, IntakeState)
    match step:
        case s.OpeningDoor():
            return frame.to(IntakeDoor(step.cell, "opening") if intake else Opening(step.cell))
        case s.TakeParcel():
            return frame.to(Door(step.cell, step.seconds, step.left))
        case s.FetchFromShelf():
            return frame.to(Fetch(step.parcels))
        case s.Remind() | s.DoorStillOpen():
            return _nag(frame, step.cell, "remind" if isinstance(step, s.Remind) else "late")
        case s.CallStaff() if intake:
            return frame.to(Intake(), Notice(f"staff_why.{step.why}", (("cell", step.cell or 0),)))
        case s.CallStaff():
            return frame.to(Staff(step.cell, step.why))
        case s.Thanks() if isinstance(frame.state, StaffState):
            return frame.to(Board(), Notice("told.handed_over", (("n", step.count),), bad=False))
        case s.Thanks():
            return frame.to(Done(step.count))
    return frame


def _nag(frame: Frame, cell: CellNo, stage: str) -> Frame:
    """The door is still open: say so on the page that is there, keep its countdown."""
    match frame.state:
        case Door() | IntakeDoor() if stage == "remind":
            return replace(frame, state=replace(frame.state, stage=stage))
        case IntakeDoor() as door:
            return frame.to(replace(door, stage=stage))
        case IntakeState():
            return frame.to(IntakeDoor(cell, stage))
    return frame.to(Door(cell, 0, 0, stage))
