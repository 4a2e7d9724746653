"""Copies of the database that can be trusted, and the way back from them. Never a file copy: the backup API only."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge import events, log, prints
from edge.copies import FILE, FOLDER, Copy, copies, last_fact, read_only
from edge.model import Seq
from edge.store import StoreFault, Tx, set_aside

__all__ = ["Copy", "copies", "make", "note", "restore"]

KEEP = 3


def make(folder: Path) -> Copy:
    """Copy the database while it is in use, check the copy, then let it take its name. Keeps the newest three.

    Opens a read-only connection of its own and blocks its thread. Errors: StoreFault S2, S3, S4 (another one runs).
    """
    target = folder / FOLDER
    fresh = target / "new.tmp"
    try:
        target.mkdir(mode=0o700, exist_ok=True)
        with _alone(target):
            try:
                _copy(read_only(folder / FILE), fresh)
                return _named(folder, fresh, last_fact(fresh))
            finally:
                _discard(fresh)
    except (sqlite3.Error, OSError) as error:
        raise StoreFault("S2" if _full(error) else "S3", f"the backup failed: {error}") from error


def _named(folder: Path, fresh: Path, upto: int) -> Copy:
    before = copies(folder)
    number = before[0].number + 1 if before else 1
    done = folder / FOLDER / f"point-{number:06d}-{upto:012d}.db"
    _sync(fresh)
    fresh.rename(done)
    _sync(done.parent)
    for old in copies(folder)[KEEP:]:
        old.path.unlink()
    return Copy(done, number, upto)


def note(tx: Tx, copy: Copy) -> None:
    mark = log.mark_at(tx, Seq(copy.upto)) or ""
    log.append(tx, events.BackupMade(copy.upto, mark))


def restore(folder: Path, source: Path) -> Path | None:
    """Put a checked backup in the place of the database. Return where the old file was set aside, if there was one.

    Numbers of slips and tickets given out since are passed over. The caller holds the lock of the folder and no store.
    Errors: StoreFault S1 for a backup that is damaged itself, S2 or S3 when it cannot be copied; the old file is then
    still in its place.
    """
    try:
        last_fact(source)
    except sqlite3.Error as error:
        raise StoreFault("S1", f"this backup is damaged: {error}") from error
    fresh = folder / "restored.tmp"
    try:
        _copy(read_only(source, immutable=True), fresh)
        _pass_over_numbers(fresh)
        _sync(fresh)
        aside = set_aside(folder / FILE) if (folder / FILE).exists() else None
        fresh.rename(folder / FILE)
        _sync(folder)
    except (sqlite3.Error, OSError) as error:
        _discard(fresh)
        raise StoreFault("S2" if _full(error) else "S3", f"the backup cannot be put back: {error}") from error
    return aside


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One backup at a time, also beside another program."""
    handle = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StoreFault("S4", "another backup is being made") from error
    try:
        yield
    finally:
        os.close(handle)


def _copy(read: sqlite3.Connection, target: Path) -> None:
    """Copy in one step: a backup in several steps starts anew after every commit of the writer and may never end.

    A reader keeps no writer waiting in WAL mode.
    """
    with closing(read):
        _discard(target)
        target.touch(mode=0o600)
        with closing(sqlite3.connect(target)) as write:
            read.backup(write)


def _pass_over_numbers(fresh: Path) -> None:
    with closing(sqlite3.connect(fresh, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")  # one file, all of it: the store turns it back
        prints.pass_over_numbers(db.execute)


def _discard(unfinished: Path) -> None:
    """Remove a copy with its side files: an old journal beside a new copy would be played into it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)


def _full(error: Exception) -> bool:
    return getattr(error, "errno", 0) == errno.ENOSPC or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
