"""Durable scan-ins per second against the bare commit rate of the same disk.

The measured side is the real store on an event loop with the real rules: one commit per parcel, state and facts in it.
The limit is one INSERT of as many bytes and a COMMIT per event into a table like `fact`, in a plain loop, WAL and FULL
as well. Rounds of both take turns, so that a slow minute of the disk hits both.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import point_store
from table import Figure, Rounds

from edge import boards, cells, parcels, pickups
from edge.flows import intake
from edge.model import CellNo, Parcel, ParcelId
from edge.store import Store, Tx

WANTED = 0.6  # of the bare commit rate
CELLS = 24
PAGE, FRAME_HEAD = 4096, 24  # bytes; SQLite file format, section 4.2
LOCKER_COMMITS = 4  # arrive, authorise, opened, deposited
BARE_TABLE = (
    "CREATE TABLE fact (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL,"
    " boot TEXT NOT NULL, ms INTEGER NOT NULL, synced INTEGER NOT NULL, hash TEXT NOT NULL) STRICT"
)


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
    point_store.expect(store, 0, total)
    point_store.expect(store, total, total, "locker")
    point_store.lay_shelves(store, total)
    store.run_now(cells.lay_out, "L" * CELLS)
    try:
        size = await _bytes_per_event(store, events)  # the first round warms up and tells the size
        pages = await _pages_per_event(store, events)
        await _locker(store, total, events)
        bare.rate(events, size)
        shelf, locker, limit, heavy = [], [], [], []
        for number in range(1, rounds + 1):
            shelf.append(await _shelf(store, (number + 1) * events, events))
            limit.append(bare.rate(events, size))
            heavy.append(bare.rate(events, pages * PAGE))
            locker.append(await _locker(store, total + number * events, events))
    finally:
        store.close()
        bare.close()
    bare_rate = Rounds(tuple(limit))
    note = f"arrive and shelve in one commit, {size} bytes of text each; limit: bare SQLite, WAL + FULL"
    same = f"limit: bare SQLite with as many pages to the disk, {pages} per commit; told, not judged"
    doors = f"{LOCKER_COMMITS} commits and one read per parcel: arrive, authorise, opened, deposited; told, not judged"
    return [
        Figure("scan_in", "/s", Rounds(tuple(shelf)), bare_rate, at_least=WANTED, note=note, extra={"bytes": size}),
        Figure("scan_in_pages", "/s", Rounds(tuple(shelf)), Rounds(tuple(heavy)), note=same, extra={"pages": pages}),
        Figure("scan_in_locker", "commits/s", Rounds(tuple(locker)), bare_rate, note=doors),
    ]


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
