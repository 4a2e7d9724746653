"""The commissioning wizard: what a technician asks and answers, and what the screen shows. No words for people.

A step is named by its key: what is tried (scan, door, line, price, weigh, print, touch, sound, hub), and the device
after a colon.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model import CellNo


def parts_of(step: str) -> tuple[str, str]:
    """Split the key of a step: what is tried, and the device, "" for what every point has."""
    what, _, device = step.partition(":")
    return what, device


# --- asked --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirstPin:
    """The first PINs of a point without people: that of a technician ("technician"), then that of an operator."""

    role: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenWizard:
    """Begin, or go on where it was."""


@dataclass(frozen=True, slots=True)
class TryStep:
    """Try this step now."""

    step: str


@dataclass(frozen=True, slots=True)
class SayStep:
    """What the eyes and ears say of the step on trial: one of its choices, "none", "yes", "no" or "right"."""

    step: str
    answer: str


@dataclass(frozen=True, slots=True)
class TryDoor:
    """Open this empty cell of the step's lock. The PIN is asked for every door."""

    step: str
    cell: CellNo
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TouchTold:
    """The targets that were hit and by how much they were missed, in tenths of a millimetre; `targets` of them all."""

    step: str
    targets: int
    misses: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SkipStep:
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class EndWizard:
    """All steps have come out: close the run."""


@dataclass(frozen=True, slots=True)
class LeaveWizard:
    """Nobody looks at the trial any more."""


@dataclass(frozen=True, slots=True)
class ShowRecord:
    pass


@dataclass(frozen=True, slots=True)
class PrintRecord:
    pass


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Put the record as a picture on the stick that is in."""


WizardIntent = (
    FirstPin | OpenWizard | TryStep | SayStep | TryDoor | TouchTold | SkipStep | EndWizard | LeaveWizard | ShowRecord
    | PrintRecord | SaveRecord
)  # fmt: skip

# --- shown --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetupDue:
    """What a new point still needs: "people" (nobody has a PIN), "commission", or nothing."""

    what: str


@dataclass(frozen=True, slots=True)
class PinTaken:
    """The PIN holds; `next_role` is whose comes next, "" when both are there."""

    next_role: str


@dataclass(frozen=True, slots=True)
class WizardLine:
    """One step as it stands: `result` as in the record, "" while it is still to come."""

    step: str
    result: str = ""
    code: str = ""
    reason: str = ""
    detail: str = ""

    @property
    def what(self) -> str:
        return parts_of(self.step)[0]

    @property
    def device(self) -> str:
        return parts_of(self.step)[1]


@dataclass(frozen=True, slots=True)
class WizardBoard:
    """All steps of the open run. `is_ended`: the newest run has ended, and `lines` are its."""

    run: str
    lines: tuple[WizardLine, ...]
    is_ended: bool = False

    @property
    def next_step(self) -> str:
        """The first step without a result, "" when there is none."""
        return next((line.step for line in self.lines if not line.result), "")


@dataclass(frozen=True, slots=True)
class WizardNow:
    """A step on trial. What is not of its stage stays empty.

    `stage`: busy (wait) | scan (`code` is to be scanned; `heard` another gun that read it) | choose (one of `choices`
             was shown, printed or sounded) | weigh (`grams`, `is_stable`) | cell (one of `cells`, `cell` is proposed)
             | opening | eyes (is the door of `cell` open?) | shut (`cell`) | touch | hub (waits for the answer).
    """

    step: str
    stage: str
    code: str = ""
    heard: str = ""
    choices: tuple[str, ...] = ()
    grams: int | None = None
    is_stable: bool = False
    cell: CellNo | None = None
    cells: tuple[CellNo, ...] = ()
    has_sensor: bool = True
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class WizardTold:
    """How a step came out, written down. `key` and `slots`: the sentence in the table `doctor` of the catalogues.

    `lines` are for the settings.
    """

    line: WizardLine
    key: str = ""
    slots: tuple[tuple[str, str | int], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordBoard:
    """The record of the newest run that has ended; without rows there is none. `verdict`, `confirmation`: its words.

    Units: `at` UTC ms.
    """

    verdict: str = ""
    confirmation: str = ""
    is_sent: bool = False
    site: str = ""
    device: str = ""
    version: str = ""
    operator: str = ""
    run: str = ""
    at: int = 0
    digest: str = ""
    code: str = ""
    rows: tuple[WizardLine, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordSaved:
    """`word`: saved, or why it is not on the stick: off | none | several | full | read_only | gone."""

    word: str


WizardStep = RecordSaved | SetupDue | PinTaken | WizardBoard | WizardNow | WizardTold | RecordBoard
