"""Facts of the commissioning: a technician goes through a point step by step, and the hub answers to the end of it."""

from __future__ import annotations

from typing import ClassVar

from edge.events.base import Fact


class CommissioningBegun(Fact, frozen=True):
    """A run began, or goes on with other steps because the settings were changed. `steps`: keys with blanks between."""

    kind: ClassVar[str] = "commissioning_begun.1"
    run: str
    version: str
    device: str
    steps: str
    operator: str


class CommissioningStepDone(Fact, frozen=True):
    """One step has a result; the newest counts. `code` and `reason` are empty where they mean nothing."""

    kind: ClassVar[str] = "commissioning_step_done.1"
    run: str
    step: str  # key: what is tried, and the device after a colon
    result: str  # done | failed | skipped | later
    code: str  # of the doctor's table
    reason: str  # why it was skipped
    detail: str  # what was measured
    operator: str


class LineTried(Fact, frozen=True):
    """Sent for its answer alone."""

    kind: ClassVar[str] = "line_tried.1"
    run: str
    operator: str


class PointCommissioned(Fact, frozen=True):
    """The end of a run: how its steps came out, and the digest over them (edge/commissioning_record.py)."""

    kind: ClassVar[str] = "point_commissioned.1"
    run: str
    version: str
    device: str
    steps: str
    done: int
    failed: int
    skipped: int
    later: int
    digest: str
    operator: str


class CommissioningConfirmed(Fact, frozen=True):  # from the hub
    """The digest over the steps as the hub has them, and its code."""

    kind: ClassVar[str] = "commissioning_confirmed.1"
    run: str
    digest: str
    code: str
