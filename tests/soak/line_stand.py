"""A real broker, a real hub program, a point program at work, and a line with weather between them; then the verdict.

Every program is a process of its own and is ended by a kill, never in order. The hub announces parcels and bills before
the work begins; deposits become messages, payments become postings, and both come back down as facts.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from edge.clock import SystemClock, SystemDice
from edge.store import FILE, Store
from sync.hub import manifest, sqlite_db
from sync.hub.postgres_db import PostgresDatabase
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from tests.soak.agreement import books, disagreements
from tests.soak.line_point import SITE
from tests.soak.recorder import ROOT
from tests.stories.invariants import broken
from tests.stories.point import KEYS
from tests.sync.chaos_line import ChaosLine, Weather
from tests.sync.private_broker import HubProcess, PrivateBroker

READY_S = 60.0
LOOK_S = 0.1
PIECE = 4_096  # bytes: one page, so that no room is left for another
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}


class LineStand:
    """Use as `async with`; everything is up inside but the point."""

    def __init__(self, folder: Path, seed: int, weather: Weather | None = None, database: str | None = None) -> None:
        self.folder = folder
        self._database = database  # URL of a PostgreSQL database; None for SQLite in the hub's folder
        self.dice = random.Random(seed)
        self.card = folder / "point"
        self.broker = PrivateBroker(folder)
        self.line = ChaosLine(self.broker.port, self.dice, weather or Weather())
        (folder / "link.key").write_text(KEYS.link.hex() + "\n")
        settings = folder / "hub.toml"
        rows = "" if database is None else f'[hub]\ndatabase = "{database}"\n'
        settings.write_text(
            f'data_dir = "{folder / "hub"}"\n{rows}[broker]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
            f'[sites.{SITE}]\nname = "点"\nlink_key_file = "link.key"\n'
        )
        self.hub = HubProcess(settings)
        self.kills = 0
        self.facts = 0  # the last that was confirmed to a person
        self.announced = 0
        self._lives = 0
        self._point: Life | None = None

    async def __aenter__(self) -> LineStand:
        self.broker.start()
        await self.line.open()
        await asyncio.to_thread(self.hub.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill_point()
        self.hub.kill()
        self.broker.kill()
        await self.line.close()

    # -- the hub

    def announce(self, count: int) -> None:
        """Tell the point of parcels and bills, from another process than the hub, as `village-hub send` does."""
        numbers = range(self.announced + 1, self.announced + count + 1)
        file = self.folder / "manifest.json"
        file.write_text(json.dumps({"parcels": [*map(_parcel, numbers)], "bills": [*map(_bill, numbers)]}))
        store = self._hub_store()
        manifest.send(store, SITE, file)
        store.close()
        self.announced += count

    async def restart_hub(self, away_s: float) -> None:
        """Kill it at any moment and start it again."""
        self.hub.kill()
        await asyncio.sleep(away_s)
        await asyncio.to_thread(self.hub.start)

    def back_up_hub(self) -> None:
        """Copy the database of the running hub by the backup API."""
        whole = sqlite3.connect(self.folder / "hub" / sqlite_db.FILE)
        copy = sqlite3.connect(self.folder / "yesterday.db")
        whole.backup(copy)
        copy.close()
        whole.close()

    async def restore_hub(self) -> None:
        """The hub's disk is lost; yesterday's backup takes its place."""
        self.hub.kill()
        for file in (self.folder / "hub").glob(f"{sqlite_db.FILE}*"):
            file.unlink()
        shutil.copy(self.folder / "yesterday.db", self.folder / "hub" / sqlite_db.FILE)
        await asyncio.to_thread(self.hub.start)

    def fill_hub_disk(self) -> None:
        """Leave no room on the hub's disk (tests.disks.small_disk)."""
        with suppress(OSError), (self.folder / "hub" / "stuff").open("ab", buffering=0) as stuff:
            while True:
                stuff.write(bytes(PIECE))

    def free_hub_disk(self) -> None:
        """Give the room back."""
        (self.folder / "hub" / "stuff").unlink()

    async def hub_said(self, words: str, times: int) -> None:
        """Wait until the hub's log holds it so often. Errors: TimeoutError."""
        async with asyncio.timeout(READY_S):
            while (self.folder / "hub.log").read_text().count(words) < times:
                await asyncio.sleep(LOOK_S)

    async def hub_took_more(self) -> None:
        """Wait until it keeps facts again. Errors: TimeoutError."""
        before = self._kept()
        async with asyncio.timeout(READY_S):
            while self._kept() <= before:
                await asyncio.sleep(LOOK_S)

    def _kept(self) -> int:
        return int(self._ask_hub("SELECT count(*) FROM fact")[0][0])

    def _hub_store(self) -> HubStore:
        place = SqliteDatabase(self.folder / "hub") if self._database is None else PostgresDatabase(self._database)
        store = HubStore(place, SystemClock(), SystemDice(), {SITE: KEYS.link})
        store.open()
        return store

    # -- the point

    async def start_point(self, rounds: int, pace_s: float = 0.01, **odd: Any) -> Life:
        """Begin the next life of the point; its work goes on where the last one's ended."""
        self._point = await self.other_point(self.card, rounds, pace_s, **odd)
        return self._point

    async def other_point(self, card: Path, rounds: int, pace_s: float = 0.01, **odd: Any) -> Life:
        """A point on any card, also on a copy of one."""
        first = 1 + self._lives * 3 % max(1, self.announced)
        rounds = min(rounds, self.announced - first)
        self._lives += 1
        order = {"folder": str(card), "port": self.line.port, "first": first, "seed": self._lives, "rounds": rounds}
        life = Life(self)
        await life.begin({**order, "pace_s": pace_s, **odd})
        return life

    async def kill_point(self) -> None:
        """SIGKILL, whatever it does."""
        if self._point is not None:
            await self._point.kill()
            self._point = None

    def copy_card(self, name: str) -> Path:
        """Copy the card of a point that does not run."""
        copy = self.folder / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.card, copy)
        return copy

    async def restore_card(self, name: str) -> None:
        """Put an old copy of the card back."""
        await self.kill_point()
        shutil.rmtree(self.card)
        shutil.copytree(self.folder / name, self.card)

    # -- the end

    async def drained(self, patience_s: float = READY_S) -> None:
        """Wait until each side has confirmed all that the other one wrote. Errors: AssertionError after so long."""
        give_up = time.monotonic() + patience_s
        while (left := self._left()) != (0, 0):
            assert time.monotonic() < give_up, f"never drained: {left} facts are left up and down"
            if self._point is not None:
                self._point.is_alive()
            await asyncio.sleep(LOOK_S)

    def _left(self) -> tuple[int, int]:
        with suppress(
            sqlite3.OperationalError, psycopg.OperationalError, ValueError, TypeError
        ):  # made or recovered now
            here = sqlite3.connect(f"file:{self.card / FILE}?mode=ro", uri=True)
            try:
                [(log_id, upto)] = here.execute("SELECT log_id, seq FROM cursor WHERE name = 'up'").fetchall()
                [(have,)] = here.execute("SELECT seq FROM cursor WHERE name = 'down'").fetchall()
                [(head,)] = here.execute("SELECT max(seq) FROM fact").fetchall()
            finally:
                here.close()
            [(taken,)] = self._ask_hub(f"SELECT coalesce(max(upto), 0) FROM head WHERE log_id = '{log_id}'")
            [(told, sent)] = self._ask_hub("SELECT (SELECT max(seq) FROM down), sent_upto FROM site")
            return head - min(upto, taken), (told or 0) - min(have, sent)
        return -1, -1

    def _ask_hub(self, question: str) -> list[tuple[Any, ...]]:
        if self._database is not None:
            with psycopg.connect(self._database, autocommit=True) as there:
                return there.execute(question.encode()).fetchall()
        there = sqlite3.connect(f"file:{self.folder / 'hub' / sqlite_db.FILE}?mode=ro", uri=True)
        try:
            return there.execute(question).fetchall()
        finally:
            there.close()

    async def verdict(self, *, rewound: bool = False) -> list[str]:
        """End everything by kills and compare the books."""
        await self.kill_point()
        self.hub.kill()
        point = Store(self.card, SystemClock(), SystemDice(), KEYS)
        point.open()
        hub = self._hub_store()
        try:
            both = books(point, hub, SITE, "rowid" if self._database is None else "received_at, seq")
            bad = disagreements(both, rewound=rewound) + point.run_now(broken)
            if not rewound and len(both.here) < self.facts:
                bad.append(f"lost {self.facts - len(both.here)} that were confirmed on the screen")
            self.facts = len(both.here)
            self.is_flagged = both.is_flagged
        finally:
            hub.close()
            point.close()
        return bad


