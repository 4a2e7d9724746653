"""What the hub needs of a database: a port with two sides (sync/hub/sqlite_db.py, sync/hub/postgres_db.py).

Statements are written once, in what both understand, with `?` for values. What is different by nature has a method of
its own: many rows at once, a name that only one transaction may work on, a part that may fail alone, the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

Values = tuple[Any, ...]


class StoreFault(Exception):
    """The database cannot be used. The technician acts; nothing was half written.

    Shape: `code` is one word: full | busy | corrupt | newer | gone | disk.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table whose rows are read and written by whole rows. `group`: columns by which rows are found together."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    group: tuple[str, ...] = ()


class Cursor(Protocol):
    """What a statement answers."""

    @property
    def rowcount(self) -> int: ...

    @property
    def description(self) -> Any: ...

    def fetchone(self) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Session(Protocol):
    """One transaction. Errors of every method: StoreFault; what a statement has wrong travels as it is."""

    def execute(self, sql: str, parameters: Values = ()) -> Cursor:
        """Run one statement."""

    def execute_each(self, sql: str, parameters: Sequence[Values]) -> int:
        """Run one statement for each of these; return how many rows all of them changed."""

    def fetch(self, table: Table, keys: Sequence[Values]) -> list[Values]:
        """Return the rows with these keys, in any order. Shape: columns as in `table.columns`."""

    def append(self, table: Table, rows: Sequence[Values]) -> None:
        """Write rows whose keys are new."""

    def replace(self, table: Table, rows: Sequence[Values], known: Sequence[Values]) -> None:
        """Write rows, of which those with the keys `known` are there already."""

    def remove(self, table: Table, keys: Sequence[Values]) -> None:
        """Delete the rows with these keys."""

    def blank(self, table: Table, column: str, groups: Sequence[Values]) -> None:
        """Empty one column of all rows of these groups."""

    def hold(self, names: Sequence[str]) -> None:
        """Work on these names alone until the end of the transaction; wait for whoever does now.

        What is read afterwards is what the others have committed. Names are taken in their order: two transactions
        that hold the same names cannot wait for each other.
        """

    def attempt(self) -> AbstractContextManager[None]:
        """A part that may fail alone: an exception undoes what was written inside it and travels on."""

    def announce(self) -> None:
        """Once committed, `changed_elsewhere` is true for the others."""

    def now_ms(self) -> int:
        """UTC milliseconds by the clock of the database, the same for all who share it."""


class Database(Protocol):
    """The one connection of this process."""

    def open(self, migrations: Sequence[str]) -> None:
        """Open or make the database and bring it to these migrations. Errors: StoreFault."""

    def close(self) -> None:
        """Close it."""

    def transaction(self) -> AbstractContextManager[Session]:
        """All of it or nothing. Errors: StoreFault; any other exception undoes all and travels."""

    def reading(self) -> AbstractContextManager[Session]:
        """One unchanging state. Errors: StoreFault."""

    def changed_elsewhere(self) -> bool:
        """Tell whether somebody else has written what the lines must hear of, since the last call."""


def statements(script: str) -> list[str]:
    """Split a migration into its statements. No statement of ours holds a semicolon inside."""
    return [statement.strip() for statement in script.split(";") if statement.strip()]
