"""Scanners: serial ones over a link, and keyboard-like ones taken from the kernel's input devices.

How bytes and keys become texts is in drivers/wire/. The only file that knows the input library, and it is loaded only
when a keyboard-like scanner is opened.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from drivers.base import Clock, Status
from drivers.enrol import Node
from drivers.link import Link
from drivers.outbox import USUAL, Habits, ReadingScanner
from drivers.wire.keys import KeyScans
from drivers.wire.scans import LineScans, Scan

log = logging.getLogger(__name__)

REOPEN_S = 1.0  # looking for a device costs a few opens; a person who plugs one in does not notice a second
EVIOCSCLOCKID = 0x400445A0  # Linux input.h: _IOW('E', 0xa0, int)
KEY_ENTER = 28
UsbId = tuple[int, int]  # vendor, product


class InputEvent(Protocol):
    """What the input library yields."""

    sec: int
    usec: int
    type: int
    code: int
    value: int


class InputSource(Protocol):
    """One open input device."""

    fd: int

    def read(self) -> Iterable[InputEvent]:
        """Events that wait, at most 64. Errors: BlockingIOError for none, OSError when the device is gone."""

    def close(self) -> None:
        """Give the device back; ends a grab."""


@dataclass(frozen=True, slots=True)
class Grabbed:
    """All nodes of one scanner, taken for us alone: the one that types, and the others (media keys, power keys)."""

    keyboard: InputSource
    others: Sequence[InputSource] = ()

    def close(self) -> None:
        """Give all of them back."""
        for source in (self.keyboard, *self.others):
            source.close()


class SerialScanner(ReadingScanner):
    """`drivers.base.Scanner` in plain serial line mode."""

    def __init__(self, link: Link, lines: LineScans, clock: Clock, habits: Habits = USUAL) -> None:
        super().__init__(link.name, clock, habits)
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
        return self._outbox.status(None if self._link.is_open else self._link.hint)

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
        self._away = "stopped"
        self._outbox.end()

    def status(self) -> Status:
        """Tell how the scanner is. A gun out of radio range cannot be told from one that rests."""
        return self._outbox.status(self._away)

    def _try_grab(self) -> Grabbed | None:
        try:
            grabbed = self._grab()
        except (OSError, LookupError, ImportError) as error:
            if str(error) != self._away:
                log.warning("%s is away: %s", self.name, error)
            self._away = str(error)
            return None
        self._away = None
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
            await asyncio.sleep(REOPEN_S)
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
            self._away = errno.errorcode.get(error.errno or 0, str(error))
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


def grab_nodes(where: str, usb_id: UsbId | None = None) -> Grabbed:
    """Open and grab every node of the scanner at this place.

    `where` is a path (best a /dev/input/by-path link, which names the port and not the stick) or a `phys` string such
    as "usb-0000:01:00.0-1.2/input0". All nodes with the same text before "/inputN" belong to it. With `usb_id` nothing
    else is taken, so that a keyboard in the scanner's port stays a keyboard.
    Errors: OSError, LookupError when there is no such place or device, ImportError without the input library.
    """
    import evdev  # loaded late: a point with serial scanners does without it

    wanted = str(Path(where).resolve(strict=True)) if where.startswith("/") else None
    opened: list[Any] = []
    try:
        opened.extend(evdev.InputDevice(path, readonly=True) for path in evdev.list_devices(writable=False))
        phys = where if wanted is None else next((each.phys for each in opened if each.path == wanted), "")
        return _taken(opened, phys.partition("/input")[0], wanted, usb_id)
    except BaseException:
        for each in opened:
            each.close()
        raise


def _taken(opened: list[Any], prefix: str, wanted: str | None, usb_id: UsbId | None = None) -> Grabbed:
    """Grab what belongs together and close the rest."""
    ours = [each for each in opened if prefix and each.phys.partition("/input")[0] == prefix]
    typing = [each for each in ours if each.path == wanted or (wanted is None and _types(each))]
    if not typing:
        raise LookupError("no such input device")
    if usb_id is not None and (typing[0].info.vendor, typing[0].info.product) != usb_id:
        found = f"{typing[0].info.vendor:04x}:{typing[0].info.product:04x}"
        raise LookupError(f"the device there is {found}, not the scanner")
    for each in opened:
        if each in ours:
            take(each)
        else:
            each.close()
    return Grabbed(typing[0], [each for each in ours if each is not typing[0]])


def keyboards() -> list[tuple[Node, InputSource]]:
    """Open every node that types, without taking it. Errors: OSError, ImportError without the input library."""
    import evdev

    found: list[tuple[Node, InputSource]] = []
    try:
        for path in evdev.list_devices(writable=False):
            device = evdev.InputDevice(path, readonly=True)
            found.append((Node(path, device.name, device.phys, device.info.vendor, device.info.product), device))
            if _types(device):
                _stamp_monotonic(device)
            else:
                found.pop()[1].close()
    except OSError:
        for _, source in found:
            source.close()
        raise
    return found


def read_usb_id(text: str) -> UsbId | None:
    """Read "05e0:1200"; None for an empty text. Errors: ValueError."""
    if not text:
        return None
    vendor, _, product = text.partition(":")
    if len(vendor) != 4 or len(product) != 4:
        raise ValueError(f"usb_id {text!r} must be two groups of four hexadecimal digits, like 05e0:1200")
    return int(vendor, 16), int(product, 16)


def take(device: Any) -> None:
    """Grab one node at once, then switch its clock to monotonic time, which empties its queue."""
    device.grab()
    _stamp_monotonic(device)


def _stamp_monotonic(device: Any) -> None:
    fcntl.ioctl(device.fd, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))


def _types(device: Any) -> bool:
    return KEY_ENTER in device.capabilities().get(1, ())


def monotonic_ms() -> int:
    """Milliseconds on the clock that stamps keys."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000  # the base the kernel stamps our keys with
