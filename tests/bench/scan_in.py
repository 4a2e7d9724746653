"""Durable scan-ins per second against the commit rate of bare SQLite on the same disk.

The measured side is the real store on an event loop with the real rules: one commit per parcel, state and facts in it,
one parcel after another. Loop and collector are set as the kiosk sets them.
Its limits, each a plain loop with one connection, WAL and FULL as well, no rules, no questions, no thread:

- `scan_in`: the very statements that write, recorded from the rules with their values, on a database like it. Judged.
- `scan_in_card`: a commit of one row of as many bytes, where each sync of both sides takes 5 ms longer, as on the cards
  that points have. Judged.
- `scan_in_one_row`, `scan_in_pages`: the same row, or one of as many pages, on this disk as it is. Told.

All take turns in slices of a few commits, so that a slow second of the disk hits all alike. Why it is held against
these: DECISIONS 42.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import point_store
from table import Figure, Rounds

from edge import boards, cells, cores, parcels, pickups
from edge.flows import intake
from edge.model import CellNo, Parcel, ParcelId
from edge.store import FILE, WAL_PAGES, Store, Tx
from ui.screens.tidy import Tidy

WANTED = 0.6  # of the bare commit rate
CARD = Path(__file__).with_name("scan_in_card.py")
EVENTS, SLICE = 240, 60  # of a round; a slice takes some 20 ms
CARD_US = 5_000  # what the sync of a commit takes on a card (DECISIONS 26)
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

    def seconds(self, first: int, events: int) -> float:
        """Time that bare SQLite needs to commit the same rows."""
        commits = self._recorded(first, events)
        began = time.perf_counter()
        for statements in commits:
            self._bare.execute("BEGIN")
            for sql, values in statements:
                self._bare.execute(sql, values)
            self._bare.execute("COMMIT")
        return time.perf_counter() - began

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

    def seconds(self, events: int, size: int) -> float:
        """Time for `events` commits of one row of `size` bytes of text."""
        body = "x" * max(1, size - 64 - 24)  # the hash and the other words of a row
        began = time.perf_counter()
        for _ in range(events):
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO fact (kind, body, at, boot, ms, synced, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
                ("parcel_shelved.1", body, 1_700_000_000_000, "0" * 8, 1_000_000, 1, "0" * 64),
            )
            self._db.execute("COMMIT")
        return time.perf_counter() - began

    def close(self) -> None:
        self._db.close()


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run all, in turns; then once more where each sync is as slow as a card's."""
    rates = asyncio.run(Rates(folder / "here", 5 if quick else 9, EVENTS).taken())
    size, pages = int(rates["size"][0]), int(rates["pages"][0])
    measured, one_row = Rounds(tuple(rates["shelf"])), Rounds(tuple(rates["one_row"]))
    same, heavy, locker = (Rounds(tuple(rates[name])) for name in ("same", "heavy", "locker"))
    note = "arrive and shelve in one commit; limit: the same rows by bare SQLite, WAL + FULL"
    row = f"limit: a commit of one row with the same {size} bytes of text, without an index; told, not judged"
    heavy_note = f"limit: a commit of one row as long as the same {pages} pages; told, not judged"
    doors = f"{LOCKER_COMMITS} commits and one read per parcel: arrive, authorise, opened, deposited; told, not judged"
    return [
        Figure("scan_in", "/s", measured, same, at_least=WANTED, note=note, extra={"bytes": size}),
        *_on_a_card(folder, 3 if quick else 5),
        Figure("scan_in_one_row", "/s", measured, one_row, note=row, extra={"bytes": size}),
        Figure("scan_in_pages", "/s", measured, heavy, note=heavy_note, extra={"pages": pages}),
        Figure("scan_in_locker", "commits/s", locker, one_row, note=doors),
    ]


