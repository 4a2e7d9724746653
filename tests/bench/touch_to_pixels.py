"""Ledger row R24: a touch is answered in pixels while the disk is slow, the scanner floods and the line is black.

The real program at intake, its window drawn offscreen. Another program holds the database for 300 ms, lets go for a
moment, and takes it again: every commit of the store waits as it would for a dying card. The gun sends codes as fast
as its wire carries them, known ones and rubbish by turns, and the broker is stopped in mid-connection. A touch counts
as answered when a frame with the button in its new state has been drawn and read back from GL.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import point_store
from district_bench import BenchStand, log_in
from table import Figure, Rounds, percentile

WANTED_MS = 100.0  # p99, the order
HELD_MS = 300  # the ledger's slow sync
FREE_S = 0.12  # SQLite looks again every 100 ms: in a shorter gap a commit may find it held for ever
PARCELS = 20_000
ANSWER_S = 10.0
PAUSE_S = 0.15
FLOOD_S = 0.03  # between two codes: 34 a second, more than a gun can read
TARGETS = ("shelf", "auto")
HOLDER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
while True:
    db.execute("BEGIN IMMEDIATE")
    time.sleep(float(sys.argv[2]))
    db.execute("ROLLBACK")
    time.sleep(float(sys.argv[3]))
"""


@dataclass(frozen=True, slots=True)
class Touched:
    """How long each touch took to be seen, and how many codes the gun sent meanwhile."""

    times_ms: list[float]
    codes: int


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    seen = touch(folder, 30 if quick else 120, HELD_MS / 1000)
    p50, p99 = percentile(seen.times_ms, 0.5), percentile(seen.times_ms, 0.99)
    note = (
        f"{len(seen.times_ms)} touches, {seen.codes} codes from the gun, each commit held up to {HELD_MS} ms, broker "
        f"stopped; p50 {p50:.0f} ms, max {max(seen.times_ms):.0f} ms (R24)"
    )
    extra = {"p50": p50, "max": max(seen.times_ms), "codes": seen.codes}
    return [
        Figure("touch_to_pixels p99", "ms", Rounds((p99,)), Rounds((WANTED_MS,)), at_most=1.0, note=note, extra=extra)
    ]


def touch(folder: Path, touches: int, held_s: float) -> Touched:
    """Touch a kiosk whose disk, scanner and line are at their worst. Errors: TimeoutError when it does not answer."""
    stand = BenchStand(folder / "d")
    with ExitStack() as undo:
        undo.callback(stand.close)
        stand.open_district()
        _fill(stand)
        stand.start_broker()
        stand.start_hub()
        stand.start_sim()
        stand.enrol()
        driver = stand.start_watched_kiosk()
        undo.callback(driver.close)
        log_in(driver)
        broker = stand.programs.pid("broker")
        os.kill(broker, signal.SIGSTOP)
        undo.callback(os.kill, broker, signal.SIGCONT)
        database = str(stand.folder / "point" / "point.db")
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, database, str(held_s), str(FREE_S)])
        undo.callback(holder.wait)
        undo.callback(holder.kill)
        flood = Flood(stand)
        undo.callback(flood.stop)
        time.sleep(1.0)
        times = []
        for number in range(touches):
            wanted = TARGETS[number % 2]
            stand.forget_seen()
            at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            driver.tap(f"intake.{wanted}", raw=True)
            times.append((_answered(stand, wanted) - at) / 1e6)
            time.sleep(PAUSE_S)
        return Touched(times, flood.sent)


def _fill(stand: BenchStand) -> None:
    stand.build_shelves(PARCELS)
    store = stand.store()
    try:
        point_store.expect(store, 0, PARCELS)
    finally:
        store.close()


def _answered(stand: BenchStand, wanted: str) -> int:
    while True:
        seen = stand.seen(ANSWER_S)
        if seen is None:
            raise TimeoutError(f"no answer on the screen to a touch within {ANSWER_S} s")
        if seen["target"] == wanted:
            return int(seen["at"])


class Flood:
    """A gun that never rests, in a thread of its own."""

    def __init__(self, stand: BenchStand) -> None:
        self._stand = stand
        self._over = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        while not self._over.wait(FLOOD_S):
            known = self.sent % 3 > 0
            self._stand.scan(point_store.waybill(self.sent * 37) if known else f"?{self.sent:09d}!")
            self.sent += 1

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
