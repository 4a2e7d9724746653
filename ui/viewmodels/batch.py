"""The list out of a gun's memory: its state, its taps and its steps. Pure; drawn in ui/screens/batch_pages.py."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from edge import steps as s
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.staff_states import Intake, IntakeDoor, IntakeState, StaffState

Answer = tuple[Frame, tuple[s.Intent, ...]]
OPEN_KINDS = ("shelf", "cell", "consent", "carrier", "unknown")  # what a tap takes in, alone


@dataclass(frozen=True, slots=True)
class GunList(StaffState):
    """`ask`: codes still wait, and the operator is about to leave them out."""

    screen: ClassVar[str] = "batch"
    board: s.BatchBoard | None = None
    page: int = 0
    ask: bool = False


def rows(frame: Frame) -> int:
    """Lines on one page: the head and the two large buttons take the room of one."""
    return frame.face.operator_rows - 1


def press_list(frame: Frame, state: GunList, name: str) -> Answer:
    """Return the frame and the intents after a tap on the list."""
    board = state.board
    if board is None or not board.batch:
        return frame, ()
    match name:
        case "next" | "previous":
            return replace(frame, state=replace(state, page=state.page + (1 if name == "next" else -1))), ()
        case "take" if board.proposed:
            return frame, (s.TakeBatch(board.batch),)
        case "close" if board.waiting and not state.ask:
            return replace(frame, state=replace(state, ask=True)), ()
        case "close" | "yes":
            return replace(frame, state=replace(state, ask=False)), (s.CloseBatch(board.batch), s.ShowBoard("day"))
    if not name.startswith("row_"):
        return frame, ()
    line = board.lines[state.page * rows(frame) + int(name[4:])]
    if line.kind not in OPEN_KINDS:
        return frame, ()
    return replace(frame.to(Intake(busy=True)), from_list=True), (s.TakeCode(line.number),)


def back_to_list(frame: Frame) -> Answer | None:
    """Whoever came to intake from the list goes back to it; None for everybody else."""
    match frame.state:
        case GunList(ask=True) as state:
            return replace(frame, state=replace(state, ask=False)), ()
        case IntakeDoor():
            return None
        case IntakeState() if frame.from_list:
            return replace(frame.to(GunList()), from_list=False), (s.CancelFlow(), s.ShowBoard("batch"))
    return None


def on_board(frame: Frame, step: s.BatchBoard) -> Frame:
    """Fill the list that is open; another list begins at its top."""
    if not isinstance(frame.state, GunList):
        return frame
    before = frame.state.board
    same = before is not None and before.batch == step.batch
    last = max(0, len(step.lines) - 1) // rows(frame)
    return replace(frame, state=GunList(step, min(frame.state.page, last) if same else 0))


def on_codes(frame: Frame, step: s.CodesWait) -> Answer:
    """A gun was emptied: say so to an operator, and show it where the list is open."""
    day = None if frame.day is None else replace(frame.day, codes=step.codes)
    frame = replace(frame, day=day)
    if not isinstance(frame.state, StaffState) or not step.codes:
        return frame, ()
    told = replace(frame, notice=Notice("batch.arrived", (("n", step.codes),), bad=False))
    return told, ((s.ShowBoard("batch"),) if isinstance(frame.state, GunList) else ())
