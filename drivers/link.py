"""One byte pipe to a device: open, read chunks, write, drop the local echo, reopen with back-off.

Forms: a serial port or pseudo-terminal by path (`SerialPort`), and a pipe in memory (`MemoryPort`); network and device
files are in drivers/ports.py. No frames here: a link does not know where one ends. The only file that knows the serial
library.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import termios
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import serial

from drivers.base import HELD, NoAnswer, NotThere
from drivers.faults import Fault
from drivers.hotplug import Arrivals
from drivers.port_faults import of_port

log = logging.getLogger(__name__)

READ_BYTES = 4096  # the kernel's own tty buffer
MAX_WAITING_BYTES = 65536  # a reader that is this far behind will not catch up; new bytes are dropped then
WRITE_S = 2.0  # 400 bytes at 9600 baud take 0.42 s

# An unplugged port raises three unrelated types (measured); a path taken by another program raises the first.
PORT_ERRORS = (serial.SerialException, OSError, termios.error)


_REASONS = {
    errno.EAGAIN: HELD,
    errno.EBUSY: HELD,
    errno.ENOENT: "there is no such port",
    errno.EACCES: "this user may not use the port",
}


class Port(Protocol):
    """An open port. Made by a `connect` callable that raises one of PORT_ERRORS when there is none."""

    def attach(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Begin to deliver bytes; `lost` is called once, with the reason, when the port is gone."""

    async def write(self, chunk: bytes) -> int:
        """Send bytes; returns how many went out before the port failed or the time was over."""

    def close(self) -> None:
        """Give the port back. Never raises."""


Connect = Callable[[], Port | Awaitable[Port]]  # awaited where opening takes time: a network


@dataclass(frozen=True, slots=True)
class Reopen:
    """Back-off between attempts to open: doubled from the first to the longest wait."""

    first_s: float = 0.2
    longest_s: float = 5.0  # a technician who plugs a cable in waits no longer than this


