"""How many facts a device that comes and goes, or a door that moves unasked, may leave; the rest is counted. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MOST = 12  # facts about one device, or door, within an hour; a loose plug or contact makes one every two seconds
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Hour:
    """When facts were written within the last hour. Units: monotonic milliseconds."""

    _written_ms: deque[int] = field(default_factory=deque)

    def room(self, now_ms: int) -> int:
        """How many more may be written now."""
        while self._written_ms and now_ms - self._written_ms[0] >= HOUR_MS:
            self._written_ms.popleft()
        return MOST - len(self._written_ms)

    def wrote(self, now_ms: int) -> None:
        self._written_ms.append(now_ms)


@dataclass(slots=True)
class Changes:
    """What one device was seen to be. `unwritten` counts the changes since its last fact."""

    seen: str = ""
    unwritten: int = 0
    _hour: Hour = field(default_factory=Hour)

    def look(self, ill: str, now_ms: int) -> int | None:
        """Take what is seen now, "" for a device that works; None when there is nothing to write.

        Otherwise this state is to be written, with the number returned: changes since the last fact that were left out.
        A recovery takes no last place, so a device that goes on failing is left as failed, never as working.
        """
        if ill != self.seen:
            self.seen = ill
            self.unwritten += 1
        if not self.unwritten or self._hour.room(now_ms) <= (0 if ill else 1):
            return None
        left_out, self.unwritten = self.unwritten - 1, 0
        self._hour.wrote(now_ms)
        return left_out


@dataclass(slots=True)
class Movements:
    """How often one door moved that nobody had opened. `unwritten` counts since its last fact."""

    unwritten: int = 0
    _hour: Hour = field(default_factory=Hour)

    def seen(self, now_ms: int) -> int | None:
        """Take one movement; None when it is only counted, else how many were left out since the last fact."""
        if self._hour.room(now_ms) <= 0:
            self.unwritten += 1
            return None
        left_out, self.unwritten = self.unwritten, 0
        self._hour.wrote(now_ms)
        return left_out
