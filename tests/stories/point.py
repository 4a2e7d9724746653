"""A whole terminal on simulated devices: real store, rules, drivers and flows; lock board, display and gun in memory.

Time is the loop's (virtual). `Point.running()` is one life of the program; a second one is the next start.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from drivers.base import Read
from drivers.display import LedDisplay, Panel
from drivers.locker import BoardLocker, Cabinet
from drivers.scanner import SerialScanner
from drivers.sim import lock_board
from drivers.sim.led import Led
from drivers.sim.scanner import Gun
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import Board8A80
from drivers.wire.scans import LineScans
from edge import bills, boards, cells, events, guard, inbox, log, parcels, shelves
from edge.desk import Desk
from edge.flows import doors
from edge.flows.reconcile import reconcile
from edge.flows.site import Site
from edge.house import House
from edge.model import (
    AccountNo,
    Bill,
    BillId,
    CellNo,
    Consent,
    Fen,
    Ms,
    Name,
    OperatorId,
    Parcel,
    ParcelId,
    Phone,
    Place,
    Role,
    Stamp,
    WaybillNo,
)
from edge.parcels import Arrival
from edge.runner import Runner
from edge.steps import Intent, ParcelLine, PutIn, Step, TakeParcel
from edge.store import Keys, Store, Tx
from tests.links import Pipe, Shape, whole
from tests.stories.invariants import WitnessBoard, all_facts, broken, double_pulses

KEYS = Keys(link=bytes(range(32)), device=bytes(range(32, 64)))
START = 1_795_350_600_000  # UTC ms: 2026-11-22 14:30 in China
OPERATOR = OperatorId("op-1")
PIN = "270415"
PHONE = "13812345678"
NAME = "王小明"
SIZES = ("S", "M", "M", "L")


class PointClock:
    """Wall clock, boot and monotonic time of one board; tests move each by hand."""

    def __init__(self) -> None:
        self.boot = "b0070001"
        self.wall_ms = START
        self.synced = True
        self.now: Callable[[], float] = lambda: 1000.0

    def ms(self) -> Ms:
        return Ms(int(self.now() * 1000))

    def stamp(self) -> Stamp:
        return Stamp(self.wall_ms + self.ms() - 1_000_000, self.boot, self.ms(), self.synced)

    def local(self) -> datetime:
        return datetime(2026, 11, 22, 14, 30, 5)  # noqa: DTZ001  the clock of a display is local time


class SeededDice:
    """Dice that fall the same way each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def code(self) -> str:
        return f"{self._random.randrange(1_000_000):06d}"

    def token(self) -> str:
        return "".join(self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=26))

    def ident(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def salt(self) -> bytes:
        return self._random.randbytes(16)


@dataclass(frozen=True, slots=True)
class Fittings:
    """How the point is built."""

    sizes: Sequence[str] = SIZES
    places: int = 3
    has_locker: bool = True
    has_door_sensor: bool = True
    reply: lock_board.Reply = lock_board.Reply.ANSWER
    polarity: Polarity = Polarity.SHORT_WHEN_LOCKED
    shape: Shape = whole


Person = Callable[["Point", Step], None]


def shuts_the_door(point: Point, step: Step) -> None:
    """What people do: three seconds at the open door, then it is shut."""
    if isinstance(step, PutIn | TakeParcel):
        point.later(3, point.shut, step.cell)


def goes_away(_point: Point, _step: Step) -> None:
    """Leaves every door as it is."""


class Point:
    """One terminal. The handles of its devices are `board`, `led` and `gun`; their plugs are the pipes."""

    def __init__(self, folder: Path, fittings: Fittings = Fittings(), seed: int = 1) -> None:
        self.folder = folder
        self.fittings = fittings
        self.clock = PointClock()
        self.dice = SeededDice(seed)
        cabinet = lock_board.Cabinet(len(fittings.sizes), 24, fittings.polarity, fittings.reply)
        self.board = WitnessBoard(cabinet, folder)
        self.led = Led()
        self.gun = Gun()
        self.board_plug = Pipe(self.board, fittings.shape)
        self.led_plug = Pipe(self.led)
        self.gun_plug = Pipe(self.gun)
        self.posted: list[Step] = []

    # -- life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Point]:
        """One life of the program, from start to a stop in order."""
        self.clock.now = asyncio.get_running_loop().time
        self._build()
        self.store.open()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self.store.run(lay_out, self.fittings)
            for device in self._devices():
                await device.start()
            await self.desk.start()
            await reconcile(self.site)
            tasks = [asyncio.create_task(work) for work in (self.runner.run(), self._scans(), self._doors())]
            await asyncio.sleep(0.5)
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for device in self._devices():
                await device.stop()
            self.store.close()

    def _build(self) -> None:
        fittings = self.fittings
        self.store = Store(self.folder, self.clock, self.dice, KEYS, strict=True)
        wired = Cabinet(len(fittings.sizes), fittings.polarity, fittings.has_door_sensor)
        self.locker = BoardLocker(self.board_plug.link("locker"), Board8A80(), wired, self.clock)
        self.display = LedDisplay(self.led_plug.link("display"), Panel(320, 32), self.clock)
        self.scanner = SerialScanner(self.gun_plug.link("scanner"), LineScans(), self.clock)
        locker = self.locker if fittings.has_locker else None
        self.site = Site(self.store, self.clock, locker, self.display, words)
        kinds = [(device.name, device) for device in self._devices()]
        self.house = House(self.store, self.clock, kinds, self.posted.append)
        self.desk = Desk(self.site, KEYS.device, "0870-2210001", self.house)
        self.runner = Runner(self.desk, self.site, self.posted.append)

    def _devices(self) -> list[Any]:
        return [*([self.locker] if self.fittings.has_locker else []), self.display, self.scanner]

    async def _doors(self) -> None:
        async for change in self.locker.changes():
            await doors.moved(self.site, change)

    async def _scans(self) -> None:
        from edge.steps import Scanned

        async for read in self.scanner.reads():
            if self.take(read):
                continue
            self.runner.submit(Scanned(read.text, self.screen, read.scanner))

    screen = "standby"

    def take(self, read: Read) -> bool:
        """What the root asks first: does the technician's bench want this scan?"""
        return self.desk.bench is not None and self.desk.bench.take(read)

    # -- acting

    async def play(self, flow: AsyncIterator[Step], person: Person = shuts_the_door) -> list[Step]:
        """Collect the steps of a flow while a person reacts to each."""
        steps: list[Step] = []
        async for step in flow:
            steps.append(step)
            person(self, step)
        return steps

    async def wants(self, intent: Intent, person: Person = shuts_the_door) -> list[Step]:
        """The steps of an intent at the desk. Errors: Rejected."""
        return await self.play(self.desk.handle(intent), person)

    def later(self, seconds: float, act: Callable[..., None], *args: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, act, *args)

    def at_commit(self, number: int, act: Callable[..., None], *args: Any) -> None:
        """Do something while the so-manyth transaction from now is under way in its thread."""
        loop, once = asyncio.get_running_loop(), self.store._once
        numbers = iter(range(1, 1_000_000))

        def watched(fn: Any, *fn_args: Any, **named: Any) -> Any:
            if next(numbers) == number:
                loop.call_soon_threadsafe(act, *args)
                time.sleep(0.02)  # the loop gets its turn before the commit
            return once(fn, *fn_args, **named)

        self.store._once = watched  # type: ignore[method-assign]

    def shut(self, cell: int) -> None:
        self.board.close_door(cell)
        self.board_plug.tick()

    def scan(self, text: str) -> None:
        self.gun.send(text)
        self.gun_plug.tick()

    # -- what the hub tells, and what the counter needs

    async def expected(self, number: int = 1, phone: str = PHONE, size: str = "S", consent: str = "locker") -> ParcelId:
        """The hub announces a parcel."""
        parcel = ParcelId(f"p-{number:04d}")
        fact = events.ParcelExpected(parcel, waybill(number), "SF", Name(NAME), Phone(phone), None, consent, size)
        await self.store.run(told, fact)
        return parcel

    async def billed(self, number: int = 1, fen: int = 4280) -> BillId:
        """The hub announces a bill."""
        fact = events.BillIssued(
            f"bill-{number:04d}", "water-co", "water", AccountNo(f"880012{number:04d}"), Name(NAME), None, "2026-10",
            fen, "2026-11-30",
        )  # fmt: skip
        await self.store.run(told, fact)
        return BillId(fact.bill)

    async def with_operator(self) -> None:
        await self.store.run(guard.add_operator, OPERATOR, Role.OPERATOR, guard.hash_pin(PIN, KEYS.device))

    async def deposited(self, number: int = 1, phone: str = PHONE, size: str = "S") -> Parcel:
        """A parcel that lies in a cell, without its steps."""
        from edge.flows import intake

        parcel = await self.expected(number, phone, size)
        await self.play(intake.take_in(self.site, arrival(number)))
        here = await self.parcel(parcel)
        assert here.state == "in_locker"
        return here

    async def shelved(self, number: int = 1, phone: str = PHONE) -> Parcel:
        from edge.flows import intake

        parcel = await self.expected(number, phone, consent="shelf")
        await self.play(intake.take_in(self.site, arrival(number)))
        return await self.parcel(parcel)

    # -- looking

    async def parcel(self, parcel: ParcelId) -> Parcel:
        return await self.store.run(parcels.load, parcel)

    async def bill(self, bill: BillId) -> Bill:
        return await self.store.run(bills.load, bill)

    async def code(self, parcel: ParcelId) -> Any:
        return await self.store.run(boards.code_of, parcel)

    async def cell(self, cell: int) -> tuple[str, str | None, str | None]:
        """State, parcel and reason of a cell."""
        row = await self.store.run(lambda tx: tx.row("SELECT * FROM cell WHERE cell = ?", (cell,)))
        return row["state"], row["parcel"], row["why"]

    async def alarms(self) -> tuple[str, ...]:
        return await self.store.run(boards.alarms)

    async def kinds(self, after: int = 0) -> list[str]:
        """The names of the facts, oldest first."""
        return [item.kind.partition(".")[0] for item, _ in await self.store.run(lambda tx: list(log.items(tx, after)))]

    async def facts(self) -> list[events.Fact]:
        return await self.store.run(lambda tx: list(all_facts(tx)))

    async def unfinished(self) -> tuple[cells.Unfinished, ...]:
        return await self.store.run(cells.unfinished)

    async def sound(self) -> None:
        """Nothing is broken, no door was pulsed twice, none without its audit row."""
        assert await self.store.run(broken) == []
        assert await self.store.run(double_pulses, self.board.sent) == []
        assert self.board.unaudited == []


def lay_out(tx: Tx, fittings: Fittings) -> None:
    """What the program does at its start, for a cabinet and a shelf of this build."""
    log.begin(tx)
    if fittings.has_locker:
        cells.lay_out(tx, fittings.sizes)
    shelves.lay_out(tx, [("A", f"A-1-{number:03d}") for number in range(1, fittings.places + 1)])
    last = tx.value("SELECT kind FROM fact ORDER BY seq DESC LIMIT 1")
    log.append(tx, events.TerminalStarted("0.1.0", tx.stamp.boot, last is None))


def words(key: str, **slots: str | int) -> str:
    """What the display says here; the sentences for people are tested with the screens."""
    return " ".join([key, *map(str, slots.values())])


def told(tx: Tx, fact: events.Fact) -> None:
    """Apply a fact of the hub."""
    tx.bookkeeping = True
    inbox.apply(tx, fact)


def waybill(number: int) -> WaybillNo:
    return WaybillNo(f"SF{1_300_000_000_000 + number:013d}")


def arrival(number: int = 1, target: str = "auto") -> Arrival:
    return Arrival(waybill(number), "SF", OPERATOR, target)


def line(number: int = 1, *, state: str, cell: int | None = None, place: str | None = None) -> ParcelLine:
    """The parcel as a list shows it."""
    return ParcelLine(
        id=ParcelId(f"p-{number:04d}"),
        waybill_no=waybill(number),
        carrier="SF",
        recipient=Name(NAME),
        phone=Phone(PHONE),
        place=None if place is None else Place(place),
        cell=None if cell is None else CellNo(cell),
        state=state,
    )


__all__ = ["Consent", "Fen", "Fittings", "Point", "goes_away", "shuts_the_door"]
