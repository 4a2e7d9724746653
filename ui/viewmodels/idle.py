"""What silence does: countdowns, "are you still there?", home with everything cleared, log-out. Pure; time comes in.

`idle_ms` is the time since the last touch, scan or change of the screen; `shown_ms` since the screen changed.
"""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.model import Role
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.press import leave
from ui.viewmodels.staff_states import IntakeDoor, Login
from ui.viewmodels.states import BillCash, Broken, CodeEntry, Door, Home, Refused, Slip, Standby, Wait
from ui.viewmodels.technician_states import ToolState, TouchGrid, TouchVerdict
from ui.viewmodels.technician_steps import LATE_MS, is_waiting, staff_refused
from ui.viewmodels.touch_grid import IDLE_MS
from ui.viewmodels.wizard import grid_over, is_late, wizard_refused
from ui.viewmodels.wizard_states import WizardDoor, WizardGrid, WizardSkip, WizardTrial

Answer = tuple[Frame, tuple[s.Intent, ...]]

WORDS_MS = 1_000  # an answer within a second needs no words
WAIT_MS = 60_000  # every flow answers sooner; this is the net under them
TROUBLE_MS = 6_000  # long enough to read one sentence


def tick(frame: Frame, idle_ms: int, shown_ms: int) -> Answer:
    """Return the frame after the clock moved on."""
    match frame.state:
        case Door(seconds=seconds) | IntakeDoor(seconds=seconds) if seconds:
            return replace(frame, left_s=max(0, seconds - shown_ms // 1000)), ()
        case Broken() if shown_ms >= TROUBLE_MS:
            return frame.cleared(Home()), (s.CancelFlow(), *((s.Logout(),) if frame.role else ()))
        case Wait() | CodeEntry(busy=True) | Login(busy=True) | BillCash(busy=True):
            return _waiting(frame, shown_ms)
        case ToolState() as tool if is_waiting(tool) and shown_ms >= LATE_MS:
            return staff_refused(frame, tool, Notice("refused.no_answer")), ()
        case WizardGrid() as grid:
            return grid_over(frame, grid) if idle_ms >= IDLE_MS else (frame, ())
        case WizardTrial() | WizardDoor() | WizardSkip() as trial if is_late(trial) and shown_ms >= LATE_MS:
            return wizard_refused(frame, trial, Notice("refused.no_answer")), ()
        case TouchGrid() as grid:  # this page has no button: it ends by silence, or by a long press
            return (frame.to(TouchVerdict(grid)) if idle_ms >= IDLE_MS else frame), ()
    times = frame.face.idle
    match frame.state.idle:
        case "home":
            return (frame.cleared(Standby()) if idle_ms >= times.villager_s * 1000 else frame), ()
        case "result":
            left = times.result_s - idle_ms // 1000
            return _home(frame) if left <= 0 else (replace(frame, left_s=left), ())
        case "none":
            return frame, ()
    return _ask(frame, idle_ms)


def limit_s(frame: Frame) -> int:
    """Seconds of silence before the question."""
    times = frame.face.idle
    match frame.state.idle:
        case "pickup":
            return times.pickup_s
        case "staff":
            # The answer's time is inside the limit: nobody stays logged in longer than the rule says.
            whole = _whole_s(frame)
            return max(whole - times.answer_s, whole - whole // 2)  # a short rule must leave time to work as well
    return times.villager_s


def _whole_s(frame: Frame) -> int:
    times = frame.face.idle
    return times.technician_s if frame.role is Role.TECHNICIAN else times.operator_s


def _answer_s(frame: Frame) -> int:
    return _whole_s(frame) - limit_s(frame) if frame.state.idle == "staff" else frame.face.idle.answer_s


def _ask(frame: Frame, idle_ms: int) -> Answer:
    over_s = idle_ms // 1000 - limit_s(frame)
    if over_s < 0:
        return replace(frame, ask_s=None), ()
    left = _answer_s(frame) - over_s
    return _home(frame) if left <= 0 else (replace(frame, ask_s=left), ())


def _home(frame: Frame) -> Answer:
    """Nobody is there: give up what the flows hold, forget all, log out."""
    after, intents = leave(frame, Home())
    if isinstance(after.state, Slip):
        return after, intents  # the next of several
    return frame.cleared(Standby() if frame.role else Home()), intents


def _waiting(frame: Frame, shown_ms: int) -> Answer:
    if shown_ms >= WAIT_MS:
        retry = "bill" if isinstance(frame.state, BillCash) or getattr(frame.state, "retry", "") == "bill" else "pickup"
        return frame.to(Refused("no_answer", retry=retry)), (s.CancelFlow(),)
    if isinstance(frame.state, Wait) and shown_ms >= WORDS_MS:
        return replace(frame, state=replace(frame.state, words=True)), ()
    return frame, ()
