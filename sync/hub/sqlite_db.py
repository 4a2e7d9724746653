"""The hub's database as one SQLite file: one district, no set-up. The only import of sqlite3 at the hub.

Several processes may write (workers, `village-hub send`). SQLite before 3.51.3 can damage a WAL file when two
connections write and checkpoint at the same moment, so every transaction, with the checkpoint its commit may cause,
holds a lock file as well. Opening the database changes nothing but the schema.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path

from sync.hub.database import StoreFault, Table, Values, statements

FILE = "hub.db"
LOCK_FILE = "hub.lock"
LOCK_S = 30.0  # a manifest of 100,000 rows holds the lock for a few seconds
LOCK_STEP_S = 0.002
LOCK_STEP_MOST_S = 0.02
AT_ONCE = 50  # keys looked up by one statement
BUSY_MS = 5_000
JOURNAL_LIMIT = 64 * 1024 * 1024  # bytes; a WAL file that grew under a large manifest shrinks to this again
CACHE_KB = 64 * 1024  # event ids are random: with SQLite's 2 MB each new fact read a page of their index again
CHECKPOINT_PAGES = 4_000  # 16 MB of WAL file: pages that change in every commit are copied home a quarter as often
CODES = {"SQLITE_FULL": "full", "SQLITE_BUSY": "busy", "SQLITE_CORRUPT": "corrupt", "SQLITE_NOTADB": "corrupt"}
NOW_MS = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


class SqliteSession:
    """One transaction on the file. The writer's lock of SQLite makes every name held."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def execute(self, sql: str, parameters: Values = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._db.execute(sql, parameters)

    def execute_each(self, sql: str, parameters: Sequence[Values]) -> int:
        """Run one statement for each of these."""
        return self._db.executemany(sql, parameters).rowcount

    def fetch(self, table: Table, keys: Sequence[Values]) -> list[Values]:
        """Look keys up, many with one statement: a call for each is half of its cost."""
        found: list[Values] = []
        whole = len(keys) - len(keys) % AT_ONCE
        for first in range(0, whole, AT_ONCE):
            found += self._db.execute(
                _select(table, AT_ONCE), tuple(chain.from_iterable(keys[first : first + AT_ONCE]))
            )
        for key in keys[whole:]:
            found += self._db.execute(_select(table, 1), key)
        return found

    def append(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert many rows by one statement."""
        self._db.executemany(_insert(table), rows)

    def replace(self, table: Table, rows: Sequence[Values], known: Sequence[Values]) -> None:
        """Insert or update: an update leaves the indexes of unchanged columns alone."""
        self._db.executemany(_upsert(table) if known else _insert(table), rows)

    def remove(self, table: Table, keys: Sequence[Values]) -> None:
        """Delete many rows by one statement."""
        self._db.executemany(f"DELETE FROM {table.name} WHERE {_match(table.key)}", keys)  # noqa: S608  our own names

    def blank(self, table: Table, column: str, groups: Sequence[Values]) -> None:
        """Empty the column group by group."""
        sql = f"UPDATE {table.name} SET {column} = NULL WHERE {_match(table.group)}"  # noqa: S608  our own names
        self._db.executemany(sql, groups)

    def hold(self, names: Sequence[str]) -> None:
        """Nothing to do: a writing transaction is alone in the file."""

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint."""
        self._db.execute("SAVEPOINT attempt")
        try:
            with translated():
                yield
        except BaseException:
            if self._db.in_transaction:  # a full disk may have undone all of it
                self._db.execute("ROLLBACK TO attempt")
                self._db.execute("RELEASE attempt")
            raise
        self._db.execute("RELEASE attempt")

    def announce(self) -> None:
        """Nothing to do: SQLite counts the commits of others."""

    def now_ms(self) -> int:
        """The clock of this machine: the file can be on no other."""
        return int(self._db.execute(NOW_MS).fetchone()[0])


class SqliteDatabase:
    """One file in a folder. `durable=False` is for simulations that lose the process, never the disk."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        self._db: sqlite3.Connection | None = None
        self._version = 0

    def open(self, migrations: Sequence[str]) -> None:
        """Open or make the file. Errors: StoreFault."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock(), translated():
                self._db = self._connect()
                _migrate(self._db, migrations)
                self._version = self._data_version()
        except OSError as error:
            raise StoreFault("disk", f"the folder {self._folder} cannot be used: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; the last one to close also empties the WAL file."""
        if self._db is not None:
            with self._lock():
                self._db.close()
            self._db = None

    @contextmanager
    def transaction(self) -> Iterator[SqliteSession]:
        """Hold the lock file and SQLite's own writer's lock."""
        db = self._opened()
        with self._lock(), translated():
            db.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteSession(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite has rolled back by itself after some faults
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[SqliteSession]:
        """Read beside a writer."""
        db = self._opened()
        with translated():
            db.execute("BEGIN")
            try:
                yield SqliteSession(db)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def changed_elsewhere(self) -> bool:
        """Tell whether another connection has committed since the last call."""
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
        db.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA journal_size_limit={JOURNAL_LIMIT}")
        return db

    def _data_version(self) -> int:
        return int(self._opened().execute("PRAGMA data_version").fetchone()[0])

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            raise AssertionError("the store is not open")
        return self._db

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / LOCK_FILE).open("a") as held:
            give_up, step = time.monotonic() + LOCK_S, LOCK_STEP_S
            while not _locked(held.fileno()):
                if time.monotonic() > give_up:
                    raise StoreFault("busy", "another process holds the database")
                time.sleep(step)
                step = min(LOCK_STEP_MOST_S, 2 * step)
            yield


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLite raises about the disk into StoreFault. Broken constraints are bugs and stay as they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from error


def fault_of(error: sqlite3.DatabaseError) -> StoreFault | None:
    """Return what a person must hear of, None for a mistake of the program."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return None
    name = getattr(error, "sqlite_errorname", "")
    return StoreFault(CODES.get(name, "disk"), f"the database reports: {error}")


def _migrate(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    db.execute("BEGIN IMMEDIATE")  # held from the look at the version on
    done = int(db.execute("PRAGMA user_version").fetchone()[0])
    if done > len(migrations):
        db.execute("ROLLBACK")
        raise StoreFault("newer", "the database was made by a newer release")
    for script in migrations[done:]:
        for statement in statements(script):
            db.execute(statement)
    db.execute(f"PRAGMA user_version={len(migrations)}")
    db.execute("COMMIT")


@cache
def _select(table: Table, keys: int) -> str:
    one = f"({', '.join('?' * len(table.key))})"
    of = ", ".join(f"t.{column}" for column in table.columns)
    match = " AND ".join(f"t.{column} = k.column{place}" for place, column in enumerate(table.key, 1))
    sought = ", ".join([one] * keys)
    return f"SELECT {of} FROM (VALUES {sought}) k CROSS JOIN {table.name} t WHERE {match}"  # noqa: S608  our own names


@cache
def _insert(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"  # noqa: S608  our own names


@cache
def _upsert(table: Table) -> str:
    changed = ", ".join(f"{column} = excluded.{column}" for column in table.columns if column not in table.key)
    return f"{_insert(table)} ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {changed}"


def _match(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
