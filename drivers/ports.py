"""Ports other than a serial line: a TCP connection, and a device file such as a USB printer's. No frames, no back-off.

`link_to` makes the link that a path of the settings asks for. Connecting and reopening is drivers/link.py's business.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable

from drivers.link import READ_BYTES, WRITE_S, Link, Port, Reopen, SerialPort
from drivers.mistakes import Unfit, unfit

CONNECT_S = 3.0  # the LED maker's own sample waits as long
# A peer that lost its power says nothing. Probed after 10 s of silence, every 5 s, it is given up after 25 s.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
UNTAKEN_S = 4  # bytes that the other end has not taken by then are given up with the connection: no opening comes late
USUAL_REOPEN = Reopen()
_TCP = re.compile(r"tcp://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_FILE = re.compile(r"(?:usb|file)://(/.+)", re.DOTALL)


class TcpPort:
    """A connection that exists. Made by `dial`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._task: asyncio.Task[None] | None = None

    def attach(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Begin to deliver bytes to the running loop."""
        self._task = asyncio.create_task(self._read(received, lost), name="tcp port")

    async def write(self, chunk: bytes) -> int:
        """Send bytes, waiting for room at most WRITE_S; what the kernel took counts as sent."""
        self._writer.write(chunk)
        try:
            async with asyncio.timeout(WRITE_S):
                await self._writer.drain()
        except TimeoutError:
            return max(0, len(chunk) - self._writer.transport.get_write_buffer_size())
        except OSError:
            return min(1, len(chunk) - 1)  # nobody knows; "some" is the answer that promises nothing
        return len(chunk)

    def close(self) -> None:
        """Give the connection back; bytes that still wait are dropped."""
        if self._task is not None:
            self._task.cancel()
        self._writer.transport.abort()

    async def _read(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        reason = "hung up"
        try:
            while chunk := await self._reader.read(READ_BYTES):
                received(chunk)
        except OSError as error:
            reason = str(error)
        lost(reason)


class FilePort:
    """A device file that is no terminal (a USB printer), or a plain file that collects what is sent."""

    def __init__(self, path: str) -> None:
        """Open it for both ways; a plain file is appended to. Errors: OSError (EBUSY: another program has it)."""
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
        self._received: Callable[[bytes], None] | None = None
        self._lost: Callable[[str], None] | None = None

    def attach(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Begin to deliver bytes to the running loop."""
        self._received, self._lost = received, lost
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._readable)
        except PermissionError:  # what cannot be waited for (a plain file) has nothing to say either
            self._received = None

    async def write(self, chunk: bytes) -> int:
        """Send bytes, waiting for room at most WRITE_S: a printer without paper takes none."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WRITE_S
        sent = 0
        while sent < len(chunk) and loop.time() < deadline:
            try:
                sent += os.write(self._fd, chunk[sent:])
            except BlockingIOError:
                await asyncio.sleep(0.02)
            except OSError as error:
                self._gone(str(error))
                break
        return sent

    def close(self) -> None:
        """Give the file back."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

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
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(reason)


async def dial(host: str, port: int) -> Port:
    """Connect. Errors: OSError (TimeoutError is one) within CONNECT_S."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(host, port)
    except TimeoutError as error:
        raise TimeoutError(f"no connection to {host} port {port} within {CONNECT_S} s") from error
    except UnicodeError as error:  # "a..b": the resolver's way to refuse a name
        raise OSError(f"{host} is no host name") from error
    line: socket.socket = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        line.setsockopt(socket.IPPROTO_TCP, option, value)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * UNTAKEN_S)
    return TcpPort(reader, writer)


def link_to(name: str, path: str, baud: int, echo: bool = False, reopen: Reopen = USUAL_REOPEN) -> Link:
    """Make the link a path asks for; nothing is opened yet.

    Shape:  `tcp://host:port`, `usb:///dev/usb/lp0`, `file:///…` (exists already), anything else is a serial port.
    Errors: Unfit for an address that is none of these.
    """
    if "://" not in path:
        return Link(name, lambda: SerialPort(path, baud), echo, reopen)
    if network := _TCP.fullmatch(path):
        host, port = network[1].strip("[]"), int(network[2])
        if 1 <= port <= 65535:
            return Link(name, lambda: dial(host, port), echo, reopen)
    if file := _FILE.fullmatch(path):
        return Link(name, lambda: FilePort(file[1]), echo, reopen)
    raise Unfit(unfit("path", "address"))
