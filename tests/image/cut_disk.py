"""A disk that forgets, for honest power cuts: writes are volatile until the guest flushes.

Killing an emulator loses nothing: the host's page cache has every write. Here a write becomes durable with the next
flush; at a cut each write since then survives wholly, in part (torn at sectors) or not at all, by the dice. They are
applied in their order, so states with a later write but without an earlier one are reached too.

Shape:  base file (never written) + sparse overlay of pages + what is volatile. A run can be recorded; `replay` then
        makes the disk of a cut at any write of that run, without the guest. Emulators reach it through nbd.py.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

PAGE = 4096
SECTOR = 512
VOLATILE_MOST = 32 << 20  # a disk writes its cache back sooner or later; the oldest writes go first
EXTENT = 1 << 20  # bytes copied at a time

Write = tuple[int, bytes]  # offset, content


@dataclass(slots=True)
class Recording:
    """The writes of a run in order, `None` for a flush. `start` is the overlay before the first of them."""

    start: Path
    log: list[Write | None] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)  # names given to moments of the run

    def mark(self, name: str) -> None:
        """Name this moment."""
        self.marks[name] = len(self.log)


class CutDisk:
    """One guest's disk, safe for several threads."""

    def __init__(self, base: Path, folder: Path, size: int = 0) -> None:
        """`size` in bytes: of a card larger than what was written to it; the rest of it reads as zeros."""
        folder.mkdir(parents=True, exist_ok=True)
        self.size = max(size, base.stat().st_size)
        if self.size % PAGE or base.stat().st_size % PAGE:
            raise ValueError(f"{base}: {self.size} bytes are not whole pages of {PAGE}")
        self.folder = folder
        self.flushes = self.hurt = 0
        self.written = 0  # bytes, since ever
        self.recording: Recording | None = None
        self._base = os.open(base, os.O_RDONLY)
        self._overlay_path = folder / "overlay"
        self._overlay = os.open(self._overlay_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self._overlay, self.size)
        self._has = bytearray(self.size // PAGE)
        self._live: dict[int, bytes] = {}  # newest content of pages with volatile writes
        self._volatile: list[Write] = []
        self._volatile_bytes = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Release the files; volatile writes become durable, as after a clean end."""
        with self._lock:
            self._settle(len(self._volatile))
            os.close(self._overlay)
            os.close(self._base)

    # -- bytes

    def read(self, at: int, count: int) -> bytes:
        """What a reader sees now, volatile or not. Errors: ValueError outside of the disk."""
        with self._lock:
            return self._read(at, count)

    def write(self, at: int, content: bytes) -> None:
        """As a guest writes: volatile until `flush`. Errors: ValueError outside of the disk."""
        if at < 0 or at + len(content) > self.size:
            raise ValueError(f"{len(content)} bytes at {at} are outside of the disk")
        if not content:
            return
        with self._lock:
            self.written += len(content)
            if self.recording is not None:
                self.recording.log.append((at, content))
            self._remember(at, content)
            self._volatile.append((at, content))
            self._volatile_bytes += len(content)
            if self._volatile_bytes > VOLATILE_MOST:
                self._settle(max(1, len(self._volatile) // 2))

    def flush(self) -> None:
        """Make every write durable."""
        with self._lock:
            if self.recording is not None:
                self.recording.log.append(None)
            self.flushes += 1
            self._settle(len(self._volatile))

    def cut(self, dice: random.Random) -> int:
        """The power goes. Tell how many volatile writes did not survive whole."""
        with self._lock:
            left, hurt = survivors(self._volatile, dice)
            self._volatile, self._volatile_bytes = [], 0
            self._live.clear()
            for at, content in left:
                self._store(at, content)
            self.hurt += hurt
            return hurt

    # -- whole disks

    def snapshot(self, to: Path) -> Path:
        """Copy the overlay; `restore` goes back to it. Volatile writes are made durable first."""
        with self._lock:
            self._settle(len(self._volatile))
            to.mkdir(parents=True, exist_ok=True)
            _sparse_copy(self._overlay_path, to / "overlay")
            (to / "overlay.map").write_bytes(self._has)
        return to

    def restore(self, source: Path) -> None:
        """Be the disk of a snapshot of the same base."""
        with self._lock:
            self._volatile, self._volatile_bytes = [], 0
            self._live.clear()
            os.close(self._overlay)
            self._overlay_path.unlink()
            _sparse_copy(source / "overlay", self._overlay_path)
            self._overlay = os.open(self._overlay_path, os.O_RDWR)
            self._has[:] = (source / "overlay.map").read_bytes()

    def record(self, folder: Path) -> Recording:
        """Begin to note every write, in memory; what the guest writes bounds it (a gigabyte for an update)."""
        self.recording = Recording(self.snapshot(folder))
        return self.recording

    def replay(self, recording: Recording, upto: int, dice: random.Random) -> int:
        """Become the disk of a recorded run whose power was cut after so many writes. Tell as `cut` does."""
        self.recording = None
        self.restore(recording.start)
        for each in recording.log[:upto]:
            if each is None:
                self.flush()
            else:
                self.write(*each)
        return self.cut(dice)

    def extract(self, at: int, count: int, to: Path) -> None:
        """Write a stretch, such as a partition, into a sparse file of its own."""
        with to.open("wb") as file:
            for offset in range(0, count, EXTENT):
                part = self.read(at + offset, min(EXTENT, count - offset))
                if part.count(0) != len(part):
                    file.seek(offset)
                    file.write(part)
            file.truncate(count)

    def insert(self, at: int, source: Path) -> None:
        """Put a changed stretch back, durably; only what differs is written."""
        with source.open("rb") as file:
            offset = 0
            while part := file.read(EXTENT):
                if self.read(at + offset, len(part)) != part:
                    self.write(at + offset, part)
                offset += len(part)
        self.flush()

    # -- inside; the lock is held

    def _read(self, at: int, count: int) -> bytes:
        if at < 0 or at + count > self.size:
            raise ValueError(f"{count} bytes at {at} are outside of the disk")
        first, last = at // PAGE, -(-(at + count) // PAGE)
        parts: list[bytes] = []
        page = first
        while page < last:
            stop = page + 1
            if page in self._live:
                parts.append(self._live[page])
            else:
                while stop < last and stop not in self._live and self._has[stop] == self._has[page]:
                    stop += 1
                source = self._overlay if self._has[page] else self._base
                parts.append(os.pread(source, (stop - page) * PAGE, page * PAGE).ljust((stop - page) * PAGE, b"\0"))
            page = stop
        return b"".join(parts)[at - first * PAGE : at - first * PAGE + count]

    def _remember(self, at: int, content: bytes) -> None:
        first, last = at // PAGE, -(-(at + len(content)) // PAGE)
        whole = content
        if at % PAGE or len(content) % PAGE:
            pages = bytearray(self._read(first * PAGE, (last - first) * PAGE))
            pages[at - first * PAGE : at - first * PAGE + len(content)] = content
            whole = bytes(pages)
        for number in range(last - first):
            self._live[first + number] = whole[number * PAGE : (number + 1) * PAGE]

    def _settle(self, count: int) -> None:
        """Make the oldest writes durable."""
        for at, content in self._volatile[:count]:
            self._store(at, content)
            self._volatile_bytes -= len(content)
        del self._volatile[:count]
        self._live.clear()
        for at, content in self._volatile:
            self._remember(at, content)

    def _store(self, at: int, content: bytes) -> None:
        first, last = at // PAGE, -(-(at + len(content)) // PAGE)
        for page in {first, last - 1}:  # only the ends can be partial
            if not self._has[page]:
                os.pwrite(self._overlay, os.pread(self._base, PAGE, page * PAGE).ljust(PAGE, b"\0"), page * PAGE)
        os.pwrite(self._overlay, content, at)
        self._has[first:last] = b"\1" * (last - first)


def survivors(pending: list[Write], dice: random.Random) -> tuple[list[Write], int]:
    """What is left of volatile writes after a cut, in their order; and how many of them are not whole."""
    share = dice.choice((0.0, 1.0, dice.random()))  # nothing, everything, or some of it
    left: list[Write] = []
    hurt = 0
    for at, content in pending:
        if dice.random() < share:
            left.append((at, content))
            continue
        hurt += 1
        if share > 0.0 and dice.random() < 0.2:
            left += _torn(at, content, dice)
    return left, hurt


def _torn(at: int, content: bytes, dice: random.Random) -> list[Write]:
    """A stretch of whole sectors out of a write, often its beginning; perhaps nothing."""
    sectors = max(1, len(content) // SECTOR)
    first = dice.choice((0, dice.randrange(sectors)))
    last = dice.randrange(first, sectors)
    return [(at + first * SECTOR, content[first * SECTOR : last * SECTOR])] if last > first else []


def _sparse_copy(source: Path, to: Path) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(to)], check=True, timeout=600)
