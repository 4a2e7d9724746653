"""A point at work and on the line until it is killed: the real store, rules and link, no devices.

    line_point.py ORDER      an order is JSON: folder, port, first, seed, and what is odd about this life

It says {"online": true} when the hub has answered, {"fact": n} after each commit that a person would have seen,
{"idle": true} when it has done its rounds, and {"full": true} before it ends because its disk is full.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from edge import events, log
from edge.clock import SystemClock, SystemDice
from edge.model import Rejected, SiteCode, Stamp
from edge.port import StoreLog
from edge.store import Store, StoreFault, Tx
from sync.link import Link
from sync.mqtt import Broker
from sync.port import LinkInfo, LinkSettings, Outside
from sync.rhythm import Timing
from tests.soak.writer import collect, deposit, pay
from tests.stories.point import KEYS, Fittings, lay_out

SITE = SiteCode("YN-01")
QUICK = Timing(answer_s=1.0, ask_every_s=0.5, retry_base_s=0.05, retry_cap_s=0.3, connect_s=2.0, fork_rest_s=1.0)


class OddClock(SystemClock):
    """A clock that is wrong by so many milliseconds, and that goes so many times too fast."""

    def __init__(self, ahead_ms: int, speed: int) -> None:
        super().__init__()
        self._ahead_ms, self._speed = ahead_ms, speed
        self._began = super().stamp().at

    def stamp(self) -> Stamp:
        now = super().stamp()
        return now._replace(at=self._began + (now.at - self._began) * self._speed + self._ahead_ms)


def tell(**what: Any) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def limit(tx: Tx, more_pages: int) -> None:
    """Let the file grow by so many pages and no further, as a full disk does."""
    pages = int(tx.value("PRAGMA page_count"))
    tx.value(f"PRAGMA max_page_count = {pages + more_pages}")


async def work(store: Store, order: dict[str, Any]) -> None:
    """Parcels in, parcels out, bills, each one commit or a refusal; at the pace of the order."""
    dice = random.Random(order["seed"])
    for number in range(order["first"], order["first"] + order["rounds"]):
        for fn, subject in ((deposit, number), (collect, dice), (pay, dice.randrange(1, number + 1))):
            try:
                await store.run(fn, subject)
            except Rejected:
                continue
            tell(fact=int((await store.run(log.head)).upto))
            await asyncio.sleep(order["pace_s"])
    for _ in range(order.get("more", 0)):
        tell(fact=int((await store.run(help_called)).seq))
    tell(idle=True)
    while order.get("endless"):  # so that there is something to take, however long a fault goes on
        tell(fact=int((await store.run(help_called)).seq))
        await asyncio.sleep(order["pace_s"])


def help_called(tx: Tx) -> log.Logged:
    return log.append(tx, events.HelpCalled("operator"))


async def live(order: dict[str, Any]) -> None:
    clock = OddClock(order.get("ahead_ms", 0), order.get("speed", 1))
    store = Store(Path(order["folder"]), clock, SystemDice(), KEYS, strict=True)
    store.open()
    await store.run(lay_out, Fittings(sizes=("S",) * 8, places=400))
    if "pages" in order:
        await store.run(limit, order["pages"])
    told = False

    def changed(info: LinkInfo) -> None:
        nonlocal told
        if info.online and not told:
            told = True
            tell(online=True)

    timing = QUICK if order.get("quick", True) else Timing()
    settings = LinkSettings(SITE, Broker("127.0.0.1", order["port"], keepalive_s=order.get("keepalive_s", 15)),
                            KEYS.link, "0.1.0", timing)  # fmt: skip
    link = Link(settings, StoreLog(store), Outside(clock.ms, random.SystemRandom().random, changed))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(work(store, order))
    except* StoreFault as faults:
        if any(not isinstance(each, StoreFault) or each.code != "S2" for each in faults.exceptions):
            raise
        tell(full=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(live(json.loads(sys.argv[1])))
