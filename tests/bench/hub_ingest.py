"""Facts per second from batches as they travel to durable rows: SQLite and PostgreSQL, one worker and two.

The limit, in the same rounds and with as many processes: the same batches inflated, parsed, and as many rows put bare
into the same tables as the hub writes (log, parcels, messages, answers, doors), one commit for each batch of 200: no
chain, no de-duplication, no position, nothing read or understood. What the log's table alone would take is told, too.
A repetition is every batch once more, to a worker that has just started and to the one that has seen them.
"""

from __future__ import annotations

import json
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT / "tests" / "sync", ROOT / "packaging" / "dev"):
    sys.path.insert(0, str(place))

import psycopg  # noqa: E402
from hub_work import batches, sites  # noqa: E402
from private_postgres import PrivatePostgres  # noqa: E402
from table import Figure, Rounds  # noqa: E402

SITES = 16
FACTS = 1_600  # of each site
PER_BATCH = 200
ROUNDS = 3
AT_LEAST = 0.6
REPLAY_AT_LEAST = 5.0
WAYS = (("sqlite", 1), ("sqlite", 2), ("postgresql", 1), ("postgresql", 2))
GIVE_UP_S = 120.0


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    codes = sites(SITES)
    facts = FACTS // 4 if quick else FACTS
    payloads = folder / "payloads"
    payloads.write_bytes(pickle.dumps((codes, batches(codes, facts, PER_BATCH))))
    stand = _Stand(folder, payloads, SITES * facts)
    rounds: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    try:
        stand.server.start()
        for _ in range(2 if quick else ROUNDS):
            for kind, workers in WAYS:
                for mode in ("bare", "facts", "hub"):
                    rounds.setdefault((mode, kind, workers), []).append(stand.run(mode, kind, workers))
    finally:
        stand.server.stop()
    return _figures(rounds)


class _Stand:
    """A fresh database for each run, and the programs that fill it."""

    def __init__(self, folder: Path, payloads: Path, facts: int) -> None:
        self.server = PrivatePostgres(durable=True)
        self._folder = folder
        self._payloads = payloads
        self._facts = facts
        self._number = 0

    def run(self, mode: str, kind: str, workers: int) -> dict[str, Any]:
        """Fill one database; tell facts per second, of the work and of its repetitions."""
        self._number += 1
        place = str(self._folder / f"db{self._number}")
        if kind == "postgresql":
            place = self.server.url(f"db{self._number}")
            with psycopg.connect(self.server.url("postgres"), autocommit=True) as db:
                db.execute(f"CREATE DATABASE db{self._number}")
                db.execute("CHECKPOINT")
        programs = [self._start(mode, kind, place, f"{number}/{workers}") for number in range(workers)]
        answers = [self._turn(programs, what) for what in (("work", "again", "cold") if mode == "hub" else ("work",))]
        for program in programs:
            program.communicate(timeout=GIVE_UP_S)
        cpu = sum(each["cpu_s"] for each in answers[0][1]) / self._facts * 1e6
        return {"rates": [self._facts / spent for spent, _ in answers], "cpu_us": cpu}

    def _start(self, mode: str, kind: str, place: str, shard: str) -> subprocess.Popen[str]:
        program = Path(__file__).with_name("hub_ingest_worker.py")
        command = [sys.executable, str(program), mode, kind, place, str(self._payloads), shard]
        started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert started.stdout is not None
        if started.stdout.readline() != "ready\n":
            raise RuntimeError("a worker did not start")
        return started

    def _turn(self, programs: Sequence[subprocess.Popen[str]], what: str) -> tuple[float, list[dict[str, Any]]]:
        began = time.perf_counter()
        for program in programs:
            print(what, file=program.stdin, flush=True)
        answers = [json.loads(program.stdout.readline()) for program in programs if program.stdout is not None]
        return time.perf_counter() - began, answers


def _figures(rounds: dict[tuple[str, str, int], list[dict[str, Any]]]) -> list[Figure]:
    figures = []
    for kind, workers in WAYS:
        hub, bare = rounds["hub", kind, workers], rounds["bare", kind, workers]
        rates = Rounds(tuple(each["rates"][0] for each in hub))
        again, cold = (Rounds(tuple(each["rates"][at] for each in hub)) for at in (1, 2))
        name = f"hub_ingest {kind} x{workers}"
        cpu = statistics.median(each["cpu_us"] for each in hub)
        log_only = statistics.median(each["rates"][0] for each in rounds["facts", kind, workers])
        note = f"worker {cpu:.1f} us CPU per fact; repetitions known by their bytes {again.text('/s')}; "
        note += f"the log's table alone, bare: {log_only:.0f} facts/s, of which this is {rates.median / log_only:.2f}"
        limit = Rounds(tuple(each["rates"][0] for each in bare))
        figures.append(
            Figure(name, "facts/s", rates, limit, AT_LEAST, note=note, extra={"cpu_us": cpu, "log_only": log_only})
        )
        figures.append(Figure(f"hub_replay {kind} x{workers}", "facts/s", cold, rates, REPLAY_AT_LEAST))
    return figures
