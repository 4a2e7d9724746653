"""The sizing page: what hub and broker need for 350, 10,000 and 500,000 points, computed from measured figures.

    sizing.py [--check]     writes SIZING.md out of measured.json; --check only compares

Measured: packaging/hub/measure.py. Assumed: the constants below; change them for another district and run it again.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
FIGURES, PAGE = FOLDER / "measured.json", FOLDER / "SIZING.md"
POINTS = (350, 10_000, 500_000)
PLACES = ("district", "city", "nation")
PARCELS_PER_DAY = 200  # of one point; a busy one has 300
FACTS_PER_PARCEL = 10  # arrived, two openings of a door, deposited, picked up, and what happens beside
PEAK = 20  # the morning against the average: all parcels of a day come out of one van
ASK_EVERY_S = 60  # an idle point asks (sync/rhythm.py)
BUSY = 0.6  # of a core a worker may use in the peak: a queue grows without end towards 1
DAYS_OFFLINE = 7  # after which a whole place comes back at once
DAY_S = 86_400
YEAR = 365
CITY_KIND = {"district": "sqlite", "city": "postgresql", "nation": "postgresql"}


@dataclass(frozen=True, slots=True)
class Size:
    """One column of the table. Units stand in the names; rates are per second."""

    place: str
    points: int
    facts_per_day: int
    facts_average: float
    facts_peak: float
    messages_average: float
    messages_peak: float
    kib_peak: float
    workers: int
    cores: float
    disk_gib_per_year: float
    backlog_hours: float
    worker_mib: float


def message_us(day: dict[str, Any], sites: int) -> float:
    """Microseconds of hub CPU for one message of a trickle run: each point also came, asked once, and left."""
    return float(day["hub_cpu_us_per_batch"] * day["batches"] / (day["batches"] + 3 * sites))


def size(place: str, points: int, figures: dict[str, Any]) -> Size:
    """Compute one column."""
    costs = figures.get(CITY_KIND[place]) or figures["sqlite"]
    day, backlog = costs["trickle"], costs["drain"]
    per_day = points * PARCELS_PER_DAY * FACTS_PER_PARCEL
    facts = per_day / DAY_S
    asks = points / ASK_EVERY_S
    peak = PEAK * facts
    cores_peak = (peak + asks) * message_us(day, figures["sites"]) / 1e6
    workers = max(1, math.ceil(cores_peak / BUSY))
    offline = per_day * DAYS_OFFLINE
    idle_kib = costs["hub_idle_kib"] / figures["sites"] * points / workers
    return Size(
        place=place,
        points=points,
        facts_per_day=per_day,
        facts_average=facts,
        facts_peak=peak,
        messages_average=facts + asks,
        messages_peak=peak + asks,
        kib_peak=peak * day["bytes_per_fact"] / 1024,
        workers=workers,
        cores=cores_peak,
        disk_gib_per_year=per_day * YEAR * costs["disk_bytes_per_fact"] / 2**30,
        backlog_hours=offline * backlog["hub_cpu_us_per_fact"] / 1e6 / workers / BUSY / 3600,
        worker_mib=max(costs["hub_peak_kib"], idle_kib) / 1024,
    )


ROWS = (
    ("points = connections at the broker", lambda s: f"{s.points:,}"),
    ("facts a day", lambda s: f"{s.facts_per_day:,}"),
    ("facts a second, average", lambda s: f"{s.facts_average:,.0f}"),
    (f"facts a second, peak (x{PEAK})", lambda s: f"{s.facts_peak:,.0f}"),
    (f"messages up a second, average (and a question every {ASK_EVERY_S} s)", lambda s: f"{s.messages_average:,.0f}"),
    ("messages up a second, peak; as many answers down", lambda s: f"{s.messages_peak:,.0f}"),
    ("KiB a second of facts, peak, before TLS", lambda s: f"{s.kib_peak:,.0f}"),
    ("cores of hub workers in the peak", lambda s: f"{s.cores:,.2f}"),
    (f"hub workers at {BUSY:.0%} of a core", lambda s: f"{s.workers:,}"),
    ("MiB of memory of a worker", lambda s: f"{s.worker_mib:,.0f}"),
    ("database, GiB a year", lambda s: f"{s.disk_gib_per_year:,.0f}"),
    (f"hours to take in {DAYS_OFFLINE} days of all points at once", lambda s: f"{s.backlog_hours:,.1f}"),
)  # fmt: skip


def page(figures: dict[str, Any]) -> str:
    """The whole page as Markdown."""
    sizes = [size(place, points, figures) for place, points in zip(PLACES, POINTS, strict=True)]
    lines = [
        "# How large a hub must be",
        "",
        "Written by `packaging/hub/sizing.py` out of `measured.json`; do not edit. Measure on your own machine with",
        "`packaging/hub/measure.py`, then run `packaging/hub/sizing.py` again.",
        "",
        f"Assumed: {PARCELS_PER_DAY} parcels a day and point, {FACTS_PER_PARCEL} facts a parcel, a peak of {PEAK}",
        "times the average, every fact in a message of its own (the dearest way; a backlog travels 200 in one).",
        "",
        "| | " + " | ".join(each.place for each in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for name, text in ROWS:
        lines.append(f"| {name} | " + " | ".join(text(each) for each in sizes) + " |")
    return "\n".join([*lines, "", *_measured(figures), "", *_advice()]) + "\n"


def _measured(figures: dict[str, Any]) -> list[str]:
    lines = [
        "## Measured",
        "",
        f"{figures['sites']:,} simulated points with real envelopes, one hub worker, Mosquitto and database on one",
        f"machine with {figures['cores']} shared cores; durable commits. `drain`: a backlog, 50 facts in a batch;",
        "`trickle`: one fact in a batch at a steady rate.",
        "",
        "| | facts/s | batches/s | bytes/fact | answer p50 / p99, ms | CPU us/fact | CPU us/batch | disk bytes/fact |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in ("sqlite", "postgresql"):
        for run in ("drain", "trickle") if kind in figures else ():
            one = figures[kind][run]
            disk = f"{figures[kind]['disk_bytes_per_fact']:,.0f}" if run == "drain" else ""
            lines.append(
                f"| {kind}, {run} | {one['facts_per_s']:,.0f} | {one['batches_per_s']:,.0f} "
                f"| {one['bytes_per_fact']:.0f} | {one['ack_ms_p50']} / {one['ack_ms_p99']} "
                f"| {one['hub_cpu_us_per_fact']:,.0f} | {one['hub_cpu_us_per_batch']:,.0f} | {disk} |"
            )
    return lines


def _advice() -> list[str]:
    return [
        "## What the table does not say",
        "",
        "- The cost of a message is that of a trickle run over its batches, one question and two signs of presence of",
        "  each point; answers to the hub's own batches are in it unseen. It is an upper one: in a trickle most",
        "  messages have a commit of their own, while a busy worker takes up to 16 batches in one (see `drain`).",
        "- Disk counts tables and indexes of all facts and projections, without the server's own log and backups.",
        "- The column `nation` is arithmetic, not a run: no machine of ours holds 500,000 connections. What was run is",
        "  10,000 points on Mosquitto and the drill on a cluster of three nodes (`make cluster`).",
        "- One database and one disk are no place for a nation's peak. Give each province a database and a hub; its",
        "  topics and keys stay as they are, and the column becomes many columns `city`.",
        "- TLS at the broker is not in it; its memory for each connection has to be measured where it runs.",
    ]


def main() -> int:
    text = page(json.loads(FIGURES.read_text("utf-8")))
    if "--check" in sys.argv[1:]:
        is_same = PAGE.exists() and PAGE.read_text("utf-8") == text
        print("SIZING.md is up to date" if is_same else "SIZING.md is not that of measured.json: run sizing.py")
        return 0 if is_same else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
