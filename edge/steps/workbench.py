"""The technician's tools: what is asked of the workbench, and what it shows. The same shapes as the other steps.

A scan reaches a screen masked: no secret and no whole number of a person ever gets here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model import CellNo
from edge.steps.checkup import Finding

# --- asked --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenTool:
    """A tool was taken up: "raw", "enrol", "display", "print", "scale", "doors" or "polarity".

    `device` chooses the scale that is watched; "" is the first.
    """

    tool: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class CloseTool:
    """It was put down. Scans work again, a display shows what it should, nothing is asked any more."""


@dataclass(frozen=True, slots=True)
class TryDisplay:
    """Show a pattern: "lines", "digits", "blank", "light_10", "light_50", "light_100", "light_0" or "light_own"."""

    device: str
    what: str


@dataclass(frozen=True, slots=True)
class TryPrinter:
    device: str


@dataclass(frozen=True, slots=True)
class TareScale:
    device: str


@dataclass(frozen=True, slots=True)
class OpenCell:
    """Open one empty cell to try its door ("doors") or to prove the polarity ("polarity")."""

    cell: CellNo
    tool: str
    reason: str
    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SawDoor:
    """The technician says what the door is in truth."""

    cell: CellNo
    is_open: bool


WorkbenchIntent = OpenTool | CloseTool | TryDisplay | TryPrinter | TareScale | OpenCell | SawDoor

# --- shown --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolDevice:
    """One device a tool can work on. `can`: "lines", "amount", "light" for displays."""

    name: str
    kind: str
    path: str
    health: str  # ok | degraded | away
    can: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolShown:
    """The tool is ready."""

    tool: str
    devices: tuple[ToolDevice, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """One reading of a code; `why` is technical English."""

    kind: str
    carrier: str | None
    sure: int  # percent
    why: str


@dataclass(frozen=True, slots=True)
class RawRead:
    """One scan as it came, masked. `took_ms` None: the driver does not know when it began."""

    scanner: str
    text: str  # AIM identifier and control signs are in it; MASKED stands for each hidden sign
    symbology: str | None
    ended: str  # the sign or key that ended it: "\r", "\n", "\t", "\x03", or "" for a pause or the end of a frame
    took_ms: int | None
    decision: str
    guesses: tuple[Guess, ...]
    flaw: str | None = None
    hidden: str = ""  # "" | secret | personal: why signs are hidden


@dataclass(frozen=True, slots=True)
class EnrolShown:
    """Scan this code with the gun that is to be found."""

    code: str
    seconds: int


@dataclass(frozen=True, slots=True)
class GunFound:
    """This gun read the code. `known` is its name in the settings, "" for a new one; `lines` are for the settings."""

    path: str
    port: str
    lines: tuple[str, ...]
    known: str = ""
    prefix: str = ""
    has_twin: bool = False
    keeps_case: bool = True
    has_aim: bool = True


@dataclass(frozen=True, slots=True)
class EnrolOver:
    """No gun was found. `why`: late (nobody scanned) | no_input (this machine's keyboards cannot be listened to)."""

    why: str


@dataclass(frozen=True, slots=True)
class DisplayTried:
    """What was sent; the technician's eyes are the proof. `finding`: what the check-up says of the device now."""

    device: str
    what: str
    health: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class PrinterTried:
    """`outcome`: done | sent | unknown | not_there | no_answer | refused; paper and cover as the printer says."""

    device: str
    outcome: str
    paper: str  # ok | near_end | out | unknown
    cover: str  # closed | open | unknown


@dataclass(frozen=True, slots=True)
class ScaleSeen:
    """The pan now. `grams` None: no reading within the last second."""

    device: str
    grams: int | None
    is_stable: bool = False
    is_net: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Tared:
    """`outcome`: weighed | empty | restless | overload | not_there | no_answer | refused."""

    device: str
    outcome: str


@dataclass(frozen=True, slots=True)
class CellSeen:
    """One door of the cabinet as its board says it: open | closed | unknown. `is_held`: something lies in it."""

    cell: CellNo
    door: str
    is_held: bool = False
    is_out: bool = False


@dataclass(frozen=True, slots=True)
class DoorsSeen:
    cells: tuple[CellSeen, ...]
    has_sensor: bool = True


@dataclass(frozen=True, slots=True)
class CellTried:
    """A trial of one door goes on.

    `stage`: opening | open (shut it) | shut | left_open | stayed_closed | unknown | not_there | refused | wrong_door
             | unanswered (nobody said what the door is).
    """

    cell: CellNo
    stage: str
    has_sensor: bool = True


@dataclass(frozen=True, slots=True)
class PolarityAsk:
    """One pulse went out: is the door open now?"""

    cell: CellNo


@dataclass(frozen=True, slots=True)
class PolarityTold:
    """The end of commissioning. `verdict`: right | inverted | stuck | other | not_opened | blind.

    `lines` are for the settings of the lock board; empty when nothing was proven.
    """

    cell: CellNo
    verdict: str
    lines: tuple[str, ...] = ()


MASKED = "●"
WorkbenchStep = (
    ToolShown | RawRead | EnrolShown | GunFound | EnrolOver | DisplayTried | PrinterTried | ScaleSeen | Tared
    | DoorsSeen | CellTried | PolarityAsk | PolarityTold
)  # fmt: skip
