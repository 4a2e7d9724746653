"""The commissioning wizard: what a tap, a step of the flows or silence does to its pages. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.steps import wizard as z
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.keys import typed
from ui.viewmodels.staff_states import Devices, Login
from ui.viewmodels.states import PIN_MAX, PIN_MIN, Standby
from ui.viewmodels.touch_grid import cross, is_done, touched
from ui.viewmodels.wizard_states import (
    SKIP_REASONS,
    FirstPin,
    RecordPage,
    Wizard,
    WizardDoor,
    WizardGrid,
    WizardResult,
    WizardSkip,
    WizardState,
    WizardTrial,
)

Answer = tuple[Frame, tuple[s.Intent, ...]]
FIRST_PIN_MIN = 6
ROWS, ROWS_TALL = 8, 12  # steps on a page of the overview
LINES, LINES_TALL = 9, 20  # and of the record


def rows(frame: Frame) -> int:
    return ROWS_TALL if _is_tall(frame) else ROWS


def lines(frame: Frame) -> int:
    return LINES_TALL if _is_tall(frame) else LINES


def _is_tall(frame: Frame) -> bool:
    return frame.face.height_mm > frame.face.width_mm


def open_wizard(frame: Frame) -> Answer:
    return frame.to(Wizard()), (z.OpenWizard(),)


# --- taps ---------------------------------------------------------------------------------------------------------


def press_wizard(frame: Frame, state: WizardState | WizardGrid | RecordPage, name: str) -> Answer:
    """Return the frame and the intents after a tap on a page of the wizard."""
    if name in ("back", "home"):
        return _back(frame, state)
    match state:
        case Wizard():
            return _overview(frame, state, name)
        case WizardTrial():
            return _trial(frame, state, name)
        case WizardDoor() if not state.busy:
            return _door(frame, state, name)
        case WizardGrid():
            return _touch(frame, state, name)
        case WizardSkip() if name in SKIP_REASONS and not state.busy:
            return replace(frame, state=replace(state, busy=True)), (z.SkipStep(state.step, name),)
        case WizardResult():
            return _result(frame, state, name)
        case RecordPage():
            return _record(frame, state, name)
    return frame, ()


def _back(frame: Frame, state: WizardState | WizardGrid | RecordPage) -> Answer:
    """Where the back button leads: to the overview, from there to the devices; an open door is not left."""
    match state:
        case Wizard():
            return frame.to(Devices()), (z.LeaveWizard(), s.ShowBoard("devices"))
        case WizardTrial() if state.is_at_door:
            return frame, ()
        case WizardDoor(busy=True) | WizardSkip(busy=True):
            return frame, ()
    return open_wizard(frame)


def start(frame: Frame, board: z.WizardBoard, step: str) -> Answer:
    """Put a step on trial."""
    if step == "touch":
        return frame.to(replace(cross(), board=board, step=step)), ()
    return frame.to(WizardTrial(board, step)), (z.TryStep(step),)


def _overview(frame: Frame, state: Wizard, name: str) -> Answer:
    board = state.board
    if board is None:
        return frame, ()
    last = max(0, (len(board.lines) - 1) // rows(frame))
    match name:
        case "next" | "previous":
            page = min(last, max(0, state.page + (1 if name == "next" else -1)))
            return replace(frame, state=replace(state, page=page)), ()
        case "go" if board.next_step:
            return start(frame, board, board.next_step)
        case "end" if not board.next_step and board.run:
            return frame.to(RecordPage()), (z.EndWizard(),)
        case "record" if board.is_ended:
            return frame.to(RecordPage()), (z.ShowRecord(),)
    number = name.removeprefix("row_")
    if number.isdigit() and int(number) < len(board.lines):
        return start(frame, board, board.lines[int(number)].step)
    return frame, ()


def _trial(frame: Frame, state: WizardTrial, name: str) -> Answer:
    now = state.now
    word, _, answer = name.partition("_")
    if now is None or state.said:
        return frame, ()
    if now.stage == "choose" and answer.isdigit() and int(answer) < len(now.choices):
        answer = now.choices[int(answer)]
    if word == "say" and _may_say(now, answer):
        return replace(frame, state=replace(state, said=now.stage != "weigh")), (z.SayStep(state.step, answer),)
    if name == "shut" and now.stage == "shut" and now.cell is not None:
        return frame, (s.DoorIsShut(now.cell),)
    if name == "skip" and not state.is_at_door:
        return frame.to(WizardSkip(state.board, state.step)), (z.LeaveWizard(),)
    return frame, ()


def _may_say(now: z.WizardNow, answer: str) -> bool:
    match now.stage:
        case "choose":
            return answer in (*now.choices, "none", *(("again",) if now.step.startswith("sound") else ()))
        case "eyes":
            return answer in ("yes", "no")
        case "weigh":
            return answer in ("none", "wrong") or (answer == "right" and bool(now.grams) and now.is_stable)
    return False


def _door(frame: Frame, state: WizardDoor, name: str) -> Answer:
    match name:
        case "other":
            chosen = (state.chosen + 1) % len(state.cells)
            return replace(frame, state=replace(state, chosen=chosen), notice=None), ()
        case "skip":
            return frame.to(WizardSkip(state.board, state.step)), (z.LeaveWizard(),)
        case "ok":
            if len(state.pin) < PIN_MIN:
                return frame, ()
            intent = z.TryDoor(state.step, state.cell, state.pin)
            return frame.to(replace(state, pin="", busy=True)), (intent,)
    return replace(frame, state=replace(state, pin=typed(state.pin, name, PIN_MAX)), notice=None), ()


def _touch(frame: Frame, state: WizardGrid, name: str) -> Answer:
    """As the touch test of the tools: `at_X_Y_MS` in tenths of a millimetre, or `held`: enough."""
    word, *numbers = name.split("_")
    if word == "held":
        return grid_over(frame, state)
    if word != "at" or len(numbers) != 3:
        return frame, ()
    x, y, since_ms = (int(number) for number in numbers)
    after = touched(state, (x / 10, y / 10), since_ms, (frame.face.width_mm, frame.face.height_mm))
    assert isinstance(after, WizardGrid)
    return grid_over(frame, after) if is_done(after) else (replace(frame, state=after), ())


def grid_over(frame: Frame, state: WizardGrid) -> Answer:
    """Enough touches, or none for a while."""
    misses = tuple((right, up) for _, right, up in sorted(state.hits))
    trial = WizardTrial(state.board, state.step, said=True, grid=state)
    return frame.to(trial), (z.TouchTold(state.step, state.columns * state.rows, misses),)


def _result(frame: Frame, state: WizardResult, name: str) -> Answer:
    board, told = state.board, state.told
    if board is None or told is None:
        return frame, ()
    match name:
        case "again":
            return start(frame, board, told.line.step)
        case "skip" if told.line.result == "failed":
            return frame.to(WizardSkip(board, told.line.step)), ()
        case "next":
            return go_on(frame, board)
    return frame, ()


def go_on(frame: Frame, board: z.WizardBoard) -> Answer:
    """To the next step that has no result, or to the overview of all."""
    return start(frame, board, board.next_step) if board.next_step else open_wizard(frame)


def _record(frame: Frame, state: RecordPage, name: str) -> Answer:
    board = state.board
    match name:
        case "print" if board is not None and board.rows:
            return frame, (z.PrintRecord(),)
        case "save" if board is not None and board.rows:
            return frame, (z.SaveRecord(),)
        case "next" | "previous" if board is not None:
            last = max(0, (len(board.rows) - 1) // lines(frame))
            page = min(last, max(0, state.page + (1 if name == "next" else -1)))
            return replace(frame, state=replace(state, page=page)), ()
    return frame, ()


# --- the first PINs -----------------------------------------------------------------------------------------------


def press_first_pin(frame: Frame, state: FirstPin, name: str) -> Answer:
    """The same PIN twice, first the technician's, then the operator's."""
    if state.busy:
        return frame, ()
    if name in ("home", "back"):
        return frame.cleared(Standby()), ()
    if name != "ok":
        return replace(frame, state=replace(state, pin=typed(state.pin, name, PIN_MAX)), notice=None), ()
    if len(state.pin) < FIRST_PIN_MIN:
        return frame, ()
    if not state.first:
        return frame.to(FirstPin(state.role, first=state.pin)), ()
    if state.pin != state.first:
        return frame.to(FirstPin(state.role), Notice("setpin.differ")), ()
    return frame.to(FirstPin(state.role, busy=True)), (z.FirstPin(state.role, state.pin),)


def on_pin(frame: Frame, step: z.PinTaken) -> Frame:
    if not isinstance(frame.state, FirstPin):
        return frame
    return frame.to(FirstPin(step.next_role) if step.next_role else Login())


# --- steps --------------------------------------------------------------------------------------------------------


def on_wizard(frame: Frame, step: z.WizardStep) -> Answer:
    """What the wizard tells. Of a trial that was left nothing is shown, but a door that is open."""
    match (step, frame.state):
        case (z.SetupDue(), _):
            return replace(frame, setup=step.what), ()
        case (z.PinTaken(), _):
            return on_pin(frame, step), ()
        case (z.WizardBoard(), Wizard() as state):
            return replace(frame, state=replace(state, board=step)), ()
        case (z.WizardBoard(), Devices()):
            return frame.to(Wizard(step)), ()
        case (z.WizardBoard(), WizardSkip(busy=True)):
            return go_on(frame, step)
        case (z.WizardNow(), WizardTrial() | WizardDoor() as state) if state.step == step.step:
            return _now(frame, state, step), ()
        case (z.WizardTold(), WizardTrial() | WizardDoor() as state) if state.step == step.line.step:
            grid = state.grid if isinstance(state, WizardTrial) else None
            return frame.to(WizardResult(_with(state.board, step.line), step, grid)), ()
        case (z.RecordSaved(), RecordPage()):
            return replace(frame, notice=Notice(f"record_save.{step.word}", bad=step.word != "saved")), ()
        case (z.RecordBoard(), RecordPage() as page):
            return replace(frame, state=replace(page, board=step)), ()
    return frame, ()


def _now(frame: Frame, state: WizardTrial | WizardDoor, now: z.WizardNow) -> Frame:
    if now.stage == "cell" and now.cells:
        return frame.to(WizardDoor(state.board, state.step, now.cells))
    if isinstance(state, WizardTrial) and state.now is not None and state.now.stage == now.stage:
        return replace(frame, state=replace(state, now=now))
    return frame.to(WizardTrial(state.board, state.step, now))


def _with(board: z.WizardBoard | None, line: z.WizardLine) -> z.WizardBoard | None:
    """The board with a step's new result."""
    if board is None:
        return None
    changed = tuple(line if each.step == line.step else each for each in board.lines)
    return replace(board, run=board.run or "begun", lines=changed, is_ended=False)


def wizard_refused(frame: Frame, state: WizardState | FirstPin, notice: Notice) -> Frame:
    """The desk would not: nothing is waited for any more."""
    match state:
        case FirstPin():
            return frame.to(FirstPin(state.role), notice)
        case WizardDoor():
            return frame.to(replace(state, busy=False), notice)
        case WizardSkip():
            return frame.to(replace(state, busy=False), notice)
        case WizardTrial():
            return frame.to(Wizard(state.board), notice)
    return replace(frame, notice=notice)


def is_late(state: WizardTrial | WizardDoor | WizardSkip) -> bool:
    """Whether something was asked that is answered at once, if at all; trials have limits of their own."""
    return state.now is None if isinstance(state, WizardTrial) else state.busy


def record_printing(frame: Frame, step: s.Printing) -> Frame:
    """The record on its way to paper, told on its own page."""
    good = step.state in ("printing", "done", "sent")
    return replace(frame, notice=Notice("record.printing" if good else "record.no_print", bad=not good))
