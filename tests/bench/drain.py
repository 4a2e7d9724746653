"""A backlog from the terminal's file through a real broker to the hub's commit and back to the acknowledged cursor.

The limit is the same packed batches through a bare paho QoS 1 loop to a bare subscriber. Told, not judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import raw_line
from district_bench import BenchStand
from process import memory_kb
from stand import ROOT
from table import Figure, Rounds

from edge import log
from edge.model import Seq
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Batch, encode_batch

FACTS = 100_000
ROUNDS = 5
DRAIN_S = 180.0
RAW_AGAIN = 4  # a round of bare messages would be over in a tenth of a second


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    each = (FACTS // 5 if quick else FACTS) // ROUNDS
    stand = BenchStand(folder / "d")
    drained: list[dict[str, Any]] = []
    raw: list[float] = []
    try:
        stand.open_district()
        stand.start_broker()
        stand.start_hub()
        assert stand.ports is not None
        port = stand.ports.broker
        point = _Point(stand, port)
        point.drain(each // 10)  # warm
        hub_kb = memory_kb(stand.programs.pid("hub"))
        payloads: list[bytes] = []
        for _ in range(ROUNDS):
            drained.append(point.drain(each))
            payloads = payloads or _packed(stand, each)
            raw.append(raw_line.rate(port, payloads, RAW_AGAIN) * each / len(payloads))
        hub_kb = memory_kb(stand.programs.pid("hub")) - hub_kb
        point.close()
    finally:
        stand.close()
    return _figures(drained, raw, sum(map(len, payloads)) / each, hub_kb)


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


def _packed(stand: BenchStand, facts: int) -> list[bytes]:
    """The last facts of the point as the batches that travelled; read beside the running point."""
    store = _Reading(stand.folder / "point" / "point.db")
    head = store.head()
    packed, after = [], int(head.upto) - facts
    while items := store.read_after(after):
        packed.append(encode_batch(Batch(head.log_id, items[0].seq, head.mark, items, head.mark)))
        after = int(items[-1].seq)
    return packed


class _Reading:
    """The log through a read-only connection."""

    def __init__(self, path: Path) -> None:
        import sqlite3

        from sqlite_utils import Database

        from edge.clock import SystemClock, SystemDice
        from edge.store import Keys, Tx

        db = Database(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
        self._tx = Tx(db, SystemClock().stamp(), SystemDice(), Keys(b"", b""), False)

    def head(self) -> log.Position:
        return log.head(self._tx)

    def read_after(self, seq: int) -> tuple[log.Item, ...]:
        return log.read_after(self._tx, Seq(seq), MAX_FACTS, MAX_BATCH_BYTES)


def _figures(drained: list[dict[str, Any]], raw: list[float], size: float, hub_kb: int) -> list[Figure]:
    rates = Rounds(tuple(each["facts"] / each["s"] for each in drained))
    cpu = Rounds(tuple(1e6 * each["cpu_s"] / each["facts"] for each in drained))
    grown = drained[-1]["rss_kb"] - drained[0]["rss_kb"]
    total = sum(each["facts"] for each in drained)
    note = (
        f"{total} facts to the hub and back; {size:.1f} bytes per fact on the line, terminal "
        f"{cpu.text('us CPU')} per fact; RSS over the rounds: terminal {grown:+d} KB, hub {hub_kb:+d} KB"
    )
    extra = {"bytes_per_fact": size, "cpu_us_per_fact": list(cpu.values), "rss_kb": grown, "hub_rss_kb": hub_kb}
    return [Figure("drain", "facts/s", rates, Rounds(tuple(raw)), note=note, extra=extra)]
