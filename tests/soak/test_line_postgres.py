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


async def hub_killed(stand: LineStand, times: int) -> None:
    await hub_restarts(stand, times)


async def server_killed(stand: LineStand, server: PrivatePostgres, times: int) -> None:
    """The hub goes on by itself when the server is back."""
    await stand.start_point(stand.announced, pace_s=0.05, endless=True)
    for _ in range(times):
        await asyncio.sleep(stand.dice.uniform(0.2, 1.5))
        await asyncio.to_thread(server.restart)
        await stand.hub_took_more()


async def played(stand: LineStand, fault: Coroutine[None, None, None], times: int) -> list[str]:
    async with stand:
        stand.announce(100 + 40 * times)
        await at_rest(stand)
        await stand.kill_point()
        await fault
        await at_rest(stand)
        return await stand.verdict()


def test_postgresql_killed_under_the_hub_loses_and_doubles_nothing(
    tmp_path: Path, count: Callable[[int, int], int], ledger: Ledger, server: PrivatePostgres
) -> None:
    times = count(2, 40)
    stand = LineStand(tmp_path, 10, database=server.url("line"))

    bad = asyncio.run(played(stand, server_killed(stand, server, times), times))

    noted(ledger, "PostgreSQL killed under the hub", times, bad, stand.facts)
    assert bad == []
    assert stand.facts > 20


@pytest.mark.soak
def test_a_hub_on_postgresql_that_is_killed_loses_and_doubles_nothing(
    tmp_path: Path, ledger: Ledger, server: PrivatePostgres
) -> None:
    times = 60
    stand = LineStand(tmp_path, 11, database=server.url("line"))

    bad = asyncio.run(played(stand, hub_killed(stand, times), times))

    noted(ledger, "hub on PostgreSQL killed", times, bad, stand.facts)
    assert bad == []
    assert stand.facts > 20
