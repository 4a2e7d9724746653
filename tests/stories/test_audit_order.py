"""The audit row is on the disk before the pulse is on the wire: read off the system calls of a terminal at work."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.sim.host import Host, Terminal
from drivers.sim.lock_board import Cabinet, LockBoard
from tests.stories.killing import ROOT
from tests.stories.patient_loop import run_patiently
from tests.stories.point import SIZES, Point

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")

ROUNDS = 4  # a deposit and a pick-up each
CALL = re.compile(r'^(?:\d+ +)?(pwrite64|fdatasync|write)\(\d+<([^>]*)>(?:, "((?:[^"\\]|\\.)*)")?')
AUTHORISED = re.compile(rb'"opening":"([0-9a-f]{16})"[^}]*"purpose"')
PULSE = b"\x8a"


@dataclass
class Trace:
    """What the calls tell: how many pulses went out, and which of them before their audit row was synced."""

    pulses: int = 0
    early: list[int] = field(default_factory=list)


def judged(lines: Iterable[str]) -> Trace:
    """Play the calls: what is written to the WAL counts once it is synced; each pulse needs one more opening."""
    trace = Trace()
    written: set[bytes] = set()
    synced: set[bytes] = set()
    for line in lines:
        call = CALL.match(line)
        if call is None:
            continue
        name, path, data = call[1], call[2], plain(call[3] or "")
        if name == "pwrite64" and path.endswith("-wal"):
            written |= set(AUTHORISED.findall(data))
        elif name == "fdatasync" and path.endswith("-wal"):
            synced |= written
        elif name == "write" and "/pts/" in path and data.startswith(PULSE):
            trace.pulses += 1
            if len(synced) < trace.pulses:
                trace.early.append(trace.pulses)
    return trace


def plain(text: str) -> bytes:
    """What strace -x wrote down: hex digits for a string with any byte that is no ASCII, else the string itself."""
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()


async def traced(folder: Path, careless: str) -> Path:
    """Let the program open doors under strace, against a board on a pseudo-terminal."""
    port, out = folder / "port", folder / "trace"
    board = LockBoard(Cabinet(len(SIZES), auto_close_s=0.1))
    host = Host([Terminal("locker", board, port)], None)
    await host.start()
    order = json.dumps({"folder": str(folder), "port": str(port), "count": ROUNDS, "careless": careless})
    try:
        process = await asyncio.create_subprocess_exec(
            "strace", "-f", "-y", "-x", "-s", "9000", "-o", out, "-e", "trace=fdatasync,pwrite64,write",
            "--", sys.executable, "-m", "tests.stories.audited", order,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        await host.stop()
    assert process.returncode == 0, told.decode()
    return out


def prepared(tmp_path: Path) -> Path:
    point = Point(tmp_path / "data")

    async def story() -> None:
        async with point.running():
            for number in range(1, ROUNDS + 1):
                await point.expected(number, phone=f"1390000{number:04d}")

    run_patiently(story())
    return point.folder


def trace_of(tmp_path: Path, careless: str) -> Trace:
    out = asyncio.run(traced(prepared(tmp_path), careless))
    with out.open(encoding="ascii", errors="replace") as lines:
        return judged(lines)


def test_every_audit_row_is_synced_before_its_pulse(tmp_path: Path) -> None:
    trace = trace_of(tmp_path, "")

    assert (trace.pulses, trace.early) == (2 * ROUNDS, [])


@pytest.mark.parametrize("careless", ["order", "normal"])
def test_a_pulse_before_its_audit_row_would_be_seen(tmp_path: Path, careless: str) -> None:
    trace = trace_of(tmp_path, careless)

    assert len(trace.early) >= 2 * ROUNDS
