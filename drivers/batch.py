"""Tell an upload of a gun's memory from live scanning, and an upload that comes again from a new one. Pure.

An upload shows by its rhythm or by the lines some guns type around it (Baracoda "<UPL>: ..."). Rhythm: BATCH_CODES
codes in a row, each beginning within `gap_ms` of the end of the one before. Field reports put uploads at less than
400 ms from code to code, but an operator in full swing scans three in a second, so that figure would hurt. Between the
end of one code and the first sign of the next a person leaves at least the time of a re-aim and a trigger pull;
`GAP_MS` is well below it and holds at any speed of the line. A gun that types slowly (inter-character delay) eats from
the pause: for such a gun set a smaller gap. The label with four lines that the seed rule of 2016 asks for comes at the
same pace as an upload, hence five codes.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from drivers.base import Batch, Read, TimeQuality

GAP_MS = 120
BATCH_CODES = 5
MAX_BATCH = 8192  # codes; 163,840 bytes of memory at 15 bytes and 8 signs a code (Micrelec CS2600) hold 7,100
END_MS = 1000  # a radio that stutters in mid-upload recovers sooner; a person scans on later
WRAPPED_END_MS = 10_000  # the gun announced an end, so wait for it, but not for ever
_REMEMBERED = 16  # uploads; 16 * 8192 * 8 bytes are 1 MB at the very most

_START = re.compile(r"(?:\][A-Za-z][0-9A-F])?<UPL>:\s*start\b\D*(\d*).*", re.IGNORECASE)
_END = re.compile(r"(?:\][A-Za-z][0-9A-F])?<UPL>:\s*transmission\s+(OK|NOK)\b.*", re.IGNORECASE)


class Memory(Enum):
    """How a gun with a memory is lived with. Wrapper lines are understood in every case."""

    NONE = "none"  # the gun has none: rhythm says nothing
    WATCHED = "watched"  # a code that nothing hastens after is live at once; the first code of an upload goes live
    HELD = "held"  # each code waits `gap_ms` before it counts as live; nothing of an upload goes live


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What counts as an upload."""

    memory: Memory = Memory.NONE
    gap_ms: int = GAP_MS


NO_MEMORY = Rhythm()


@dataclass(slots=True)
class _Upload:
    """An upload under way."""

    reads: list[Read]
    live: int = 0
    announced: int | None = None
    is_wrapped: bool = False


