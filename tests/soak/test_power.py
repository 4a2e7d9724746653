"""Power: programs killed at any instant, a file system that stops dead, and how soon the point is usable again."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.sim.host import Host, Terminal
from drivers.sim.lock_board import Cabinet
from tests.soak.judge import judged
from tests.soak.ledger import Ledger
from tests.soak.recorder import ROOT
from tests.soak.shift import CELLS
from tests.stories.invariants import WitnessBoard

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN; 2: what is not on the medium yet is lost
NOLOGFLUSH = struct.pack("I", 2)
USABLE_S = 60.0


class Shift:
    """A program that works with the real flows until it is killed; it tells each confirmed fact."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.confirmed = 0
        self.restart_s: list[float] = []

    async def killed_after(self, seconds: float, *, at_work: bool) -> None:
        """Kill after so many seconds, counted from when the point is usable, or from the very start."""
        began = time.monotonic()
        reading = asyncio.create_task(self._listen(began))
        try:
            while at_work and not self.restart_s:
                await asyncio.sleep(0.01)
            await asyncio.sleep(seconds)
        finally:  # also when it is not usable in time: nothing is left running
            self._process.kill()
        await self._process.wait()
        await reading

    async def _listen(self, began: float) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line == b"usable\n":
                self.restart_s.append(time.monotonic() - began)
            elif line.strip().isdigit():
                self.confirmed = int(line)


async def kills(folder: Path, number: int, dice: random.Random) -> tuple[Counter[str], WitnessBoard, int, float]:
    """Kill a terminal so many times over the same data; returns what was broken, the board, facts, slowest restart."""
    board = WitnessBoard(Cabinet(CELLS, auto_close_s=0.05), folder)
    port = folder.with_name("port")
    host = Host([Terminal("locker", board, port)], None)
    await host.start()
    bad: Counter[str] = Counter()
    confirmed, slowest = 0, 0.0
    try:
        for turn in range(number):
            order = json.dumps({"folder": str(folder), "port": str(port), "turn": turn})
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.soak.shift", order,
                cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            shift = Shift(process)
            await asyncio.wait_for(shift.killed_after(dice.uniform(0, 0.8), at_work=turn % 4 != 3), 60)
            confirmed = max(confirmed, shift.confirmed)
            slowest = max(slowest, *shift.restart_s, 0)
            await asyncio.sleep(0.05)
            bad.update(judged(folder, confirmed, board.sent))
            bad["unaudited"] += len(board.unaudited)
            board.unaudited.clear()
    finally:
        await host.stop()
    return +bad, board, confirmed, slowest


def test_no_kill_of_the_working_terminal_breaks_anything(
    tmp_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    number = count(8, 1500)

    bad, board, facts, slowest = asyncio.run(kills(tmp_path / "data", number, random.Random(3)))

    ledger.note("R3", "kill -9", number, bad.total(), kills=number, facts=facts)
    ledger.note("R1", "kill -9", number, sum(n for what, n in bad.items() if what.startswith("lost")))
    ledger.note("R6", "kill -9", number, sum(n for what, n in bad.items() if what.startswith(("cell", "ghost"))))
    ledger.note("R5", "kill -9", number, bad["paid_twice"])
    ledger.note("R9", "kill -9", number, bad["double_pulse"])
    ledger.note("R8", "kill -9", number, bad["unaudited"], pulses_witnessed=board.sent.total())
    ledger.note("R25", "kill -9", number, int(slowest > USABLE_S), slowest_restart_ms=round(1000 * slowest))
    assert bad == {}
    assert facts > 20
    assert slowest < USABLE_S


# --- power cuts on ext4 -------------------------------------------------------------------------------------------


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def cut(image: Path, folder: Path, synchronous: str, seconds: float, turn: int) -> int:
    """Let a writer work on the file system and stop it dead. Returns the last fact that was confirmed."""
    told = b""
    with mounted(image, folder):
        words = [
            "tests.soak.writer",
            str(folder / "data"),
            synchronous,
            "100000",
            str(turn),
            "tells",
            f"{turn * 10_000}",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        until = None
        while until is None or time.monotonic() < until:
            ready, _, _ = select.select([process.stdout], [], [], 0.02)
            if ready:
                told += os.read(process.stdout.fileno(), 65536)
                until = until or time.monotonic() + seconds
            assert process.poll() is None
        handle = os.open(folder, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, NOLOGFLUSH)
        os.close(handle)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read()
        process.wait()
        process.stdout.close()
    lines = told[: told.rfind(b"\n") + 1].split()
    return int(lines[-1]) if lines else 0


def cuts(tmp_path: Path, number: int, synchronous: str) -> tuple[Counter[str], int]:
    image, folder = tmp_path / "card.img", tmp_path / "card"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(192 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    dice = random.Random(1)
    bad: Counter[str] = Counter()
    confirmed = 0
    for turn in range(number):
        confirmed = cut(image, folder, synchronous, dice.uniform(0.1, 0.8), turn)
        with mounted(image, folder):
            found = judged(folder / "data", confirmed)
            bad.update(each.split()[0] for each in found)
            if turn % 20 == 19 or found:
                shutil.rmtree(folder / "data", ignore_errors=True)
    return bad, confirmed


@pytest.mark.root
@pytest.mark.soak
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for loop mounts")
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="no mkfs.ext4")
@pytest.mark.timeout(7200)
def test_a_file_system_that_stops_dead_loses_nothing_that_was_confirmed(tmp_path: Path, ledger: Ledger) -> None:
    number = int(os.environ.get("VP_CUTS", "150"))

    bad, _ = cuts(tmp_path, number, "FULL")

    ledger.note("R1", "ext4 power cuts", number, bad["lost"], power_cuts=number)
    ledger.note("R2", "ext4 power cuts", number, bad.total() - bad["lost"])
    assert bad == {}


@pytest.mark.root
@pytest.mark.soak
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for loop mounts")
@pytest.mark.timeout(3600)
def test_the_same_cuts_show_what_a_weaker_setting_loses(tmp_path: Path) -> None:
    bad, _ = cuts(tmp_path, 15, "NORMAL")

    assert bad["lost"] > 0
