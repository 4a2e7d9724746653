"""The limit of the drain: the same packed bytes through bare paho at QoS 1 to a bare subscriber, and nothing else.

Publisher and subscriber are processes of their own, as point and hub are; at most `WINDOW` messages are on their way,
as paho's own default has it.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

TOPIC = "bench/raw"
WINDOW = 20
GIVE_UP_S = 60.0


def rate(port: int, payloads: Sequence[bytes], rounds: int) -> float:
    """Messages per second from the first publish to the last at the subscriber and acknowledged by the broker."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    count = len(payloads) * rounds
    subscriber = context.Process(target=_subscribe, args=(port, count, theirs), daemon=True)
    subscriber.start()
    _expect(ours)  # it listens
    client = _client("bench-raw-pub")
    client.max_inflight_messages_set(WINDOW)
    client.connect("127.0.0.1", port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    began = time.perf_counter()
    last: Any = None
    for _ in range(rounds):
        for payload in payloads:
            last = client.publish(TOPIC, payload, qos=1)
    last.wait_for_publish(GIVE_UP_S)
    _expect(ours)  # it has them all
    spent = time.perf_counter() - began
    client.disconnect()
    client.loop_stop()
    subscriber.join(GIVE_UP_S)
    return count / spent


def _expect(pipe: Connection) -> None:
    if not pipe.poll(GIVE_UP_S):
        raise TimeoutError("the bare subscriber does not answer")
    pipe.recv()


def _client(name: str) -> paho.Client:
    return paho.Client(CallbackAPIVersion.VERSION2, client_id=name)


def _subscribe(port: int, count: int, pipe: Connection) -> None:
    got = 0
    client = _client("bench-raw-sub")

    def arrived(_client: object, _userdata: object, _message: object) -> None:
        nonlocal got
        got += 1
        if got == count:
            pipe.send("all")

    client.on_message = arrived
    client.on_subscribe = lambda *_: pipe.send("listening")
    client.on_connect = lambda *_: client.subscribe(TOPIC, qos=1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    end = time.monotonic() + GIVE_UP_S
    while got < count and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)  # the last acknowledgement goes out
    client.disconnect()
    client.loop_stop()
