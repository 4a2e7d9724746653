"""The screens of the technician's tools. A scan on any of them does nothing but what the tool shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from edge.model import CellNo
from edge.steps.workbench import (
    CellSeen,
    DisplayTried,
    EnrolOver,
    GunFound,
    PolarityTold,
    PrinterTried,
    RawRead,
    ScaleSeen,
    Tared,
    ToolDevice,
)
from ui.viewmodels.staff_states import StaffState

REASONS = ("new_lock", "repair", "complaint", "routine")
READS = 4  # the newest large, the others one line each
CELLS_A_PAGE = 24


@dataclass(frozen=True, slots=True)
class ToolState(StaffState):
    scan: ClassVar[str] = "tool"


@dataclass(frozen=True, slots=True)
class Tools(ToolState):
    """Which tool?"""

    screen: ClassVar[str] = "tools"


@dataclass(frozen=True, slots=True)
class DeviceTool(ToolState):
    """A tool that works on one of several devices. `devices` None: not known yet. `chosen` counts them from 0."""

    devices: tuple[ToolDevice, ...] | None = None
    chosen: int = 0

    @property
    def device(self) -> ToolDevice | None:
        """The chosen one."""
        return self.devices[self.chosen] if self.devices and self.chosen < len(self.devices) else None


@dataclass(frozen=True, slots=True)
class RawView(DeviceTool):
    """Scans as they come, the newest first; those of the chosen scanner are shown."""

    screen: ClassVar[str] = "raw"
    reads: tuple[RawRead, ...] = ()

    @property
    def shown(self) -> tuple[RawRead, ...]:
        """The reads of the chosen scanner, of any gun behind it."""
        name = "" if self.device is None else self.device.name
        return tuple(read for read in self.reads if read.scanner.partition("/")[0] == name)


@dataclass(frozen=True, slots=True)
class EnrolGun(DeviceTool):
    """The code on the screen waits for the gun; then who it was."""

    screen: ClassVar[str] = "enrol"
    code: str = ""
    seconds: int = 0
    found: GunFound | None = None
    over: EnrolOver | None = None


@dataclass(frozen=True, slots=True)
class DisplayTrial(DeviceTool):
    screen: ClassVar[str] = "display"
    busy: bool = False
    tried: DisplayTried | None = None


@dataclass(frozen=True, slots=True)
class PrintTrial(DeviceTool):
    screen: ClassVar[str] = "print"
    busy: bool = False
    tried: PrinterTried | None = None


@dataclass(frozen=True, slots=True)
class ScaleTrial(DeviceTool):
    screen: ClassVar[str] = "scale"
    busy: bool = False
    seen: ScaleSeen | None = None
    tared: Tared | None = None


@dataclass(frozen=True, slots=True)
class DoorWall(ToolState):
    """All cells with their doors. `tool`: doors | polarity. `cells` None: the boards are being asked."""

    screen: ClassVar[str] = "doors"
    tool: str
    cells: tuple[CellSeen, ...] | None = None
    has_sensor: bool = True
    page: int = 0


@dataclass(frozen=True, slots=True)
class DoorReason(ToolState):
    """Why, and who: one cell is about to be opened."""

    screen: ClassVar[str] = "doorpin"
    wall: DoorWall
    cell: CellNo
    reason: str = ""
    pin: str = field(default="", repr=False)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class DoorMoves(ToolState):
    """A pulse went out. `stage` as in `CellTried`."""

    screen: ClassVar[str] = "doormoves"
    wall: DoorWall
    cell: CellNo
    stage: str
    has_sensor: bool = True


@dataclass(frozen=True, slots=True)
class PolarityQuestion(ToolState):
    """Is the door open now? `busy`: said."""

    screen: ClassVar[str] = "polarity"
    wall: DoorWall
    cell: CellNo
    busy: bool = False


@dataclass(frozen=True, slots=True)
class PolarityVerdict(ToolState):
    screen: ClassVar[str] = "verdict"
    wall: DoorWall
    told: PolarityTold


@dataclass(frozen=True, slots=True)
class TouchGrid(ToolState):
    """Targets to be touched, row by row from the top left. `hits`: (target, right, up), the miss in tenths of a mm.

    `strays` lay near no target, `doubles` came twice for one touch. Positions are in `ui.viewmodels.touch_grid`.
    """

    screen: ClassVar[str] = "touch"
    idle: ClassVar[str] = "grid"
    columns: int
    rows: int
    hits: tuple[tuple[int, int, int], ...] = ()
    strays: int = 0
    doubles: int = 0
    is_cross: bool = False  # the four corners and the middle alone


@dataclass(frozen=True, slots=True)
class TouchVerdict(ToolState):
    """What the touches have shown."""

    screen: ClassVar[str] = "touched"
    grid: TouchGrid
