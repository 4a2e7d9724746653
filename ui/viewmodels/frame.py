"""What is open on the screen, as one frozen value. A drawing depends on the `Frame` alone.

A state names its screen, who stands before it and which idle rule holds. How states follow each other is in
`steps.py` (what the flows say), `press.py` (what a finger says) and `idle.py` (what silence says).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from edge.model import Role
from edge.steps import DayBoard, LinkState, Pairing, Stored
from ui.settings import IdleTimes


@dataclass(frozen=True, slots=True)
class State:
    """One screen. `idle`: none | home | pickup | villager | result | staff. `scan`: name of the scan's place."""

    screen: ClassVar[str] = ""
    who: ClassVar[str] = "villager"
    idle: ClassVar[str] = "villager"
    scan: ClassVar[str] = "standby"


@dataclass(frozen=True, slots=True)
class Face:
    """What of the site's settings the screens need."""

    site_name: str = ""
    help_phone: str = ""
    language: str = "zh"
    has_locker: bool = True
    has_shelf: bool = True
    has_printer: bool = False
    has_scale: bool = False
    blind_cells: frozenset[int] = frozenset()  # whose doors nobody sees but the person before them
    idle: IdleTimes = field(default_factory=IdleTimes)
    villager_rows: int = 3
    operator_rows: int = 5
    width_mm: float = 221.4  # of the panel, and how much larger than a 10-inch one its things are drawn
    height_mm: float = 129.7
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the operator: a catalogue key with its slots, good or bad news."""

    key: str
    slots: tuple[tuple[str, str | int], ...] = ()
    bad: bool = True


@dataclass(frozen=True, slots=True)
class Now:
    """The wall as the screens see it; `day` is (year, month, day, weekday 0=Monday)."""

    clock: str = "--:--"
    day: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything on the screen.

    Units: `left_s` seconds left at a door or on a result page, `ask_s` seconds left to answer "still there?";
           None where nothing counts down.
    """

    face: Face
    state: State
    lang: str
    link: LinkState = field(default_factory=lambda: LinkState(online=True, days_offline=0, pending=0))
    notices: tuple[str, ...] = ()
    role: Role | None = None
    operator: str = ""
    now: Now = field(default_factory=Now)
    left_s: int | None = None
    ask_s: int | None = None
    notice: Notice | None = None
    day: DayBoard | None = None
    stored: Stored | None = None
    target: str = "auto"
    pairing: Pairing | None = None  # None: enrolled, or nothing to enrol for
    setup: str = ""  # what a new point still needs: people | commission
    from_list: bool = False  # intake was entered from the list of a gun's memory

    def to(self, state: State, notice: Notice | None = None) -> Frame:
        """Open another screen; countdowns and notices of the old one are gone."""
        return replace(self, state=state, notice=notice, left_s=None, ask_s=None)

    def cleared(self, state: State) -> Frame:
        """Forget the person: first language, nobody logged in, nothing of the last task left."""
        fresh = Frame(face=self.face, state=state, lang=self.face.language, link=self.link, notices=self.notices)
        return replace(fresh, now=self.now, pairing=self.pairing, setup=self.setup)
