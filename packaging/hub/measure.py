"""Measure on this machine what one hub costs: its own broker, its own database, simulated points.

    measure.py [--quick]      writes measured.json beside this file; sizing.py makes the page of it

Two runs for each database. `drain`: a backlog, 50 facts in a batch. `trickle`: one fact in a batch at a steady rate, as
on a normal day, with the questions that idle points ask.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

import psycopg
import simulated
from ports import free_port
from private_postgres import PrivatePostgres, program

ROOT = Path(__file__).resolve().parents[2]
RESULT = Path(__file__).with_name("measured.json")
MOSQUITTO = "/usr/sbin/mosquitto"
TICKS = os.sysconf("SC_CLK_TCK")
SITES, FACTS = 2_000, 50
RATE, RATE_FACTS = 150, 3
READY_S = 60.0
RUN_S = 200


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Both databases, where they are installed."""
    sites = SITES // 10 if quick else SITES
    kinds = ["sqlite", *(["postgresql"] if program("initdb") else [])]
    return {"cores": os.cpu_count(), "sites": sites, **{kind: _kind(folder / kind, kind, sites) for kind in kinds}}


def _kind(folder: Path, kind: str, sites: int) -> dict[str, Any]:
    port = free_port()
    folder.mkdir(parents=True)
    with _broker(folder, port), _database(kind) as url:
        settings = simulated.lay_out(
            folder / "hub", sites, {"host": "127.0.0.1", "port": port}, {"database": url} if url else {}
        )
        with _hub(settings) as pid:
            idle_kib = _rss_kib(pid)
            drain = _run(pid, settings, sites, "--facts", str(FACTS))
            bytes_held = _size(settings.parent / "data", url)
            rate = RATE * sites // SITES
            trickle = _run(pid, settings, sites, "--facts", str(RATE_FACTS), "--rate", str(rate))
            return {
                "drain": drain,
                "trickle": trickle,
                "disk_bytes_per_fact": round(bytes_held / drain["facts"], 1),
                "hub_idle_kib": idle_kib,
                "hub_peak_kib": _rss_kib(pid, "VmHWM"),
            }


def _run(pid: int, settings: Path, sites: int, *words: str) -> dict[str, Any]:
    before = _cpu_s(pid)
    command = [sys.executable, "-m", "sync.hub.cli", "simulate", "--config", str(settings), "--sites", str(sites)]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=RUN_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the simulation failed: {done.stdout[-400:]} {done.stderr[-400:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    cpu_s = _cpu_s(pid) - before
    kept = ("facts", "batches", "seconds", "facts_per_s", "batches_per_s", "bytes_per_fact", "ack_ms_p50", "ack_ms_p99")
    return {
        **{name: found[name] for name in kept},
        "hub_cpu_s": round(cpu_s, 2),
        "hub_cpu_us_per_fact": round(cpu_s / found["facts"] * 1e6, 1),
        "hub_cpu_us_per_batch": round(cpu_s / found["batches"] * 1e6, 1),
    }


@contextmanager
def _broker(folder: Path, port: int) -> Iterator[None]:
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\nlog_type none\n")
    child = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        yield
    finally:
        child.terminate()
        child.wait(10)


@contextmanager
def _database(kind: str) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    server = PrivatePostgres(durable=True)
    try:
        server.start()
        with psycopg.connect(server.url("postgres"), autocommit=True) as db:
            db.execute("CREATE DATABASE sized")
        yield server.url("sized")
    finally:
        server.stop()


@contextmanager
def _hub(settings: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "sync.hub.cli", "run", "--config", str(settings)]
    with (settings.parent / "hub.err").open("wb") as errors:
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert child.stdout is not None
        if '"ready": true' not in child.stdout.readline():
            raise RuntimeError(f"the hub did not start: {(settings.parent / 'hub.err').read_text()[-400:]}")
        yield child.pid
    finally:
        child.terminate()
        child.communicate(timeout=READY_S)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_kib(pid: int, name: str = "VmRSS") -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _size(folder: Path, url: str | None) -> int:
    if url is None:
        return sum(file.stat().st_size for file in folder.glob("hub.db"))
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the points; prints, writes nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vp-measure-") as folder:
        found = measure(Path(folder), quick=given.quick)
    if not given.quick:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
