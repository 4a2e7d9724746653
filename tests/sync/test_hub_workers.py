"""Several workers on one database end in the state of one: the same batch at once, killed in it, shards moved."""

from __future__ import annotations

import asyncio
import pickle
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import PrivateBroker
from hub_places import Places, PostgresPlaces
from hub_work import KEY, Arrivals, batches, open_store, owe_bills, sites, state_digest, work
from memory_logs import MemoryPort
from points import Point

from edge import events as ev
from edge.clock import SystemClock
from edge.model import Seq, SiteCode
from sync.hub import app, report, shards
from sync.hub.app import Hub, HubOutside
from sync.hub.intake import Intake, accept
from sync.hub.postgres_db import PostgresDatabase
from sync.hub.store import HubStore, StoreFault
from sync.link import Link
from sync.mqtt import Broker
from sync.port import LinkSettings, Outside
from sync.relay import digest
from sync.rhythm import Timing
from sync.wire import Batch, encode_batch

QUICK = Timing(answer_s=0.6, ask_every_s=0.4, retry_base_s=0.1, retry_cap_s=0.3, connect_s=2.0, fork_rest_s=0.0)
PATIENCE_S = 40.0


def alone(places: Places, codes: list[SiteCode], arrivals: Arrivals) -> str:
    """The state that one worker comes to, each batch once."""
    store = open_store(places.database("alone"), codes)
    owe_bills(store, codes[0])
    for arrival in arrivals:
        accept(store, *arrival)
    state = state_digest(store)
    store.close()
    return state


@contextmanager
def threads(*work_to_do: Any) -> Iterator[None]:
    """Run pieces of work side by side; an error of one is the test's."""
    errors: list[BaseException] = []

    def safely(piece: Any) -> None:
        try:
            piece()
        except BaseException as error:
            errors.append(error)
            raise

    running = [threading.Thread(target=safely, args=(piece,)) for piece in work_to_do]
    for each in running:
        each.start()
    yield
    for each in running:
        each.join(60)
    assert errors == []


@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_given_the_same_batches_at_once_end_in_the_state_of_one(places: Places, seed: int) -> None:
    codes = sites(3)
    arrivals = batches(codes, facts=600, per_batch=25)
    wanted = alone(places, codes, arrivals)
    store = open_store(places.database("shared"), codes)
    owe_bills(store, codes[0])

    def worker(own_seed: int) -> None:
        own = open_store(places.database("shared"), codes)
        work(own, arrivals, random.Random(own_seed))
        own.close()

    with threads(lambda: worker(seed), lambda: worker(seed + 100)):
        pass

    state = state_digest(store)
    store.close()
    assert state == wanted


def test_one_bill_taken_at_two_sites_by_two_workers_at_once_is_posted_once(places: Places) -> None:
    codes = sites(2)
    store = open_store(places.database("shared"), codes)
    bills = 60
    with store.transaction() as tx:
        for code in codes:
            for number in range(bills):
                tx.execute(
                    "INSERT INTO bill (site, bill, biller, sort, account_no, name, period, fen, due, state, "
                    "changed_at) VALUES (?, ?, 'b', 'power', '1', 'n', 'p', 100, 'd', 'unpaid', 0)",
                    (code, f"B{number}"),
                )
    sent: list[Arrivals] = []
    for code in codes:
        point = Point(KEY)
        point.happened(*(ev.BillAccepted(f"B{n}", 100, "cash", f"{code}-{n}", "op") for n in range(bills)))
        disk = point.disk
        sent.append(
            [
                (code, encode_batch(Batch(disk.log_id, Seq(n + 1), disk.mark_at(n), (disk.items[n],), disk.marks[n])))
                for n in range(bills)
            ]
        )

    def worker(arrivals: Arrivals) -> None:
        own = open_store(places.database("shared"), codes)
        for each in arrivals:
            accept(own, *each)
        own.close()

    with threads(*(lambda a=a: worker(a) for a in sent)):
        pass

    with store.reading() as tx:
        assert tx.value("SELECT count(*) FROM posting") == bills
        assert tx.value("SELECT count(DISTINCT serial) FROM posting") == bills
        assert tx.value("SELECT max(serial) FROM posting") == bills
        assert tx.value("SELECT count(*) FROM refusal WHERE reason = 'already_paid'") == bills
    store.close()


def kill_rounds(places: Places, tmp_path: Path, rounds: int, facts: int) -> int:
    """Two programs take the same batches, one is killed at any moment and started again; return how often."""
    codes = sites(4)
    arrivals = batches(codes, facts=facts, per_batch=50)
    wanted = alone(places, codes, arrivals)
    payloads = tmp_path / "payloads"
    payloads.write_bytes(pickle.dumps((codes, arrivals)))
    is_postgres = isinstance(places, PostgresPlaces)
    place = places.url("killed") if is_postgres else str(tmp_path / "killed")
    store = open_store(places.database("killed"), codes)
    owe_bills(store, codes[0])
    dice = random.Random(7)

    def start(seed: int) -> subprocess.Popen[str]:
        kind = "postgresql" if is_postgres else "sqlite"
        command = [sys.executable, str(Path(__file__).with_name("hub_work.py")), kind, place, str(payloads), str(seed)]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        return program

    killed = 0
    for number in range(rounds):
        program = start(number)
        time.sleep(dice.uniform(0.0, 0.25))
        accept(store, *arrivals[dice.randrange(len(codes))])  # beside a living one
        killed += program.poll() is None
        program.kill()
        program.wait(10)
        program.stdout.close()
    last = start(rounds)
    assert last.communicate(timeout=120)[0] == "done\n"
    state = state_digest(store)
    store.close()
    assert state == wanted
    return killed


