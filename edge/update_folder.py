"""The folder of releases beside the books: what its files are called, and who may clear it away."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.release import Unfit

DONE, PART = ".raucb", ".part"
HAND = ".by-hand"  # locked while somebody puts a release on by hand


def tidy(folder: Path, keep: frozenset[str]) -> None:
    """Remove files of other releases, unless one is being put on by hand. Errors: OSError."""
    if not folder.is_dir():
        return
    with (folder / HAND).open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for file in folder.glob("*"):
            if file.suffix in (DONE, PART) and file.stem not in keep:
                file.unlink()


@contextmanager
def by_hand(folder: Path) -> Iterator[None]:
    """Keep the files of this folder while a release is put on by hand. Errors: Unfit busy, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / HAND).open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unfit("busy") from None
        yield
