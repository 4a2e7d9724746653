"""Database files at rest: is one sound, which backups are at hand, which is the newest good one. Changes nothing.

The live store is opened by `edge.store`, backups are made and put back by `edge.backup`.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

FILE = "point.db"
FOLDER = "backup"
NAME = re.compile(r"point-(\d{6,})-(\d{12,})\.db")  # number of the backup, last fact in it


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup. `number` tells which is newer: after a restore the newer one may hold fewer facts."""

    path: Path
    number: int
    upto: int  # last fact in it


def copies(folder: Path) -> list[Copy]:
    """Return the backups of a data folder, the newest first."""
    named = ((path, NAME.fullmatch(path.name)) for path in (folder / FOLDER).glob("point-*.db"))
    found = [Copy(path, int(parts[1]), int(parts[2])) for path, parts in named if parts]
    return sorted(found, key=lambda copy: copy.number, reverse=True)


def newest_good(folder: Path) -> Path | None:
    """Return the newest backup that is sound, None if there is none."""
    for copy in copies(folder):
        try:
            last_fact(copy.path)
        except sqlite3.Error:
            continue
        return copy.path
    return None


def last_fact(path: Path) -> int:
    """Return the last fact of a backup. Errors: sqlite3.Error when the file is not sound."""
    db = read_only(path, immutable=True)
    try:
        _checked(db)
        return int(db.execute("SELECT coalesce(max(seq), 0) FROM fact").fetchone()[0])
    finally:
        db.close()


def holds_facts(path: Path) -> bool:
    """Check a database that nobody has open; tell whether it has its tables yet. The file stays as it is.

    A read-only connection, because closing a writing one would move the journal into a file that may be damaged.
    Errors: sqlite3.DatabaseError without an SQLite error code when the check finds damage; sqlite3.Error otherwise.
    """
    db = read_only(path)
    try:
        _checked(db)
        return bool(db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'fact'").fetchone()[0])
    finally:
        db.close()


def read_only(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """Open a database for reading, whatever signs its path holds. `immutable`: nobody else has it open."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if immutable else ''}", uri=True)


def _checked(db: sqlite3.Connection) -> None:
    answer = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        error = sqlite3.DatabaseError(f"quick_check: {answer}")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
