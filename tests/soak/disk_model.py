"""What a disk may hold after a power cut: a recorded stream of changes played into every kind of half-finished state.

Model: writes of a file survive in any subset, torn at sectors, until the file is synced; operations on names survive
as a prefix in their order (a journalling file system), and a sync of any file or folder makes all names before it
durable. An unlinked or replaced file is another file than its successor of the same name.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_HEAD = struct.Struct("<cIQQ")


@dataclass(frozen=True, slots=True)
class Change:
    """One note of the recorder (iolog.c)."""

    kind: str
    path: str
    at: int
    size: int
    data: bytes


def recorded(file: Path) -> Iterator[Change]:
    """Read the recorder's notes."""
    raw = memoryview(file.read_bytes())
    at = 0
    while at < len(raw):
        kind, length, offset, size = _HEAD.unpack_from(raw, at)
        at += _HEAD.size
        path = bytes(raw[at : at + length]).decode()
        at += length
        data = b""
        if kind == b"W":
            data = bytes(raw[at : at + size])
            at += size
        yield Change(kind.decode(), path, offset, size, data)


@dataclass(slots=True)
class Disk:
    """Durable names and contents, and what is still on its way."""

    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)
    _live: dict[str, int] = field(default_factory=dict)
    _name_changes: list[tuple[str, str, int]] = field(default_factory=list)
    _writes: list[tuple[int, Change]] = field(default_factory=list)
    _files: int = 0

    def take(self, change: Change) -> None:
        """The process did this."""
        match change.kind:
            case "C":
                self._files += 1
                self._live[change.path] = self._files
                self._name_changes.append(("C", change.path, self._files))
            case "U":
                self._live.pop(change.path, None)
                self._name_changes.append(("U", change.path, 0))
            case "R":
                old, new = change.path.split("\0")
                if old in self._live:
                    self._live[new] = self._live.pop(old)
                self._name_changes.append(("R", change.path, 0))
            case "W" | "T":
                self._writes.append((self._file(change.path), change))
            case "F":
                file = self._file(change.path)
                for each, write in self._writes:
                    if each == file:
                        _apply(self.contents, each, write)
                self._writes = [pair for pair in self._writes if pair[0] != file]
                self._sync_names()
            case "D":
                self._sync_names()

    def states(self, dice: random.Random, torn: int) -> Iterator[dict[str, bytes]]:
        """What may be found: nothing of what was on its way, all of it, and so many torn and shuffled subsets."""
        yield self._state(0, [])
        yield self._state(len(self._name_changes), self._writes)
        for _ in range(torn):
            kept = [piece for pair in self._writes for piece in _survivors(dice, pair)]
            yield self._state(dice.randint(0, len(self._name_changes)), kept)

    def _state(self, name_changes: int, writes: list[tuple[int, Change]]) -> dict[str, bytes]:
        names = dict(self.names)
        for change in self._name_changes[:name_changes]:
            _rename(names, change)
        contents = {file: bytearray(held) for file, held in self.contents.items()}
        for file, write in writes:
            _apply(contents, file, write)
        return {path: bytes(contents.get(file, b"")) for path, file in names.items()}

    def _file(self, path: str) -> int:
        if path not in self._live:  # it was there before the recording
            self._files += 1
            self._live[path] = self.names[path] = self._files
        return self._live[path]

    def _sync_names(self) -> None:
        for change in self._name_changes:
            _rename(self.names, change)
        self._name_changes = []


def _survivors(dice: random.Random, pair: tuple[int, Change]) -> Iterator[tuple[int, Change]]:
    file, write = pair
    fate = dice.random()
    if fate < 0.35:
        return
    if fate < 0.7 or write.kind == "T":
        yield pair
        return
    at = 0
    while at < len(write.data):
        size = min(SECTOR - (write.at + at) % SECTOR, len(write.data) - at)
        if dice.random() < 0.5:
            yield file, Change("W", write.path, write.at + at, size, write.data[at : at + size])
        at += size


def _rename(names: dict[str, int], change: tuple[str, str, int]) -> None:
    kind, path, file = change
    if kind == "C":
        names[path] = file
    elif kind == "U":
        names.pop(path, None)
    else:
        old, new = path.split("\0")
        if old in names:
            names[new] = names.pop(old)


def _apply(contents: dict[int, bytearray], file: int, write: Change) -> None:
    held = contents.setdefault(file, bytearray())
    if write.kind == "T":
        del held[write.size :]
        held.extend(bytes(write.size - len(held)))
        return
    held.extend(bytes(max(0, write.at - len(held))))
    held[write.at : write.at + len(write.data)] = write.data
