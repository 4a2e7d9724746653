"""Tables change by further migrations only: a terminal in the field goes on with the file it has."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from sqlite_utils import Database
from stockroom import Clock, Dice, new_store

from edge.schema import migrations
from edge.store import FILE, Tx

# The tables after the first migration. It has run at points: whoever would change this number appends a migration.
FIRST_DIGEST = "a59c4407db229cfd"
SECOND = "codes_owed"


def first_release(folder: Path) -> Database:
    """A database as the first release left it."""
    db = Database(sqlite3.connect(folder / FILE, isolation_level=None))
    migrations.apply(db, stop_before=SECOND)
    return db


def test_the_first_migration_stays_as_it_was_written(tmp_path: Path) -> None:
    db = first_release(tmp_path)

    tables = [row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")]

    assert hashlib.sha256("\n".join(tables).encode()).hexdigest()[:16] == FIRST_DIGEST
    db.close()


def test_a_database_of_the_first_release_is_taken_on_with_its_codes_still_to_be_forgotten(tmp_path: Path) -> None:
    db = first_release(tmp_path)
    for seq, state in ((1, "picked_up"), (2, "on_shelf")):
        db.execute("INSERT INTO fact VALUES (?, 'parcel_shelved.1', '{}', 0, 'b', 0, 1, 'h')", (seq,))
        db.execute("INSERT INTO personal VALUES (?, 'code', 's', '123456'), (?, 'token', 's', 'T')", (seq, seq))
        db.execute(
            "INSERT INTO parcel (id, waybill_no, carrier, state, consent, size, expected, stored_seq)"
            " VALUES (?, ?, 'SF', ?, 'shelf', 'S', 1, ?)",
            (f"p{seq}", f"SF{seq}", state, seq),
        )
    db.close()

    store = new_store(tmp_path, Clock(), Dice())
    store.open()
    try:
        assert store.run_now(Tx.rows, "SELECT seq FROM owed") == [{"seq": 1}]
    finally:
        store.close()
