"""Screens without a window: frozen states, and the functions that turn one frame into the next. No Kivy here."""

from ui.viewmodels.amounts import amounts
from ui.viewmodels.first import FirstPage
from ui.viewmodels.frame import Face, Frame, Notice, Now, State
from ui.viewmodels.idle import tick
from ui.viewmodels.press import press, scan
from ui.viewmodels.states import Standby
from ui.viewmodels.steps import on_step

__all__ = ["Face", "Frame", "Notice", "Now", "State", "amounts", "on_step", "press", "scan", "start", "tick"]


def start(face: Face, *, first: bool = False) -> Frame:
    """The first frame after a start. `first`: a terminal that has no settings yet."""
    return Frame(face=face, state=FirstPage() if first else Standby(), lang=face.language)
