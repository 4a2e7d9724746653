"""What the screens are told at start: panel, language, site, waiting times. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class IdleTimes:
    """Seconds without a touch before the screen asks or clears.

    Source: architecture section 12.9 (30 s at pick-up, 90 s elsewhere); WCAG 2.2.1 wants at least 20 s to answer.
    """

    pickup_s: int = 30
    villager_s: int = 90
    answer_s: int = 30
    result_s: int = 30
    operator_s: int = 300
    technician_s: int = 900


@dataclass(frozen=True, slots=True)
class UiSettings:
    """Everything `ui.app.run_app` needs.

    Units:  width and height in pixels, diagonal_inch as printed on the panel's data sheet; all sizes on the screen are
            computed from these three, so a wrong diagonal makes wrong millimetres.
    Shape:  language "zh" or "en" is the one the terminal falls back to when a person leaves.
            blind_cells get the button 「门已关好」: their lock boards cannot feel the door.
            first_start: the terminal has no settings yet, and shows how far it is.
            drive_socket is for tests and training only: whoever can write to it can touch the screen.
            pinned_clock ("2026-07-01 09:30", tests only) shows this time instead of the real one.
    """

    width: int
    height: int
    diagonal_inch: float
    fullscreen: bool = False
    language: str = "zh"
    idle: IdleTimes = field(default_factory=IdleTimes)
    site_name: str = ""
    help_phone: str = ""
    has_locker: bool = True
    has_shelf: bool = True
    has_printer: bool = False
    has_scale: bool = False
    first_start: bool = False
    drive_socket: Path | None = None
    blind_cells: frozenset[int] = frozenset()
    pinned_clock: str = ""
