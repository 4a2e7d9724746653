"""The hub's database: open it, and run one transaction at a time. What the rows mean does not live here.

Two processes may write (the running hub and `village-hub send`). SQLite before 3.51.3 can damage a WAL file when two
connections write and checkpoint at the same moment, so every transaction, with the checkpoint its commit may cause,
holds a lock file as well. Opening the database changes nothing but the schema.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.chain import GENESIS
from edge.clock import Clock, Dice
from edge.model import SiteCode, Stamp
from sync.hub.schema import MIGRATIONS, statements

FILE = "hub.db"
LOCK_FILE = "hub.lock"
LOCK_S = 30.0  # a manifest of 100,000 rows holds the lock for a few seconds
LOCK_STEP_S = 0.02
BUSY_MS = 5_000
JOURNAL_LIMIT = 64 * 1024 * 1024  # bytes; a WAL file that grew under a large manifest shrinks to this again

log = logging.getLogger(__name__)


class StoreFault(Exception):
    """The database cannot be used (full, damaged, locked). The technician acts; nothing was half written."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Tx:
    """One transaction: the connection, one stamp for all of it, and the dice."""

    def __init__(self, db: sqlite3.Connection, stamp: Stamp, dice: Dice, keys: Mapping[SiteCode, bytes]) -> None:
        self._db = db
        self.stamp = stamp
        self.dice = dice
        self.keys = keys

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(sql, parameters)

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> Iterator[dict[str, Any]]:
        """Yield rows as dictionaries."""
        cursor = self._db.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def row(self, sql: str, parameters: tuple[Any, ...] = ()) -> dict[str, Any] | None:
        """Return the first row, None if there is none."""
        return next(self.rows(sql, parameters), None)

    def value(self, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
        """Return the first column of the first row, None if there is none."""
        found = self._db.execute(sql, parameters).fetchone()
        return None if found is None else found[0]

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that may fail alone: an exception undoes what was written inside it and travels on."""
        self._db.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk may have undone all of it
                self._db.execute("ROLLBACK TO attempt")
                self._db.execute("RELEASE attempt")
            raise
        self._db.execute("RELEASE attempt")


class HubStore:
    """The one connection of this process. `durable=False` is for simulations that lose the process, never the disk."""

    def __init__(
        self, folder: Path, clock: Clock, dice: Dice, keys: Mapping[SiteCode, bytes], *, durable: bool = True
    ) -> None:
        self.keys = dict(keys)
        self.clock = clock
        self.dice = dice
        self._folder = folder
        self._durable = durable
        self._db: sqlite3.Connection | None = None
        self._version = 0

    def open(self) -> None:
        """Open or make the database and bring it to this release's schema. Errors: StoreFault."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock(), translated():
                self._db = self._connect()
                self._migrate(self._db)
                self._version = self._data_version()
        except OSError as error:
            raise StoreFault("disk", f"the folder {self._folder} cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Close the database; the last one to close also empties the WAL file."""
        if self._db is not None:
            with self._lock():
                self._db.close()
            self._db = None

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Run one transaction: all of it or nothing. Errors: StoreFault; any other exception undoes all and travels."""
        db = self._opened()
        with self._lock(), translated():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield Tx(db, self.clock.stamp(), self.dice, self.keys)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite has rolled back by itself after some faults
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """Read one unchanging state. Errors: StoreFault."""
        db = self._opened()
        with translated():
            db.execute("BEGIN")
            try:
                yield Tx(db, self.clock.stamp(), self.dice, self.keys)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def changed_elsewhere(self) -> bool:
        """Tell whether another process has written since the last call."""
        with translated():
            version = self._data_version()
        changed, self._version = version != self._version, version
        return changed

    def limit_pages(self, pages: int) -> None:
        """Let the database grow to this many pages only: the small end of a full disk, for tests and quotas."""
        self._opened().execute(f"PRAGMA max_page_count={int(pages)}")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._folder / FILE, isolation_level=None, timeout=BUSY_MS / 1000)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'OFF'}")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA secure_delete=ON")  # erased personal values do not stay in free pages
        db.execute("PRAGMA temp_store=FILE")
        db.execute(f"PRAGMA journal_size_limit={JOURNAL_LIMIT}")
        return db

    def _migrate(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")  # held from the look at the version on
        done = int(db.execute("PRAGMA user_version").fetchone()[0])
        if done > len(MIGRATIONS):
            db.execute("ROLLBACK")
            raise StoreFault("newer", "the database was made by a newer release")
        for script in MIGRATIONS[done:]:
            for statement in statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        for site in self.keys:
            begin_site(db, site, self.dice)
        db.execute("COMMIT")

    def _data_version(self) -> int:
        return int(self._opened().execute("PRAGMA data_version").fetchone()[0])

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise AssertionError("the store is not open")
        return self._db

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / LOCK_FILE).open("a") as held:
            give_up = time.monotonic() + LOCK_S
            while not _locked(held.fileno()):
                if time.monotonic() > give_up:
                    raise StoreFault("busy", "another process holds the database")
                time.sleep(LOCK_STEP_S)
            yield


def begin_site(db: sqlite3.Connection, site: SiteCode, dice: Dice) -> None:
    """Give a new site its row and the name of its down log. Does nothing for an old one."""
    name = dice.ident()
    db.execute(
        "INSERT INTO site (code, down_log, sent_log, sent_upto, sent_mark) VALUES (?, ?, ?, 0, ?) "
        "ON CONFLICT (code) DO NOTHING",
        (site, name, name, GENESIS),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLite raises about the disk into StoreFault. Broken constraints are bugs and stay as they are."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.DatabaseError as error:
        code = {"SQLITE_FULL": "full", "SQLITE_BUSY": "busy", "SQLITE_CORRUPT": "corrupt", "SQLITE_NOTADB": "corrupt"}
        name = getattr(error, "sqlite_errorname", "")
        raise StoreFault(code.get(name, "disk"), f"the database reports: {error}") from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
