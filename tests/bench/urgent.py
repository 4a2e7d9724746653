"""A bill while a backlog drains over 64 kbit/s: seconds from the cash to the receipt number, with and without haste.

The real store, link, broker and hub; the line between point and broker is slow and 100 ms long. With: the fact of the
bill goes ahead of the backlog, and the biller's answer with it. Without: the same program, which is not allowed to
look for urgent facts; the bill waits its turn. BENCH_MILLION=1 in the environment makes the backlog 100,000 facts
(some seven minutes), else 20,000.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sync"))

import point_store  # noqa: E402
from chaos_line import ChaosLine, Weather  # noqa: E402
from private_broker import PrivateBroker  # noqa: E402
from table import Figure, Rounds  # noqa: E402

from edge import bills, events, inbox, log  # noqa: E402
from edge.clock import SystemClock, SystemDice  # noqa: E402
from edge.model import AccountNo, BillId, BillState, Fen, Name, OperatorId, SiteCode  # noqa: E402
from edge.port import StoreLog  # noqa: E402
from edge.store import Keys, Store, Tx  # noqa: E402
from sync.hub.app import Hub, HubOutside  # noqa: E402
from sync.hub.sqlite_db import SqliteDatabase  # noqa: E402
from sync.hub.store import HubStore  # noqa: E402
from sync.link import Link  # noqa: E402
from sync.mqtt import Broker  # noqa: E402
from sync.port import LinkSettings, Outside  # noqa: E402

SITE = SiteCode("QJ-0001")
KEY = bytes(range(32))
LINE = Weather(latency_s=0.1, bytes_per_s=8_000)  # 64 kbit/s each way
BILLS = 5
BETWEEN_S = 4.0
SETTLED_S = 12.0  # the drain has found its pace
WANTED_S = 5.0  # somebody stands at the counter
GIVE_UP_S = 900.0


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    facts = 100_000 if os.environ.get("BENCH_MILLION") else 4_000 if quick else 20_000
    broker = PrivateBroker(folder)
    broker.start()
    try:
        hasty, pending = asyncio.run(_Scene(folder / "with", broker.port).play(max(facts, 20_000), BILLS))
        patient, _ = asyncio.run(_Scene(folder / "without", broker.port, may_hurry=False).play(facts, 1))
    finally:
        broker.kill()
    note = (
        f"{len(hasty)} bills, {min(pending)} facts or more still waiting at each answer; slowest {max(hasty):.1f} s; "
        f"limit: a person who waits; without haste {patient[0]:.0f} s behind {facts} facts"
    )
    extra = {"with_s": hasty, "without_s": patient, "pending": pending}
    return [Figure("bill in a backlog", "s", Rounds(tuple(hasty)), Rounds((WANTED_S,)), at_most=1.0, note=note,
                   extra=extra)]  # fmt: skip


class _Scene:
    """One point with a backlog, its line and its hub."""

    def __init__(self, folder: Path, port: int, *, may_hurry: bool = True) -> None:
        folder.mkdir(parents=True)
        self._port = port
        self._may_hurry = may_hurry
        self._store = Store(folder / "point", SystemClock(), SystemDice(), Keys(KEY, bytes(32)))
        self._hub_store = HubStore(SqliteDatabase(folder / "hub"), SystemClock(), SystemDice(), {SITE: KEY})

    async def play(self, facts: int, count: int) -> tuple[list[float], list[int]]:
        """Take bills while the backlog drains; seconds until each was posted, and what was pending then."""
        self._store.open()
        self._hub_store.open()
        self._store.run_now(log.begin)
        self._store.run_now(_owe_here, count)
        _owe_there(self._hub_store, count)
        await asyncio.to_thread(point_store.backlog, self._store, facts)
        line = ChaosLine(self._port, random.Random(1), LINE)
        await line.open()
        dice = random.SystemRandom().random
        hub = Hub(self._hub_store, Broker("127.0.0.1", self._port), HubOutside(dice, lambda: None))
        link = Link(
            LinkSettings(SITE, Broker("127.0.0.1", line.port), KEY, "bench"),
            StoreLog(self._store),
            Outside(SystemClock().ms, dice, lambda _info: None),
        )
        if not self._may_hurry:
            link._advances.look_after = lambda _tip, _head: None  # type: ignore[method-assign]
        tasks = [asyncio.create_task(hub.run()), asyncio.create_task(link.run())]
        try:
            await asyncio.sleep(SETTLED_S)
            return await self._bills(count)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await line.close()
            self._store.close()
            self._hub_store.close()

    async def _bills(self, count: int) -> tuple[list[float], list[int]]:
        took, pending = [], []
        for number in range(count):
            bill = BillId(f"b{number}")
            began = time.monotonic()
            await self._store.run(bills.accept, bill, Fen(100), OperatorId("op1"))
            while (await self._store.run(bills.load, bill)).state is not BillState.POSTED:
                if time.monotonic() - began > GIVE_UP_S:
                    raise TimeoutError("the bill is not posted")
                await asyncio.sleep(0.05)
            took.append(time.monotonic() - began)
            pending.append(await self._store.run(log.pending))
            await asyncio.sleep(BETWEEN_S)
        return took, pending


def _owe_here(tx: Tx, count: int) -> None:
    tx.bookkeeping = True
    who = AccountNo("110001"), Name("王小二"), None
    for number in range(count):
        inbox.apply(tx, events.BillIssued(f"b{number}", "water", "water", *who, "2026-10", 100, "2026-12-01"))


def _owe_there(store: HubStore, count: int) -> None:
    with store.transaction() as tx:
        for number in range(count):
            tx.execute(
                "INSERT INTO bill (site, bill, biller, sort, account_no, name, period, fen, due, state, changed_at) "
                "VALUES (?, ?, 'water', 'water', '110001', 'n', '2026-10', 100, '2026-12-01', 'unpaid', 0)",
                (SITE, f"b{number}"),
            )
