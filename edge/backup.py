"""Copies of the database that can be trusted, and the way back from them. Never a file copy: the backup API only."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge import events, log
from edge.model import Seq
from edge.store import FILE, StoreFault, Tx, set_aside

FOLDER = "backup"
KEEP = 3
PAGES = 256  # per step: a writer gets in between


@dataclass(frozen=True, slots=True)
class Copy:
    path: Path
    upto: int  # last fact in it


def make(folder: Path) -> Copy:
    """Copy the database while it is in use, check the copy, then let it take its name. Keeps the newest three.

    Runs in a thread of its own with a read-only connection; blocks that thread. Errors: StoreFault S2/S3.
    """
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    fresh = target / "new.tmp"
    fresh.unlink(missing_ok=True)
    try:
        _copy(folder / FILE, fresh)
        upto = _checked(fresh)
    except sqlite3.Error as error:
        fresh.unlink(missing_ok=True)
        raise StoreFault("S3", f"the backup failed: {error}") from error
    done = target / f"point-{upto:012d}.db"
    _sync(fresh)
    fresh.rename(done)
    _sync(target)
    for old in copies(folder)[KEEP:]:
        old.path.unlink()
    return Copy(done, upto)


def note(tx: Tx, copy: Copy) -> None:
    mark = log.mark_at(tx, Seq(copy.upto)) or ""
    log.append(tx, events.BackupMade(copy.upto, mark))


def copies(folder: Path) -> list[Copy]:
    """Return the backups at hand, the newest first."""
    found = [Copy(path, int(path.stem.split("-")[1])) for path in (folder / FOLDER).glob("point-*.db")]
    return sorted(found, key=lambda copy: copy.upto, reverse=True)


def restore(folder: Path, source: Path) -> Path | None:
    """Put a checked backup in the place of the database. Return where the old file was set aside, if there was one.

    The caller holds the lock of the folder and no store. Errors: StoreFault S1 for a backup that is damaged itself.
    """
    try:
        _checked(source)
    except sqlite3.Error as error:
        raise StoreFault("S1", f"this backup is damaged: {error}") from error
    aside = set_aside(folder / FILE) if (folder / FILE).exists() else None
    fresh = folder / "restored.tmp"
    fresh.unlink(missing_ok=True)
    _copy(source, fresh)
    _sync(fresh)
    fresh.rename(folder / FILE)
    _sync(folder)
    return aside


def _copy(source: Path, target: Path) -> None:
    read = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    write = sqlite3.connect(target)
    try:
        read.backup(write, pages=PAGES, sleep=0.01)
    finally:
        write.close()
        read.close()


def _checked(path: Path) -> int:
    """Return the last fact of a copy. Errors: sqlite3.DatabaseError when it is not sound."""
    db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        answer = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
        return int(db.execute("SELECT coalesce(max(seq), 0) FROM fact").fetchone()[0])
    finally:
        db.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
