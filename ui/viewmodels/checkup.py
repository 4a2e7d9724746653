"""The check-up's page: the findings page by page, or the code that carries them to the centre. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from edge import steps as s
from ui.viewmodels.frame import Frame
from ui.viewmodels.staff_states import StaffState

Answer = tuple[Frame, tuple[s.Intent, ...]]


@dataclass(frozen=True, slots=True)
class Checkup(StaffState):
    """`board` None: still looking. `shows_code`: the QR code instead of the list."""

    screen: ClassVar[str] = "checkup"
    board: s.CheckupBoard | None = None
    page: int = 0
    shows_code: bool = False


def open_checkup(frame: Frame) -> Answer:
    return frame.to(Checkup()), (s.ShowBoard("checkup"),)


def press_checkup(frame: Frame, state: Checkup, name: str) -> Answer:
    """A tap on the page."""
    match name:
        case "next" | "previous":
            return replace(frame, state=replace(state, page=state.page + (1 if name == "next" else -1))), ()
        case "code" | "list" if state.board is not None:
            return replace(frame, state=replace(state, shows_code=name == "code")), ()
        case "again" if state.board is not None:
            return open_checkup(frame)
    return frame, ()


def on_checkup(frame: Frame, state: Checkup, board: s.CheckupBoard) -> Frame:
    """The doctor has looked."""
    return replace(frame, state=replace(state, board=board, page=0))
