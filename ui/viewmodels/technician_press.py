"""Taps on the technician's tools. Same shape as `press_staff.py`, which calls it. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge import steps as s
from edge.steps import workbench as w
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.keys import typed
from ui.viewmodels.states import PIN_MAX, PIN_MIN
from ui.viewmodels.technician_states import (
    CELLS_A_PAGE,
    REASONS,
    DeviceTool,
    DisplayTrial,
    DoorMoves,
    DoorReason,
    DoorWall,
    EnrolGun,
    PolarityQuestion,
    PolarityVerdict,
    PrintTrial,
    RawView,
    ScaleTrial,
    Tools,
    ToolState,
    TouchGrid,
    TouchVerdict,
)
from ui.viewmodels.touch_grid import grid, is_done, touched

Answer = tuple[Frame, tuple[s.Intent, ...]]
DEVICE_TOOLS: dict[str, type[DeviceTool]] = {
    "raw": RawView, "enrol": EnrolGun, "display": DisplayTrial, "print": PrintTrial, "scale": ScaleTrial,
}  # fmt: skip
WALLS = ("doors", "polarity")
NAMES = (*DEVICE_TOOLS, "touch", *WALLS)
PATTERNS = ("lines", "digits", "blank", "light_10", "light_50", "light_100", "light_0", "light_own")


def press_tool(frame: Frame, state: ToolState, name: str) -> Answer:
    """Return the frame and the intents after a tap on a tool's page."""
    match state:
        case Tools():
            return _take_up(frame, name)
        case TouchGrid():
            return _touch(frame, state, name)
        case TouchVerdict() if name == "again":
            return _take_up(frame, "touch")
        case DeviceTool():
            return _device(frame, state, name)
        case DoorWall():
            return _wall(frame, state, name)
        case DoorReason() if not state.busy:
            return _reason(frame, state, name)
        case DoorMoves() if name == "shut":
            return frame, (s.DoorIsShut(state.cell),)
        case PolarityQuestion() if name in ("yes", "no") and not state.busy:
            return replace(frame, state=replace(state, busy=True)), (w.SawDoor(state.cell, name == "yes"),)
        case PolarityVerdict() if name == "again":
            return _take_up(frame, state.wall.tool)
    return frame, ()


def back_from(frame: Frame, state: ToolState) -> Answer | None:
    """Where the back button leads; None: to the first page of whoever is logged in."""
    match state:
        case Tools():
            return None
        case DoorReason(wall=wall):
            return frame.to(replace(wall, cells=None)), (w.OpenTool(wall.tool),)
        case DoorMoves(stage=stage) if stage in ("opening", "open"):
            return frame, ()  # an open door is not left
        case DoorMoves(wall=wall):
            return frame.to(replace(wall, cells=None)), (w.OpenTool(wall.tool),)
        case PolarityQuestion():
            return frame, ()
    return frame.to(Tools()), (w.CloseTool(),)


def _take_up(frame: Frame, name: str) -> Answer:
    if name == "touch":
        face = frame.face
        return frame.to(grid(face.width_mm, face.height_mm, face.scale)), ()
    if name in DEVICE_TOOLS:
        return frame.to(DEVICE_TOOLS[name]()), (w.OpenTool(name),)
    if name in WALLS:
        return frame.to(DoorWall(name)), (w.OpenTool(name),)
    return frame, ()


def _touch(frame: Frame, state: TouchGrid, name: str) -> Answer:
    """`at_X_Y_MS`: a touch in tenths of a millimetre and the time since the one before; `held`: enough."""
    word, *numbers = name.split("_")
    if word == "held":
        return frame.to(TouchVerdict(state)), ()
    if word != "at" or len(numbers) != 3:
        return frame, ()
    x, y, since_ms = (int(number) for number in numbers)
    after = touched(state, (x / 10, y / 10), since_ms, (frame.face.width_mm, frame.face.height_mm))
    return (frame.to(TouchVerdict(after)) if is_done(after) else replace(frame, state=after)), ()


def _device(frame: Frame, state: DeviceTool, name: str) -> Answer:
    device = state.device
    if name == "other" and state.devices:
        return _other(frame, state)
    match state:
        case EnrolGun() if name == "again" and (state.found or state.over):
            return _take_up(frame, "enrol")
        case DisplayTrial(busy=False) if name in PATTERNS and device:
            return replace(frame, state=replace(state, busy=True)), (w.TryDisplay(device.name, name),)
        case PrintTrial(busy=False) if name == "go" and device:
            return replace(frame, state=replace(state, busy=True, tried=None)), (w.TryPrinter(device.name),)
        case ScaleTrial(busy=False) if name == "tare" and device:
            return replace(frame, state=replace(state, busy=True, tared=None)), (w.TareScale(device.name),)
    return frame, ()


def _other(frame: Frame, state: DeviceTool) -> Answer:
    """The next device of the list, and round again."""
    assert state.devices
    chosen = (state.chosen + 1) % len(state.devices)
    match state:
        case ScaleTrial():
            fresh = ScaleTrial(state.devices, chosen)
            return replace(frame, state=fresh), (w.OpenTool("scale", state.devices[chosen].name),)
        case DisplayTrial() | PrintTrial():
            return replace(frame, state=type(state)(state.devices, chosen)), ()
    return replace(frame, state=replace(state, chosen=chosen)), ()


def _wall(frame: Frame, wall: DoorWall, name: str) -> Answer:
    cells = wall.cells or ()
    last = max(0, (len(cells) - 1) // CELLS_A_PAGE)
    if name in ("next", "previous"):
        page = min(last, max(0, wall.page + (1 if name == "next" else -1)))
        return replace(frame, state=replace(wall, page=page)), ()
    if name == "refresh":
        return replace(frame, state=replace(wall, cells=None)), (w.OpenTool(wall.tool),)
    number = name.removeprefix("cell_")
    cell = next((cell for cell in cells if str(cell.cell) == number), None)
    if cell is None:
        return frame, ()
    if cell.is_held:
        return replace(frame, notice=Notice("refused.cell_not_empty")), ()
    reason = "commissioning" if wall.tool == "polarity" else ""
    return frame.to(DoorReason(wall, cell.cell, reason)), ()


def _reason(frame: Frame, state: DoorReason, name: str) -> Answer:
    if name in REASONS and state.wall.tool == "doors":
        return replace(frame, state=replace(state, reason=name)), ()
    if name == "ok":
        if len(state.pin) < PIN_MIN or not state.reason:
            return frame, ()
        intent = w.OpenCell(state.cell, state.wall.tool, state.reason, state.pin)
        return frame.to(replace(state, pin="", busy=True)), (intent,)
    return replace(frame, state=replace(state, pin=typed(state.pin, name, PIN_MAX)), notice=None), ()
