"""Scanners: serial ones over a link, and keyboard-like ones taken from the kernel's input devices.

How bytes and keys become texts is in drivers/wire/; the nodes of input devices are found by drivers/input_nodes.py.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence

from drivers import input_nodes
from drivers.base import Clock, DeviceError, Status
from drivers.faults import Fault
from drivers.hotplug import Arrivals
from drivers.input_nodes import Grabbed, InputSource, monotonic_ms
from drivers.link import Link
from drivers.outbox import USUAL, Habits, ReadingScanner
from drivers.wire.keys import KeyScans
from drivers.wire.scans import LineScans, Scan

log = logging.getLogger(__name__)

REOPEN_S = 1.0  # where no word of a plug comes; looking costs a few opens
BEL = b"\x07"
BELL_S = 0.15  # beeps closer together sound as one


class SerialScanner(ReadingScanner):
    """`drivers.base.Scanner` in plain serial line mode. With `has_bell` the gun beeps when it is sent BEL.

    Many Zebra guns on RS-232 do; one that does not may take BEL for something else, so it is asked for.
    """

    def __init__(
        self, link: Link, lines: LineScans, clock: Clock, habits: Habits = USUAL, *, has_bell: bool = False
    ) -> None:
        super().__init__(link.name, clock, habits)
        self.can_signal = has_bell
        self._link = link
        self._lines = lines
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the port and begin to read."""
        if self._task is None:
            await self._link.start()
            self._task = asyncio.create_task(self._read(), name=f"scanner {self.name}")

    async def stop(self) -> None:
        """Release the port and end `reads()`. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._link.stop()
        self._outbox.end()

    def status(self) -> Status:
        """Tell how the scanner is. A gun out of radio range cannot be told from one that rests."""
        return self._outbox.status(None if self._link.is_open else self._link.hint, self._link.fault)

    async def signal(self, accepted: bool) -> None:
        """Beep once, or three times for refused, where the gun has a bell."""
        for _ in range(0 if not self.can_signal else 1 if accepted else 3):
            try:
                await self._link.write(BEL)
            except DeviceError as error:
                log.debug("%s did not beep: %s", self.name, error)
                return
            await asyncio.sleep(BELL_S)

    async def _read(self) -> None:
        while True:
            try:
                wait_ms = self._lines.idle_ms if self._lines.is_partial else None
                async with asyncio.timeout(self._outbox.wait_s(self._clock.ms(), wait_ms)):
                    chunk = await self._link.receive()
            except TimeoutError:
                self._outbox.put(self._lines.idle(self._clock.ms()))
                if not self._lines.is_partial:
                    self._outbox.idle(self._clock.ms())
                continue
            if chunk:
                self._outbox.put(self._lines.feed(chunk, self._clock.ms()))
            else:
                self._lines.lost()
                self._outbox.port_lost()


class EvdevScanner(ReadingScanner):
    """`drivers.base.Scanner` on a keyboard-like device. Keys go to nobody else while it is open."""

    def __init__(
        self, name: str, grab: Callable[[], Grabbed], keys: KeyScans, clock: Clock, habits: Habits = USUAL
    ) -> None:
        super().__init__(name, clock, habits)
        self._grab = grab
        self._keys = keys
        self._away: str | None = "not opened yet"
        self._fault: Fault | None = Fault.STARTING
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Grab the device, now or when it appears."""
        if self._task is None:
            first = self._try_grab()
            self._task = asyncio.create_task(self._live(first), name=f"scanner {self.name}")

    async def stop(self) -> None:
        """Give the device back and end `reads()`. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._away, self._fault = "stopped", Fault.LOST
        self._outbox.end()

    def status(self) -> Status:
        """Tell how the scanner is. A gun out of radio range cannot be told from one that rests."""
        return self._outbox.status(self._away, self._fault)

    def _try_grab(self) -> Grabbed | None:
        try:
            grabbed = self._grab()
        except (OSError, LookupError, ImportError) as error:
            if str(error) != self._away:
                log.warning("%s is away: %s", self.name, error)
            self._away, self._fault = str(error), input_nodes.fault_of(error)
            return None
        self._away, self._fault = None, Fault.TWIN if grabbed.has_twin else None
        log.info("%s is there", self.name)
        return grabbed

    async def _live(self, grabbed: Grabbed | None) -> None:
        while True:
            if grabbed is not None:
                try:
                    await self._read(grabbed.keyboard)
                finally:
                    grabbed.close()
                self._keys.lost()
                self._outbox.port_lost()
            grabbed = None
            with Arrivals() as arrivals:
                while grabbed is None:
                    await arrivals.wait(REOPEN_S)
                    grabbed = self._try_grab()

    async def _read(self, source: InputSource) -> None:
        """Read until the device is gone."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(source.fd, readable.set)
        try:
            while True:
                try:
                    wait_ms = self._keys.idle_ms if self._keys.is_partial else None
                    async with asyncio.timeout(self._outbox.wait_s(self._clock.ms(), wait_ms)):
                        await readable.wait()
                except TimeoutError:
                    self._put(self._keys.idle(monotonic_ms()))
                    if not self._keys.is_partial:
                        self._outbox.idle(self._clock.ms())
                    continue
                readable.clear()
                self._take(source)
        except OSError as error:
            self._away, self._fault = errno.errorcode.get(error.errno or 0, str(error)), Fault.LOST
            log.warning("%s was lost: %s", self.name, self._away)
        finally:
            loop.remove_reader(source.fd)

    def _take(self, source: InputSource) -> None:
        try:
            for event in source.read():
                at_ms = event.sec * 1000 + event.usec // 1000
                self._put(self._keys.feed(event.type, event.code, event.value, at_ms))
        except BlockingIOError:
            return

    def _put(self, scans: Sequence[Scan]) -> None:
        self._outbox.put(scans, self._clock.ms() - monotonic_ms())