class Uploads:
    """The reads of one gun, in order, to live reads and batches. Holds at most MAX_BATCH reads."""

    def __init__(self, scanner: str, rhythm: Rhythm = NO_MEMORY) -> None:
        self._scanner = scanner
        self._rhythm = rhythm
        self._upload: _Upload | None = None
        self._run: list[Read] = []
        self._held = 0  # of the run, how many at its end were not given away yet
        self._ended_ms: int | None = None
        self._known = _Known()

    def take(self, read: Read, began_ms: int, is_stored: bool = False) -> list[Read | Batch]:
        """Take one read and when its first sign came. `is_stored`: the gun itself says it is from the memory."""
        out = self._pause(began_ms)
        self._ended_ms = read.at_ms
        if (start := _START.fullmatch(read.text)) is not None:
            out += self._close(is_whole=False)
            self._upload = _Upload([], announced=int(start[1]) if start[1] else None, is_wrapped=True)
        elif self._upload is not None and (end := _END.fullmatch(read.text)) is not None:
            out += self._close(is_whole=end[1].upper() == "OK", is_erased=end[1].upper() == "OK")
        elif self._upload is not None:
            self._upload.reads.append(read)
            if len(self._upload.reads) >= MAX_BATCH:
                out += self._go_on()
        elif is_stored:
            out += self._release()
            self._upload = _Upload([read])
        else:
            out += self._live(read)
        return out

    def idle(self, now_ms: int) -> list[Read | Batch]:
        """Tell the time while no code is under way."""
        return self._pause(now_ms)

    def lost(self) -> list[Read | Batch]:
        """The device vanished: whole codes stay, the upload is told as broken off."""
        return self._release() + self._close(is_whole=False)

    @property
    def due_ms(self) -> int | None:
        """When `idle` has something to say, if nothing comes before; None for never."""
        if self._ended_ms is None or (self._upload is None and not self._held):
            return None
        return self._ended_ms + self._patience_ms()

    def _patience_ms(self) -> int:
        if self._upload is None:
            return self._rhythm.gap_ms
        return WRAPPED_END_MS if self._upload.is_wrapped else END_MS

    def _pause(self, now_ms: int) -> list[Read | Batch]:
        if self._ended_ms is None or now_ms - self._ended_ms < self._patience_ms():
            return []
        if self._upload is not None:
            return self._close(is_whole=not self._upload.is_wrapped)
        return self._release()

    def _live(self, read: Read) -> list[Read | Batch]:
        if self._rhythm.memory is Memory.NONE:
            return [read]
        self._run.append(read)
        self._held += 1
        if len(self._run) >= BATCH_CODES:
            self._upload = _Upload(self._run, live=len(self._run) - self._held)
            self._run, self._held = [], 0
        elif self._rhythm.memory is Memory.WATCHED and len(self._run) == 1:
            self._held = 0  # what comes faster than a hand can waits until the pause says what it was
            return [read]
        return []

    def _release(self) -> list[Read | Batch]:
        """The run was no upload: what was held of it is live."""
        held = self._run[len(self._run) - self._held :]
        self._run, self._held = [], 0
        return list(held)

    def _go_on(self) -> list[Read | Batch]:
        """Give a part away and wait for the rest as an upload of its own."""
        upload = self._upload
        out = self._close(is_whole=False)
        self._upload = _Upload([], is_wrapped=upload is not None and upload.is_wrapped)
        return out

    def _close(self, is_whole: bool, is_erased: bool = False) -> list[Read | Batch]:
        upload, self._upload = self._upload, None
        if upload is None or not (upload.reads or upload.is_wrapped):
            return []
        is_new = self._known.learn(upload.reads, is_erased)
        reads = [replace(read, time_quality=TimeQuality.UPLOAD) for read in upload.reads]
        batch = Batch(
            scanner=self._scanner,
            reads=tuple(read for read, new in zip(reads, is_new, strict=True) if new),
            repeated=is_new.count(False),
            live=is_new[: upload.live].count(True),
            announced=upload.announced,
            is_whole=is_whole and upload.announced in (None, len(reads)),
        )
        return [batch]


class _Known:
    """Sequences that were uploaded before, as digests: the codes of people are not kept.

    An interrupted or repeated upload begins again with the first record, so one of two sequences begins like the
    other. Single codes prove nothing: the same parcel may be counted twice. A damaged read fits any code.
    """

    def __init__(self) -> None:
        self._sequences: deque[list[bytes | None]] = deque(maxlen=_REMEMBERED)

    def learn(self, reads: Sequence[Read], is_erased: bool) -> list[bool]:
        """Tell for each read whether it is new, and remember the sequence unless the gun has erased it."""
        ours = [None if read.flaw else hashlib.blake2b(read.text.encode(), digest_size=8).digest() for read in reads]
        known = next((each for each in self._sequences if _begin_alike(each, ours)), None)
        if known is not None:
            self._sequences.remove(known)
        before = known or []
        is_new = [at >= len(before) or (before[at] is None and ours[at] is not None) for at in range(len(ours))]
        if ours and not is_erased:
            merged = [mine or theirs for mine, theirs in zip(ours, before, strict=False)]
            self._sequences.append(merged + before[len(ours) :] + ours[len(before) :])
        return is_new


def _begin_alike(one: Sequence[bytes | None], other: Sequence[bytes | None]) -> bool:
    pairs = [(a, b) for a, b in zip(one, other, strict=False) if a is not None and b is not None]
    return bool(pairs) and all(a == b for a, b in pairs)
