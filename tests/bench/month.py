"""Megabytes per month of one point at 300 parcels a day, over TLS, counted byte by byte between point and broker.

Measured are a minute of silence (keep-alives of 15 s, the minute's question whether the hub still answers) and a busy
stretch in which each commit goes out as it happens; a month is thirty days of both. Counted is what the network bills:
payload of TCP, and as an estimate the headers of every segment and of an acknowledgement for every second one.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sync"))

import point_store  # noqa: E402
from chaos_line import ChaosLine, Weather  # noqa: E402
from table import Figure, Rounds  # noqa: E402
from tls_district import HOST, SITES, TlsDistrict  # noqa: E402

from edge import log  # noqa: E402
from edge.clock import SystemClock, SystemDice  # noqa: E402
from edge.model import SiteCode  # noqa: E402
from edge.port import StoreLog  # noqa: E402
from edge.store import Keys, Store  # noqa: E402
from sync.dial import Tls  # noqa: E402
from sync.hub.app import Hub, HubOutside  # noqa: E402
from sync.hub.sqlite_db import SqliteDatabase  # noqa: E402
from sync.hub.store import HubStore  # noqa: E402
from sync.link import Link  # noqa: E402
from sync.mqtt import Broker  # noqa: E402
from sync.port import LinkSettings, Outside  # noqa: E402

SILENCE_S = 61.0  # one question, four keep-alives
PARCELS = 20
PARCELS_A_DAY = 300
DAYS = 30
PACE_S = 0.15  # between commits: each goes out alone, which costs most
FACTS_OF_A_PARCEL = 10  # arrived, laid in, fetched, each with its door; the backlog of the benches has five of them


@dataclass(frozen=True, slots=True)
class Stretch:
    """What went over the line in a stretch."""

    payload: int
    billed: int


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    district = TlsDistrict(folder)
    district.start()
    try:
        return asyncio.run(_measured(folder, district, PARCELS // 2 if quick else PARCELS))
    finally:
        district.stop()


async def _measured(folder: Path, district: TlsDistrict, parcels: int) -> list[Figure]:
    keys = {SiteCode(site): bytes.fromhex((district.folder / "keys" / site).read_text()) for site in SITES}
    line = ChaosLine(district.port, random.Random(1), Weather())
    await line.open()
    hub_store = HubStore(SqliteDatabase(folder / "hubdb"), SystemClock(), SystemDice(), keys)
    hub_store.open()
    ca, own = district.broker_dir / "ca.pem", district.broker_dir / "hub.pem"
    at_hub = Broker(HOST, district.loopback_port, tls=Tls(ca, own, own))
    dice = random.SystemRandom().random
    hub = asyncio.create_task(Hub(hub_store, at_hub, HubOutside(dice, lambda: None)).run())
    store, link = await asyncio.to_thread(_point, folder, district, line.port)
    run = asyncio.create_task(link.run())
    try:
        await _quiet(link)
        silence = await _stretch(line, asyncio.sleep(SILENCE_S))
        busy = await _stretch(line, _work(store, link, parcels))
    finally:
        for task in (run, hub):
            task.cancel()
        await asyncio.gather(run, hub, return_exceptions=True)
        await line.close()
        store.close()
        hub_store.close()
    return _figures(silence, busy, parcels)


def _point(folder: Path, district: TlsDistrict, port: int) -> tuple[Store, Link]:
    terminal = district.enrolled(SITES[0])
    key = bytes.fromhex(terminal.identity.link_file.read_text())
    store = Store(folder / "point", SystemClock(), SystemDice(), Keys(key, bytes(32)))
    store.open()
    store.run_now(log.begin)
    at = terminal.identity
    broker = Broker(HOST, port, tls=Tls(at.authority_file, at.pair_file, at.pair_file))
    clock = SystemClock()
    outside = Outside(clock.ms, random.SystemRandom().random, lambda _info: None)
    return store, Link(LinkSettings(SiteCode(SITES[0]), broker, key, "0.1.0"), StoreLog(store), outside)


async def _quiet(link: Link) -> None:
    async with asyncio.timeout(60):
        while not (link.info.online and link.info.pending == 0):
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)


async def _work(store: Store, link: Link, parcels: int) -> None:
    for number in range(parcels * FACTS_OF_A_PARCEL):
        await store.run(lambda tx, n=number: log.append(tx, point_store.fact(n)))
        await asyncio.sleep(PACE_S)
    await _quiet(link)


async def _stretch(line: ChaosLine, work: object) -> Stretch:
    payload, billed = sum(line.carried.values()), line.billed
    await work  # type: ignore[misc]
    return Stretch(sum(line.carried.values()) - payload, line.billed - billed)


def _figures(silence: Stretch, busy: Stretch, parcels: int) -> list[Figure]:
    minutes = DAYS * 24 * 60
    many = DAYS * PARCELS_A_DAY
    idle, work = (silence.billed * minutes / 1e6, busy.billed / parcels * many / 1e6)
    payload = (silence.payload * minutes + busy.payload / parcels * many) / 1e6
    each = f"{busy.payload / parcels:.0f} bytes each, with headers {busy.billed / parcels:.0f}"
    minute = f"a minute {silence.payload} bytes, with headers {silence.billed}"
    note = f"silence {idle:.1f} MB ({minute}), parcels {work:.1f} MB ({each}); the limit is payload without headers"
    extra = {"silence_mb": idle, "parcels_mb": work, "payload_mb": payload}
    billed, bare = Rounds((idle + work,)), Rounds((payload,))
    return [Figure("month of 300 parcels a day", "MB", billed, bare, note=note, extra=extra)]