def _parcel(number: int) -> dict[str, Any]:
    who = {"recipient": "王小明", "phone": f"139{number:08d}", "address": None}
    return {"waybill_no": f"SF{number:013d}", "carrier": "SF", **who, "consent": "locker", "size": "S"}


def _bill(number: int) -> dict[str, Any]:
    who = {"account_no": f"88{number:08d}", "name": "王小明", "address": None}
    what = {"period": "2026-10", "fen": 100 + number, "due": "2026-11-30"}
    return {"bill_id": f"b-{number}", "biller": "water", "kind": "water", **who, **what}


class Life:
    """One process of a point, and what it has said."""

    def __init__(self, stand: LineStand) -> None:
        self._stand = stand
        self._heard: Counter[str] = Counter()
        self._news = asyncio.Event()

    async def begin(self, order: dict[str, Any]) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.soak.line_point", json.dumps(order),
            cwd=ROOT, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._listen())

    async def until(self, what: str, times: int = 1) -> None:
        """Wait until it has said so: online, fact, idle, full."""
        async with asyncio.timeout(READY_S):
            while self._heard[what] < times:
                self.is_alive(unless=what)
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self._news.wait()

    def is_alive(self, unless: str = "full") -> None:
        """Errors: AssertionError when the process has ended by itself."""
        assert self._process.returncode is None or self._heard[unless], f"the point ended: {self._process.returncode}"

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._stand.kills += 1
        await self._process.wait()
        await self._reading

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break
            for what, value in json.loads(line).items():
                self._heard[what] += 1
                if what == "fact":
                    self._stand.facts = max(self._stand.facts, value)
            self._news.set()
        self._news.set()
