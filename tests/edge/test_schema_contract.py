"""The release before works on a database that the one after it has migrated: falling back keeps the data.

The contracts in `released/` were written by the releases themselves (tests/schema_contract.py).
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from schema_contract import FOLDER, Contract, newest_database, violations
from stockroom import Clock, Dice, furnish, new_store

from edge.release import number
from edge.store import FILE


def previous() -> Contract:
    """What the last release needs."""
    newest = max(FOLDER.glob("*.json"), key=lambda file: number(file.stem))
    return dict(json.loads(newest.read_text("utf-8")))


def test_the_last_release_works_on_a_database_of_today() -> None:
    db = newest_database()

    assert violations(previous(), db) == []
    db.close()


def test_a_contract_names_the_tables_and_the_statements_of_the_counter() -> None:
    told = previous()

    assert {"fact", "personal", "parcel", "bill", "cell", "meta"} <= told["tables"].keys()
    assert len(told["statements"]) > 80
    assert any(sql.startswith("INSERT INTO fact") for sql in told["statements"])


BREAKS = {
    "a column goes": ("ALTER TABLE parcel DROP COLUMN notified_at", "parcel.notified_at is gone"),
    "a column is renamed": ("ALTER TABLE parcel RENAME COLUMN consent TO agreed", "parcel.consent is gone"),
    "a table goes": ("DROP TABLE notice", "table notice is gone"),
    "a table is renamed": ("ALTER TABLE owed RENAME TO debts", "table owed is gone"),
    "a new column must be filled": (
        "CREATE TABLE n (id TEXT PRIMARY KEY, text TEXT NOT NULL, valid_until TEXT NOT NULL, colour TEXT NOT NULL)"
        " STRICT, WITHOUT ROWID; DROP TABLE notice; ALTER TABLE n RENAME TO notice",
        "notice.colour is new and must be filled",
    ),
    "a column may no longer be empty": (
        "CREATE TABLE n (id TEXT PRIMARY KEY, cell INTEGER NOT NULL, purpose TEXT NOT NULL, parcel TEXT NOT NULL,"
        " outcome TEXT, closed INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL REFERENCES fact (seq)) STRICT,"
        " WITHOUT ROWID; DROP TABLE opening; ALTER TABLE n RENAME TO opening",
        "opening.parcel may no longer be empty",
    ),
    "a default goes": (
        "CREATE TABLE n (event TEXT PRIMARY KEY, reason TEXT NOT NULL, seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        " DROP TABLE refused; ALTER TABLE n RENAME TO refused",
        "refused.seen has no default any more",
    ),
    "what was allowed twice is not any more": (
        "CREATE UNIQUE INDEX one ON bill (account_no)",
        "bill: unique account_no forbids",
    ),
    "a check is sharper": (
        "CREATE TABLE n (cell INTEGER PRIMARY KEY, size TEXT NOT NULL CHECK (size IN ('S', 'M')), state TEXT NOT NULL,"
        " parcel TEXT UNIQUE REFERENCES parcel (id), why TEXT\n) STRICT; DROP TABLE cell;"
        " ALTER TABLE n RENAME TO cell",
        "cell: checks",
    ),
    "a trigger acts": (
        "CREATE TRIGGER t BEFORE INSERT ON fact BEGIN SELECT RAISE(ABORT, 'no'); END",
        "trigger t acts on old rows",
    ),
}


@pytest.mark.parametrize(("migration", "told"), BREAKS.values(), ids=BREAKS)
def test_a_migration_that_breaks_the_last_release_is_found(migration: str, told: str) -> None:
    db = newest_database()
    db.executescript(migration)

    assert any(each.startswith(told) for each in violations(previous(), db)), violations(previous(), db)
    db.close()


ADDS = {
    "a table": "CREATE TABLE colour (name TEXT PRIMARY KEY) STRICT",
    "a column that may be empty": "ALTER TABLE parcel ADD COLUMN colour TEXT",
    "a column with a default": "ALTER TABLE parcel ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
    "a plain index": "CREATE INDEX more ON parcel (carrier)",
}


@pytest.mark.parametrize("migration", ADDS.values(), ids=ADDS)
def test_what_only_adds_is_allowed(migration: str) -> None:
    db = newest_database()
    db.executescript(migration)

    assert violations(previous(), db) == []
    db.close()


def test_a_program_opens_a_database_with_migrations_it_does_not_know(tmp_path: Path) -> None:
    """What happens when a release falls back: its database has been in the hands of a newer one."""
    store = new_store(tmp_path, Clock(), Dice())
    store.open()
    store.run_now(furnish)
    store.close()
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute("ALTER TABLE parcel ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
    newer.execute("CREATE TABLE colour (name TEXT PRIMARY KEY) STRICT")
    newer.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('village-point', 'colours', 'later')"
    )
    newer.commit()
    newer.close()

    store.open()
    try:
        assert store.run_now(lambda tx: tx.value("SELECT count(*) FROM cell")) == 4
    finally:
        store.close()
