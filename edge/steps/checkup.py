"""The check-up of a point: what the doctor found, one finding for each device and each part of the terminal.

No sentences here: a finding carries the key and the slots of its sentence in the catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("fault", "warn", "unknown", "ok")  # worst first


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up.

    Shape:  `what` is the class of the device (lock, scanner, ...) or a part of the terminal (disk, clock, ...);
            `subject` the device's name from the settings, empty for the terminal; `place` its number there from 1;
            `code` what a technician reads out on the telephone, such as L11, empty when all is well;
            `key` names the sentence in the table `doctor` of the catalogues, with its `slots`.
    """

    what: str
    level: str  # one of LEVELS
    code: str
    key: str
    slots: tuple[tuple[str, str | int], ...] = ()
    subject: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True)
class CheckupBoard:
    """All findings, worst first. `report` is the same as one line of capitals and digits, for a QR code."""

    findings: tuple[Finding, ...]
    report: str
