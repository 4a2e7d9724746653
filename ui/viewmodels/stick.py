"""The stick's page and the reconciliation sheet's page, behind the page of the line. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from edge import steps as s
from edge.steps.stick import (
    PlaceRelease,
    PrintSheet,
    ReadStick,
    SheetBoard,
    ShowSheet,
    ShowSticks,
    StickBoard,
    StickBusy,
    StickDone,
    StickStep,
    WriteBundle,
    WriteStick,
)
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.staff_states import Board, StaffState

ACTS: dict[str, type[WriteStick | ReadStick | WriteBundle | PlaceRelease]] = {
    "write": WriteStick, "read": ReadStick, "bundle": WriteBundle, "place": PlaceRelease
}  # fmt: skip
Answer = tuple[Frame, tuple[s.Intent, ...]]


@dataclass(frozen=True, slots=True)
class StickPage(StaffState):
    """`board` None: still looking. `busy`: the stick is in use. `done`: how the last act ended."""

    screen: ClassVar[str] = "stick"
    board: StickBoard | None = None
    busy: bool = False
    done: StickDone | None = None


@dataclass(frozen=True, slots=True)
class SheetPage(StaffState):
    """`board` None: still being counted."""

    screen: ClassVar[str] = "sheet"
    board: SheetBoard | None = None


def open_page(frame: Frame, name: str) -> Answer:
    """From the page of the line: "stick" or "sheet"."""
    if name == "stick":
        return frame.to(StickPage()), (ShowSticks(),)
    return frame.to(SheetPage()), (ShowSheet(),)


def press_page(frame: Frame, state: StickPage | SheetPage, name: str) -> Answer:
    """A tap on one of the two pages."""
    match state:
        case SheetPage(board=board) if name == "print" and board is not None and board.rows:
            return frame, (PrintSheet(),)
        case StickPage(busy=True):
            return frame, ()
        case StickPage() if name == "refresh":
            return frame.to(StickPage()), (ShowSticks(),)
        case StickPage(board=StickBoard(sticks=sticks)):
            act, _, number = name.partition("_")
            if act in ACTS and number.isdigit() and int(number) < len(sticks):
                intent = ACTS[act](sticks[int(number)].name)
                return replace(frame, state=replace(state, busy=True, done=None)), (intent,)
    return frame, ()


def on_stick(frame: Frame, step: StickStep) -> Frame:
    """What the flows tell. A sheet that nobody has seen yet opens over the operator's first page."""
    match (step, frame.state):
        case (SheetBoard(), Board() | SheetPage()):
            return frame.to(SheetPage(step))
        case (StickBoard(), StickPage() as page):
            return replace(frame, state=replace(page, board=step))
        case (StickBusy(), StickPage() as page):
            return replace(frame, state=replace(page, busy=True, done=None))
        case (StickDone(), StickPage() as page):
            return replace(frame, state=replace(page, busy=False, done=step))
    return frame


def sheet_printing(frame: Frame, step: s.Printing) -> Frame:
    """The sheet on its way to paper, told on its own page."""
    good = step.state in ("printing", "done", "sent")
    return replace(frame, notice=Notice("sheet.printing" if good else "sheet.no_print", bad=not good))
