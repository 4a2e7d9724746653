"""A scale on a link: its newest reading, a weighing per load, a tare. Frames are in drivers/wire/, rest in settling.py.

The tare is ours, not the instrument's: it works alike on every scale, and the instrument's display stays gross.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from drivers.base import (
    Clock,
    DeviceError,
    Garbled,
    Health,
    NoAnswer,
    NotThere,
    Refused,
    Settled,
    Status,
    Weighing,
    Weight,
)
from drivers.faults import Fault
from drivers.feed import Feed
from drivers.link import Link
from drivers.settling import Rest, Settling
from drivers.wire.scale import Reading, ScaleWire, Unfit

log = logging.getLogger(__name__)

MAX_WAITING = 64
RESTLESS_MS = 10_000  # a hand that lays something down is done sooner
STARTING_MS = 2_000  # the slowest stream sends two readings a second
NOISE_BYTES = 24  # a stream joined in the middle leaves less than a frame


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a scale is asked, in seconds, and what counts as rest."""

    poll_s: float = 0.1  # ten questions of 6 bytes a second fill a twentieth of 9600 baud, a third of 1200
    rest: Rest = field(default_factory=Rest)


USUAL = Rhythm()


class SerialScale:
    """`drivers.base.Scale` over a link and a codec."""

    def __init__(self, link: Link, wire: ScaleWire, clock: Clock, rhythm: Rhythm = USUAL) -> None:
        self.name = link.name
        self._link = link
        self._wire = wire
        self._clock = clock
        self._rhythm = rhythm
        self._settling = Settling(rhythm.rest)
        self._feed: Feed[Weight] = Feed(MAX_WAITING, keep_newest=True)
        self._stirred = asyncio.Event()
        self._tare_g = 0
        self._weighed = 0
        self._unfit = ""
        self._rested_ms: int | None = None  # when it last stood still
        self._started_ms = 0
        self._noise_from = 0  # the codec's count of bytes without a frame at the last reading
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and begin to listen."""
        if not self._tasks:
            self._started_ms = self._clock.ms()
            await self._link.start()
            self._tasks = [asyncio.create_task(self._listen(), name=f"readings of {self.name}")]
            if self._wire.poll:
                self._tasks.append(asyncio.create_task(self._ask(), name=f"questions to {self.name}"))

    async def stop(self) -> None:
        """Release the port and end `weights()`. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._link.stop()
        self._feed.end()

    def status(self) -> Status:
        """Tell how the scale is, from what was last heard."""
        if not self._link.is_open:
            return Status(self.name, Health.AWAY, self._link.hint, fault=self._link.fault)
        newest = self._settling.fresh(self._clock.ms())
        if newest is not None:
            return Status(self.name, Health.OK, fault=self._of_pan(newest))
        if self._unfit:
            return Status(self.name, Health.DEGRADED, self._unfit, fault=self._silence().fault)
        silence = self._silence()
        if self._rested_ms is None and self._clock.ms() - self._started_ms < STARTING_MS:
            return Status(self.name, Health.AWAY, silence.hint, fault=Fault.STARTING)
        return Status(self.name, Health.AWAY, silence.hint, fault=silence.fault)

    def _of_pan(self, newest: Weight) -> Fault | None:
        if newest.is_over:
            return Fault.OVERLOAD
        is_restless = self._rested_ms is not None and self._clock.ms() - self._rested_ms > RESTLESS_MS
        return Fault.RESTLESS if is_restless else None

    def weight(self) -> Weight | None:
        """The newest reading; None when it is stale."""
        return self._settling.fresh(self._clock.ms())

    def weights(self) -> AsyncIterator[Weight]:
        """Yield readings for the life of the device. One consumer only."""
        return self._feed.items()

    async def weigh(self, timeout_s: float, again: bool = False) -> Weighing:
        """Wait for a load at rest that was not weighed before."""
        resting = await self._rested(timeout_s, lambda weight: self._is_due(weight, again))
        if isinstance(resting, Settled):
            return Weighing(resting)
        self._weighed = self._settling.load(resting)
        return Weighing(Settled.WEIGHED, resting.grams, resting.is_net, self._weighed)

    async def tare(self, timeout_s: float) -> Weighing:
        """Count from the load at rest as zero."""
        resting = await self._rested(timeout_s, lambda _: True)
        if isinstance(resting, Settled):
            return Weighing(resting)
        gross = resting.grams + self._tare_g
        is_empty = gross <= self._rhythm.rest.empty_g  # below zero the pan itself was lifted off: no box weighs that
        self._tare_g = 0 if is_empty else gross
        self._settling.restart()
        return Weighing(Settled.EMPTY if is_empty else Settled.WEIGHED, self._tare_g)

    def _is_due(self, resting: Weight, again: bool) -> bool:
        if self._settling.is_empty(resting):
            return False
        return again or self._settling.load(resting) != self._weighed

    async def _rested(self, timeout_s: float, is_wanted: Callable[[Weight], bool]) -> Weight | Settled:
        """Wait for a wanted load at rest; at the end tell why there was none. Errors: the four of the contract."""
        if not self._link.is_open:
            raise self._silence()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            resting = self._settling.at_rest(self._clock.ms())
            if resting is not None and is_wanted(resting):
                return resting
            try:
                async with asyncio.timeout_at(deadline):
                    await self._stirred.wait()
            except TimeoutError:
                return self._reason()

    def _reason(self) -> Settled:
        newest = self._settling.fresh(self._clock.ms())
        if newest is None:
            raise self._silence()
        if newest.is_over:
            return Settled.OVERLOAD
        if self._settling.is_empty(newest):
            return Settled.EMPTY
        return Settled.RESTLESS if self._settling.at_rest(self._clock.ms()) is None else Settled.SAME_LOAD

    def _silence(self) -> DeviceError:
        """Why there is no reading now."""
        if not self._link.is_open:
            return NotThere(self.name, self._link.hint, self._link.fault)
        if self._unfit:
            return Refused(self.name, self._unfit, _of_unfit(self._unfit))
        if self._wire.rejected - self._noise_from > NOISE_BYTES:
            hint = "bytes come that are no weight; kind, baud or output mode may be set otherwise"
            return Garbled(self.name, hint, None if self._rested_ms is None else Fault.NOISY)
        return NoAnswer(self.name, "sends no weight")

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if not chunk:
                self._wire.reset()
                self._noise_from, self._unfit, self._rested_ms = self._wire.rejected, "", None
            for event in self._wire.feed(chunk):
                self._noise_from = self._wire.rejected
                match event:
                    case Reading():
                        self._unfit = ""
                        self._take(event)
                    case Unfit(why):
                        if why != self._unfit:
                            log.warning("%s: %s", self.name, why)
                        self._unfit = why

    def _take(self, reading: Reading) -> None:
        is_net = reading.is_net or self._tare_g != 0
        grams = reading.grams - self._tare_g
        weight = Weight(grams, self._clock.ms(), reading.is_moving, is_net, reading.is_over)
        self._settling.take(weight)
        if self._rested_ms is None or self._settling.at_rest(weight.at_ms) is not None:
            self._rested_ms = weight.at_ms
        self._feed.put(weight)
        self._stirred.set()
        self._stirred = asyncio.Event()

    async def _ask(self) -> None:
        while True:
            if not self._link.is_open:
                await self._link.opened_after(self._link.times_opened)
            try:
                await self._link.write(self._wire.poll)
            except DeviceError as error:
                log.debug("%s", error)
            await asyncio.sleep(self._rhythm.poll_s)


def _of_unfit(why: str) -> Fault:
    """What a right frame that is no weight tells; the codecs begin a foreign unit with "weighs in"."""
    if "zero" in why:
        return Fault.NOT_ZEROED
    return Fault.RANGE if "range" in why or "decimal" in why else Fault.UNIT