class SerialPort:
    """A serial port or pseudo-terminal, taken exclusively (another program is refused with EAGAIN)."""

    def __init__(self, path: str, baud: int) -> None:
        """Open the port, 8N1, no flow control. Errors: one of PORT_ERRORS."""
        self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        self._fd: int = self._serial.fileno()
        self._lost: Callable[[str], None] | None = None
        self._received: Callable[[bytes], None] | None = None

    def attach(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Begin to deliver bytes to the running loop."""
        self._received, self._lost = received, lost
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    async def write(self, chunk: bytes) -> int:
        """Send bytes, waiting for room at most WRITE_S."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WRITE_S
        sent = 0
        while sent < len(chunk) and loop.time() < deadline and self._fd >= 0:
            try:
                sent += os.write(self._fd, chunk[sent:])
            except BlockingIOError:
                await asyncio.sleep(0.01)  # the tty buffer is full: 10 ms drain 10 bytes at 9600 baud
            except OSError as error:
                self._gone(str(error))
                break
        return sent

    def close(self) -> None:
        """Give the port back. A write under way ends: the system may give the number to another file at once."""
        asyncio.get_running_loop().remove_reader(self._fd)
        self._fd = -1
        try:
            self._serial.close()
        except PORT_ERRORS as error:
            log.debug("closing %s: %s", self._serial.port, error)

    def _readable(self) -> None:
        assert self._received is not None
        try:
            chunk = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(str(error))
            return
        if chunk:
            self._received(chunk)
        else:
            self._gone("hung up")

    def _gone(self, reason: str) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(reason)


class MemoryPort:
    """A pipe in memory: what is written goes to `answer`, and what that returns comes back, chunk by chunk."""

    def __init__(self, answer: Callable[[bytes], Sequence[bytes]], delay_s: Callable[[], float] = lambda: 0.0) -> None:
        self._answer = answer
        self._delay_s = delay_s
        self._under_way: deque[bytes] = deque()
        self._received: Callable[[bytes], None] | None = None
        self._lost: Callable[[str], None] | None = None

    def attach(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Begin to deliver bytes."""
        self._received, self._lost = received, lost

    async def write(self, chunk: bytes) -> int:
        """Hand bytes to the other end; nothing goes out once the pipe is cut."""
        if self._received is None:
            return 0
        self.deliver(self._answer(chunk))
        return len(chunk)

    def deliver(self, chunks: Sequence[bytes]) -> None:
        """Let bytes arrive, in order, after the delay."""
        loop = asyncio.get_running_loop()
        for chunk in chunks:
            self._under_way.append(chunk)
            loop.call_later(self._delay_s(), self._arrive)

    def cut(self) -> None:
        """Unplug."""
        lost = self._lost
        self.close()
        if lost is not None:
            lost("cut")

    def close(self) -> None:
        """Give the pipe back."""
        self._received = self._lost = None

    def _arrive(self) -> None:
        chunk = self._under_way.popleft()  # the oldest, whichever timer came first
        if self._received is not None:
            self._received(chunk)


class Link:
    """A byte pipe that comes back by itself.

    With `echo` the adapter repeats what we send: exactly one copy of each written chunk is dropped from the input.
    Should an echo be lost and the answer be the same bytes, the answer is dropped instead, which reads as silence.
    """

    def __init__(self, name: str, connect: Connect, echo: bool = False, reopen: Reopen = Reopen()) -> None:
        self.name = name
        self.hint = "not opened yet"
        self.fault: Fault | None = Fault.STARTING  # why it is not open
        self.times_opened = 0
        self._connect = connect
        self._echo = echo
        self._reopen = reopen
        self._port: Port | None = None
        self._task: asyncio.Task[None] | None = None
        self._awaited_echo = b""
        self._held = b""
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._gone = asyncio.Event()
        self._opened = asyncio.Condition()

    @property
    def is_open(self) -> bool:
        """Whether the port is there now."""
        return self._port is not None

    async def start(self) -> None:
        """Try to open at once, and keep trying in the background. A network is not waited for."""
        if self._task is None:
            self._task = asyncio.create_task(self._stay_open(), name=f"link {self.name}")
            await asyncio.sleep(0)  # its first step opens whatever opens at once

    async def stop(self) -> None:
        """Close the port and end the background task. Safe to call twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._close("stopped")

    async def write(self, chunk: bytes) -> None:
        """Send bytes. Errors: NotThere when no byte went out, NoAnswer when some did and then the port failed."""
        if self._port is None:
            raise NotThere(self.name, self.hint, self.fault)
        if self._echo:
            self._awaited_echo, held, self._held = chunk, self._held, b""
            self._queue(held)
        sent = await self._port.write(chunk)
        if sent == 0:
            raise NotThere(self.name, "nothing could be sent")
        if sent < len(chunk):
            raise NoAnswer(self.name, f"port failed after {sent} of {len(chunk)} bytes", Fault.LOST)

    async def receive(self) -> bytes:
        """Wait for the next chunk, however long. An empty chunk says that the port was lost; it will come back."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        chunk = self._waiting.popleft()
        self._waiting_bytes -= len(chunk)
        return chunk

    async def opened_after(self, times: int) -> int:
        """Wait until the port has been opened more than so many times; returns the number."""
        async with self._opened:
            await self._opened.wait_for(lambda: self.times_opened > times)
            return self.times_opened

    async def _stay_open(self) -> None:
        while True:
            await self._keep_trying()
            async with self._opened:
                self._opened.notify_all()
            await self._gone.wait()
            await asyncio.sleep(self._reopen.first_s)

    async def _keep_trying(self) -> None:
        """Try until it is open: at once when something is plugged in, else with back-off."""
        delay = self._reopen.first_s
        with Arrivals() as arrivals:
            while not await self._open():
                is_new = await arrivals.wait(delay)
                delay = self._reopen.first_s if is_new else min(2 * delay, self._reopen.longest_s)

    async def _open(self) -> bool:
        try:
            made = self._connect()
            port = await made if isinstance(made, Awaitable) else made
        except PORT_ERRORS as error:
            hint = _plain(error)
            if hint != self.hint:  # one line per change of condition, not per attempt
                log.warning("%s is away: %s", self.name, hint)
            self.hint, self.fault = hint, of_port(error)
            return False
        self._gone.clear()
        self._awaited_echo = self._held = b""
        self._port = port
        self.hint, self.fault = "", None
        self.times_opened += 1
        port.attach(self._received, self._close)
        log.info("%s is there", self.name)
        return True

    def _close(self, reason: str) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        port.close()
        self.hint, self.fault = reason, Fault.LOST
        self._waiting.append(b"")
        self._arrived.set()
        self._gone.set()
        if reason != "stopped":
            log.warning("%s was lost: %s", self.name, reason)

    def _received(self, chunk: bytes) -> None:
        self._queue(self._without_echo(chunk) if self._awaited_echo else chunk)

    def _queue(self, chunk: bytes) -> None:
        if not chunk:
            return
        if self._waiting_bytes + len(chunk) > MAX_WAITING_BYTES:
            log.warning("%s: %d bytes dropped, nobody reads", self.name, len(chunk))
            return
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        self._arrived.set()

    def _without_echo(self, chunk: bytes) -> bytes:
        seen = self._held + chunk
        at = seen.find(self._awaited_echo)
        if at >= 0:
            rest = seen[:at] + seen[at + len(self._awaited_echo) :]
            self._awaited_echo = self._held = b""
            return rest
        self._held = seen[len(seen) - _overlap(seen, self._awaited_echo) :]
        return seen[: len(seen) - len(self._held)]


def serial_link(name: str, path: str, baud: int, echo: bool = False, reopen: Reopen = Reopen()) -> Link:
    """Make a link to a serial port by its stable path; nothing is opened yet."""
    return Link(name, lambda: SerialPort(path, baud), echo, reopen)


def _plain(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None  # SerialException is one; termios.error is not
    return _REASONS.get(number or 0) or str(error) or type(error).__name__


def _overlap(seen: bytes, wanted: bytes) -> int:
    """Length of the longest end of `seen` that is a beginning of `wanted`."""
    return next((n for n in range(min(len(seen), len(wanted)), 0, -1) if seen.endswith(wanted[:n])), 0)
