"""A program that opens doors, to be watched from outside: deposits and pick-ups of one cell with everything real.

`careless` is a seeded fault: "order" pulses before the audit row is written, "normal" leaves it in the page cache.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.link import serial_link
from drivers.locker import BoardLocker, Cabinet
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import BAUD, Board8A80
from edge import cells
from edge.clock import SystemClock, SystemDice
from edge.flows import intake, pickup
from edge.flows.site import Site, Times
from edge.model import PickupToken
from edge.store import Store
from tests.stories.point import KEYS, SIZES, arrival, words
from tests.stories.victim import FAST


class CarelessStore(Store):
    """Seeded fault: moves the door first and writes afterwards that it may."""

    locker: BoardLocker

    async def run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if fn in (cells.authorise, pickup._begin):
            await self.locker.open(1)
        return await super().run(fn, *args, **kwargs)


async def rounds(folder: Path, port: str, count: int, careless: str) -> None:
    """Put parcels 1..count into cell 1 and take each out again."""
    clock = SystemClock()
    store = (CarelessStore if careless == "order" else Store)(folder, clock, SystemDice(), KEYS)
    store.open()
    if careless == "normal":
        store.run_now(lambda _tx: None)
        assert store._db is not None
        store._db.conn.execute("PRAGMA synchronous = NORMAL")
    wired = Cabinet(len(SIZES), Polarity.SHORT_WHEN_LOCKED)
    locker = BoardLocker(serial_link("locker", port, BAUD), Board8A80(), wired, clock, FAST)
    CarelessStore.locker = locker
    site = Site(store, clock, locker, None, words, Times(20, 20))
    await locker.start()
    sql = "SELECT token FROM parcel WHERE id = ?"
    for number in range(1, count + 1):
        async for _ in intake.take_in(site, arrival(number)):
            pass
        token = await store.run(lambda tx, parcel: tx.value(sql, (parcel,)), f"p-{number:04d}")
        found = await pickup.identify_token(site, PickupToken(token))
        async for _ in pickup.collect(site, found[:1], "token"):
            pass
    await locker.stop()
    store.close()


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    asyncio.run(rounds(Path(order["folder"]), order["port"], order["count"], order["careless"]))
