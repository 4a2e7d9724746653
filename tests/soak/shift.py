"""A terminal at work with the real flows until somebody kills it: deposits, pick-ups, bills, wrong codes, one by one.

It says "usable" once it has reconciled, and then the number of the last fact after each step that a person saw.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from drivers.link import serial_link
from drivers.locker import BoardLocker, Cabinet
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import BAUD, Board8A80
from edge import cells, log, pickups
from edge.clock import SystemClock, SystemDice
from edge.flows import doors, intake, money, pickup
from edge.flows.reconcile import reconcile
from edge.flows.site import Site, Times
from edge.model import BillId, CellNo, Fen, ParcelId, PickupCode, Rejected, WaybillNo
from edge.parcels import Arrival
from edge.steps import FetchFromShelf
from edge.store import Store
from tests.soak.writer import expect
from tests.stories.point import KEYS, OPERATOR, Fittings, lay_out, words
from tests.stories.victim import FAST

CELLS = 4


def tell(text: str) -> None:
    os.write(1, f"{text}\n".encode())


class Shift:
    """Owns the site; each act is one operation."""

    def __init__(self, site: Site, dice: random.Random) -> None:
        self._site = site
        self._dice = dice

    async def take_up(self) -> None:
        """What an operator does in the morning: go on with deposits, look into cells, put good ones back to work."""
        store = self._site.store
        for row in await store.run(lambda tx: tx.rows("SELECT waybill_no FROM parcel WHERE state = 'arrived'")):
            await self._steps(intake.take_in(self._site, Arrival(WaybillNo(row["waybill_no"]), "SF", OPERATOR)))
        for row in await store.run(lambda tx: tx.rows("SELECT id FROM parcel WHERE state = 'exception'")):
            await store.run(pickups.resolve, ParcelId(row["id"]), "gone", OPERATOR)
        sql = "SELECT cell FROM cell WHERE state = 'out_of_service' AND parcel IS NULL"
        for row in await store.run(lambda tx: tx.rows(sql)):
            await store.run(cells.to_service, CellNo(row["cell"]), True, "looked at", OPERATOR)

    async def work(self, first: int) -> None:
        for number in range(first, first + 100_000):
            await self._site.store.run(expect, number)
            for act in self._dice.sample((self._deposit, self._collect, self._pay, self._guess), 3):
                try:
                    await act(number)
                except Rejected:
                    continue

    async def _steps(self, flow: Any) -> None:
        async for step in flow:
            if isinstance(step, FetchFromShelf):
                self._site.scans.put_nowait(WaybillNo(step.parcels[0].waybill_no))
            tell(str((await self._site.store.run(log.head)).upto))

    async def _deposit(self, number: int) -> None:
        await self._steps(intake.take_in(self._site, Arrival(WaybillNo(f"SF{number:013d}"), "SF", OPERATOR)))

    async def _collect(self, _number: int) -> None:
        sql = "SELECT code, phone FROM parcel WHERE state IN ('in_locker', 'on_shelf') ORDER BY id"
        here = await self._site.store.run(lambda tx: tx.rows(sql))
        if here:
            row = self._dice.choice(here)
            found = await pickup.identify(self._site, PickupCode(row["code"]), row["phone"][-4:])
            await self._steps(pickup.collect(self._site, found, "code"))

    async def _pay(self, number: int) -> None:
        await self._steps(money.accept(self._site, BillId(f"b-{number}"), Fen(100 + number), OPERATOR))

    async def _guess(self, _number: int) -> None:
        if self._dice.random() < 0.2:
            await pickup.identify(self._site, PickupCode("000000"), "0000")


async def _watch(site: Site, locker: BoardLocker) -> None:
    async for change in locker.changes():
        await doors.moved(site, change)


async def live(folder: Path, port: str, turn: int) -> None:
    clock = SystemClock()
    store = Store(folder, clock, SystemDice(), KEYS, strict=True)
    store.open()
    await store.run(lay_out, Fittings(("S",) * CELLS, 20))
    locker = BoardLocker(
        serial_link("locker", port, BAUD), Board8A80(), Cabinet(CELLS, Polarity.SHORT_WHEN_LOCKED), clock, FAST
    )
    site = Site(store, clock, locker, None, words, Times(5, 5, 5))
    await locker.start()
    await reconcile(site)
    tell("usable")
    watch = asyncio.create_task(_watch(site, locker))
    shift = Shift(site, random.Random(turn))
    await shift._steps(money.show_unseen(site))
    await shift.take_up()
    await shift.work(1000 * turn + 1)
    watch.cancel()


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    asyncio.run(live(Path(order["folder"]), order["port"], order["turn"]))
