"""A node of the broker that takes all and passes on nothing is left for another; the only node is not."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from conftest import KEY, SITE, free_port
from private_broker import PrivateBroker
from test_mqtt import QUICK, TerminalSide, digest_at, doors, running, until

from edge.clock import SystemClock
from sync.hub.app import Hub, HubOutside
from sync.link import Link
from sync.mqtt import Broker
from sync.port import LinkSettings, Outside
from sync.relay import digest
from sync.silence import MOST_DOUBLINGS, TIME_OUTS, Silence


def time_outs_until_given_up(silence: Silence) -> int:
    count = 1
    while not silence.is_too_long():
        count += 1
    return count


def test_each_fruitless_line_is_given_longer_and_an_answer_begins_anew() -> None:
    silence = Silence(3)

    assert [time_outs_until_given_up(silence) for _ in range(3)] == [TIME_OUTS, 2 * TIME_OUTS, 4 * TIME_OUTS]
    assert silence.turn == 3
    silence.answered()
    assert time_outs_until_given_up(silence) == TIME_OUTS
    for _ in range(20):
        most = time_outs_until_given_up(silence)
    assert most == TIME_OUTS * 2**MOST_DOUBLINGS


def test_answers_between_time_outs_keep_the_line() -> None:
    silence = Silence(2)

    for _ in range(50):
        assert not silence.is_too_long()
        silence.answered()
    assert silence.turn == 0


def test_a_broker_with_one_node_is_never_given_up() -> None:
    silence = Silence(1)

    assert not any(silence.is_too_long() for _ in range(10_000))


def test_a_node_without_a_way_to_the_hub_is_left(tmp_path: Path, open_hub: Any) -> None:
    port = free_port()
    both = Broker("127.0.0.1 127.0.0.2", port, keepalive_s=2)
    deaf, joined = both.nodes(f"vp-{SITE}")
    brokers = []
    for host in (deaf, joined):
        folder = tmp_path / host
        folder.mkdir()
        brokers.append(PrivateBroker(folder, host, port))
        brokers[-1].start()
    store, terminal, clock = open_hub(), TerminalSide(port), SystemClock()
    terminal.happened(*doors(500))
    outside = Outside(clock.ms, lambda: 0.5, terminal.seen.append)
    link = Link(LinkSettings(SITE, both, KEY, "0.1.0", QUICK), terminal.port, outside)
    hub = Hub(store, Broker(joined, port, keepalive_s=2), HubOutside(lambda: 0.5, lambda: None, QUICK))

    async def play() -> None:
        async with running(hub.run(), link.run()):
            await until(lambda: terminal.is_drained, "drained by the other node")

    try:
        asyncio.run(play())
    finally:
        for broker in brokers:
            broker.kill()

    lines = [after for before, after in pairwise(terminal.seen) if after.connected and not before.connected]
    assert len(lines) == 2, "the deaf node, then the other"
    assert digest_at(store) == digest(terminal.point.disk.events())
