"""A point and a hub over a real broker: both logs drain, whatever is killed, cut or frozen, each fact exactly once."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, SITE, Forwarder, HubProcess, PrivateBroker
from hub_places import Places
from memory_logs import MemoryPort
from points import Point

from edge import events as ev
from edge.clock import SystemClock, SystemDice
from sync.hub import manifest, report
from sync.hub.app import Hub, HubOutside
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.link import Link
from sync.mqtt import Broker, Connection, LineLost, Will
from sync.port import LinkInfo, LinkSettings, Outside
from sync.relay import digest
from sync.rhythm import Timing
from sync.wire import Presence, Topics, decode_presence, encode_presence

QUICK = Timing(answer_s=0.6, ask_every_s=0.4, retry_base_s=0.1, retry_cap_s=0.3, connect_s=2.0, fork_rest_s=0.0)
PATIENCE_S = 20.0


class TerminalSide:
    """A point's link on a log in memory, with real facts."""

    def __init__(self, port: int, protocol: int = 5) -> None:
        self.point = Point()
        self.port = MemoryPort(self.point.disk)
        self.seen: list[LinkInfo] = []
        clock = SystemClock()
        broker = Broker("127.0.0.1", port, protocol=protocol, keepalive_s=2)
        outside = Outside(clock.ms, lambda: 0.5, self.seen.append, lambda: {"locker": "works"})
        self.link = Link(LinkSettings(SITE, broker, KEY, "0.1.0", QUICK), self.port, outside)

    def happened(self, *facts: ev.Fact) -> None:
        self.point.happened(*facts)
        self.port.news.set()

    @property
    def is_drained(self) -> bool:
        return self.point.disk.cursor == self.point.disk.head()


@asynccontextmanager
async def running(*parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run parts beside the test; a part that ends by itself ends the test with its error."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in parts]
        yield
        for task in tasks:
            task.cancel()


async def until(holds: Callable[[], object], what: str = "") -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, f"never came true: {what}"
        await asyncio.sleep(0.02)


def hub_task(store: HubStore, port: int, protocol: int = 5) -> Coroutine[Any, Any, None]:
    broker = Broker("127.0.0.1", port, protocol=protocol, keepalive_s=2)
    return Hub(store, broker, HubOutside(lambda: 0.5, lambda: None, QUICK)).run()


def test_a_broker_that_is_away_is_told_once_not_at_every_try(
    open_hub: Callable[[], HubStore], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sync.hub.app")
    tries = 0

    def dice() -> float:
        nonlocal tries
        tries += 1
        return 0.5

    async def play() -> None:
        hub = Hub(open_hub(), Broker("127.0.0.1", 1, keepalive_s=2), HubOutside(dice, lambda: None, QUICK))
        async with running(hub.run()):
            await until(lambda: tries >= 5, "tried again and again")

    asyncio.run(play())

    assert [record.message.split(":")[0] for record in caplog.records] == ["no line to the broker"]


def doors(count: int, name: str = "o") -> list[ev.Fact]:
    return [ev.DoorOpened(f"{name}{n}", n % 24 + 1) for n in range(count)]


def digest_at(store: HubStore) -> str:
    return report.status(store)["sites"][0]["digest"]


def parcels(tmp_path: Path, count: int, start: int = 0) -> Path:
    file = tmp_path / f"m{start}.json"
    row = {
        "carrier": "SF",
        "recipient": "王小明",
        "phone": "13800001234",
        "address": None,
        "consent": "locker",
        "size": "S",
    }
    file.write_text(json.dumps({"parcels": [{**row, "waybill_no": f"SF{start + n:013d}"} for n in range(count)]}))
    return file


@pytest.mark.parametrize("protocol", [5, 4])
def test_both_logs_drain_and_both_ends_agree(
    broker: PrivateBroker, open_hub: Any, tmp_path: Path, protocol: int
) -> None:
    store, terminal = open_hub(), TerminalSide(broker.port, protocol)
    terminal.happened(*doors(1_500))
    manifest.send(store, SITE, parcels(tmp_path, 700))

    async def play() -> None:
        async with running(hub_task(store, broker.port, protocol), terminal.link.run()):
            await until(lambda: terminal.is_drained and len(terminal.port.applied) == 700, "drained")
            terminal.happened(*doors(3, "late"))
            await until(lambda: terminal.is_drained, "a late fact drains")
            await until(
                lambda: terminal.link.info.online and terminal.link.info.pending == 0, "online, nothing pending"
            )

    asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())
    assert len(terminal.port.times_applied) == 700
    assert report.status(store)["sites"][0]["down"]["pending"] == 0


def test_a_broker_killed_again_and_again_loses_and_doubles_nothing(
    broker: PrivateBroker, open_hub: Any, tmp_path: Path
) -> None:
    store, terminal = open_hub(), TerminalSide(broker.port)
    manifest.send(store, SITE, parcels(tmp_path, 500))

    async def play() -> None:
        async with running(hub_task(store, broker.port), terminal.link.run()):
            for turn in range(4):
                terminal.happened(*doors(600, f"t{turn}-"))
                await asyncio.sleep(0.05 * turn)
                broker.kill()
                await until(lambda: not terminal.link.info.connected, "the kill is noticed")
                terminal.happened(*doors(5, f"away{turn}-"))
                broker.start()
            await until(lambda: terminal.is_drained and len(terminal.port.applied) == 500, "drained")

    asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())
    assert len(terminal.port.times_applied) == 500
    assert report.status(store)["alarms"] == []