def test_a_worker_killed_in_the_middle_of_a_batch_leaves_the_state_of_one(places: Places, tmp_path: Path) -> None:
    assert kill_rounds(places, tmp_path, rounds=3, facts=2_000) > 0


@pytest.mark.soak
def test_a_worker_killed_a_hundred_times_leaves_the_state_of_one(places: Places, tmp_path: Path) -> None:
    assert kill_rounds(places, tmp_path, rounds=100, facts=12_000) > 50


def test_workers_share_the_shards_fairly_and_take_over_from_the_dead(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "LEASE_MS", 300)
    codes = sites(40)
    stores = [open_store(places.database("shared"), codes) for _ in range(3)]
    one, two, three = (shards.Leases(store, f"w{n}", 12) for n, store in enumerate(stores))

    assert one.beat() == frozenset(codes)
    two.beat(), one.beat()
    assert two.beat() | one.beat() == frozenset(codes)
    assert not two.beat() & one.beat()
    for _ in range(2):
        three.beat(), one.beat(), two.beat()
    with stores[0].reading() as tx:
        assert [row["n"] for row in tx.rows("SELECT count(*) AS n FROM lease GROUP BY worker")] == [4, 4, 4]
    two.leave()
    time.sleep(0.4)  # one dies
    assert three.beat() == frozenset(codes)

    for store in stores:
        store.close()


def test_a_hub_on_postgresql_goes_on_after_its_server_was_restarted(places: Places) -> None:
    if not isinstance(places, PostgresPlaces):
        pytest.skip("a file has no server")
    codes = sites(1)
    arrivals = batches(codes, facts=100, per_batch=50)
    wanted = alone(places, codes, arrivals)
    store = open_store(PostgresDatabase(places.url("shared")), codes)
    owe_bills(store, codes[0])
    intake = Intake(store)
    intake.accept(arrivals[:1])

    places.server.restart()
    with pytest.raises(StoreFault, match="server"):
        intake.accept(arrivals[1:])
    intake.accept(arrivals[1:])

    state = state_digest(store)
    store.close()
    assert state == wanted


# --- on the line --------------------------------------------------------------------------------------------------


class Terminal:
    """A point's link on a log in memory."""

    def __init__(self, site: SiteCode, port: int) -> None:
        self.point = Point(KEY)
        memory = MemoryPort(self.point.disk)
        outside = Outside(SystemClock().ms, lambda: 0.5, lambda _info: None)
        broker = Broker("127.0.0.1", port, keepalive_s=2)
        self.link = Link(LinkSettings(site, broker, KEY, "0.1.0", QUICK), memory, outside)

    @property
    def is_drained(self) -> bool:
        return self.point.disk.cursor == self.point.disk.head()


def test_shards_that_move_while_points_send_lose_and_double_nothing(
    broker: PrivateBroker, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "LEASE_MS", 1_000)
    monkeypatch.setattr(app, "BEAT_S", 0.2)
    codes = sites(6)
    stores = [open_store(places.database("shared"), codes) for _ in range(3)]
    terminals = [Terminal(code, broker.port) for code in codes]
    for terminal in terminals:
        terminal.point.happened(*(ev.DoorOpened(f"o{n}", n % 24) for n in range(3_000)))

    async def play() -> None:
        line = Broker("127.0.0.1", broker.port, keepalive_s=2)
        hubs = [
            Hub(store, line, HubOutside(lambda: 0.5, lambda: None, QUICK), shards.Leases(store, f"w{n}", 8))
            for n, store in enumerate(stores)
        ]
        links = [asyncio.create_task(terminal.link.run()) for terminal in terminals]
        first = asyncio.create_task(hubs[0].run())
        await until(lambda: any(terminal.point.disk.cursor.upto > 200 for terminal in terminals))
        second = asyncio.create_task(hubs[1].run())
        await asyncio.sleep(0.5)
        first.cancel()
        third = asyncio.create_task(hubs[2].run())
        await until(lambda: all(terminal.is_drained for terminal in terminals))
        for task in (first, second, third, *links):
            task.cancel()
        await asyncio.gather(first, second, third, *links, return_exceptions=True)

    asyncio.run(play())

    found = {site["site"]: site for site in report.status(stores[0])["sites"]}
    assert {code: found[code]["digest"] for code in codes} == {
        code: digest(terminal.point.disk.events()) for code, terminal in zip(codes, terminals, strict=True)
    }
    assert {each["what"] for each in report.status(stores[0])["alarms"]} == set()
    for store in stores:
        store.close()


async def until(holds: Any) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.02)


def test_a_worker_for_one_shard_serves_its_sites_alone(places: Places) -> None:
    codes = sites(30)
    store: HubStore = open_store(places.database("shared"), codes)

    halves = [shards.Fixed(store, shard, 2).beat() for shard in range(2)]

    store.close()
    assert halves[0] | halves[1] == frozenset(codes)
    assert not halves[0] & halves[1]
    assert all(halves)
