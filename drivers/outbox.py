"""What every scanner does with scans: name the gun, tell uploads from live codes, queue them, count what was lost.

How bytes and keys become scans is in drivers/wire/; what makes an upload is decided in drivers/batch.py.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from drivers.base import Batch, Clock, Health, Read, Status
from drivers.batch import NO_MEMORY, Rhythm, Uploads
from drivers.faults import Fault
from drivers.feed import Feed
from drivers.wire.prefixes import GunPrefixes
from drivers.wire.scans import Scan

GS = "\x1d"
log = logging.getLogger(__name__)

MAX_READS = 512  # an upload of a whole gun memory fits; beyond it new codes are refused and counted
BAD_IN_A_ROW = 3  # codes; one or two are a hand that slipped
MAX_BATCHES = 16  # uploads nobody took; one holds some thousand codes


@dataclass(frozen=True, slots=True)
class Habits:
    """How the guns behind one port are used."""

    prefixes: GunPrefixes = field(default_factory=GunPrefixes)
    rhythm: Rhythm = NO_MEMORY
    gs_sign: str = ""  # what the guns type for GS, which a keyboard has no key for; empty: nothing visible


USUAL = Habits()


class Outbox:
    """Scans in, reads and batches out. Times are the kiosk's monotonic milliseconds."""

    def __init__(self, name: str, habits: Habits) -> None:
        self.name = name
        self.reads: Feed[Read] = Feed(MAX_READS, keep_newest=False)
        self.batches: Feed[Batch] = Feed(MAX_BATCHES, keep_newest=False)
        self._habits = habits
        self._guns: dict[str, Uploads] = {}  # at most one more than there are prefixes
        self._last: tuple[int, str] | None = None  # burst and gun of the newest line
        self._bad = 0  # damaged codes in a row

    @property
    def lost(self) -> int:
        """Codes and uploads that nobody took."""
        return self.reads.lost + self.batches.lost

    def put(self, scans: Iterable[Scan], shift_ms: int = 0) -> None:
        """Queue scans; `shift_ms` turns the time base of the scans into the kiosk's."""
        for scan in scans:
            if scan.flaw is not None:
                log.info("%s: a scan was %s", self.name, scan.flaw.value)
            self._bad = 0 if scan.flaw is None else self._bad + 1
            gun, text = self._origin(scan)
            took_ms = scan.at_ms - scan.began_ms if scan.began_ms else None
            read = Read(text, gun, scan.at_ms + shift_ms, scan.burst, scan.flaw, took_ms=took_ms, ended=scan.ended)
            uploads = self._guns.setdefault(gun, Uploads(gun, self._habits.rhythm))
            self._give(uploads.take(read, scan.began_ms + shift_ms, scan.is_stored))

    def idle(self, now_ms: int) -> None:
        """Tell the time while no code is under way."""
        for uploads in self._guns.values():
            self._give(uploads.idle(now_ms))

    def port_lost(self) -> None:
        """The device vanished: an upload under way is over."""
        self._last, self._bad = None, 0
        for uploads in self._guns.values():
            self._give(uploads.lost())

    def wait_s(self, now_ms: int, idle_ms: int | None) -> float | None:
        """How long to wait for the next bytes: `idle_ms` while a code is under way, else until an upload is over."""
        if idle_ms is not None:
            return idle_ms / 1000
        due = [uploads.due_ms for uploads in self._guns.values() if uploads.due_ms is not None]
        return max(0, min(due) - now_ms) / 1000 if due else None

    def end(self) -> None:
        """Let the readers finish."""
        self.reads.end()
        self.batches.end()

    def status(self, away: str | None, fault: Fault | None = None, complaint: str = "") -> Status:
        """AWAY with its reason, DEGRADED after codes were lost or with a complaint, else OK; `fault` goes with it."""
        if away is not None:
            return Status(self.name, Health.AWAY, away, fault=fault)
        if self.lost:
            hint = f"{self.lost} codes were lost, nobody took them"
            return Status(self.name, Health.DEGRADED, hint, fault=Fault.CODES_LOST)
        if complaint:
            return Status(self.name, Health.DEGRADED, complaint, fault=fault)
        return Status(self.name, Health.OK, fault=Fault.BAD_CODES if self._bad >= BAD_IN_A_ROW else fault)

    def _origin(self, scan: Scan) -> tuple[str, str]:
        """Name the gun and take its prefix off. Later lines of one trigger pull carry none: they are the first's."""
        gun, text = self._habits.prefixes.split(scan.text)
        if gun is not None:
            name = f"{self.name}/{gun}"
        elif self._last is not None and self._last[0] == scan.burst:
            name = self._last[1]
        else:
            name = self.name
        self._last = (scan.burst, name)
        return name, text.replace(self._habits.gs_sign, GS) if self._habits.gs_sign else text

    def _give(self, items: Sequence[Read | Batch]) -> None:
        for item in items:
            if isinstance(item, Read):
                self.reads.put(item)
            else:
                log.info("%s: %d codes were uploaded, %d of them again", self.name, len(item.reads), item.repeated)
                self.batches.put(item)


class ReadingScanner:
    """The half of `drivers.base.Scanner` that all scanners share. It takes no commands."""

    can_signal: bool = False
    can_trigger: bool = False

    def __init__(self, name: str, clock: Clock, habits: Habits) -> None:
        self.name = name
        self._clock = clock
        self._outbox = Outbox(name, habits)

    def reads(self) -> AsyncIterator[Read]:
        """Yield every live code for the life of the device. One consumer only."""
        return self._outbox.reads.items()

    def batches(self) -> AsyncIterator[Batch]:
        """Yield what guns upload from their memory. One consumer only."""
        return self._outbox.batches.items()

    async def signal(self, accepted: bool) -> None:
        """Do nothing: this scanner has no ear."""

    async def trigger(self, on: bool) -> None:
        """Do nothing: this scanner has no ear."""
