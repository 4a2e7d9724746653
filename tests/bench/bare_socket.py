"""The limits of the drain: bytes over bare sockets at QoS 1 through the broker to a bare subscriber, nothing else.

No MQTT library, no asyncio, no log, no chain: a publisher that keeps so many messages on their way, and a subscriber
in a process of its own that acknowledges, and, when asked to, puts the facts of each message bare into tables with one
commit. Written for this measurement only: it reads no more of MQTT 3.1.1 than its own packets.
"""

from __future__ import annotations

import multiprocessing
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

TOPIC = b"bench/raw"
WINDOW = 50
GIVE_UP_S = 60.0
SITE = "bench"
Take = Callable[[bytes], None]


def seconds(port: int, payloads: Sequence[bytes], database: Path | None) -> float:
    """From the first publish until the subscriber has all, committed in `database` when there is one."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    subscriber = context.Process(target=_subscribe, args=(port, len(payloads), database, theirs), daemon=True)
    subscriber.start()
    _expect(ours)  # it listens
    line = _connect(port, b"bench-pub")
    packets = [_publish(number % 65_535 + 1, payload) for number, payload in enumerate(payloads)]
    began = time.perf_counter()
    _send_all(line, packets)
    _expect(ours)  # it has them all
    spent = time.perf_counter() - began
    line.close()
    subscriber.join(GIVE_UP_S)
    return spent


def _send_all(line: socket.socket, packets: Sequence[bytes]) -> None:
    acknowledged = _packets(line)
    waiting = 0
    for first in range(0, len(packets), WINDOW // 2):
        group = packets[first : first + WINDOW // 2]
        line.sendall(b"".join(group))
        waiting += len(group)
        while waiting > WINDOW // 2:
            next(acknowledged)
            waiting -= 1
    for _ in range(waiting):
        next(acknowledged)


def _subscribe(port: int, count: int, database: Path | None, pipe: Connection) -> None:
    take = _nothing if database is None else _into(database)
    line = _connect(port, b"bench-sub")
    line.sendall(b"\x82" + _sized(struct.pack("!HH", 1, len(TOPIC)) + TOPIC + b"\x01"))
    arriving = _packets(line)
    next(arriving)
    pipe.send("listening")
    for _ in range(count):
        body = next(arriving)
        number = body[2 + len(TOPIC) : 4 + len(TOPIC)]
        take(body[4 + len(TOPIC) :])
        line.sendall(b"\x40\x02" + number)
    pipe.send("all")
    line.close()


def _nothing(_payload: bytes) -> None:
    pass


def _into(database: Path) -> Take:
    """Facts into the tables that a hub writes, as the bench of the hub's intake does it: its limit is ours."""
    sys.path.insert(0, str(Path(__file__).parent))
    from hub_ingest_worker import results, rows, sqlite_insert

    insert = sqlite_insert(database)

    def take(payload: bytes) -> None:
        facts = rows(SITE, payload)
        insert({"fact": facts, **results(facts)})

    return take


def _connect(port: int, name: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), GIVE_UP_S)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(b"\x10" + _sized(b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack("!H", len(name)) + name))
    if line.recv(4) != b"\x20\x02\x00\x00":
        raise ConnectionError("the broker refuses the bare socket")
    return line


def _publish(number: int, payload: bytes) -> bytes:
    return b"\x32" + _sized(struct.pack("!H", len(TOPIC)) + TOPIC + struct.pack("!H", number) + payload)


def _sized(body: bytes) -> bytes:
    size, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 127
        size.append(digit | (128 if left else 0))
        if not left:
            return bytes(size) + body


def _packets(line: socket.socket) -> Iterator[bytes]:
    """Bodies of the packets that come in, in order, without their fixed headers."""
    held = b""
    while True:
        at = 0
        while (found := _whole(held, at)) is not None:
            begins, at = found
            yield held[begins:at]
        # else the broker, which waits for acknowledged segments, now and then stands still for 40 ms and is no limit
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        more = line.recv(262_144)
        if not more:
            raise ConnectionError("the broker has closed the bare socket")
        held = held[at:] + more


def _whole(held: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends; None while it is not all there."""
    size = shift = 0
    for place in range(at + 1, min(at + 5, len(held))):
        size |= (held[place] & 127) << shift
        shift += 7
        if held[place] < 128:
            return (place + 1, place + 1 + size) if place + 1 + size <= len(held) else None
    return None


def _expect(pipe: Connection) -> None:
    if not pipe.poll(GIVE_UP_S):
        raise TimeoutError("the bare subscriber does not answer")
    pipe.recv()