def _on_a_card(folder: Path, rounds: int) -> list[Figure]:
    """The same where each sync, of both sides, takes so much longer. Errors: RuntimeError if the program ends badly."""
    if shutil.which("gcc") is None:
        print("  no gcc: not measured on a slow disk", file=sys.stderr)
        return []
    library = folder / "slow_sync.so"
    source = Path(__file__).with_name("slow_sync.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    slow = {"LD_PRELOAD": str(library), "SLOW_SYNC_US": str(CARD_US)}
    command = [sys.executable, str(CARD), str(folder / "card"), str(rounds)]
    done = subprocess.run(command, env={**os.environ, **slow}, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the run on a slow disk ended with {done.returncode}: {done.stderr[-500:]}")
    rates = json.loads(done.stdout)
    note = f"limit: a commit of one row; each sync of both sides takes {CARD_US // 1000} ms longer, as on a card"
    measured, one_row = Rounds(tuple(rates["shelf"])), Rounds(tuple(rates["one_row"]))
    return [Figure("scan_in_card", "/s", measured, one_row, at_least=WANTED, note=note, extra={"slower_us": CARD_US})]


class Rates:
    """Commits per second of each side in each round, and what a scan-in weighs."""

    def __init__(self, folder: Path, rounds: int, events: int) -> None:
        folder.mkdir(parents=True)
        self._rounds, self._events = rounds, events
        self._store = point_store.opened(folder / "scan_in")
        self._bare = Bare(folder / "bare.db")
        self._total = (rounds + 2) * events
        _fill(self._store, self._total)
        point_store.expect(self._store, self._total, self._total, "locker")
        self._store.run_now(cells.lay_out, "L" * CELLS)
        self._replay = Replay(folder, self._total)

    async def taken(self) -> dict[str, list[float]]:
        everywhere, young = os.sched_getaffinity(0), gc.get_threshold()
        cores.stay_on_one(asyncio.get_running_loop())  # as the kiosk's io thread
        Tidy().take_over()  # as the kiosk after its first picture
        try:
            return await self._take()
        finally:
            os.sched_setaffinity(0, everywhere)
            gc.unfreeze()
            gc.set_threshold(*young)
            self._store.close()
            self._bare.close()
            self._replay.close()

    async def _take(self) -> dict[str, list[float]]:
        size = await _bytes_per_event(self._store, self._events)  # the first round warms up and tells the size
        pages = await _pages_per_event(self._store, self._events)
        await _locker(self._store, self._total, self._events)
        self._bare.seconds(self._events, size)
        self._replay.seconds(0, 2 * self._events)
        rates: dict[str, list[float]] = defaultdict(list)
        rates["size"], rates["pages"] = [size], [pages]
        for number in range(1, self._rounds + 1):
            for name, spent in (await self._round((number + 1) * self._events, size, pages)).items():
                rates[name].append(self._events / spent)
            locker = await _locker(self._store, self._total + number * self._events, self._events)
            rates["locker"].append(self._events * LOCKER_COMMITS / locker)
        return rates

    async def _round(self, first: int, size: int, pages: int) -> dict[str, float]:
        """Seconds of each side for the same events, in turns of a slice."""
        spent: dict[str, float] = defaultdict(float)
        few = min(SLICE, self._events)
        for start in range(first, first + self._events, few):
            spent["shelf"] += await _shelf(self._store, start, few)
            spent["same"] += self._replay.seconds(start, few)
            spent["one_row"] += self._bare.seconds(few, size)
            spent["heavy"] += self._bare.seconds(few, pages * PAGE)
        return spent


def _fill(store: Store, total: int) -> None:
    point_store.expect(store, 0, total)
    point_store.lay_shelves(store, total)


async def _shelf(store: Store, first: int, events: int) -> float:
    """Seconds for so many scan-ins, one after another."""
    arrivals = [point_store.arrival(number) for number in range(first, first + events)]
    began = time.perf_counter()
    for arrival in arrivals:
        await store.run(parcels.take_in, arrival)
    return time.perf_counter() - began


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
    """Seconds for deposits whose doors open and shut at once; the cells are emptied off the clock."""
    spent = 0.0
    for start in range(first, first + events, CELLS):
        began = time.perf_counter()
        taken = [await _deposit(store.run, number) for number in range(start, start + CELLS)]
        spent += time.perf_counter() - began
        await store.run(_empty, taken)
    return spent


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
