"""Which database the settings name. The one place that knows both sides of the port."""

from __future__ import annotations

from sync.hub.config import HubSettings
from sync.hub.database import Database
from sync.hub.sqlite_db import SqliteDatabase


def database_of(settings: HubSettings) -> Database:
    """The SQLite file in the hub's folder, or the PostgreSQL server that `[hub] database` names."""
    if settings.work.database is None:
        return SqliteDatabase(settings.data_dir)
    from sync.hub.postgres_db import PostgresDatabase  # a district on SQLite needs no client library

    return PostgresDatabase(settings.work.database)
