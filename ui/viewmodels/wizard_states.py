"""The screens of the commissioning wizard, and of the first PINs of a new point. One question on each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from edge.model import CellNo
from edge.steps.wizard import RecordBoard, WizardBoard, WizardNow, WizardTold
from ui.viewmodels.frame import State
from ui.viewmodels.technician_states import ToolState, TouchGrid

SKIP_REASONS = ("not_installed", "waits_for_part", "no_time", "not_used")
AT_A_DOOR = ("opening", "eyes", "shut")  # nobody leaves an open door


@dataclass(frozen=True, slots=True)
class FirstPin(State):
    """A new point has nobody with a PIN. `role`: technician, then operator; `first` was typed and is asked again."""

    screen: ClassVar[str] = "setpin"
    idle: ClassVar[str] = "home"
    role: str = "technician"
    pin: str = field(default="", repr=False)
    first: str = field(default="", repr=False)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class WizardState(ToolState):
    """`board` None: not known yet."""

    board: WizardBoard | None = None


@dataclass(frozen=True, slots=True)
class Wizard(WizardState):
    """All steps and how they stand."""

    screen: ClassVar[str] = "wizard"
    page: int = 0


@dataclass(frozen=True, slots=True)
class WizardTrial(WizardState):
    """One step on trial. `now` None: asked for. `said`: answered, the result is on its way."""

    screen: ClassVar[str] = "wizardtrial"
    step: str = ""
    now: WizardNow | None = None
    said: bool = False
    grid: WizardGrid | None = None  # the touches whose result is on its way

    @property
    def is_at_door(self) -> bool:
        return self.now is not None and self.now.stage in AT_A_DOOR


@dataclass(frozen=True, slots=True)
class WizardDoor(WizardState):
    """Which empty cell, and the PIN of who opens it."""

    screen: ClassVar[str] = "wizarddoor"
    step: str = ""
    cells: tuple[CellNo, ...] = ()
    chosen: int = 0
    pin: str = field(default="", repr=False)
    busy: bool = False

    @property
    def cell(self) -> CellNo:
        return self.cells[self.chosen]


@dataclass(frozen=True, slots=True)
class WizardGrid(TouchGrid):
    """The corners and the middle of the panel, to be touched."""

    board: WizardBoard | None = None
    step: str = ""


@dataclass(frozen=True, slots=True)
class WizardSkip(WizardState):
    """Why is this step left out? `busy`: said."""

    screen: ClassVar[str] = "wizardskip"
    step: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True)
class WizardResult(WizardState):
    """How the step came out; `grid` the touches of a touch test."""

    screen: ClassVar[str] = "wizardtold"
    told: WizardTold | None = None
    grid: WizardGrid | None = None


@dataclass(frozen=True, slots=True)
class RecordPage(ToolState):
    """The record of the newest run that has ended. `board` None: not known yet."""

    screen: ClassVar[str] = "record"
    board: RecordBoard | None = None
    page: int = 0
