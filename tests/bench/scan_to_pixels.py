"""From scan bytes on the gun's terminal to changed pixels in the frame, at intake, while a backlog drains to the hub.

The kiosk is the real program with 100,000 parcels in its database and a window drawn offscreen. A scan counts as
answered when a frame that shows this very parcel on its place has been drawn and read back from GL. Quiet passes with
the line cut and passes while a backlog drains take turns in one run: the drain must not be felt.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import point_store
from district_bench import BenchStand, log_in
from process import cpu_s
from table import Figure, Rounds, percentile

PARCELS = 100_000
WANTED_MS = 100.0  # p99, the order
DISTURBED = 1.5  # p99 while a backlog drains against the quiet one, the order
ANSWER_S = 5.0
ROUND = 40  # scans in one pass; a drain may end before
SPARE = 400  # parcels for warming up and for drains that end early
SETTLE_S = 2.0  # after writing a backlog: checkpoints, pages freed
NEARLY_EMPTY = 2_000  # facts: a drain is over
PAUSE_S = 0.12  # between an answer and the next scan: somebody takes the next parcel


@dataclass(slots=True)
class Times:
    """Milliseconds per scan."""

    first: list[float]  # until any pixel of the middle changed
    stored: list[float]  # until the frame showed the parcel on its place

    def __iadd__(self, others: Times) -> Times:
        self.first += others.first
        self.stored += others.stored
        return self


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    parcels, wanted, facts = (20_000, 60, 40_000) if quick else (PARCELS, 240, 120_000)
    stand = BenchStand(folder / "d")
    try:
        stand.open_district()
        _fill(stand, parcels, 2 * wanted + SPARE)
        stand.start_broker()
        stand.start_hub()
        stand.start_sim()
        stand.enrol()
        driver = stand.start_watched_kiosk()
        stand.cut_line()
        log_in(driver)
        numbers = iter(range(2 * wanted + SPARE))
        _scan_all(stand, islice(numbers, 10))  # warm: fonts, caches
        passes = _Passes(stand, numbers, facts)
        while len(passes.draining.stored) < wanted:
            passes.one(min(ROUND, wanted))
        driver.close()
    finally:
        stand.close()
    return [*_figures(passes, parcels), _disturbed(passes)]


class _Passes:
    """In turns: a backlog grows and is still, then it drains; scans in both, so that a busy machine hits both alike."""

    def __init__(self, stand: BenchStand, numbers: Iterator[int], facts: int) -> None:
        self.quiet, self.draining = Times([], []), Times([], [])
        self.rates: list[float] = []  # facts a second, of each drain
        self.busy: list[float] = []  # of a core, the kiosk
        self._stand = stand
        self._numbers = numbers
        self._facts = facts
        self._written = 0

    def one(self, scans: int) -> None:
        """A quiet pass, then as many scans while a backlog drains; the line is cut at its end."""
        stand = self._stand
        stand.add_backlog(self._written, self._facts)
        self._written += self._facts
        time.sleep(SETTLE_S)
        self.quiet += _scan_all(stand, islice(self._numbers, scans))
        stand.restore_line()
        before = stand.pending()
        while stand.pending() > before - 1_000:
            time.sleep(0.02)
        cpu, began, left = cpu_s(stand.programs.pid("kiosk")), time.monotonic(), stand.pending()
        done = 0
        while done < scans and (now := stand.pending()) > NEARLY_EMPTY:
            self.draining += _scan_all(stand, islice(self._numbers, 1))
            done += 1
        spent = time.monotonic() - began
        self.rates.append((left - now) / spent)
        self.busy.append((cpu_s(stand.programs.pid("kiosk")) - cpu) / spent)
        stand.cut_line()


def _fill(stand: BenchStand, parcels: int, scans: int) -> None:
    stand.build_shelves(scans + 50)
    store = stand.store()
    try:
        point_store.expect(store, 0, parcels)
    finally:
        store.close()


def _scan_all(stand: BenchStand, numbers: Iterable[int]) -> Times:
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


def _disturbed(passes: _Passes) -> Figure:
    draining, quiet = (Rounds((percentile(each.stored, 0.99),)) for each in (passes.draining, passes.quiet))
    p50 = [percentile(each.stored, 0.5) for each in (passes.draining, passes.quiet)]
    note = (
        f"p50 {p50[0]:.0f} ms against {p50[1]:.0f} ms with the line cut; {len(passes.quiet.stored)} quiet scans and "
        f"{len(passes.draining.stored)} draining, in {len(passes.rates)} turns; drained {min(passes.rates):.0f} to "
        f"{max(passes.rates):.0f} facts/s meanwhile"
    )
    return Figure("scan_to_pixels draining", "ms", draining, quiet, at_most=DISTURBED, note=note)


def _figures(passes: _Passes, parcels: int) -> list[Figure]:
    asked, times, busy = Rounds((WANTED_MS,)), passes.draining, sum(passes.busy) / len(passes.busy)
    extra = {
        "p50": percentile(times.stored, 0.5),
        "first_p50": percentile(times.first, 0.5),
        "first_p99": percentile(times.first, 0.99),
        "max": max(times.stored),
        "drained": passes.rates,
        "kiosk_cpu": busy,
    }
    note = (
        f"{len(times.stored)} scans, {parcels} parcels, while a backlog drains; "
        f"p50 {extra['p50']:.0f} ms, max {extra['max']:.0f} ms; kiosk used {busy:.0%} of a core"
    )
    first = f"any answer in the frame (the hourglass); p50 {extra['first_p50']:.0f} ms; told, not judged"
    p99 = Rounds((percentile(times.stored, 0.99),))
    return [
        Figure("scan_to_pixels p99", "ms", p99, asked, at_most=1.0, note=note, extra=extra),
        Figure("scan_to_first_pixels p99", "ms", Rounds((percentile(times.first, 0.99),)), asked, note=first),
    ]
