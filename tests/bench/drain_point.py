"""The point's side of the drain, in a process of its own: the real store, log and link, no window. Started by drain.py.

    drain_point.py POINT_TOML BROKER_PORT

One line on stdin is one order: {"add": facts} writes a backlog and drains it to the acknowledged cursor, answers
{"s", "cpu_s", "facts", "rss_kb" before, "peak_kb" while it drained}. The end of stdin ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, ROOT / "packaging" / "dev", Path(__file__).parent):
    sys.path.insert(0, str(place))

import point_store  # noqa: E402
from process import memory_kb  # noqa: E402

from edge import config, keys, log  # noqa: E402
from edge.clock import SystemClock, SystemDice  # noqa: E402
from edge.model import SiteCode  # noqa: E402
from edge.port import StoreLog  # noqa: E402
from edge.store import Store  # noqa: E402
from sync.link import Link  # noqa: E402
from sync.mqtt import Broker  # noqa: E402
from sync.port import LinkInfo, LinkSettings, Outside  # noqa: E402

GIVE_UP_S = 500.0
LOOK_S = 0.05


async def drain(store: Store, settings: config.Settings, port: int) -> dict[str, float]:
    """Send what waits; tell what it took, from the open line to the acknowledged cursor."""
    assert settings.hub is not None
    done, online = asyncio.Event(), asyncio.Event()

    def changed(info: LinkInfo) -> None:
        if info.online:
            online.set()
        if info.online and info.pending == 0:
            done.set()

    facts = await store.run(log.pending)
    clock = SystemClock()
    who = LinkSettings(SiteCode(settings.site), Broker("127.0.0.1", port), settings.hub.link_key(), "bench")
    link = Link(who, StoreLog(store), Outside(clock.ms, random.SystemRandom().random, changed))
    task = asyncio.create_task(link.run())
    await asyncio.wait_for(online.wait(), GIVE_UP_S)
    began, cpu, before = time.perf_counter(), cpu_s(), memory_kb(os.getpid())
    peak = before
    while not done.is_set():
        if time.perf_counter() - began > GIVE_UP_S:
            raise TimeoutError("the backlog does not drain")
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), LOOK_S)
        peak = max(peak, memory_kb(os.getpid()))
    spent = {"s": time.perf_counter() - began, "cpu_s": cpu_s() - cpu, "facts": facts}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return {**spent, "rss_kb": before, "peak_kb": peak}


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> int:
    settings, port = config.load(Path(sys.argv[1])), int(sys.argv[2])
    store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
    store.open()
    store.run_now(log.begin)
    try:
        for line in sys.stdin:
            point_store.backlog(store, json.loads(line)["add"])
            print(json.dumps(asyncio.run(drain(store, settings, port))), flush=True)
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
