"""The line with the hub's rows on a real PostgreSQL server: the hub is killed, and the server under a running hub."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "dev"))

from private_postgres import PrivatePostgres, program

from tests.soak.ledger import Ledger
from tests.soak.line_stand import LineStand
from tests.soak.test_line_faults import at_rest, hub_restarts, noted

pytestmark = [
    pytest.mark.timeout(7_200),
    pytest.mark.skipif(program("initdb") is None, reason="PostgreSQL is missing: packaging/setup.sh installs it"),
]


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    """One whose commits reach the disk: what it has confirmed is there after a kill."""
    server = PrivatePostgres(durable=True)
    try:
        server.start()
        with psycopg.connect(server.url("postgres"), autocommit=True) as db:
            db.execute("CREATE DATABASE line")
        yield server
    finally:
        server.stop()


async def hub_killed(stand: LineStand, _server: PrivatePostgres, times: int) -> None:
    await hub_restarts(stand, times)


async def server_killed(stand: LineStand, server: PrivatePostgres, times: int) -> None:
    """The hub goes on by itself when the server is back."""
    await stand.start_point(stand.announced, pace_s=0.05, endless=True)
    for _ in range(times):
        await asyncio.sleep(stand.dice.uniform(0.2, 1.5))
        await asyncio.to_thread(server.restart)
        await stand.hub_took_more()


FAULTS: dict[str, tuple[Callable[[LineStand, PrivatePostgres, int], Coroutine[None, None, None]], int, int]] = {
    "hub on PostgreSQL killed": (hub_killed, 2, 60),
    "PostgreSQL killed under the hub": (server_killed, 2, 40),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fact_each_bill_each_message_once_on_postgresql(
    tmp_path: Path, count: Callable[[int, int], int], ledger: Ledger, server: PrivatePostgres, name: str
) -> None:
    fault, short, long = FAULTS[name]
    times = count(short, long)

    async def play() -> tuple[list[str], int]:
        async with LineStand(tmp_path, 10, database=server.url("line")) as stand:
            stand.announce(100 + 40 * times)
            await at_rest(stand)
            await stand.kill_point()
            await fault(stand, server, times)
            await at_rest(stand)
            return await stand.verdict(), stand.facts

    bad, facts = asyncio.run(play())

    noted(ledger, name, times, bad, facts)
    assert bad == []
    assert facts > 20
