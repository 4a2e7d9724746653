"""What a finger or a scan does: `press(frame, button)` and `scan(frame, text)`, both `-> (frame, intents)`. Pure.

A button is named "<screen>.<name>"; one that is not of the open screen is ignored (it was just replaced).
"""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.model import AccountNo, Fen, PickupCode
from ui.viewmodels.first import FirstPage, press_first
from ui.viewmodels.frame import Frame, State
from ui.viewmodels.keys import typed
from ui.viewmodels.press_staff import press_staff
from ui.viewmodels.staff_states import Intake, IntakeDoor, IntakeState, Login, ParcelCard, StaffState
from ui.viewmodels.states import (
    ACCOUNT_MAX,
    ACCOUNT_MIN,
    CODE_DIGITS,
    PIN_MAX,
    PIN_MIN,
    TAIL_DIGITS,
    BillAccount,
    BillCash,
    BillConfirm,
    BillKind,
    BillList,
    Broken,
    Choose,
    CodeEntry,
    Door,
    Fetch,
    Help,
    Home,
    Opening,
    Refused,
    Shut,
    Slip,
    Standby,
    Wait,
)
from ui.viewmodels.technician_states import ToolState
from ui.viewmodels.wizard import press_first_pin
from ui.viewmodels.wizard_states import FirstPin

Answer = tuple[Frame, tuple[s.Intent, ...]]
ERASERS = ("erase", "clear")
# Leaving these gives up something the flows hold for this person: a grant, a question, a place.
HELD = (Choose, Wait, Fetch, BillList, BillConfirm, BillCash, IntakeState, Opening, Door)
ASKED = (CodeEntry, Login, ParcelCard)  # while busy: the answer may still wait for somebody else's door


def press(frame: Frame, button: str) -> Answer:
    """Return the frame and the intents after a tap."""
    screen, _, name = button.rpartition(".")
    if screen == "idle":
        return replace(frame, ask_s=None), ()
    if screen != frame.state.screen:
        return frame, ()
    if name == "lang":
        return replace(frame, lang="en" if frame.lang == "zh" else "zh"), ()
    if isinstance(frame.state, FirstPage):
        return press_first(frame, frame.state, name)
    if isinstance(frame.state, StaffState):
        return press_staff(frame, name)
    if isinstance(frame.state, Shut | Broken):
        # The page itself says whom to call; nothing leads away from it.
        return frame, ((s.CallHelp(frame.state.screen),) if name == "help" else ())
    if name == "help":
        return _call_help(frame)
    if isinstance(frame.state, FirstPin):
        return press_first_pin(frame, frame.state, name)
    if name in ("home", "done"):
        return leave(frame, Home())
    if name == "back" and isinstance(frame.state, Home):
        return frame.cleared(Standby()), ()
    if name == "back":
        return leave(frame, _before(frame.state))
    return _task(frame, name)


def scan(frame: Frame, text: str, scanner: str = "") -> Answer:
    """A code was read: from any villager's screen it leads to the parcel or the bill, without a touch."""
    state = frame.state
    intents = (s.Scanned(text, state.scan, scanner),)
    frame = replace(frame, ask_s=None)
    match state:
        case Shut() | ToolState() | FirstPage():
            return frame, ()  # a tool's scans never come here; one on its way when it was taken up goes nowhere
        case Intake():
            return frame.to(Intake(busy=True)), intents
        case StaffState() | Opening() | Door() | Fetch() | BillCash() | Wait() | Slip() | Login(busy=True):
            return frame, intents
    retry = "bill" if state.scan == "bill" else "pickup"
    return frame.to(Wait(retry)), intents


def leave(frame: Frame, to: State) -> Answer:
    """Go to another screen, telling the flows if they hold something for this person."""
    if isinstance(frame.state, Slip) and frame.state.further:
        first, *rest = frame.state.further
        return frame.to(Slip(first, first.printed, tuple(rest))), ()
    doing = frame.state.back if isinstance(frame.state, Help) and to is not frame.state.back else frame.state
    is_held = isinstance(doing, HELD) or (isinstance(doing, ASKED) and doing.busy)
    is_held |= isinstance(doing, Refused) and doing.code == "wrong_parcel"  # the fetching goes on behind it
    intents: tuple[s.Intent, ...] = (s.CancelFlow(),) if is_held else ()
    is_busy = isinstance(frame.state, BillCash) and frame.state.busy
    if isinstance(frame.state, BillConfirm | BillCash) and isinstance(to, BillList | BillConfirm) and not is_busy:
        intents = ()
    if frame.role and isinstance(to, Home):  # whoever stands before a villager's page is not the operator any more
        return frame.cleared(to), (*intents, s.Logout())
    return frame.to(to), intents


def _before(state: State) -> State:
    match state:
        case BillAccount():
            return BillKind()
        case BillConfirm(bills=bills):
            return BillList(bills)
        case BillCash(bill=bill, bills=bills):
            return BillConfirm(bill, bills)
        case BillList():
            return BillKind()
        case Help(back=back):
            return back
    return Home()


def _call_help(frame: Frame) -> Answer:
    back = Home() if isinstance(frame.state, Standby) else frame.state
    return frame.to(Help(frame.face.help_phone, back)), (s.CallHelp(frame.state.screen),)