def test_a_hub_program_killed_while_draining_goes_on(
    broker: PrivateBroker, hub_process: HubProcess, hub_files: Path
) -> None:
    terminal = TerminalSide(broker.port)

    async def play() -> None:
        async with running(terminal.link.run()):
            for turn in range(3):
                hub_process.start()
                terminal.happened(*doors(3_000, f"t{turn}-"))
                await until(lambda: terminal.link.info.online, "the hub answers")
                hub_process.kill()
            hub_process.start()
            await until(lambda: terminal.is_drained, "drained")

    asyncio.run(play())

    assert hub_process.terminate() == 0
    status = json.loads(village_hub(hub_files, "status").stdout)
    assert status["sites"][0]["digest"] == digest(terminal.point.disk.events())
    assert status["sites"][0]["facts"] == 9_000
    assert status["alarms"] == []


def test_a_file_sent_by_another_process_is_on_its_way_at_once(
    broker: PrivateBroker, hub_process: HubProcess, hub_files: Path, tmp_path: Path
) -> None:
    terminal = TerminalSide(broker.port)
    hub_process.start()

    async def play() -> None:
        async with running(terminal.link.run()):
            await until(lambda: terminal.link.info.online, "online")
            sent = village_hub(hub_files, "send", "--site", SITE, str(parcels(tmp_path, 30)))
            assert json.loads(sent.stdout) == {"sent": True, "parcels": 30, "bills": 0, "notices": 0, "known": 0}
            await until(lambda: len(terminal.port.applied) == 30, "the file arrives")

    asyncio.run(play())


def test_a_half_open_line_is_noticed_and_replaced(broker: PrivateBroker, open_hub: Any) -> None:
    store = open_hub()

    async def play() -> TerminalSide:
        line = Forwarder(broker.port)
        await line.open()
        terminal = TerminalSide(line.port)
        async with running(hub_task(store, broker.port), terminal.link.run()):
            await until(lambda: terminal.link.info.online, "online")
            line.freeze()
            terminal.happened(*doors(50))
            await until(lambda: not terminal.link.info.online, "silence is noticed")
            await until(lambda: not terminal.link.info.connected, "the dead line is given up")
            line.thaw()
            await until(lambda: terminal.is_drained, "drained")
        await line.close()
        return terminal

    terminal = asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())


def test_a_line_cut_many_times_while_draining_loses_and_doubles_nothing(
    broker: PrivateBroker, open_hub: Any, tmp_path: Path
) -> None:
    store = open_hub()
    manifest.send(store, SITE, parcels(tmp_path, 2_000))

    async def play() -> TerminalSide:
        line = Forwarder(broker.port)
        await line.open()
        terminal = TerminalSide(line.port)
        terminal.happened(*doors(4_000))
        async with running(hub_task(store, broker.port), terminal.link.run()):
            for turn in range(8):
                await until(lambda: terminal.link.info.connected, "connected")
                await asyncio.sleep(0.03 * turn)
                line.cut()
            await until(lambda: terminal.is_drained and len(terminal.port.applied) == 2_000, "drained")
        await line.close()
        return terminal

    terminal = asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())
    assert len(terminal.port.times_applied) == 2_000
    assert report.status(store)["alarms"] == []


def test_the_broker_alone_is_not_called_online(broker: PrivateBroker) -> None:
    terminal = TerminalSide(broker.port)
    terminal.happened(*doors(3))

    async def play() -> None:
        async with running(terminal.link.run()):
            await until(lambda: terminal.link.info.connected, "connected")
            await asyncio.sleep(1.0)

    asyncio.run(play())

    assert not any(info.online for info in terminal.seen)
    assert terminal.point.disk.cursor.upto == 0


