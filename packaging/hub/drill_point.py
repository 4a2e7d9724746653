"""One real terminal for the cluster drill: the store, the log and the link of the product, without a window.

    drill_point.py ORDER      JSON: folder, site, link_key (hex), host, port, protocol, qos, facts, pace_s, give_up_s

It writes facts at its pace, waits until the hub has confirmed all, and prints one line: what its own log holds.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge import log
from edge.clock import SystemClock, SystemDice
from edge.events import HelpCalled
from edge.model import SiteCode
from edge.port import StoreLog
from edge.store import Keys, Store, Tx
from sync.link import Link
from sync.mqtt import Broker
from sync.port import LinkInfo, LinkSettings, Outside
from sync.relay import digest

LOOK_S = 0.1


def note(tx: Tx, number: int) -> None:
    """One more fact."""
    log.append(tx, HelpCalled(f"drill{number}"))


async def live(order: dict[str, Any]) -> dict[str, Any]:
    """Write, wait, tell."""
    key = bytes.fromhex(order["link_key"])
    clock = SystemClock()
    store = Store(Path(order["folder"]), clock, SystemDice(), Keys(key, secrets.token_bytes(32)), strict=True)
    store.open()
    store.run_now(log.begin)
    lines: list[bool] = []

    def changed(info: LinkInfo) -> None:
        if not lines or lines[-1] != info.connected:
            lines.append(info.connected)

    broker = Broker(order["host"], order["port"], protocol=order["protocol"], qos=order["qos"])
    who = LinkSettings(SiteCode(order["site"]), broker, key, "drill")
    link = asyncio.create_task(
        Link(who, StoreLog(store), Outside(clock.ms, random.SystemRandom().random, changed)).run()
    )
    give_up = time.monotonic() + order["give_up_s"]
    for number in range(order["facts"]):
        await store.run(note, number)
        await asyncio.sleep(order["pace_s"])
    while await store.run(log.pending) and time.monotonic() < give_up and not link.done():
        await asyncio.sleep(LOOK_S)
    pending = await store.run(log.pending)
    link.cancel()
    await asyncio.gather(link, return_exceptions=True)
    items = await store.run(log.read_after, 0, order["facts"] + 100, 1 << 30)
    marks = [await store.run(log.mark_at, item.seq) for item in items]
    store.close()
    held = digest(str(mark)[:32] for mark in marks)  # type: ignore[misc]
    return {"facts": len(items), "pending": pending, "digest": held, "lines": lines.count(True)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(live(json.loads(sys.argv[1])))), flush=True)
