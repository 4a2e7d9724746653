"""From scan bytes on the gun's terminal to changed pixels in the frame, at intake, while a backlog drains to the hub.

The kiosk is the real program with 100,000 parcels in its database and a window drawn offscreen. A scan counts as
answered when a frame that shows this very parcel on its place has been drawn and read back from GL. A quiet pass with
the line cut comes first: the drain must not be felt.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import point_store
from district_bench import BenchStand, log_in
from process import cpu_s
from table import Figure, Rounds, percentile

PARCELS = 100_000
WANTED_MS = 100.0  # p99, the order
DISTURBED = 1.5  # p99 while a backlog drains against the quiet one, the order
ANSWER_S = 5.0
PAUSE_S = 0.12  # between an answer and the next scan: somebody takes the next parcel


@dataclass(slots=True)
class Times:
    """Milliseconds per scan."""

    first: list[float]  # until any pixel of the middle changed
    stored: list[float]  # until the frame showed the parcel on its place


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    parcels, scans, calm = (20_000, 60, 60) if quick else (PARCELS, 240, 180)
    facts = 40_000 if quick else 160_000
    stand = BenchStand(folder / "d")
    try:
        stand.open_district()
        _fill(stand, parcels, calm + scans, facts)
        stand.start_broker()
        stand.start_hub()
        stand.start_sim()
        stand.enrol()
        driver = stand.start_watched_kiosk()
        stand.cut_line()
        log_in(driver)
        _scan_all(stand, range(10))  # warm: fonts, caches
        still = _scan_all(stand, range(10, 10 + calm))
        stand.restore_line()
        before = _pending(stand)
        while _pending(stand) > before - 1_000:
            time.sleep(0.05)
        cpu, began = cpu_s(stand.programs.pid("kiosk")), time.monotonic()
        times = _scan_all(stand, range(10 + calm, 10 + calm + scans))
        busy = (cpu_s(stand.programs.pid("kiosk")) - cpu) / (time.monotonic() - began)
        left = _pending(stand)
        driver.close()
    finally:
        stand.close()
    return [*_figures(times, parcels, (before, left), busy), _disturbed(times, still)]


def _fill(stand: BenchStand, parcels: int, scans: int, facts: int) -> None:
    store = stand.store()
    try:
        point_store.expect(store, 0, parcels)
        point_store.lay_shelves(store, scans + 50)
        point_store.backlog(store, facts)
    finally:
        store.close()


def _pending(stand: BenchStand) -> int:
    return int(json.loads(stand.point_command("status"))["pending"])


def _scan_all(stand: BenchStand, numbers: range) -> Times:
    times = Times([], [])
    for number in numbers:
        stand.forget_seen()
        wanted = point_store.waybill(number * 37)
        at = stand.scan(wanted)
        first = None
        while True:
            seen = stand.seen(ANSWER_S)
            if seen is None:
                raise TimeoutError(f"no answer on the screen to a scan within {ANSWER_S} s")
            first = first or seen["at"]
            if seen["waybill"] == wanted and seen["screen"] == "intake":
                break
        times.first.append((first - at) / 1e6)
        times.stored.append((seen["at"] - at) / 1e6)
        time.sleep(PAUSE_S)
    return times


def _disturbed(times: Times, still: Times) -> Figure:
    draining, quiet = (Rounds((percentile(each.stored, 0.99),)) for each in (times, still))
    note = (
        f"p50 {percentile(times.stored, 0.5):.0f} ms against {percentile(still.stored, 0.5):.0f} ms with the line cut"
    )
    return Figure("scan_to_pixels draining", "ms", draining, quiet, at_most=DISTURBED, note=note)


def _figures(times: Times, parcels: int, pending: tuple[int, int], busy: float) -> list[Figure]:
    asked = Rounds((WANTED_MS,))
    extra = {
        "p50": percentile(times.stored, 0.5),
        "first_p50": percentile(times.first, 0.5),
        "first_p99": percentile(times.first, 0.99),
        "max": max(times.stored),
        "pending": list(pending),
        "kiosk_cpu": busy,
    }
    note = (
        f"{len(times.stored)} scans, {parcels} parcels, pending facts {pending[0]} -> {pending[1]}; "
        f"p50 {extra['p50']:.0f} ms, max {extra['max']:.0f} ms; kiosk used {busy:.0%} of a core"
    )
    first = f"any answer in the frame (the hourglass); p50 {extra['first_p50']:.0f} ms; told, not judged"
    p99 = Rounds((percentile(times.stored, 0.99),))
    return [
        Figure("scan_to_pixels p99", "ms", p99, asked, at_most=1.0, note=note, extra=extra),
        Figure("scan_to_first_pixels p99", "ms", Rounds((percentile(times.first, 0.99),)), asked, note=first),
    ]