def test_the_last_will_tells_of_a_vanished_point_and_a_farewell_of_a_stopped_one(broker: PrivateBroker) -> None:
    async def play() -> list[bool]:
        shown: list[bool] = []
        line = Forwarder(broker.port)
        await line.open()

        async def watch() -> None:
            async with Connection(Broker("127.0.0.1", broker.port), "watcher", Will("w", b""), 2.0) as watcher:
                await watcher.subscribe([Topics(SITE).state])
                while True:
                    message = await watcher.next_message()
                    shown.append(decode_presence(message.payload).online)
                    watcher.done(message)

        async with running(watch()):
            terminal = TerminalSide(line.port)
            async with running(terminal.link.run()):
                await until(lambda: shown == [True], "shown online")
                line.cut()
                await until(lambda: shown[:3] == [True, False, True], "vanished, then back")
            await until(lambda: shown[-1] is False, "stopped")
        await line.close()
        return shown

    assert asyncio.run(play()) == [True, False, True, False]


def test_a_stopped_point_is_gone_within_two_seconds_even_on_a_frozen_line(broker: PrivateBroker) -> None:
    async def play() -> float:
        line = Forwarder(broker.port)
        await line.open()
        terminal = TerminalSide(line.port)
        task = asyncio.create_task(terminal.link.run())
        await until(lambda: terminal.link.info.connected, "connected")
        line.freeze()
        began = time.monotonic()
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        took = time.monotonic() - began
        line.thaw()
        await line.close()
        return took

    assert asyncio.run(play()) < 2.5


def test_a_restored_card_is_noticed_over_the_line(broker: PrivateBroker, open_hub: Any) -> None:
    store, first = open_hub(), TerminalSide(broker.port)
    first.happened(*doors(20))
    old = first.point.copy_disk()
    first.happened(*doors(20, "lost"))

    async def drain(terminal: TerminalSide) -> None:
        async with running(hub_task(store, broker.port), terminal.link.run()):
            await until(lambda: terminal.is_drained, "drained")

    asyncio.run(drain(first))
    second = TerminalSide(broker.port)
    second.point.disk = second.port.disk = old
    second.happened(*doors(5, "new"))
    asyncio.run(drain(second))

    held = {each["event"] for each in report.facts(store, SITE)}
    assert set(second.point.disk.events()) | set(first.point.disk.events()) == held
    assert "fork" in {alarm["what"] for alarm in report.status(store)["alarms"]}


def test_a_hub_without_disk_space_loses_nothing_and_comes_back(
    broker: PrivateBroker, open_hub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store, terminal = open_hub(), TerminalSide(broker.port)
    if not isinstance(store.database, SqliteDatabase):
        pytest.skip("the size of a PostgreSQL database cannot be limited")
    terminal.happened(*doors(2_000, "o" * 300))
    with store.reading() as tx:
        pages = tx.value("PRAGMA page_count")
    store.database.limit_pages(pages + 60)

    async def play() -> None:
        async with running(hub_task(store, broker.port), terminal.link.run()):
            await until(lambda: "takes nothing until" in caplog.text, "the fault is told")
            assert not terminal.is_drained
            store.database.limit_pages(10**6)
            await until(lambda: terminal.is_drained, "drained")

    with caplog.at_level(logging.INFO):
        asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())


def test_a_message_that_is_no_batch_does_not_stop_the_line(broker: PrivateBroker, open_hub: Any) -> None:
    store, terminal = open_hub(), TerminalSide(broker.port)

    async def play() -> None:
        async with running(hub_task(store, broker.port), terminal.link.run()):
            await until(lambda: terminal.link.info.online, "online")
            async with Connection(Broker("127.0.0.1", broker.port), "stranger", Will("w", b""), 2.0) as stranger:
                topics = Topics(SITE)
                for topic in (topics.up, topics.up_ack, topics.down, topics.down_ack, "vp/XX-9/up", "vp/XX-9/state"):
                    stranger.publish(topic, b"\x00garbage")
                await asyncio.sleep(0.3)
            terminal.happened(*doors(10))
            await until(lambda: terminal.is_drained, "drained")

    asyncio.run(play())

    assert digest_at(store) == digest(terminal.point.disk.events())


HALF_A_SIGN = b'{"v":1,"online":true,"version":"1","pending":0,"health":{"board":"\\ud800"}}'
ZERO = b'{"v":1,"online":true,"version":"1\\u0000","pending":0,"health":{}}'


@pytest.mark.parametrize("shown", [b"\x00garbage", encode_presence(Presence(online=False)), HALF_A_SIGN, ZERO])
def test_a_point_that_speaks_is_there_whatever_its_presence_says(
    broker: PrivateBroker, open_hub: Any, tmp_path: Path, shown: bytes
) -> None:
    store, terminal = open_hub(), TerminalSide(broker.port)

    async def play() -> None:
        async with running(terminal.link.run()):
            await until(lambda: terminal.link.info.connected, "the point shows itself")
            async with Connection(Broker("127.0.0.1", broker.port), "stranger", Will("w", b""), 2.0) as stranger:
                stranger.publish(Topics(SITE).state, shown, retain=True)
                stranger.publish(Topics(SITE).down_ack, b"", retain=True)
                await asyncio.sleep(0.3)
            manifest.send(store, SITE, parcels(tmp_path, 5))
            async with running(hub_task(store, broker.port)):
                await until(lambda: len(terminal.port.applied) == 5, "the file arrives")
                assert report.status(store)["sites"][0]["online"] is True

    asyncio.run(play())


