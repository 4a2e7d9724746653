"""Durable scan-ins per second against what bare SQLite needs to commit the same rows on the same disk.

The measured side is the real store on an event loop with the real rules: one commit per parcel, state and facts in it.
The limit replays the very statements that write (recorded from the rules, with their values) on a database like it: a
plain loop, one connection, WAL and FULL as well; no rules, no questions, no thread. Told beside it: a commit of one row
of as many bytes, and one of as many pages. Rounds of all take turns, so that a slow minute of the disk hits all.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import point_store
from table import Figure, Rounds

from edge import boards, cells, parcels, pickups
from edge.flows import intake
from edge.model import CellNo, Parcel, ParcelId
from edge.store import FILE, WAL_PAGES, Store, Tx

WANTED = 0.6  # of the bare commit rate
CELLS = 24
PAGE, FRAME_HEAD = 4096, 24  # bytes; SQLite file format, section 4.2
LOCKER_COMMITS = 4  # arrive, authorise, opened, deposited
BARE_TABLE = (
    "CREATE TABLE fact (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL,"
    " boot TEXT NOT NULL, ms INTEGER NOT NULL, synced INTEGER NOT NULL, hash TEXT NOT NULL) STRICT"
)


Statement = tuple[str, tuple[Any, ...]]


class Recorder:
    """A connection that keeps every statement that writes, commit by commit."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.commits: list[list[Statement]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.commits[-1].append((sql, values))
        elif sql.startswith("BEGIN"):
            self.commits.append([])
        return self._real.execute(sql, values)


