"""What the workbench's steps do to the technician's screens. Pure.

A step for a tool that was put down is dropped; one about an open door finds its page while the technician is there.
"""

from __future__ import annotations

from dataclasses import replace

from edge.steps import workbench as w
from ui.viewmodels.frame import Frame, Notice
from ui.viewmodels.staff_states import ParcelCard, StaffState
from ui.viewmodels.technician_states import (
    READS,
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
    ToolState,
)

LATE_MS = 60_000  # every tool answers sooner; this is the net under them


def on_tool_step(frame: Frame, step: w.WorkbenchStep) -> Frame:
    """Return the frame after a step of the workbench."""
    state = frame.state
    match (step, state):
        case (w.RawRead(), RawView()):
            return replace(frame, state=replace(state, reads=(step, *_of_others(state, step))))
        case (w.EnrolShown(), EnrolGun()):
            return replace(frame, state=replace(state, code=step.code, seconds=step.seconds, found=None, over=None))
        case (w.GunFound(), EnrolGun()):
            return replace(frame, state=replace(state, found=step))
        case (w.EnrolOver(), EnrolGun()):
            return replace(frame, state=replace(state, over=step))
        case (w.DisplayTried(device=name) | w.PrinterTried(device=name), DisplayTrial() | PrintTrial()):
            return _tried(frame, state, step) if state.device and state.device.name == name else frame
        case (w.ScaleSeen() | w.Tared(), ScaleTrial()):
            return _pan(frame, state, step)
        case (w.ToolShown(tool=tool), DeviceTool()) if tool == state.screen:
            return replace(frame, state=replace(state, devices=step.devices))
        case (w.DoorsSeen(), DoorWall()):
            return replace(frame, state=replace(state, cells=step.cells, has_sensor=step.has_sensor))
    return _door(frame, step)


def staff_refused(frame: Frame, state: StaffState, notice: Notice) -> Frame:
    """The desk or the bench would not: the page stays, nothing is waited for any more."""
    match state:
        case DoorReason() | PolarityQuestion() | ParcelCard():
            return frame.to(replace(state, busy=False), notice)
        case DisplayTrial() | PrintTrial() | ScaleTrial():
            return replace(frame, state=replace(state, busy=False), notice=notice)
        case DoorWall(cells=None):
            return replace(frame, state=replace(state, cells=()), notice=notice)
        case DeviceTool(devices=None):
            return replace(frame, state=replace(state, devices=()), notice=notice)
    return replace(frame, notice=notice)


def is_waiting(state: ToolState) -> bool:
    """Whether a tool was asked and has not answered."""
    return bool(getattr(state, "busy", False))


def _of_others(state: RawView, step: w.RawRead) -> tuple[w.RawRead, ...]:
    """The older reads, bounded for each scanner."""
    name = step.scanner.partition("/")[0]
    same = [read for read in state.reads if read.scanner.partition("/")[0] == name][: READS - 1]
    return tuple(read for read in state.reads if read in same or read.scanner.partition("/")[0] != name)


def _tried(frame: Frame, state: DisplayTrial | PrintTrial, step: w.DisplayTried | w.PrinterTried) -> Frame:
    match (state, step):
        case (DisplayTrial(), w.DisplayTried()):
            return replace(frame, state=replace(state, busy=False, tried=step))
        case (PrintTrial(), w.PrinterTried()):
            return replace(frame, state=replace(state, busy=False, tried=step))
    return frame


def _pan(frame: Frame, state: ScaleTrial, step: w.ScaleSeen | w.Tared) -> Frame:
    if state.device is not None and step.device != state.device.name:
        return frame
    if isinstance(step, w.Tared):
        return replace(frame, state=replace(state, busy=False, tared=step))
    return replace(frame, state=replace(state, seen=step))


def _door(frame: Frame, step: w.WorkbenchStep) -> Frame:
    wall = getattr(frame.state, "wall", None)
    if not isinstance(wall, DoorWall):
        return frame
    match step:
        case w.CellTried(stage="shut" | "left_open") if isinstance(frame.state, PolarityVerdict):
            return frame  # the verdict matters more than that the door was shut afterwards
        case w.CellTried():
            return frame.to(DoorMoves(wall, step.cell, step.stage, step.has_sensor))
        case w.PolarityAsk():
            return frame.to(PolarityQuestion(wall, step.cell))
        case w.PolarityTold():
            return frame.to(PolarityVerdict(wall, step))
    return frame