def test_a_broker_that_is_not_there_is_a_lost_line() -> None:
    async def play() -> None:
        async with Connection(Broker("127.0.0.1", 9), "nobody", Will("w", b""), 2.0):
            pass

    with pytest.raises(LineLost):
        asyncio.run(play())


def test_waiting_for_a_dead_broker_does_not_hold_up_the_loop() -> None:
    async def play() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        silent: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _reader, writer: silent.append(writer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with running(tick()):
            with pytest.raises(LineLost):
                async with Connection(Broker("127.0.0.1", port), "nobody", Will("w", b""), 0.5):
                    pass
        server.close()
        for writer in silent:
            writer.transport.abort()
        await asyncio.sleep(0)
        return ticks

    assert asyncio.run(play()) > 10


def test_a_farewell_on_a_lost_line_is_no_error(broker: PrivateBroker) -> None:
    async def play() -> None:
        async with Connection(Broker("127.0.0.1", broker.port), "leaver", Will("w", b""), 2.0) as line:
            broker.kill()
            await line.farewell("w", b"bye", 0.2)
            with pytest.raises(LineLost):
                await line.next_message()
            await line.farewell("w", b"bye", 0.2)

    asyncio.run(play())


# --- the command line ---------------------------------------------------------------------------------------------


def village_hub(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sync.hub.cli", arguments[0], "--config", str(settings), *arguments[1:]]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2]
    )


def test_facts_are_listed_one_object_a_line(hub_files: Path, places: Places) -> None:
    store = HubStore(places.database("hubdata"), SystemClock(), SystemDice(), {SITE: KEY})
    store.open()
    from points import exchange, hub_answers

    point = Point()
    point.happened(*doors(3))
    exchange(point, hub_answers(store, SITE))
    store.close()

    listed = [
        json.loads(line) for line in village_hub(hub_files, "facts", "--site", SITE, "--jsonl").stdout.splitlines()
    ]

    assert [each["seq"] for each in listed] == [1, 2, 3]
    assert [each["event"] for each in listed] == point.disk.events()


def test_bodies_of_any_bytes_are_listed_as_json_and_unreadable_ones_masked(hub_files: Path, places: Places) -> None:
    store = HubStore(places.database("hubdata"), SystemClock(), SystemDice(), {SITE: KEY})
    store.open()
    from points import exchange, hub_answers

    point = Point()
    bodies = ["no json 13812345678", '{"cell":1e400}', '{"a":"\\ud800"}', "[" * 50_000, '{"fen":NaN}']
    for body in bodies:
        point.wrote("bill_accepted.1", body)
    exchange(point, hub_answers(store, SITE))
    store.close()

    listed = village_hub(hub_files, "facts", "--site", SITE, "--jsonl")
    status = village_hub(hub_files, "status")

    assert (listed.returncode, status.returncode) == (0, 0), listed.stderr + status.stderr
    told = [json.loads(line, parse_constant=pytest.fail) for line in listed.stdout.splitlines()]
    assert len(told) == len(bodies)
    assert "1381234" not in listed.stdout
    assert json.loads(status.stdout)["money"]["unposted"] == {"bills": len(bodies), "fen": 0}


def test_refusals_have_their_exit_codes_and_one_sentence(hub_files: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"parcels":[{"waybill_no":1}]}')
    broken = tmp_path / "broken.toml"
    broken.write_text("data_dir = 5\n[broker]\nport = 99999\n")
    damaged = tmp_path / "hubdata"
    damaged.mkdir(exist_ok=True)

    stranger = village_hub(hub_files, "facts", "--site", "XX-0001", "--jsonl")
    refused = village_hub(hub_files, "send", "--site", SITE, str(bad))
    unusable = village_hub(broken, "status")
    (damaged / "hub.db").write_bytes(b"no database" * 999)
    hub_files.write_text(hub_files.read_text().replace("?host=", "?host=%2Fnowhere"))  # a server that is not there
    faulty = village_hub(hub_files, "status")

    assert [each.returncode for each in (stranger, refused, unusable, faulty)] == [1, 1, 2, 4]
    assert json.loads(refused.stdout)["mistakes"][0]["field"] == "waybill_no"
    assert unusable.stderr.count("broken.toml:") >= 3
    assert faulty.stderr.startswith("village-hub: the database")


def test_a_second_hub_on_the_same_data_is_refused(hub_process: HubProcess, hub_files: Path) -> None:
    hub_process.start()

    second = village_hub(hub_files, "run")

    assert second.returncode == 1
    assert "already running" in second.stderr
