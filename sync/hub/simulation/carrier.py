"""One MQTT connection that carries many simulated points: subscribes for them, sends what they have, hears answers.

A real terminal has a line of its own; here one machine plays thousands. At most SLOTS batches of one connection wait
for their answers, so that a hub that is slower than its points is not asked for more than it can remember.
"""

from __future__ import annotations

import asyncio
import logging
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from edge.model import SiteCode
from sync.hub.simulation.point import SimulatedPoint
from sync.mqtt import Broker, Connection, LineLost, Will
from sync.rhythm import Rhythm, Timing
from sync.silence import Silence
from sync.strict import BadBatch
from sync.together import together
from sync.wire import Presence, Topics, encode_presence, split_topic

SLOTS = 8
TOPICS_AT_ONCE = 120
SWEEP_S = 1.0  # how often points are looked at whose answer is overdue or whose rest is over
LATENCIES = 1_000_000  # kept at most, 4 bytes each
VERSION = "simulation"
FAREWELL_S = 5.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What all carriers of a run have seen, together."""

    latencies_ms: array[int] = field(default_factory=lambda: array("I"))
    batches: int = 0
    bytes_up: int = 0
    lines: int = 0  # connections that were opened, the first ones among them
    unreadable: int = 0
    refusals: int = 0  # publications that the broker refused

    def took(self, latencies: Sequence[int]) -> None:
        """Batches were confirmed."""
        self.batches += len(latencies)
        if len(self.latencies_ms) < LATENCIES:
            self.latencies_ms.extend(latencies)


class Carrier:
    """The task. `wake(site)` when a point has more to send."""

    def __init__(
        self, number: int, broker: Broker, points: Sequence[SimulatedPoint], counts: Counts, outside: Outside
    ) -> None:
        self._client_id = f"vp-simulation-{number}"
        self._broker = broker
        self._points = {point.site: point for point in points}
        self._counts = counts
        self._outside = outside
        self._ready: deque[SiteCode] = deque()
        self._is_ready: set[SiteCode] = set()
        self._waits: set[SiteCode] = set()  # with something on its way
        self._kick = asyncio.Event()
        self._silence = Silence(len(broker.host.split()))
        self._heard_at = 0

    def wake(self, site: SiteCode) -> None:
        """Look at this point soon."""
        if site not in self._is_ready:
            self._is_ready.add(site)
            self._ready.append(site)
        self._kick.set()

    async def run(self) -> None:
        """Keep the line until cancelled."""
        retry = Rhythm(self._outside.dice, self._outside.timing)
        will = Will("vp/hub/simulation", b"")  # nobody listens
        while True:
            try:
                connect_s, turn = self._outside.timing.connect_s, self._silence.turn
                async with Connection(self._broker, self._client_id, will, connect_s, turn) as line:
                    self._counts.lines += 1
                    retry.begin()
                    await self._serve(line, will)
            except LineLost as error:
                log.debug("a line of the simulation is lost: %s", error)
            retry.rest(self._outside.ms())
            await asyncio.sleep(retry.next_s(self._outside.ms()))

    async def _serve(self, line: Connection, will: Will) -> None:
        topics = [topic for site in self._points for topic in (Topics(site).up_ack, Topics(site).down)]
        for first in range(0, len(topics), TOPICS_AT_ONCE):
            await line.subscribe(topics[first : first + TOPICS_AT_ONCE])
        self._waits.clear()
        self._heard_at = self._outside.ms()
        for site, point in self._points.items():
            point.begin()
            self.wake(site)
        refused = line.refusals
        try:
            await together("carrier", listen=self._listen(line), pump=self._pump(line), sweep=self._sweep(line))
        except asyncio.CancelledError:
            for site in self._points:
                line.publish(Topics(site).state, encode_presence(Presence(False, VERSION)), retain=True)
            await line.farewell(will.topic, will.payload, FAREWELL_S)
            raise
        finally:
            self._counts.refusals += line.refusals - refused

    async def _listen(self, line: Connection) -> None:
        while True:
            message = await line.next_message()
            named = split_topic(message.topic)
            point = self._points.get(named[0]) if named is not None else None
            if named is not None and point is not None:
                self._hear(line, point, named[1], message.payload)
            line.done(message)

    def _hear(self, line: Connection, point: SimulatedPoint, channel: str, payload: bytes) -> None:
        if channel == "down":
            line.publish(Topics(point.site).down_ack, point.on_down(payload), retain=True)
            return
        try:
            self._heard_at = self._outside.ms()
            self._silence.answered()
            self._counts.took(point.on_ack(payload, self._outside.ms()))
        except BadBatch:
            self._counts.unreadable += 1
        self._waits.discard(point.site)
        self.wake(point.site)

    async def _pump(self, line: Connection) -> None:
        for site in self._points:
            presence = Presence(True, VERSION, self._points[site].pending)
            line.publish(Topics(site).state, encode_presence(presence), retain=True)
        while True:
            while self._ready and len(self._waits) < SLOTS:
                site = self._ready.popleft()
                self._is_ready.discard(site)
                self._send(line, self._points[site])
                await asyncio.sleep(0)
            self._kick.clear()
            if not self._ready or len(self._waits) >= SLOTS:
                await self._kick.wait()

    def _send(self, line: Connection, point: SimulatedPoint) -> None:
        now = self._outside.ms()
        while (packed := point.outgoing(now)) is not None:
            line.publish(Topics(point.site).up, packed)
            self._counts.bytes_up += len(packed)
            self._waits.add(point.site)

    async def _sweep(self, line: Connection) -> None:
        """Wake whose answer is overdue or whose rest is over."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._outside.ms()
            if self._is_silent(now):
                line.lose("nobody answers at this node")
            for site, point in self._points.items():
                if point.rhythm.wants_sign_of_life(now):
                    point.ask()
                    self.wake(site)
                elif not point.pending and not point.rhythm.is_overdue(now):
                    self._waits.discard(site)
                elif site not in self._is_ready and (site not in self._waits or point.rhythm.is_overdue(now)):
                    self._waits.discard(site)
                    self.wake(site)

    def _is_silent(self, now: int) -> bool:
        """Whether the line is to be given up: as long as a time-out, nobody has answered any of the points."""
        if not self._waits:
            self._heard_at = now
        if now - self._heard_at < 1000 * self._outside.timing.answer_s:
            return False
        self._heard_at = now
        return self._silence.is_too_long()


@dataclass(frozen=True, slots=True)
class Outside:
    """What comes from the root: monotonic milliseconds, dice from 0 up to 1, and how patient points are."""

    ms: Callable[[], int]
    dice: Callable[[], float]
    timing: Timing = field(default_factory=Timing)


async def ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for them; an error of one of them travels."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
