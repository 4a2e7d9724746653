"""Simple displays on a link: the newest content wins, and it is sent again after the display or the cable was away.

What to send is in the codecs (drivers/wire/panel.py says what one offers). Most of these displays never answer: their
content is sent again every few seconds, since nobody can tell when they got new power. The Onbon card has a driver of
its own (drivers/display.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.base import DeviceError, Garbled, Health, Lamp, NoAnswer, NotThere, Status
from drivers.faults import Fault
from drivers.link import Link
from drivers.wire.panel import Amount, Content, PanelWire, Step

log = logging.getLogger(__name__)

MAX_LINES, MAX_LINE = 8, 120  # characters
MAX_HEARD = 512  # the longest answer has about 170 bytes
UNCONFIRMED = "never answers: what it shows is not confirmed"


@dataclass(frozen=True, slots=True)
class PanelTiming:
    """Waits of one display, in seconds."""

    refresh_s: float = 10.0  # a display that lost its power shows its text again within this
    reply_s: float = 0.5  # digit displays answer within 100 ms
    attempts: int = 3
    retry_s: float = 2.0


USUAL = PanelTiming()


class PanelDisplay:
    """`drivers.base.PriceDisplay` over a link and a codec. A display with letters shows amounts as text."""

    def __init__(self, link: Link, wire: PanelWire, timing: PanelTiming = USUAL) -> None:
        self.name = link.name
        self._link = link
        self._wire = wire
        self._timing = timing
        self._content: Content = ()
        self._stirred = asyncio.Event()
        self._heard = b""
        self._arrived = asyncio.Event()
        self._hint = "not asked yet"
        self._fault: Fault | None = Fault.STARTING
        self._is_away = True
        self._was_lost = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and bring the display up in the background."""
        if not self._tasks:
            await self._link.start()
            work = {"answers": self._listen(), "content": self._work()}
            self._tasks = [asyncio.create_task(each, name=f"{what} of {self.name}") for what, each in work.items()]

    async def stop(self) -> None:
        """Release the port. The display keeps what it shows. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._link.stop()

    def status(self) -> Status:
        """Tell how the display is, from what was last seen. One that never answers is OK while its port is there."""
        if not self._link.is_open:
            return Status(self.name, Health.AWAY, self._link.hint, fault=self._link.fault)
        if self._is_away:
            return Status(self.name, Health.AWAY, self._hint, fault=self._fault)
        lack = self._wire.lacks(self._content)
        if lack:
            return Status(self.name, Health.DEGRADED, lack, fault=Fault.CANNOT_SHOW)
        if self._wire.answers:
            return Status(self.name, Health.OK)
        return Status(self.name, Health.OK, UNCONFIRMED, fault=Fault.BLIND)

    def show(self, lines: Sequence[str]) -> None:
        """Put lines up soon; the newest call wins."""
        self._content = tuple(line[:MAX_LINE] for line in lines[:MAX_LINES])
        self._stirred.set()

    def price(self, fen: int, lamp: Lamp) -> None:
        """Put an amount up soon instead of lines."""
        self._content = Amount(fen, lamp.value)
        self._stirred.set()

    async def _work(self) -> None:
        """Bring the display up, then keep it showing; start over whenever it was away."""
        while True:
            if not self._link.is_open:
                await self._link.opened_after(self._link.times_opened)
            self._was_lost = False
            try:
                await self._run(self._wire.setup())
                while True:
                    await self._put()
                    self._is_away, self._hint = False, ""
                    await self._rest()
            except DeviceError as error:
                if not self._is_away or self._hint != error.hint:
                    log.warning("%s: %s", self.name, error.hint)
                self._is_away, self._hint, self._fault = True, error.hint, error.fault
            await asyncio.sleep(self._timing.retry_s)

    async def _put(self) -> None:
        self._stirred.clear()  # before the content is read: what comes later stirs again
        await self._run(self._wire.put(self._content))

    async def _rest(self) -> None:
        """Return when something new is to be shown, or the old has to be shown again."""
        while True:
            try:
                async with asyncio.timeout(self._timing.refresh_s):
                    await self._stirred.wait()
            except TimeoutError:
                if await self._still_shows():
                    continue
            if self._was_lost:
                raise NotThere(self.name, self._link.hint or "port was lost", Fault.LOST)
            return

    async def _still_shows(self) -> bool:
        steps = self._wire.check(self._content)
        if not steps:
            return False
        try:
            await self._run(steps)
        except (NoAnswer, Garbled):
            return False  # lost its content, or away: putting it up again tells which
        return True

    async def _run(self, steps: Sequence[Step]) -> None:
        """Take steps in order, all of them again after a missing answer. Errors: NotThere, NoAnswer, Garbled."""
        for attempt in range(1, self._timing.attempts + 1):
            try:
                for step in steps:
                    await self._take(step)
            except (NoAnswer, Garbled):
                if attempt == self._timing.attempts:
                    raise
            else:
                return

    async def _take(self, step: Step) -> None:
        self._heard = b""
        await self._link.write(step.chunk)
        if step.is_answer is not None:
            try:
                async with asyncio.timeout(self._timing.reply_s):
                    while not step.is_answer(self._heard):
                        self._arrived.clear()
                        await self._arrived.wait()
                        if self._was_lost:
                            raise NoAnswer(self.name, "port vanished before the answer")
            except TimeoutError:
                if self._heard:
                    raise Garbled(self.name, "bytes came that are not the answer") from None
                raise NoAnswer(self.name, f"silent for {self._timing.reply_s} s") from None
        await asyncio.sleep(step.pause_s)

    async def _listen(self) -> None:
        while True:
            chunk = await self._link.receive()
            if chunk:
                self._heard = (self._heard + chunk)[-MAX_HEARD:]
            else:
                self._was_lost = True
                self._stirred.set()
            self._arrived.set()