class Replay:
    """Two databases in the same state: on one the rules run, on the other bare SQLite writes the same rows."""

    def __init__(self, folder: Path, total: int) -> None:
        self._ruled = point_store.opened(folder / "ruled")
        _fill(self._ruled, total)
        self._ruled.close()
        shutil.copytree(folder / "ruled", folder / "bare")
        self._ruled.open()
        self._bare = sqlite3.connect(folder / "bare" / FILE, isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._bare.execute(f"PRAGMA {pragma}")
        self._bare.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

    def rate(self, first: int, events: int) -> float:
        """Commits per second of the same rows."""
        commits = self._recorded(first, events)
        began = time.perf_counter()
        for statements in commits:
            self._bare.execute("BEGIN")
            for sql, values in statements:
                self._bare.execute(sql, values)
            self._bare.execute("COMMIT")
        return events / (time.perf_counter() - began)

    def _recorded(self, first: int, events: int) -> list[list[Statement]]:
        database = self._ruled._db
        assert database is not None
        real = database.conn
        recorder = Recorder(real)
        database.conn = recorder  # type: ignore[assignment]
        for number in range(first, first + events):
            self._ruled.run_now(parcels.take_in, point_store.arrival(number))
        database.conn = real
        assert len(recorder.commits) == events
        return recorder.commits

    def close(self) -> None:
        self._ruled.close()
        self._bare.close()


class Bare:
    """SQLite and nothing else."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(BARE_TABLE)

    def rate(self, events: int, size: int) -> float:
        """Commits per second of `events` rows of `size` bytes of text."""
        body = "x" * max(1, size - 64 - 24)  # the hash and the other words of a row
        began = time.perf_counter()
        for _ in range(events):
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO fact (kind, body, at, boot, ms, synced, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ("parcel_shelved.1", body, 1_700_000_000_000, "0" * 8, 1_000_000, 1, "0" * 64),
            )
            self._db.execute("COMMIT")
        return events / (time.perf_counter() - began)

    def close(self) -> None:
        self._db.close()


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run both, in turns."""
    return asyncio.run(_measure(folder, rounds=5 if quick else 9, events=240))


async def _measure(folder: Path, rounds: int, events: int) -> list[Figure]:
    store = point_store.opened(folder / "scan_in")
    bare = Bare(folder / "bare.db")
    total = (rounds + 2) * events
    _fill(store, total)
    point_store.expect(store, total, total, "locker")
    store.run_now(cells.lay_out, "L" * CELLS)
    replay = Replay(folder, total)
    try:
        size = await _bytes_per_event(store, events)  # the first round warms up and tells the size
        pages = await _pages_per_event(store, events)
        await _locker(store, total, events)
        bare.rate(events, size)
        replay.rate(0, 2 * events)
        shelf, locker, same, limit, heavy = [], [], [], [], []
        for number in range(1, rounds + 1):
            shelf.append(await _shelf(store, (number + 1) * events, events))
            same.append(replay.rate((number + 1) * events, events))
            limit.append(bare.rate(events, size))
            heavy.append(bare.rate(events, pages * PAGE))
            locker.append(await _locker(store, total + number * events, events))
    finally:
        store.close()
        bare.close()
        replay.close()
    measured, one_row = Rounds(tuple(shelf)), Rounds(tuple(limit))
    note = "arrive and shelve in one commit; limit: the same rows by bare SQLite, WAL + FULL"
    row = f"limit: a commit of one row with the same {size} bytes of text, without an index; told, not judged"
    heavy_note = f"limit: a commit of one row as long as the same {pages} pages; told, not judged"
    doors = f"{LOCKER_COMMITS} commits and one read per parcel: arrive, authorise, opened, deposited; told, not judged"
    return [
        Figure("scan_in", "/s", measured, Rounds(tuple(same)), at_least=WANTED, note=note, extra={"bytes": size}),
        Figure("scan_in_one_row", "/s", measured, one_row, note=row, extra={"bytes": size}),
        Figure("scan_in_pages", "/s", measured, Rounds(tuple(heavy)), note=heavy_note, extra={"pages": pages}),
        Figure("scan_in_locker", "commits/s", Rounds(tuple(locker)), one_row, note=doors),
    ]


def _fill(store: Store, total: int) -> None:
    point_store.expect(store, 0, total)
    point_store.lay_shelves(store, total)


async def _shelf(store: Store, first: int, events: int) -> float:
    began = time.perf_counter()
    for number in range(first, first + events):
        await store.run(parcels.take_in, point_store.arrival(number))
    return events / (time.perf_counter() - began)


async def _bytes_per_event(store: Store, events: int) -> int:
    await _shelf(store, 0, events)
    facts = "SELECT sum(length(kind) + length(CAST(body AS BLOB)) + length(boot) + length(hash)) FROM fact"
    personal = "SELECT sum(length(field) + length(salt) + length(CAST(value AS BLOB))) FROM personal"
    written = await store.run(Tx.value, facts) + await store.run(Tx.value, personal)
    return int(written / events)


async def _pages_per_event(store: Store, events: int) -> int:
    """Pages that one scan-in puts into the WAL file."""
    few = CELLS  # far fewer than make SQLite empty the file by itself
    wal = store.path.with_name(store.path.name + "-wal")
    store.close()  # empties it
    store.open()
    await _shelf(store, events, few)
    return round(wal.stat().st_size / (PAGE + FRAME_HEAD) / few)


async def _locker(store: Store, first: int, events: int) -> float:
    """Commits per second of deposits whose doors open and shut at once; the cells are emptied off the clock."""
    spent = 0.0
    for start in range(first, first + events, CELLS):
        began = time.perf_counter()
        taken = [await _deposit(store.run, number) for number in range(start, start + CELLS)]
        spent += time.perf_counter() - began
        await store.run(_empty, taken)
    return events * LOCKER_COMMITS / spent


async def _deposit(run: Callable[..., Awaitable[object]], number: int) -> ParcelId:
    parcel = await run(parcels.take_in, point_store.arrival(number, "auto"))
    assert isinstance(parcel, Parcel)
    assert parcel.cell is not None
    opening = await run(cells.authorise, CellNo(parcel.cell), "deposit", parcel.id, point_store.OPERATOR)
    await run(cells.opened, opening)
    await run(boards.line, parcel.id)
    await run(intake._deposited, parcel, opening, "sensor")
    return parcel.id


def _empty(tx: Tx, taken: list[ParcelId]) -> None:
    for parcel in taken:
        parcels.load(tx, parcel)
        pickups.begin_pickup(tx, parcel, "token")
        pickups.picked_up(tx, parcel, "token", "sensor")
