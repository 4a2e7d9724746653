"""A backlog from the terminal's file through a real broker to the hub's commit and back to the acknowledged cursor.

Three limits, in the same rounds. Raw: the same packed batches over bare sockets to the broker, and at the other end a
bare commit of the rows of each. Plain: each fact uncompressed as a message of its own over bare sockets, nothing kept.
Paho, told and not judged: the same packed batches through a bare paho QoS 1 loop to a bare subscriber.
Then the same drain with backlogs of growing size: time per fact, bytes and memory must not grow with them.
BENCH_MILLION=1 in the environment adds a backlog of a million facts (some minutes).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bare_socket
import raw_line
from district_bench import BenchStand
from process import memory_kb
from stand import ROOT
from table import Figure, Rounds

from edge import log
from edge.chain import event_id
from edge.model import Seq
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Batch, encode_batch

FACTS = 100_000
ROUNDS = 2
PAHO_AGAIN = 2  # a round of bare messages is over soon
DRAIN_S = 600.0
OF_RAW, OF_PLAIN = 0.5, 1.5
KNOWN = (0.6, "decision 75")  # of OF_PLAIN
MAX_BYTES, MAX_GROWTH_KB = 45.0, 30 * 1024.0
GROWING = (1_000, 10_000)
STRAIGHT = 1.5  # seconds per fact of the largest backlog against those of 10,000


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    facts, rounds = (FACTS // 5 if quick else FACTS), ROUNDS
    stand = BenchStand(folder / "d")
    try:
        stand.open_district()
        stand.start_broker()
        stand.start_hub()
        assert stand.ports is not None
        bench = _Bench(stand, _Point(stand, stand.ports.broker), stand.ports.broker)
        bench.drain(1_000)  # warm
        grown = [bench.drain(each) for each in GROWING]
        full = [bench.round(facts, folder / f"bare{number}") for number in range(rounds)]
        if os.environ.get("BENCH_MILLION"):
            grown.append(bench.drain(1_000_000))
        bench.point.close()
    finally:
        stand.close()
    return [*_figures(full), *_straight([*grown[: len(GROWING)], full[-1], *grown[len(GROWING) :]])]


class _Bench:
    """The stand with a point at work."""

    def __init__(self, stand: BenchStand, point: _Point, port: int) -> None:
        self.point = point
        self._stand = stand
        self._port = port

    def drain(self, facts: int) -> dict[str, Any]:
        """Write a backlog, drain it, and tell what it took at both ends."""
        hub_kb = memory_kb(self._stand.programs.pid("hub"))
        told = self.point.drain(facts)
        return {**told, "hub_kb": memory_kb(self._stand.programs.pid("hub")) - hub_kb}

    def round(self, facts: int, database: Path) -> dict[str, Any]:
        """One drain and both limits on the same facts."""
        told = self.drain(facts)
        packed, plain = _payloads(self._stand, facts)
        raw_s = bare_socket.seconds(self._port, packed, database)
        plain_s = bare_socket.seconds(self._port, plain, None)
        paho_s = len(packed) / raw_line.rate(self._port, packed, PAHO_AGAIN)
        sizes = {"bytes": sum(map(len, packed)) / facts, "plain_bytes": sum(map(len, plain)) / facts}
        return {**told, **sizes, "raw_s": raw_s, "plain_s": plain_s, "paho_s": paho_s}


class _Point:
    """The process that holds the terminal's store and link."""

    def __init__(self, stand: BenchStand, port: int) -> None:
        command = [sys.executable, str(Path(__file__).parent / "drain_point.py"), str(stand.point_toml), str(port)]
        self._child = subprocess.Popen(
            command, cwd=ROOT, env=stand.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def drain(self, facts: int) -> dict[str, Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(json.dumps({"add": facts}), file=self._child.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(DRAIN_S)


def _payloads(stand: BenchStand, facts: int) -> tuple[list[bytes], list[bytes]]:
    """The last facts of the point as the batches that travelled, and each as a message of its own.

    Packed without the dictionary, which the plain reader at the end of the raw limit does not know: within a batch of
    200 it makes no difference that could be measured.
    """
    store = _Reading(stand.folder / "point" / "point.db")
    head = store.head()
    packed, plain, after = [], [], int(head.upto) - facts
    while items := store.read_after(after):
        packed.append(encode_batch(Batch(head.log_id, items[0].seq, head.mark, items, head.mark)))
        plain += [_message(item, store.mark_at(item.seq)) for item in items]
        after = int(items[-1].seq)
    return packed, plain


def _message(item: log.Item, mark: str) -> bytes:
    """A fact as a program without batches would publish it: JSON with its id, some 240 bytes."""
    at = item.stamp
    what = {"site": bare_socket.SITE, "seq": item.seq, "event": event_id(mark), "kind": item.kind}
    when = {"at": at.at, "boot": at.boot, "ms": at.ms, "synced": at.synced}
    return json.dumps({**what, "body": json.loads(item.body), **when}, ensure_ascii=False).encode()


class _Reading:
    """The log through a read-only connection, beside the running point."""

    def __init__(self, path: Path) -> None:
        import sqlite3

        from sqlite_utils import Database

        from edge.clock import SystemClock, SystemDice
        from edge.store import Keys, Tx

        db = Database(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
        self._tx = Tx(db, SystemClock().stamp(), SystemDice(), Keys(b"", b""))

    def head(self) -> log.Position:
        return log.head(self._tx)

    def mark_at(self, seq: Seq) -> str:
        return log.mark_at(self._tx, seq) or ""

    def read_after(self, seq: int) -> tuple[log.Item, ...]:
        return log.read_after(self._tx, Seq(seq), MAX_FACTS, MAX_BATCH_BYTES)


def _figures(full: list[dict[str, Any]]) -> list[Figure]:
    rates = Rounds(tuple(each["facts"] / each["s"] for each in full))
    raw = Rounds(tuple(each["facts"] / each["raw_s"] for each in full))
    plain = Rounds(tuple(each["facts"] / each["plain_s"] for each in full))
    paho = Rounds(tuple(each["facts"] / each["paho_s"] for each in full))
    cpu = Rounds(tuple(1e6 * each["cpu_s"] / each["facts"] for each in full))
    grown = Rounds(tuple(float(each["peak_kb"] - each["rss_kb"]) for each in full))
    size = Rounds(tuple(each["bytes"] for each in full))
    note = (
        f"{full[0]['facts']} facts to the hub's commit and back in each round; terminal {cpu.text('us CPU')} per fact"
    )
    about = f"each fact a message of {full[0]['plain_bytes']:.0f} bytes over bare sockets, nothing kept"
    extra = {"cpu_us_per_fact": list(cpu.values)}
    return [
        Figure("drain of raw", "facts/s", rates, raw, OF_RAW, note=note, extra=extra),
        Figure("drain of plain", "facts/s", rates, plain, OF_PLAIN, known=KNOWN, note=about),
        Figure(
            "drain of paho", "facts/s", rates, paho, note="the same batches by a bare paho QoS 1 loop; told, not judged"
        ),
        Figure("drain payload", "bytes/fact", size, Rounds((MAX_BYTES,)), at_most=1.0),
        Figure("drain memory", "KB", grown, Rounds((MAX_GROWTH_KB,)), at_most=1.0, note="most of the terminal over it"),
    ]


def _straight(sizes: list[dict[str, Any]]) -> list[Figure]:
    """Microseconds per fact of the largest backlog against those of 10,000."""
    per_fact = [1e6 * each["s"] / each["facts"] for each in sizes]
    told = [
        f"{each['facts']}: {each['s']:.2f} s, {each['peak_kb'] - each['rss_kb']:+d} KB, hub {each['hub_kb']:+d} KB"
        for each in sizes
    ]
    limit = Rounds((per_fact[1],))
    note = "; ".join(told)
    return [Figure("drain grows", "us/fact", Rounds((per_fact[-1],)), limit, at_most=STRAIGHT, note=note,
                   extra={"sizes": sizes})]  # fmt: skip
