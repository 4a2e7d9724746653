"""The terminal that waits: what the kernel charged it while nobody touches it and every device of a rich point is on.

The real kiosk, its window drawn offscreen, standby, the line to a real hub. The devices are simulated in another
process, whose time is not counted: two lock boards of two makes, the LED display, a price display, two scanners, a
scale that streams, a printer. The limit is the order's number: two hundredths of one core.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

from district_bench import BenchStand
from process import cpu_s, thread_cpu_s
from table import Figure, Rounds

WANTED = 0.02  # of one core, the order
SETTLE_S, LOOK_S = 12.0, 30.0  # a window's first pages and a hub's first answers are over after some seconds


class RichStand(BenchStand):
    """The sample district with one device of every sort at its point."""

    def open_district(self) -> None:
        """Lay out files; the gun stays with the simulator."""
        self.lay_out()


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    stand = RichStand(folder / "d")
    try:
        stand.open_district()
        stand.start_broker()
        stand.start_hub()
        stand.start_sim()
        stand.enrol()
        stand.start_kiosk()
        pid = stand.programs.pid("kiosk")
        time.sleep(SETTLE_S)
        shares, threads = [], []
        for _ in range(1 if quick else 2):
            share, per_thread = looked_at(pid, LOOK_S / 2 if quick else LOOK_S)
            shares.append(share * 100)
            threads.append(per_thread)
        check_all_is_on(stand)
    finally:
        stand.close()
    busiest = ", ".join(f"{name} {share:.2%}" for name, share in sorted(threads[-1].items(), key=lambda t: -t[1])[:3])
    note = f"standby, eight devices answering, hub connected; {busiest}; limit: the order's number"
    asked = Rounds((WANTED * 100,))
    return [Figure("idle, all devices", "% CPU", Rounds(tuple(shares)), asked, at_most=1.0, note=note)]


def check_all_is_on(stand: RichStand) -> None:
    """What was measured is a terminal that rests and misses nothing, and no terminal that does nothing."""
    driver = stand.driver()
    standing = driver.screen()["screen"]
    driver.close()
    with sqlite3.connect(f"file:{stand.folder / 'point' / 'point.db'}?mode=ro", uri=True) as db:
        ill = [subject for (subject,) in db.execute("SELECT subject FROM alarm WHERE code = 'device_away'")]
        behind = db.execute("SELECT (SELECT max(seq) FROM fact) - seq FROM cursor WHERE name = 'up'").fetchone()[0]
    assert (standing, ill, behind) == ("standby", [], 0), (standing, ill, behind)


def looked_at(pid: int, seconds: float) -> tuple[float, Mapping[str, float]]:
    """Share of one core in this time, of the process and of its threads: the window's, and the others by number."""
    began, before, parts = time.monotonic(), cpu_s(pid), thread_cpu_s(pid)
    time.sleep(seconds)
    took = time.monotonic() - began
    threads = {
        "window" if thread == pid else f"thread {number}": (spent - parts.get(thread, 0)) / took
        for number, (thread, spent) in enumerate(sorted(thread_cpu_s(pid).items()), 1)
    }
    return (cpu_s(pid) - before) / took, threads
