"""A district in one process on simulated time: a point's store and line, the real hub, and a broker that misbehaves.

Everything of ours is the real thing (store, log, rules, link, relay, wire, hub and its store); only the broker between
them is simulated: it loses, doubles, delays and reorders, forgets what it kept, and is away for a week. The point is
killed and started again, the clocks of both jump, and its card may go back in time (restored, or lying about what it
wrote). One seed is one history, which can be played again.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge import events, log
from edge.chain import event_id
from edge.model import AccountNo, LogId, Name, Phone, Rejected, SiteCode
from edge.port import StoreLog
from edge.store import Store
from sync.hub.app import Hub, HubOutside
from sync.hub.down import DownLog
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.link import Link
from sync.mqtt import Broker, LineLost, Message, Will
from sync.port import LinkSettings, Outside
from tests.soak.writer import collect, deposit, pay
from tests.stories.invariants import broken
from tests.stories.point import KEYS, Fittings, PointClock, SeededDice, lay_out

SITE = SiteCode("YN-01")
NOWHERE = Broker("nowhere", 1883)
DAY_S = 86_400.0
JUMPS_MS = (1000, 3_600_000, 86_400_000, 315_360_000_000)
MANIFEST = 40  # parcels and bills announced at a time


class Cloud:
    """The broker and the lines to it."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.kept: dict[str, bytes] = {}
        self.lines: list[CloudLine] = []
        self.cut: set[str] = set()  # clients without a line
        self.faults: Counter[str] = Counter()
        self._said = 0

    def line(self, _broker: Broker, client: str, will: Will, _timeout_s: float, _turn: int = 0) -> CloudLine:
        return CloudLine(self, client, will)

    def published(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if retain:
            self.kept[topic] = payload
        for line in self.lines:
            if line.wants(topic):
                self._carry(line, topic, payload)

    def _carry(self, line: CloudLine, topic: str, payload: bytes) -> None:
        fate = self.dice.random()
        if fate < 0.08:
            self.faults["lost"] += 1
            return
        if fate > 0.95:
            self.faults["doubled"] += 1
        self._said += 1
        for _ in range(2 if fate > 0.95 else 1):
            later_s = self.dice.expovariate(1 / 0.8)
            asyncio.get_running_loop().call_later(later_s, line.carried, self._said, topic, payload)

    def drop(self, client: str, why: str) -> None:
        for line in [each for each in self.lines if each.client == client]:
            line.lose(why)

    def crash(self) -> None:
        """The broker dies: lines are lost, and so is what it kept."""
        self.faults["broker killed"] += 1
        for line in list(self.lines):
            line.lose("broker killed")
        self.kept.clear()


class CloudLine:
    """What `sync.mqtt.Connection` is to a link, without a socket."""

    def __init__(self, cloud: Cloud, client: str, will: Will) -> None:
        self.client = client
        self.refusals = 0
        self._cloud = cloud
        self._will = will
        self._topics: list[list[str]] = []
        self._unread: list[Message] = []
        self._news = asyncio.Event()
        self._lost: str | None = None
        self._youngest: dict[str, int] = {}  # by topic, the number of the youngest message that came

    async def __aenter__(self) -> CloudLine:
        await asyncio.sleep(0.3)
        if self.client in self._cloud.cut:
            raise LineLost("no way to the broker")
        self._cloud.drop(self.client, "taken over")
        self._cloud.lines.append(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.lose("left")

    async def subscribe(self, topics: Sequence[str]) -> None:
        await asyncio.sleep(0.3)
        self._topics = [topic.split("/") for topic in topics]
        for topic, payload in list(self._cloud.kept.items()):
            if self.wants(topic):
                self.arrived(topic, payload, True)

    def wants(self, topic: str) -> bool:
        parts = topic.split("/")
        return any(
            len(each) == len(parts) and all(want in ("+", part) for want, part in zip(each, parts, strict=True))
            for each in self._topics
        )

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self._lost is not None:
            raise LineLost(self._lost)
        self._cloud.published(topic, payload, retain=retain)

    def carried(self, number: int, topic: str, payload: bytes) -> None:
        """A message comes, perhaps after younger ones."""
        if number < self._youngest.get(topic, 0):
            self._cloud.faults["out of order"] += 1
        self._youngest[topic] = max(number, self._youngest.get(topic, 0))
        self.arrived(topic, payload, False)

    def arrived(self, topic: str, payload: bytes, retained: bool) -> None:
        if self._lost is None:
            self._unread.append(Message(topic, payload, retained, 1, 1))
            self._news.set()

    async def next_message(self) -> Message:
        while not self._unread:
            if self._lost is not None:
                raise LineLost(self._lost)
            self._news.clear()
            await self._news.wait()
        return self._unread.pop(0)

    def waiting_message(self) -> Message | None:
        return self._unread.pop(0) if self._unread else None

    def done(self, message: Message) -> None:
        """A broker's acknowledgement proves nothing here either."""

    async def farewell(self, _topic: str, _payload: bytes, _timeout_s: float) -> None:
        self.lose("said goodbye")

    def lose(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
            self._news.set()
            if self in self._cloud.lines:
                self._cloud.lines.remove(self)
                self._cloud.published(self._will.topic, self._will.payload, retain=True)


@dataclass(slots=True)
class Tally:
    """What one history did, and what was wrong at its end."""

    facts: int = 0
    days: float = 0
    faults: Counter[str] = field(default_factory=Counter)
    rollbacks: int = 0
    forks_flagged: int = 0
    bad: list[str] = field(default_factory=list)


class District:
    """One history. `card`: honest, or one that may go back in time."""

    def __init__(self, folder: Path, seed: int, *, honest_card: bool, pace_s: float = 120.0) -> None:
        self.folder = folder
        self.dice = random.Random(seed)
        self.cloud = Cloud(self.dice)
        self.honest_card = honest_card
        self.pace_s = pace_s
        self.clock = PointClock()
        self.hub_clock = PointClock()
        self.ids = SeededDice(seed)
        self.tally = Tally()
        self.confirmed = 0
        self.announced = 0
        self._old_card = folder / "old"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._open = False

    async def play(self, days: float) -> Tally:
        """Live for so many days, then heal everything and wait until all is quiet; then judge."""
        loop = asyncio.get_running_loop()
        self.clock.now = self.hub_clock.now = loop.time
        end = loop.time() + days * DAY_S
        self.hub_store = HubStore(
            SqliteDatabase(self.folder / "hub", durable=False), self.hub_clock, self.ids, {SITE: KEYS.link}
        )
        self.hub_store.open()
        self._start_hub()
        await self._start_point()
        try:
            await self._live(end)
            await self._heal()
            await self._judge()
        finally:
            await self._stop_point()
            await self._stop("hub")
            self.hub_store.close()
        self.tally.days = days
        self.tally.faults += self.cloud.faults
        return self.tally

    # -- the two ends

    def _start_hub(self) -> None:
        self.hub = Hub(self.hub_store, NOWHERE, HubOutside(self.dice.random, lambda: None))
        self._tasks["hub"] = asyncio.create_task(self.hub.run())

    async def _start_point(self) -> None:
        self.store = Store(self.folder / "point", self.clock, self.ids, KEYS, strict=True)
        self.store.open()
        await self.store.run(lay_out, Fittings(sizes=("S",) * 8, places=400))
        settings = LinkSettings(SITE, NOWHERE, KEYS.link, "0.1.0")
        outside = Outside(self.clock.ms, self.dice.random, lambda _info: None)
        self._tasks["link"] = asyncio.create_task(Link(settings, StoreLog(self.store), outside).run())
        self._open = True

    async def _stop(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def _stop_point(self) -> None:
        if self._open:
            self._open = False
            self.cloud.drop(f"vp-{SITE}", "killed")
            await self._stop("link")
            self.store.close()

    # -- life

    async def _live(self, end: float) -> None:
        loop = asyncio.get_running_loop()
        next_fault = loop.time() + 600
        while loop.time() < end:
            await asyncio.sleep(self.dice.expovariate(1 / self.pace_s))
            for task in self._tasks.values():
                if task.done():
                    task.result()
            await self._something_happens()
            if loop.time() >= next_fault:
                await self._fault()
                next_fault = loop.time() + self.dice.expovariate(1 / 1500)

    async def _something_happens(self) -> None:
        number = self.dice.randint(max(1, self.announced - MANIFEST), max(1, self.announced))
        what = self.dice.random()
        try:
            if what < 0.05 or not self.announced:
                self._announce()
            elif what < 0.45:
                await self.store.run(deposit, number)
            elif what < 0.7:
                await self.store.run(collect, self.dice)
            else:
                await self.store.run(pay, number)
        except Rejected:
            return
        self.confirmed += 1
        if not self.honest_card and self.dice.random() < 0.03:
            await self.store.run(lambda _tx: self._copy_card())

    def _announce(self) -> None:
        """The hub gets a manifest of parcels and bills."""
        with self.hub_store.transaction() as tx:
            down = DownLog(tx, SITE)
            for number in range(self.announced + 1, self.announced + MANIFEST + 1):
                phone = Phone(f"139{number:08d}")
                name, account = Name("王小明"), AccountNo(f"88{number:08d}")
                down.append(
                    events.ParcelExpected(f"p-{number}", f"SF{number:013d}", "SF", name, phone, None, "locker", "S")
                )
                bill = (f"b-{number}", "water", "water", account, name, None, "2026-10", 100 + number, "2026-11-30")
                down.append(events.BillIssued(*bill))
                tx.execute(
                    "INSERT INTO bill (site, bill, biller, sort, account_no, name, period, fen, due, state, changed_at)"
                    " VALUES (?, ?, 'water', 'water', ?, ?, '2026-10', ?, '2026-11-30', 'unpaid', 0)",
                    (SITE, f"b-{number}", account.plain(), name.plain(), 100 + number),
                )
        self.announced += MANIFEST
        self.hub._kick.set()

    # -- faults

    async def _fault(self) -> None:
        kind = self.dice.choice(("point", "point", "hub", "broker", "line", "outage", "clock", "hub's clock"))
        if kind != "broker":
            self.tally.faults[kind] += 1
        loop = asyncio.get_running_loop()
        match kind:
            case "point":
                await self._power_cut()
            case "hub":
                await self._stop("hub")
                await asyncio.sleep(self.dice.uniform(1, 600))
                self._start_hub()
            case "broker":
                self.cloud.crash()
            case "line":
                self._cut_line(self.dice.uniform(5, 1800))
            case "outage":
                self._cut_line(7 * DAY_S if self.dice.random() < 0.02 else self.dice.uniform(3600, 8 * 3600))
            case "clock" | "hub's clock":
                clock = self.clock if kind == "clock" else self.hub_clock
                clock.wall_ms += self.dice.choice((-1, 1)) * self.dice.choice(JUMPS_MS)
        assert loop.is_running()

    def _cut_line(self, seconds: float) -> None:
        client = f"vp-{SITE}"
        self.cloud.cut.add(client)
        self.cloud.drop(client, "cut")
        asyncio.get_running_loop().call_later(seconds, self.cloud.cut.discard, client)

    async def _power_cut(self) -> None:
        await self._stop_point()
        card = self.folder / "point"
        if not self.honest_card and self._old_card.exists() and self.dice.random() < 0.5:
            self.tally.rollbacks += 1
            shutil.rmtree(card)
            shutil.copytree(self._old_card, card)
        await asyncio.sleep(self.dice.uniform(20, 600))
        self.clock.boot = f"b{self.dice.getrandbits(28):07x}"
        await self._start_point()

    def _copy_card(self) -> None:
        """Runs in the store's thread, between two commits: database and journal are one state."""
        shutil.rmtree(self._old_card, ignore_errors=True)
        shutil.copytree(self.folder / "point", self._old_card, ignore=shutil.ignore_patterns("*-shm", "ballast"))

    # -- the end

    async def _heal(self) -> None:
        self.cloud.cut.clear()
        if not self._open:
            await self._start_point()
        for _ in range(24):
            await asyncio.sleep(1800)
            for task in self._tasks.values():
                if task.done():
                    task.result()
            if await self._is_quiet():
                return

    async def _is_quiet(self) -> bool:
        pending = await self.store.run(log.pending)
        have = await self.store.run(log.cursor, log.DOWN)
        with self.hub_store.reading() as tx:
            told = tx.value("SELECT coalesce(max(seq), 0) FROM down WHERE site = ?", (SITE,))
        return not pending and have.upto == told

    async def _judge(self) -> None:
        bad = self.tally.bad
        bad += await self.store.run(broken)
        if not await self._is_quiet():
            bad.append("never quiet")
        here = await self.store.run(lambda tx: [row["hash"] for row in tx.rows("SELECT hash FROM fact ORDER BY seq")])
        alarms = await self.store.run(lambda tx: {row["code"] for row in tx.rows("SELECT code FROM alarm")})
        self.tally.facts = len(here)
        with self.hub_store.reading() as tx:
            rows = list(tx.rows("SELECT * FROM fact WHERE site = ? ORDER BY seq", (SITE,)))
            heads = list(tx.rows("SELECT * FROM head WHERE site = ? ORDER BY nth DESC", (SITE,)))
            hub_alarms = {row["what"] for row in tx.rows("SELECT what FROM alarm WHERE site = ?", (SITE,))}
            if tx.value("SELECT count(*) FROM unprojected WHERE reason = 'failed'"):
                bad.append("a fact could not be applied")
            self._judge_money(list(tx.rows("SELECT * FROM posting")), list(tx.rows("SELECT * FROM refusal")), rows)
        flagged = bool(alarms & {"fork"} or hub_alarms & {"fork", "clone", "new_card"})
        self.tally.forks_flagged = int(flagged)
        there = Counter(row["hash"] for row in rows)
        if any(times > 1 for times in there.values()):
            bad.append("applied twice")
        if lost := sum(1 for mark in here if mark not in there):
            bad.append(f"lost {lost}")
        if not heads or heads[0]["upto"] != len(here) or (here and heads[0]["mark"] != here[-1]):
            bad.append("ends differ")
        if set(there) - set(here) and not flagged:
            bad.append("history was rewritten in silence")
        if not self.tally.rollbacks and [row["seq"] for row in rows] != list(range(1, len(here) + 1)):
            bad.append("gap at the hub")

    def _judge_money(self, posted: list[Any], refused: list[Any], rows: list[Any]) -> None:
        taken = [row["event"] for row in rows if row["kind"] == events.BillAccepted.kind]
        settled = Counter(row["event"] for row in posted) + Counter(row["event"] for row in refused)
        if Counter(taken) != settled:
            self.tally.bad.append("money: accepted and settled differ")
        if any(times > 1 for times in Counter(row["bill"] for row in posted).values()):
            self.tally.bad.append("paid twice")


__all__ = ["Cloud", "District", "LogId", "Tally", "event_id"]
