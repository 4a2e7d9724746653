"""Brightness by time of day, as the settings write it: "06:30=12 19:00=5 22:30=off". Pure; the time comes in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from drivers.mistakes import Unfit, unfit

_ENTRY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])=([0-9]{1,2}|off)")
MAX_ENTRIES = 48


@dataclass(frozen=True, slots=True)
class Daylight:
    """Levels from certain minutes of the day on, in order; before the first one the last one holds, as at night."""

    entries: tuple[tuple[int, int | None], ...]  # minute of the day, level; None: dark

    def level(self, now: datetime) -> int | None:
        """The level at this local time; None for dark."""
        minute = now.hour * 60 + now.minute
        return next((level for at, level in reversed(self.entries) if at <= minute), self.entries[-1][1])


def always(level: int) -> Daylight:
    """The same level all day."""
    return Daylight(((0, level),))


def read(text: str, highest: int) -> Daylight:
    """Read a schedule. Errors: Unfit."""
    entries = []
    for word in text.split():
        parts = _ENTRY.fullmatch(word)
        if parts is None or (parts[3] != "off" and int(parts[3]) > highest):
            raise Unfit(unfit("schedule", "schedule_entry", entry=word, most=highest))
        entries.append((int(parts[1]) * 60 + int(parts[2]), None if parts[3] == "off" else int(parts[3])))
    times = [at for at, _ in entries]
    if not entries or len(entries) > MAX_ENTRIES or times != sorted(set(times)):
        raise Unfit(unfit("schedule", "schedule", most=MAX_ENTRIES))
    return Daylight(tuple(entries))
