"""Write a root file system from the running one and a delta: part of a delta bundle, run by its hook as root.

usage: apply_delta.py DELTA OLD_DEVICE NEW_DEVICE

Needs nothing but Python. Takes 4 KiB blocks from the running root where they are the same and from the delta where they
are new, then reads back what was written and compares it with the SHA-256 in the delta, which the bundle's signature
covers. Exit 0 done; 1 refused, with one sentence: the running slot is as before, and the other one is marked bad.
The form of a delta is described in make_delta.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 4096
AT_ONCE = 256  # blocks, 1 MiB: all the memory that is needed, beside the list of runs
RUN = struct.Struct("<BII")  # kind, first block in its source, blocks
ZERO, OLD, NEW = 0, 1, 2
MAX_HEAD = 4096


def main(delta: str, old: str, new: str) -> int:
    """Apply it. Return the exit code."""
    try:
        with Path(delta).open("rb") as told, Path(old).open("rb") as source:
            head = json.loads(told.read(MAX_HEAD).rstrip(b" "))
            runs = told.read(head["runs"] * RUN.size)
            begin = MAX_HEAD + -(-len(runs) // BLOCK) * BLOCK
            write(head, parts(runs, told, begin, source), new)
            if read_back(new, head["size"]) != head["sha256"]:
                return refuse("what was written is not the release: the running root is not as it was shipped")
    except OSError as error:
        return refuse(f"{error.filename or new}: {error.strerror}")
    return 0


def parts(runs: bytes, told: BinaryIO, begin: int, source: BinaryIO) -> Iterator[bytes]:
    """The new root, piece by piece."""
    at = begin
    for kind, first, count in RUN.iter_unpack(runs):
        if kind == OLD:
            source.seek(first * BLOCK)
        for done in range(0, count, AT_ONCE):
            size = min(AT_ONCE, count - done) * BLOCK
            if kind == ZERO:
                yield bytes(size)
            elif kind == OLD:
                yield source.read(size)
            else:
                told.seek(at)
                yield told.read(size)
                at += size


def write(head: dict[str, Any], pieces: Iterator[bytes], new: str) -> None:
    with Path(new).open("r+b", buffering=0) as target:
        left = head["size"]
        for piece in pieces:
            target.write(piece)
            left -= len(piece)
        if left:
            raise OSError(0, "the delta does not make a whole root", new)
        os.fsync(target.fileno())


def read_back(new: str, size: int) -> str:
    """The SHA-256 of what lies on the card, not in memory."""
    made = hashlib.sha256()
    with Path(new).open("rb", buffering=0) as target:
        os.posix_fadvise(target.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while size and (piece := target.read(min(size, AT_ONCE * BLOCK))):
            made.update(piece)
            size -= len(piece)
    return made.hexdigest()


def refuse(why: str) -> int:
    print(f"delta: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