def _task(frame: Frame, name: str) -> Answer:
    match frame.state:
        case Standby() if name == "start":
            return frame.to(Home()), ()
        case Standby() if name == "setup":
            return frame.to(FirstPin() if frame.setup == "people" else Login()), ()
        case Home():
            return _home(frame, name)
        case CodeEntry() as entry if not entry.busy:
            return _code(frame, entry, name)
        case Choose() as choose:
            return _choose(frame, choose, name)
        case Door(cell=cell) | IntakeDoor(cell=cell) if name == "shut":
            return frame, (s.DoorIsShut(cell),)
        case Fetch() if name == "operator":
            return leave(frame, Login())  # the operator is here: after the PIN a scan hands it out, with their name
        case Login() as login if not login.busy:
            return _login(frame, login, name)
        case Refused(retry=retry) if name == "retry":
            return frame.to(BillKind() if retry == "bill" else CodeEntry()), ()
        case BillKind() if name in ("water", "power", "gas", "any"):
            return frame.to(BillAccount("" if name == "any" else name)), ()
        case BillAccount() | BillList() | BillConfirm() | BillCash():
            return _bill(frame, name)
        case Slip(slip=slip) as page if name == "print" and page.can_print:
            return replace(frame, state=replace(page, printed="printing")), (s.PrintAgain(slip.slip),)
    return frame, ()


def _home(frame: Frame, name: str) -> Answer:
    match name:
        case "pickup":
            return frame.to(CodeEntry()), ()
        case "bill":
            return frame.to(BillKind()), ()
        case "staff":
            return _call_help(frame)
        case "operator":
            return frame.to(Login()), ()
    return frame, ()


def _code(frame: Frame, entry: CodeEntry, name: str) -> Answer:
    """Digits go into the code, then into the tail; the tenth digit submits by itself."""
    if name in ERASERS:
        if name == "clear" or not (entry.code or entry.tail):
            return replace(frame, state=CodeEntry()), ()
        if entry.tail:
            return replace(frame, state=replace(entry, tail=entry.tail[:-1])), ()
        return replace(frame, state=replace(entry, code=entry.code[:-1])), ()
    if not (len(name) == 1 and name in "0123456789"):
        return frame, ()
    if len(entry.code) < CODE_DIGITS:
        return replace(frame, state=replace(entry, code=entry.code + name)), ()
    tail = entry.tail + name
    if len(tail) < TAIL_DIGITS:
        return replace(frame, state=replace(entry, tail=tail)), ()
    return frame.to(CodeEntry(busy=True)), (s.PickUp(PickupCode(entry.code), tail),)


def _choose(frame: Frame, choose: Choose, name: str) -> Answer:
    every = tuple(line.id for line in choose.parcels)
    if name in ("next", "previous"):
        return replace(frame, state=replace(choose, page=choose.page + (1 if name == "next" else -1))), ()
    if name == "all" or (name == "some" and choose.chosen):
        taken = every if name == "all" else tuple(one for one in every if one in choose.chosen)
        return frame.to(Wait("pickup")), (s.TakeParcels(taken, choose.grant),)
    row = choose.page * frame.face.villager_rows + int(name[4:]) if name.startswith("row_") else len(every)
    if row >= len(every):
        return frame, ()
    one = every[row]
    chosen = tuple(x for x in choose.chosen if x != one) if one in choose.chosen else (*choose.chosen, one)
    return replace(frame, state=replace(choose, chosen=chosen)), ()


def _login(frame: Frame, login: Login, name: str) -> Answer:
    if name == "ok":
        if len(login.pin) < PIN_MIN:
            return frame, ()
        return frame.to(Login(busy=True)), (s.Login(login.pin),)
    return replace(frame, state=replace(login, pin=typed(login.pin, name, PIN_MAX)), notice=None), ()


def _bill(frame: Frame, name: str) -> Answer:
    match frame.state:
        case BillAccount() as account if name == "ok":
            if len(account.digits) < ACCOUNT_MIN:
                return frame, ()
            return frame.to(Wait("bill")), (s.FindBill(account.kind, AccountNo(account.digits)),)
        case BillAccount() as account:
            return replace(frame, state=replace(account, digits=typed(account.digits, name, ACCOUNT_MAX))), ()
        case BillList() as found:
            return _bill_row(frame, found, name)
        case BillConfirm(bill=bill, bills=bills) if name == "pay":
            return frame.to(BillCash(bill, bills)), ()
        case BillCash() as cash if not cash.busy:
            return _cash(frame, cash, name)
    return frame, ()


def _bill_row(frame: Frame, found: BillList, name: str) -> Answer:
    if name in ("next", "previous"):
        return replace(frame, state=replace(found, page=found.page + (1 if name == "next" else -1))), ()
    row = found.page * frame.face.villager_rows + int(name[4:]) if name.startswith("row_") else len(found.bills)
    if row >= len(found.bills) or found.bills[row].state != "unpaid":
        return frame, ()
    return frame.to(BillConfirm(found.bills[row], found.bills)), ()


def _cash(frame: Frame, cash: BillCash, name: str) -> Answer:
    if name == "ok":
        if len(cash.pin) < PIN_MIN:
            return frame, ()
        intent = s.AcceptBill(cash.bill.id, Fen(cash.bill.fen), cash.pin)
        return frame.to(replace(cash, pin="", busy=True)), (intent,)
    return replace(frame, state=replace(cash, pin=typed(cash.pin, name, PIN_MAX)), notice=None), ()
