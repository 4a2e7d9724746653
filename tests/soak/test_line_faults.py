"""The line over a real broker, with real programs at both ends: whatever dies, tears, stalls or lies, each fact once.

Fast histories of the same rules on simulated time are in test_district.py, single guards in tests/sync/test_relay.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.disks import small_disk
from tests.soak.echo import Echo
from tests.soak.ledger import Ledger
from tests.soak.line_point import SITE
from tests.soak.line_stand import LineStand
from tests.sync.chaos_line import Weather, every_step

pytestmark = pytest.mark.timeout(7_200)

Count = Callable[[int, int], int]
TEN_YEARS_MS = 10 * 365 * 86_400_000
WORK = 1_000_000  # rounds: for as long as there are parcels
REPEATED = 25  # messages in a turn
STEPS = 14  # packets of each way until a small exchange has come to rest


async def steps_of_the_exchange(stand: LineStand, rounds: int) -> int:
    """Each packet of each way is lost with its connection, before or after it passed."""
    stand.line.plan = every_step(STEPS)
    for _ in range(rounds - 1):
        stand.line.plan = (cut for part in (stand.line.plan, every_step(STEPS)) for cut in part)
    life = await stand.start_point(WORK, pace_s=0.05)
    while sum(stand.line.faults.values()) < rounds * STEPS * 4 * 0.9:  # the last ones are beyond a quiet exchange
        before = sum(stand.line.faults.values())
        await asyncio.sleep(5)
        life.is_alive()
        if sum(stand.line.faults.values()) == before:
            break
    return sum(stand.line.faults.values())


async def broker_without_its_state(stand: LineStand, times: int) -> int:
    life = await stand.start_point(WORK)
    for _ in range(times):
        await life.until("online")
        await asyncio.sleep(stand.dice.uniform(0.1, 1.0))
        stand.broker.kill()
        await asyncio.sleep(stand.dice.uniform(0, 0.5))
        stand.broker.start()
    return times


async def hub_restarts(stand: LineStand, times: int) -> int:
    await stand.start_point(WORK)
    for _ in range(times):
        await asyncio.sleep(stand.dice.uniform(0.2, 1.0))
        await stand.restart_hub(stand.dice.uniform(0, 0.5))
    return times


async def point_killed(stand: LineStand, times: int) -> int:
    for turn in range(times):
        life = await stand.start_point(WORK, pace_s=0.005)
        if turn % 3:  # every third dies at any moment of its start
            await life.until("fact", stand.dice.randrange(1, 5))
        await asyncio.sleep(stand.dice.uniform(0, 0.6))
        await stand.kill_point()
    await stand.start_point(3)
    return times


async def wrong_clock(stand: LineStand, times: int) -> int:
    for turn in range(times):
        ahead = TEN_YEARS_MS if turn % 2 else -TEN_YEARS_MS
        life = await stand.start_point(4, ahead_ms=ahead)
        await life.until("idle")
        await stand.kill_point()
    await stand.start_point(3)
    return times


async def full_disk_at_the_point(stand: LineStand, times: int) -> int:
    for _ in range(times):
        life = await stand.start_point(WORK, pages=stand.dice.randrange(4, 20))
        await life.until("full")
        await stand.kill_point()
    await stand.start_point(3)
    return times


async def half_open(stand: LineStand, times: int) -> int:
    """Nothing moves and nothing breaks until both ends have given the connection up."""
    life = await stand.start_point(WORK, keepalive_s=2)
    for _ in range(times):
        await life.until("online")
        await asyncio.sleep(stand.dice.uniform(0.1, 0.5))
        stand.line.freeze()
        await asyncio.sleep(stand.dice.uniform(1, 6))
        stand.line.thaw()
    return times


async def full_disk_at_the_hub(stand: LineStand, times: int) -> int:
    """A disk that is really full, for so long that the point asks again; nobody restarts the hub for it."""
    await stand.start_point(stand.announced, pace_s=0.05, endless=True)
    for turn in range(times):
        await asyncio.sleep(stand.dice.uniform(0.1, 0.6))
        stand.fill_hub_disk()
        await stand.hub_said("(full)", 1 + turn)
        await asyncio.sleep(stand.dice.uniform(0, 1))
        stand.free_hub_disk()
        await stand.hub_took_more()
    return times


async def doubled_and_out_of_order(stand: LineStand, times: int) -> int:
    """Messages of both ways come again when nobody expects them, and old ones after new ones."""
    life = await stand.start_point(stand.announced, pace_s=0.05, endless=True)
    async with Echo(stand.broker.port, SITE, stand.dice) as echo:
        for turn in range(times):
            await life.until("fact", 8 * (1 + turn))  # new ones between the old ones
            await echo.repeat(REPEATED)
    return times * REPEATED


FAULTS: dict[str, tuple[Callable[[LineStand, int], Coroutine[None, None, int]], int, int]] = {
    "every step of the exchange": (steps_of_the_exchange, 1, 20),
    "broker without its state": (broker_without_its_state, 3, 100),
    "hub killed": (hub_restarts, 3, 100),
    "point killed": (point_killed, 6, 500),
    "clock wrong by ten years": (wrong_clock, 2, 20),
    "full disk at the point": (full_disk_at_the_point, 2, 30),
    "full disk at the hub": (full_disk_at_the_hub, 2, 30),
    "half open": (half_open, 2, 40),
    "doubled and out of order": (doubled_and_out_of_order, 4, 100),
}
HUB_DISKS = {"full disk at the hub": "48M"}
ALSO = {  # invariants of one machine that these faults attack as well
    "point killed": "R3",
    "clock wrong by ten years": "R17",
    "full disk at the point": "R14",
    "full disk at the hub": "R14",
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fact_each_bill_each_message_once(tmp_path: Path, count: Count, ledger: Ledger, name: str) -> None:
    fault, short, long = FAULTS[name]
    times = count(short, long)

    async def play() -> tuple[list[str], int, int]:
        disk = small_disk(tmp_path / "hub", HUB_DISKS[name]) if name in HUB_DISKS else nullcontext()
        with disk:
            async with LineStand(tmp_path, 7) as stand:
                stand.announce(100 + 40 * times)
                await at_rest(stand)  # the parcels are known
                await stand.kill_point()
                done = await fault(stand, times)
                stand.line.plan = iter(())
                await at_rest(stand)
                bad = await stand.verdict()
                return bad, done, stand.facts

    bad, done, facts = asyncio.run(play())

    noted(ledger, name, done, bad, facts)
    assert bad == []
    assert done >= times
    assert facts > 20


# --- histories that part ------------------------------------------------------------------------------------------


async def hub_restored(stand: LineStand, times: int) -> int:
    """Yesterday's backup takes the place of the hub's disk; the point sends again what it had confirmed."""
    for _ in range(times):
        stand.back_up_hub()
        life = await stand.start_point(5)
        await life.until("idle")
        await stand.drained()
        await stand.restore_hub()
        await stand.drained()
        await stand.kill_point()
    return times


async def card_restored(stand: LineStand, times: int) -> int:
    """An old copy of the card is put back, works on, and meets a hub that has heard more."""
    for turn in range(times):
        stand.copy_card("old")
        life = await stand.start_point(5)
        await life.until("idle")
        await stand.drained()
        await stand.restore_card("old")
        life = await stand.start_point(3 + turn % 3)
        await life.until("idle")
        await stand.drained()
        await stand.kill_point()
    return times


async def one_identity_twice(stand: LineStand, times: int) -> int:
    """A copy of the card lives beside it under the same name, until somebody takes it away."""
    for turn in range(times):
        copy = stand.copy_card(f"copy{turn}")
        await stand.start_point(6, pace_s=0.1)
        other = await stand.other_point(copy, 9, pace_s=0.1)
        await other.until("fact", 3)
        await asyncio.sleep(stand.dice.uniform(1, 3))
        await other.kill()
        await stand.drained()
        await stand.kill_point()
    return times


PARTINGS: dict[str, tuple[Callable[[LineStand, int], Coroutine[None, None, int]], int, int]] = {
    "hub restored from a backup": (hub_restored, 1, 30),
    "card restored from a copy": (card_restored, 1, 30),
    "one identity twice": (one_identity_twice, 1, 15),
}


@pytest.mark.parametrize("name", PARTINGS)
def test_a_side_that_went_back_in_time_is_told_and_nothing_is_lost_or_doubled(
    tmp_path: Path, count: Count, ledger: Ledger, name: str
) -> None:
    fault, short, long = PARTINGS[name]
    times = count(short, long)

    async def play() -> tuple[list[str], int, bool]:
        async with LineStand(tmp_path, 8) as stand:
            stand.announce(40 + 15 * times)
            await at_rest(stand)
            await stand.kill_point()
            await fault(stand, times)
            await at_rest(stand)
            bad = await stand.verdict(rewound=True)
            return bad, stand.facts, stand.is_flagged

    bad, facts, is_flagged = asyncio.run(play())

    noted(ledger, name, times, bad, facts)
    ledger.note("R12", f"line: {name}", times, int(not is_flagged and fault is not hub_restored))
    assert bad == []
    assert is_flagged or fault is hub_restored  # the hub's own loss is an alarm of its own, no rewritten history


# --- weather ------------------------------------------------------------------------------------------------------

WEATHERS: dict[str, tuple[Weather, int, int]] = {
    "latency 2 s": (Weather(latency_s=1.0), 200, 14_000),
    "loss 30 percent": (Weather(loss=0.3, latency_s=0.03), 200, 14_000),
    "9.6 kbit/s": (Weather(bytes_per_s=1_200), 200, 14_000),
    "all of it at once": (Weather(latency_s=1.0, loss=0.1, bytes_per_s=2_400), 150, 5_000),
    "one bit in twenty segments turned": (Weather(corrupt=0.05), 200, 14_000),
}


@pytest.mark.parametrize("name", WEATHERS)
def test_a_backlog_comes_through_any_weather_once(tmp_path: Path, count: Count, ledger: Ledger, name: str) -> None:
    weather, short, long = WEATHERS[name]
    facts = count(short, long)

    async def play() -> tuple[list[str], LineStand]:
        async with LineStand(tmp_path, 9) as stand:
            await backlog(stand, facts, days=7)
            stand.line.weather = weather
            stand.line.segments.clear()
            await at_rest(stand, 60 + facts, quick=False)
            return await stand.verdict(rewound=weather.corrupt > 0), stand  # a turned bit may pass for a fork

    bad, stand = asyncio.run(play())

    is_slow = weather.latency_s > 0 or weather.bytes_per_s > 0
    faults = sum(stand.line.faults.values()) + (sum(stand.line.segments.values()) if is_slow else 0)
    noted(ledger, name, faults, bad, stand.facts)
    assert bad == []
    assert stand.facts >= facts
    assert faults > 0
    print(f"{name}: {stand.facts} facts, {stand.line.carried}, faults {dict(stand.line.faults)}")


async def backlog(stand: LineStand, facts: int, days: int) -> None:
    """So many facts of so many simulated days without a line."""
    stand.announce(facts // 8)
    await at_rest(stand)
    await stand.kill_point()
    stand.line.is_down = True
    life = await stand.start_point(facts // 8, pace_s=0.0, speed=days * 86_400 // 10)
    await life.until("idle")
    await stand.kill_point()
    while stand.facts < facts:
        life = await stand.start_point(0, more=facts - stand.facts)
        await life.until("idle")
        await stand.kill_point()
    stand.line.is_down = False


async def at_rest(stand: LineStand, patience_s: float = 60.0, **odd: object) -> None:
    """Let the work end, and wait until both sides have all."""
    await stand.kill_point()
    await stand.start_point(0, **odd)
    await stand.drained(patience_s)


def noted(ledger: Ledger, name: str, faults: int, bad: list[str], facts: int) -> None:
    ledger.note("R11", f"line: {name}", faults, len(bad), facts=facts)
    ledger.note("R5", f"line: {name}", faults, sum(1 for each in bad if each.startswith(("paid", "money"))))
    ledger.note("R13", f"line: {name}", faults, len(bad), **{name.replace(" ", "_"): faults})
    if name in ALSO:
        ledger.note(ALSO[name], f"line: {name}", faults, len(bad))
