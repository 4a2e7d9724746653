"""The hub's database on PostgreSQL: many sites, several workers. The only import of psycopg.

Many rows go in by COPY, straight into their table: what is already there was found out before, under the lock of the
site. A lock is an advisory one, held to the end of the transaction, so it leaves no trace in the tables. What another
process writes for the points is told by NOTIFY.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg import sql as compose
from psycopg.conninfo import make_conninfo

from sync.hub.database import StoreFault, Table, Values, statements

CONNECT_S = 10
STATEMENT_MS = 60_000  # a manifest of 100,000 rows takes a few seconds
LOCK_MS = 30_000
IDLE_MS = 60_000  # a worker that hangs in a transaction loses it, and its locks
# A worker's machine that vanishes is noticed by the server after some 25 s, and its locks are free again.
SETTLED: dict[str, int | str] = {
    "application_name": "village-hub",
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
CHANNEL = "village_hub"
MIGRATING = "village-hub: schema"
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name"
NOW_MS = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
ASK_VERSION = "SELECT version FROM schema_version"
Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresSession:
    """One transaction on the server."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._told = False

    def execute(self, sql: str, parameters: Values = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement."""
        return self._db.execute(_translated_sql(sql), parameters)

    def execute_each(self, sql: str, parameters: Sequence[Values]) -> int:
        """Send them all, then wait for the answers."""
        with self._db.cursor() as cursor:
            cursor.executemany(_translated_sql(sql), parameters)
            return cursor.rowcount

    def fetch(self, table: Table, keys: Sequence[Values]) -> list[Values]:
        """Ask for all keys at once."""
        columns = ", ".join(f"t.{column}" for column in table.columns)
        statement = f"SELECT {columns} FROM {_keys(keys)} JOIN {table.name} t ON {_joined(table.key)}"  # noqa: S608
        return self._db.execute(_sql(statement), _turned(keys)).fetchall()

    def append(self, table: Table, rows: Sequence[Values]) -> None:
        """COPY: the fastest way in."""
        statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with self._db.cursor().copy(_sql(statement)) as copy:
            for row in rows:
                copy.write_row(row)

    def replace(self, table: Table, rows: Sequence[Values], known: Sequence[Values]) -> None:
        """Delete and COPY: to PostgreSQL an update is little else, and one way in serves all."""
        if known:
            self.remove(table, known)
        self.append(table, rows)

    def remove(self, table: Table, keys: Sequence[Values]) -> None:
        """Delete all keys at once."""
        statement = f"DELETE FROM {table.name} t USING {_keys(keys)} WHERE {_joined(table.key)}"  # noqa: S608
        self._db.execute(_sql(statement), _turned(keys))

    def blank(self, table: Table, column: str, groups: Sequence[Values]) -> None:
        """Empty the column of all groups at once."""
        where = f"{_joined(table.group)} AND t.{column} IS NOT NULL"
        statement = f"UPDATE {table.name} t SET {column} = NULL FROM {_keys(groups)} WHERE {where}"  # noqa: S608
        self._db.execute(_sql(statement), _turned(groups))

    def hold(self, names: Sequence[str]) -> None:
        """Take an advisory lock on each name, in order."""
        self._db.execute(HOLD, (sorted(set(names)),))

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint."""
        with self._db.transaction(), translated():
            yield

    def announce(self) -> None:
        """Notify at the commit."""
        if not self._told:
            self._told = True
            self._db.execute(f"NOTIFY {CHANNEL}")

    def now_ms(self) -> int:
        """The clock of the server."""
        found = self._db.execute(NOW_MS).fetchone()
        return 0 if found is None else int(found[0])


class PostgresDatabase:
    """One connection to a database named by a URL; opened again by the next transaction after it was lost.

    `durable=False` lets a commit return before it is on the disk of the server; for tests that cut no power.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._url = url
        self._durable = durable
        self._db: Connection | None = None
        self._changed = False
        self._closed = True

    def open(self, migrations: Sequence[str]) -> None:
        """Connect and bring the schema up. Errors: StoreFault."""
        self._closed = False
        try:
            with translated():
                db = self._connected()
                with db.transaction():
                    _migrate(db, migrations)
        except StoreFault:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect."""
        self._closed = True
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def transaction(self) -> Iterator[PostgresSession]:
        """READ COMMITTED: after `hold`, a statement sees what the former holder committed."""
        with translated():
            db = self._connected()
            with db.transaction():
                yield PostgresSession(db)

    @contextmanager
    def reading(self) -> Iterator[PostgresSession]:
        """One snapshot for all statements."""
        with translated():
            db = self._connected()
            with db.transaction():
                db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield PostgresSession(db)

    def changed_elsewhere(self) -> bool:
        """Collect the notifications that have come; after a new connection some may have been missed."""
        with translated():
            db = self._connected()
            told = [note for note in db.notifies(timeout=0) if note.pid != db.info.backend_pid]
        changed, self._changed = self._changed or bool(told), False
        return changed

    def _connected(self) -> Connection:
        if self._closed:
            raise AssertionError("the store is not open")
        if self._db is None or self._db.closed:
            self._db = psycopg.connect(make_conninfo(self._url, **SETTLED), autocommit=True, connect_timeout=CONNECT_S)
            self._changed = True
            self._set_up(self._db)
        return self._db

    def _set_up(self, db: Connection) -> None:
        settings = {
            "statement_timeout": STATEMENT_MS,
            "lock_timeout": LOCK_MS,
            "idle_in_transaction_session_timeout": IDLE_MS,
            "synchronous_commit": "on" if self._durable else "off",
            "client_min_messages": "warning",
        }
        for name, value in settings.items():
            db.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
        db.execute(f"LISTEN {CHANNEL}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the server or the way to it raises into StoreFault. Mistakes of the program stay as they are."""
    try:
        yield
    except psycopg.Error as error:
        fault = _fault_of(error)
        if fault is None:
            raise
        raise fault from error


def _fault_of(error: psycopg.Error) -> StoreFault | None:
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreFault("full", "the database server has no space left")
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
        return StoreFault("busy", f"another worker holds the rows for too long: {_line(error)}")
    if isinstance(error, psycopg.errors.DataCorrupted | psycopg.errors.IndexCorrupted):
        return StoreFault("corrupt", f"the database reports: {_line(error)}")
    if isinstance(error, psycopg.OperationalError | psycopg.InternalError):
        return StoreFault("gone", f"the database server: {_line(error)}")
    return None


def _line(error: psycopg.Error) -> str:
    """The first line: further ones may quote values."""
    return str(error).partition("\n")[0]


def _migrate(db: Connection, migrations: Sequence[str]) -> None:
    db.execute(HOLD, ([MIGRATING],))
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
    found = db.execute(ASK_VERSION).fetchone()
    done = 0 if found is None else int(found[0])
    if done > len(migrations):
        raise StoreFault("newer", "the database was made by a newer release")
    for script in migrations[done:]:
        for statement in statements(script):
            db.execute(_sql(statement.replace(" INTEGER", " BIGINT").replace(") STRICT", ")")))
    if found is None:
        db.execute("INSERT INTO schema_version VALUES (%s)", (len(migrations),))
    elif done < len(migrations):
        db.execute("UPDATE schema_version SET version = %s", (len(migrations),))


@cache
def _translated_sql(statement: str) -> compose.SQL:
    """`?` becomes psycopg's own sign. No text constant of ours holds a question mark."""
    return _sql(statement.replace("%", "%%").replace("?", "%s"))


@cache
def _sql(statement: str) -> compose.SQL:
    return compose.SQL(statement)  # made of our own names only; values never enter it


def _keys(keys: Sequence[Values]) -> str:
    """Keys as a set of rows `k(c0, c1, ...)`; numbers and texts by the first of them."""
    kinds = ["bigint" if isinstance(value, int) else "text" for value in keys[0]]
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in kinds)}) AS k ({_numbered(len(kinds))})"


def _numbered(count: int) -> str:
    return ", ".join(f"c{n}" for n in range(count))


def _joined(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"t.{column} = k.c{n}" for n, column in enumerate(columns))


def _turned(keys: Sequence[Values]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*keys, strict=True))
