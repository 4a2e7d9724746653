"""A run of the simulation: points over connections, facts at a rate or all at once, until the hub has confirmed them.

Also what is checked afterwards in the hub's own database: of every point each fact once, in order, and the same digest.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.model import EventId, SiteCode
from sync.hub.simulation.carrier import Carrier, Counts, Outside, ended
from sync.hub.simulation.point import SimulatedPoint
from sync.hub.store import HubStore
from sync.mqtt import Broker
from sync.relay import digest

TICK_S = 0.05  # how often facts happen, when they happen at a rate
KIB_PER_MIB = 1024
FACTS_OF_RUN = "SELECT event, seq FROM fact WHERE site = ? AND log_id = ? ORDER BY seq, event"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play. `facts` of each point; `rate` of all together in facts per second, 0: all are there at once."""

    run: str
    facts: int
    connections: int
    rate: float
    seconds: float


class Simulation:
    """All points of a run."""

    def __init__(self, plan: Plan, broker: Broker, keys: dict[SiteCode, bytes], outside: Outside) -> None:
        self._plan = plan
        self._outside = outside
        self.counts = Counts()
        self.points = [SimulatedPoint(site, key, plan.run, outside.dice, outside.timing) for site, key in keys.items()]
        groups = [self.points[number :: plan.connections] for number in range(plan.connections)]
        self._carriers = [
            Carrier(number, broker, group, self.counts, outside) for number, group in enumerate(groups) if group
        ]
        self._of = {point.site: self._carriers[at % plan.connections] for at, point in enumerate(self.points)}
        self.took_s = 0.0

    @property
    def acknowledged(self) -> int:
        """Facts that the hub has confirmed, of all points."""
        return sum(point.confirmed for point in self.points)

    async def run(self) -> bool:
        """Play; tell whether everything was confirmed in time. Errors: none of the line, it is tried again."""
        began = self._outside.ms()
        tasks = [asyncio.create_task(carrier.run(), name="carrier") for carrier in self._carriers]
        happen = asyncio.create_task(self._happen(began), name="facts")
        try:
            while not (self._is_done(happen) or self._is_late(began)):
                await asyncio.sleep(TICK_S)
                for task in (*tasks, happen):
                    if task.done() and not task.cancelled():
                        task.result()
        finally:
            self.took_s = (self._outside.ms() - began) / 1000
            await ended([happen, *tasks])
        return self._is_done(happen)

    def _is_done(self, happen: asyncio.Task[None]) -> bool:
        return happen.done() and not happen.cancelled() and all(point.pending == 0 for point in self.points)

    def _is_late(self, began: int) -> bool:
        return self._outside.ms() - began > 1000 * self._plan.seconds

    async def _happen(self, began: int) -> None:
        """Let facts happen: all at once, or in turn over the points."""
        plan = self._plan
        if plan.rate == 0:
            for point in self.points:
                point.head = plan.facts
                self._of[point.site].wake(point.site)
            return
        total, made = plan.facts * len(self.points), 0
        while made < total:
            due = min(total, int(plan.rate * (self._outside.ms() - began) / 1000))
            for number in range(made, due):
                point = self.points[number % len(self.points)]
                point.head += 1
                self._of[point.site].wake(point.site)
            made = max(made, due)
            await asyncio.sleep(TICK_S)

    def figures(self) -> dict[str, Any]:
        """What was seen, in JSON."""
        counts = self.counts
        facts = sum(point.head for point in self.points)
        ordered = sorted(counts.latencies_ms)
        return {
            "run": self._plan.run,
            "sites": len(self.points),
            "connections": len(self._carriers),
            "lines_opened": counts.lines,
            "facts": facts,
            "acknowledged": self.acknowledged,
            "seconds": round(self.took_s, 2),
            "facts_per_s": round(self.acknowledged / max(self.took_s, 0.001), 1),
            "batches": counts.batches,
            "batches_per_s": round(counts.batches / max(self.took_s, 0.001), 1),
            "bytes_per_fact": round(counts.bytes_up / max(1, self.acknowledged), 1),
            "ack_ms_p50": _quantile(ordered, 0.50),
            "ack_ms_p99": _quantile(ordered, 0.99),
            "refused": {
                "by_broker": counts.refusals,
                "by_hub": sum(point.refused for point in self.points),
                "unreadable": counts.unreadable,
            },
            "down_facts": sum(point.down_facts for point in self.points),
            "memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB, 1),
        }


def check(store: HubStore, points: Sequence[SimulatedPoint], run: str) -> dict[str, Any]:
    """Hold every point against the hub's database. Shape: `wrong` names the first points that differ, and how."""
    wrong: list[str] = []
    held = 0
    for point in points:
        events, seqs = _held(store, point.site, run)
        held += len(events)
        if (fault := _fault(point, events, seqs)) is not None:
            wrong.append(f"{point.site}: {fault}")
    return {"held": held, "equal": not wrong, "wrong_sites": len(wrong), "wrong": wrong[:10]}


def _held(store: HubStore, site: SiteCode, run: str) -> tuple[list[EventId], list[int]]:
    with store.reading() as tx:
        rows = list(tx.rows(FACTS_OF_RUN, (site, f"sim-{run}")))
    return [EventId(row["event"]) for row in rows], [int(row["seq"]) for row in rows]


def _fault(point: SimulatedPoint, events: list[EventId], seqs: list[int]) -> str | None:
    if len(set(events)) != len(events):
        return "a fact is held twice"
    if seqs != list(range(1, len(seqs) + 1)):
        return "a fact is missing, doubled or out of order"
    if len(events) < point.confirmed:
        return f"{point.confirmed} facts were confirmed, {len(events)} are held"
    if len(events) != point.head:
        return f"{point.head} facts happened, {len(events)} are held"
    return None if digest(events) == point.digest() else "the digests differ"


def _quantile(ordered: Sequence[int], share: float) -> int | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
