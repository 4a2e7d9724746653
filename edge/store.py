"""Opens the SQLite file, migrates it, and runs one transaction at a time in one thread. No rule of the trade here.

Only this file, `log.py` and the rules (`parcels`, `cells`, `bills`, `guard`, `boards`) hold SQL. Durability figures and
the reasons for WAL + FULL, one connection and one SQLite library are in DECISIONS.md.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from sqlite_utils import Database

from edge import reserve
from edge.clock import Clock, Dice
from edge.copies import FILE, FOLDER, holds_facts, newest_good
from edge.model import Stamp
from edge.reserve import BALLAST
from edge.schema import TABLES, index_in_memory, migrations
from edge.worker import Worker

__all__ = ["BALLAST", "FILE", "Keys", "Store", "StoreFault", "Tx", "set_aside", "take_lock"]

log = logging.getLogger(__name__)

BUSY_S = 2.5  # for each of two tries: together less than the watchdog's patience with what waits behind
CLOSE_S = 10.0
# 16 MB of WAL before it goes into the database: the hot pages of some 400 events are written there once instead of four
# times. After a power cut it is read once at the start, 0.4 s at the 40 MB/s of a slow card.
WAL_PAGES = 4_000

LOCK = "point.lock"
BEGUN = b"begun\n"  # in the lock file: this folder has held facts, an empty or missing database is a loss

P = ParamSpec("P")
T = TypeVar("T")

Hold = Callable[[Database], AbstractContextManager[Database]]
FaultCode = Literal["S1", "S2", "S3", "S4"]


class StoreFault(Exception):
    """The store cannot work; the technician acts and the kiosk is closed.

    `code`: S1 damaged file, S2 disk full, S3 disk error, S4 held by another program or not ours.
    """

    def __init__(self, code: FaultCode, message: str, backup: Path | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.backup = backup


@dataclass(frozen=True, slots=True)
class Keys:
    """`link` chains the facts and is known to the hub; `device` never leaves the terminal."""

    link: bytes
    device: bytes


class Tx:
    """One open transaction. Exists only inside `Store.run`."""

    def __init__(self, db: Database, stamp: Stamp, dice: Dice, keys: Keys, folder: Path | None = None) -> None:
        self._db = db
        self._connection = db.conn
        self.stamp = stamp
        self.dice = dice
        self.keys = keys
        self._folder = folder  # where the reserve lies; None for a copy that is only read
        self.appended = 0
        self.end: tuple[int, str] | None = None  # sequence number and hash of the last fact appended here
        self.bookkeeping = False  # set by `edge.log` when only cursors move or a fact of the hub is applied

    @property
    def on_reserve(self) -> bool:
        """The disk is full and the ballast is in use: no new money."""
        return self._folder is not None and not reserve.laid(self._folder)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of the transaction that may fail alone: rolled back to here.

        Errors: ValueError for a broken constraint, else what the part raises.
        """
        before = self.end
        try:
            with self._db.atomic():
                yield
        except sqlite3.IntegrityError as error:
            self.end = before  # what was appended in the part is gone
            raise ValueError(str(error)) from error
        except BaseException:
            self.end = before
            raise

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters)  # inside `atomic` the library's own adds nothing but its time

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        cursor = self.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def row(self, sql: str, parameters: tuple[Any, ...] = ()) -> dict[str, Any] | None:
        cursor = self.execute(sql, parameters)
        found = cursor.fetchone()
        return None if found is None else dict(zip([c[0] for c in cursor.description], found, strict=True))

    def value(self, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
        found = self.execute(sql, parameters).fetchone()
        return None if found is None else found[0]

    def insert(self, table: str, row: dict[str, Any]) -> None:
        self.execute(_insert(table, tuple(row)), tuple(row.values()))

    def update(self, table: str, key: tuple[str, Any], changes: dict[str, Any]) -> None:
        """Change exactly one row. Errors: KeyError if there is none (a bug of the caller)."""
        if self.execute(_update(table, key[0], tuple(changes)), (*changes.values(), key[1])).rowcount != 1:
            raise KeyError(f"{table} has no row {key[0]}={key[1]!r}")


class Store:
    """The one writer. `open` and `close` frame its life; `run` is the only way in."""

    def __init__(self, folder: Path, clock: Clock, dice: Dice, keys: Keys, *, strict: bool = False) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._clock = clock
        self._dice = dice
        self.keys = keys
        self._strict = strict  # tests: a write without a fact is an error
        self._worker: Worker | None = None
        self._db: Database | None = None
        self._lock: int | None = None
        self._damaged = False
        self.on_commit: list[Callable[[], None]] = []  # called where `run` was awaited, after a commit with facts

    # -- life

    def open(self) -> None:
        """Lock, open, check and migrate.

        Errors: StoreFault. A damaged file is set aside first (S1), the newest good backup is named in the fault.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = take_lock(self.folder)
        except OSError as error:
            raise StoreFault("S3", f"the data folder cannot be used: {error}") from error
        self._worker = Worker("store")
        try:
            self._worker.wait(self._open)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._worker is not None:
            self._worker.wait(self._close, CLOSE_S)
            self._worker.end()
            self._worker = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _open(self) -> None:
        try:
            reserve.lay(self.folder)
            self._accept_file()
            self._db = _connect(self.path)
            migrations.apply(self._db)
            index_in_memory(self._db)
            self._note_begun()
        except sqlite3.Error as error:
            fault = _fault(error)
            if isinstance(fault, StoreFault) and fault.code == "S1":
                self._drop()
                raise self._lost(f"{fault}; it was set aside as {set_aside(self.path).name}") from error
            if not isinstance(fault, StoreFault):  # a bit of a table's definition, or a mistake of ours: kept in place
                raise self._lost(f"the tables are not as they should be: {error}") from error
            raise fault from error
        except OSError as error:
            raise StoreFault("S3", f"the data folder cannot be used: {error}") from error
        self._damaged = False

    def _accept_file(self) -> None:
        """See that the file is sound, or that there never was one. Errors: sqlite3.Error, StoreFault."""
        before = self._has_begun()
        if self.path.exists():
            if not holds_facts(self.path) and before:
                raise self._lost(f"the database is empty; it was set aside as {set_aside(self.path).name}")
        elif before or any(self.folder.glob(f"{FILE}.damaged-*")) or any((self.folder / FOLDER).glob("*.db")):
            raise self._lost("the database is missing although there was one before: restore a backup")

    def _lost(self, message: str) -> StoreFault:
        return StoreFault("S1", message, newest_good(self.folder))

    def _has_begun(self) -> bool:
        return self._lock is not None and os.pread(self._lock, len(BEGUN), 0) == BEGUN

    def _note_begun(self) -> None:
        if self._lock is not None and not self._has_begun():
            os.pwrite(self._lock, BEGUN, 0)
            os.fsync(self._lock)

    def _close(self) -> None:
        if self._db is not None and not self._damaged:
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                log.warning("checkpoint at close failed: %s", error)
        self._drop()

    def _drop(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    # -- work

    async def run(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one transaction in the store thread: all of it or nothing.

        Errors: what `fn` raises, after a roll-back; StoreFault for the environment.
        """
        result, _ = await self._running().ask(partial(self._transact, fn, args, kwargs), self._tell)
        return result

    def run_now(self, fn: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for programs without a loop (command line, tests). Never call it from the loop's thread."""
        done = self._running().wait(partial(self._transact, fn, args, kwargs))
        self._tell(done)
        return done[0]

    def _tell(self, done: tuple[object, int]) -> None:
        if done[1]:
            for listener in self.on_commit:
                listener()

    def _running(self) -> Worker:
        if self._worker is None:
            raise StoreFault("S4", "the store is closed")
        return self._worker

    def _transact(self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[T, int]:
        try:
            return self._once(fn, args, kwargs)
        except sqlite3.Error as error:
            fault = _fault(error)
            if not isinstance(fault, StoreFault):
                raise
            if fault.code == "S2" and reserve.drop(self.folder):
                log.critical("disk full: the reserve is in use, no more money is taken")
                return self._again(fn, args, kwargs)
            if fault.code == "S4":
                return self._again(fn, args, kwargs, hold=_held)
            if fault.code == "S1":  # what is damaged is not trusted again; the next start sets it aside
                self._damaged = True
            if fault.code == "S3":  # after a failed sync the page cache may claim what the disk does not have
                self._reopen()
            raise fault from error

    def _again(
        self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], *, hold: Hold = Database.atomic
    ) -> tuple[T, int]:
        try:
            return self._once(fn, args, kwargs, hold)
        except sqlite3.Error as error:
            raise _fault(error) from error

    def _once(
        self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], hold: Hold = Database.atomic
    ) -> tuple[T, int]:
        db = self._db
        if self._damaged:
            raise StoreFault("S1", "the database is damaged")
        if db is None:
            raise StoreFault("S3", "the store could not be reopened after a disk error")
        connection = db.conn
        if connection.in_transaction:
            raise AssertionError("a transaction was left open")
        before = connection.total_changes
        tx = Tx(db, self._clock.stamp(), self._dice, self.keys, self.folder)
        with hold(db):
            result = fn(tx, *args, **kwargs)
            if self._strict and connection.total_changes != before and not (tx.appended or tx.bookkeeping):
                raise AssertionError(f"{fn} changed state without a fact")
        return result, tx.appended

    def _reopen(self) -> None:
        self._drop()
        try:
            holds_facts(self.path)
            self._db = _connect(self.path)
            index_in_memory(self._db)
        except sqlite3.Error as error:
            self._drop()  # one without its index of codes is none
            log.critical("the database could not be reopened: %s", error)


@contextmanager
def _held(db: Database) -> Iterator[Database]:
    """As `atomic`, but ours from the first question on: SQLite waits for that (BUSY_S).

    Whoever has read and then comes to write while another program writes is refused at once, lest both wait for ever.
    """
    db.conn.execute("BEGIN IMMEDIATE")
    with db.conn:
        yield db


def take_lock(folder: Path) -> int:
    """Become the one program on this data folder; close the handle to let go. Errors: StoreFault S4."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StoreFault("S4", "another village-point has this data folder open") from error
    return handle


def set_aside(path: Path) -> Path:
    """Move a damaged database with its side files out of the way, never over anything. Return the new name."""
    number = 1
    while (target := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(target.with_name(target.name + suffix))
    return target


def _connect(path: Path) -> Database:
    path.touch(mode=0o600)
    path.chmod(0o600)
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=BUSY_S, check_same_thread=False, cached_statements=512
    )
    connection.execute("PRAGMA journal_mode = WAL").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}").fetchone()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # an erased name must not lie in a free page
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return Database(connection, execute_plugins=False)


def _fault(error: sqlite3.Error) -> StoreFault | sqlite3.Error:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreFault("S1", f"the database is damaged: {error}")
    if code == sqlite3.SQLITE_FULL:
        return StoreFault("S2", "the disk is full")
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
        return StoreFault("S3", f"the disk does not work: {error}")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreFault("S4", "another program holds the database")
    if str(error).startswith("Could not decode to UTF-8"):  # a text with a flipped bit; the message holds the text
        return StoreFault("S1", "the database is damaged: a text in it is none")
    return error  # a constraint or a misspelling: a bug, travels up untouched


@lru_cache(256)
def _insert(table: str, names: tuple[str, ...]) -> str:
    _known(table)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 names are ours


@lru_cache(256)
def _update(table: str, key: str, names: tuple[str, ...]) -> str:
    _known(table)
    sets = ", ".join(f"{name} = ?" for name in names)
    return f"UPDATE {table} SET {sets} WHERE {key} = ?"  # noqa: S608 names are ours


def _known(table: str) -> None:
    if table not in TABLES:
        raise AssertionError(f"no table {table}")
