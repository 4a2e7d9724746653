"""Where a hub keeps its rows in a test: SQLite files, or databases on a real PostgreSQL server started for the run."""

from __future__ import annotations

import shutil
import sys
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "dev"))

from private_postgres import PrivatePostgres

from sync.hub.database import Database
from sync.hub.postgres_db import PostgresDatabase
from sync.hub.sqlite_db import SqliteDatabase

KINDS = ("sqlite", "postgresql")


class Places(Protocol):
    """Databases by short names."""

    def database(self, name: str) -> Database: ...

    def copy(self, name: str, to: str) -> None:
        """A backup: the whole state at this moment under another name. Nobody has the first one open."""

    def setting(self, name: str) -> str:
        """What the hub's settings say to use it."""

    def drop(self) -> None:
        """Forget all of them."""


class SqlitePlaces:
    """Folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def database(self, name: str) -> SqliteDatabase:
        return SqliteDatabase(self.folder / name, durable=False)

    def copy(self, name: str, to: str) -> None:
        shutil.rmtree(self.folder / to, ignore_errors=True)
        shutil.copytree(self.folder / name, self.folder / to)

    def setting(self, name: str) -> str:
        return f'data_dir = "{self.folder / name}"\n'

    def drop(self) -> None:
        shutil.rmtree(self.folder)


class PostgresPlaces:
    """Databases of one server, under names of this test's own."""

    numbers = count(1)

    def __init__(self, server: PrivatePostgres, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self._prefix = f"t{next(self.numbers)}_"
        self._made: set[str] = set()

    def database(self, name: str) -> PostgresDatabase:
        return PostgresDatabase(self.url(name), durable=False)

    def url(self, name: str) -> str:
        if name not in self._made:
            self._execute(f'CREATE DATABASE "{self._prefix}{name}"')
            self._made.add(name)
        return self.server.url(self._prefix + name)

    def copy(self, name: str, to: str) -> None:
        if to in self._made:
            self._execute(f'DROP DATABASE "{self._prefix}{to}"')
        self._execute(f'CREATE DATABASE "{self._prefix}{to}" TEMPLATE "{self._prefix}{name}"')
        self._made.add(to)

    def setting(self, name: str) -> str:
        return f'data_dir = "{self.folder / name}"\n[hub]\ndatabase = "{self.url(name)}"\n'

    def drop(self) -> None:
        for name in self._made:
            self._execute(f'DROP DATABASE "{self._prefix}{name}" WITH (FORCE)')
        self._made.clear()

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as db:
            db.execute(statement)
