"""Resident memory of the kiosk over many pick-ups: flat, or a leak that a village finds in a month.

The real program, its window, the simulated lock board whose doors shut at once. Each pick-up: a token is scanned, the
door opens, is seen shut, the thanks page shows; pages, facts and door moves as in the field. Before each look garbage
is collected and free heap given back to the kernel: what stays is held.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import point_store
import sample
from district_bench import BenchStand
from table import Figure, Rounds, slope

CELLS = 24
STEP = 100
OLDER = 20_000  # parcels announced before
# A busy point hands out 150 parcels a day. 200 KB per 100 would be 9 MB in a month without a restart, on a board with
# 1 GB; less than that drowns in the allocator's own noise over a thousand pick-ups.
WANTED_KB = 200.0
ONE_S = 20.0
LOOK_S = 0.02


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    warm, total = (48, 192) if quick else (192, 1_008)
    looks = 1 if quick else 4  # per step; the least of them: what a page or a frame in the making holds is not counted
    stand = BenchStand(folder / "d")
    stand.environment["BENCH_QUICK_BOARD"] = "1"  # the same pages, facts and frames in less time
    points: list[tuple[float, float]] = []
    objects: list[tuple[float, float]] = []
    seen: list[tuple[int, int]] = []
    try:
        stand.open_district()
        _fill(stand)
        stand.start_broker()
        stand.start_hub()
        stand.start_sim()
        stand.enrol()
        driver = stand.start_watched_kiosk()
        for board in sample.BOARDS:
            stand.poke(board, "auto_close", "0")
        hands = Hands(stand)
        began = time.monotonic()
        done = 0
        while done < total:
            for token in stand.stock(done, CELLS):
                hands.pick_up(token)
            done += CELLS
            driver.tap("thanks.done")
            driver.wait("home")  # the same page at each look: one of another kind holds some MB more or less
            if done >= warm:
                held = stand.settle()
                seen.append((held["rss_kb"], held["objects"]))
            if len(seen) == looks:
                points.append((done / STEP, min(kb for kb, _ in seen)))
                objects.append((done / STEP, min(n for _, n in seen)))
                seen.clear()
        spent = time.monotonic() - began
        hands.close()
        driver.close()
    finally:
        stand.close()
    rise = slope(points)
    first, last = points[0][1] / 1024, points[-1][1] / 1024
    note = (
        f"RSS {first:.1f} MB after {warm}, {last:.1f} MB after {total} pick-ups ({spent / total:.2f} s each), "
        f"Python objects {slope(objects):+.0f} per {STEP}; "
        "limit: 9 MB in a month without a restart"
    )
    extra = {"pick_ups": [round(x * STEP) for x, _ in points], "rss_kb": [kb for _, kb in points]}
    extra["objects"] = [n for _, n in objects]
    return [
        Figure(
            "memory per 100 pick-ups", "KB", Rounds((rise,)), Rounds((WANTED_KB,)), at_most=1.0, note=note, extra=extra
        )
    ]


def _fill(stand: BenchStand) -> None:
    """A point that is some months old: SQLite's pages in memory, at most 2 MB of them, are as many as they can be."""
    store = stand.store()
    try:
        point_store.expect(store, 10 * OLDER, OLDER)
    finally:
        store.close()


class Hands:
    """Shuts each door as soon as the point has seen it open, and knows when the parcel has left."""

    def __init__(self, stand: BenchStand) -> None:
        self._stand = stand
        self._db = sqlite3.connect(f"file:{stand.folder / 'point' / 'point.db'}?mode=ro", uri=True)

    def pick_up(self, token: str) -> None:
        self._stand.forget_seen()
        self._stand.scan(f"VP1:{token}")
        opened = self._until("SELECT cell FROM opening WHERE closed = 0 AND outcome = 'open'")
        self._stand.at_cell(opened, "close_door")
        self._until("SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM parcel WHERE token = ?)", token)
        while (seen := self._stand.seen(1.0)) is not None and seen["screen"] != "thanks":
            continue

    def _until(self, sql: str, *values: str) -> int:
        end = time.monotonic() + ONE_S
        while time.monotonic() < end:
            row = self._db.execute(sql, values).fetchone()
            if row is not None:
                return int(row[0])
            time.sleep(LOOK_S)
        raise TimeoutError(f"a pick-up did not go on within {ONE_S} s")

    def close(self) -> None:
        self._db.close()
