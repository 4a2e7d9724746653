"""Make a delta between two root file systems: which 4 KiB blocks of the new one the old one has, and the others.

usage: make_delta.py OLD.ext4 NEW.ext4 VERSION_OF_OLD OUT.delta

Shape of a delta: 4 KiB with one JSON object (v, size, sha256, base, runs), filled up with blanks; then the runs, nine
bytes each: kind (0 zeros, 1 of the old root, 2 of this file), first block of the old root, number of blocks; filled up
to a block; then the new blocks. It is not packed: the bundle's squashfs packs it.

ext4 lays files out in whole blocks, so a file that did not change is found wherever it went. Blocks that a mount may
have written to since the root was shipped (super block, group descriptors, journal) are never taken from the old one.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

from apply_delta import BLOCK, MAX_HEAD, NEW, OLD, RUN, ZERO

JOURNAL = b"\xc0\x3b\x39\x98"  # every block of the journal that holds something begins so
EMPTY = bytes(BLOCK)


def main(old: str, new: str, base: str, out: str) -> int:
    """Make it and tell its figures as JSON."""
    print(json.dumps(make(Path(old), Path(new), base, Path(out))))
    return 0


def make(old: Path, new: Path, base: str, out: Path) -> dict[str, Any]:
    """Write the delta; return how many blocks came from where."""
    there = _places(old)
    runs: list[list[int]] = []
    counts = {ZERO: 0, OLD: 0, NEW: 0}
    whole = hashlib.sha256()
    blocks = out.with_suffix(".blocks")
    with new.open("rb") as source, blocks.open("wb") as kept:
        while block := source.read(BLOCK):
            whole.update(block)
            name = _name(block)
            kind, first = (ZERO, 0) if block == EMPTY else (OLD, there[name]) if name in there else (NEW, 0)
            if kind == NEW:
                kept.write(block)
            counts[kind] += 1
            _add(runs, kind, first)
    packed = b"".join(RUN.pack(*run) for run in runs)
    size = new.stat().st_size
    head = {"v": 1, "size": size, "sha256": whole.hexdigest(), "base": base, "runs": len(runs)}
    with out.open("wb") as made, blocks.open("rb") as kept:
        made.write(json.dumps(head).encode().ljust(MAX_HEAD))
        made.write(packed + bytes(-len(packed) % BLOCK))
        while part := kept.read(1 << 20):
            made.write(part)
    blocks.unlink()
    return {
        "zero": counts[ZERO],
        "old": counts[OLD],
        "new": counts[NEW],
        "runs": len(runs),
        "bytes": out.stat().st_size,
    }


def _places(old: Path) -> dict[bytes, int]:
    """Where each block of the old root lies."""
    there: dict[bytes, int] = {}
    with old.open("rb") as source:
        first = _first_of_files(source.read(BLOCK))
        source.seek(first * BLOCK)
        at = first
        while block := source.read(BLOCK):
            if block != EMPTY and not block.startswith(JOURNAL):
                there.setdefault(_name(block), at)
            at += 1
    return there


def _first_of_files(super_block: bytes) -> int:
    """The first block behind super block, group descriptors and the room for more of them. Source: Linux, ext4.h."""
    field = lambda at, form: struct.unpack_from(form, super_block, 1024 + at)[0]  # noqa: E731
    if field(0x38, "<H") != 0xEF53 or field(0x18, "<I") != 2:
        raise SystemExit("make_delta: not an ext4 file system with blocks of 4 KiB")
    groups = -(-field(0x04, "<I") // field(0x20, "<I"))
    descriptors = -(-groups * max(32, field(0xFE, "<H")) // BLOCK)
    return int(1 + descriptors + field(0xCE, "<H"))


def _add(runs: list[list[int]], kind: int, first: int) -> None:
    if runs and runs[-1][0] == kind and (kind != OLD or runs[-1][1] + runs[-1][2] == first):
        runs[-1][2] += 1
    else:
        runs.append([kind, first, 1])


def _name(block: bytes) -> bytes:
    return hashlib.blake2b(block, digest_size=16).digest()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
