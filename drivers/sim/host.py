"""Simulated devices behind pseudo-terminals, with a control socket for their handles. No device logic here.

Each device keeps its own end of the slave side open, so a kiosk that is killed and comes back finds the same terminal.
A stable path is a symbolic link to it; `unplug` removes both, `replug` makes new ones under the same path.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import time
import tty
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from drivers.sim.device import SimDevice
from drivers.sim.shared_bus import SharedBus

log = logging.getLogger(__name__)

TICK_S = 0.02  # a door that closes by itself is late by no more than this
READ_BYTES = 4096
MAX_REQUEST = 65536  # one line on the control socket; an inventory upload of 500 codes is 15 kB
MAX_UNSENT = 65536  # bytes nobody has read yet; a real wire would have lost them long ago


class BenchTaken(Exception):
    """Another bench runs on the same control socket."""


class Terminal:
    """One device on one pseudo-terminal."""

    def __init__(self, name: str, device: SimDevice, path: Path) -> None:
        self.name = name
        self.device = device
        self.path = path
        self._master: int | None = None
        self._slave: int | None = None
        self._late: deque[bytes] = deque()

    @property
    def place(self) -> str:
        """Where a kiosk finds it."""
        return str(self.path)

    @property
    def is_plugged(self) -> bool:
        """Whether the terminal exists now."""
        return self._master is not None

    def replug(self) -> None:
        """Make the terminal and its link. Errors: FileExistsError when the path is taken by something else."""
        if self._master is not None:
            return
        if self.path.exists() and not self.path.is_symlink():
            raise FileExistsError(f"{self.path} is not ours to replace")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def unplug(self) -> None:
        """Take the terminal away: whoever has it open gets an error, and the path is gone."""
        if self._master is None or self._slave is None:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self.path.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = None

    def tick(self, now_ms: int) -> None:
        """Let the device say what it has to say."""
        self._send(self.device.tick(now_ms))

    def found(self, name: str) -> SimDevice | None:
        """The device of this name behind the terminal: itself, or a board of its bus."""
        if name == self.name:
            return self.device
        return self.device.members.get(name) if isinstance(self.device, SharedBus) else None

    def _readable(self) -> None:
        assert self._master is not None
        try:
            chunk = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return
        self._send(self.device.receive(chunk))

    def _send(self, chunks: Sequence[bytes]) -> None:
        loop = asyncio.get_running_loop()
        for chunk in chunks:
            if sum(map(len, self._late)) + len(chunk) > MAX_UNSENT:
                log.warning("%s: %d bytes dropped, nobody reads", self.name, len(chunk))
                continue
            self._late.append(chunk)
            loop.call_later(self.device.line.delay_ms / 1000, self._send_oldest)

    def _send_oldest(self) -> None:
        if self._master is None:
            self._late.clear()
        while self._late and self._master is not None:
            chunk = self._late.popleft()
            try:
                sent = os.write(self._master, chunk)
            except BlockingIOError:
                sent = 0
            if sent < len(chunk):  # the terminal's buffer is full: go on when the kiosk has read some
                self._late.appendleft(chunk[sent:])
                asyncio.get_running_loop().call_later(TICK_S, self._send_oldest)
                return
            if self.device.line.delay_ms:
                return


class Host:
    """All terminals of one bench, and the control socket."""

    def __init__(self, terminals: Sequence[Terminal], control: Path | None) -> None:
        self._terminals: Mapping[str, Terminal] = {terminal.name: terminal for terminal in terminals}
        self._control = control
        self._server: asyncio.Server | None = None
        self._clock: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Plug everything in.

        Errors: BenchTaken when another bench answers here; OSError for a path that cannot be made. Nothing is left
        behind then, and nothing of the other bench is taken away.
        """
        if self._control is not None and _answers(self._control):
            raise BenchTaken(f"another village-sim runs here: it answers at {self._control}")
        try:
            for terminal in self._terminals.values():
                terminal.replug()
            if self._control is not None:
                self._control.parent.mkdir(parents=True, exist_ok=True)
                if self._control.is_socket():
                    self._control.unlink()
                self._server = await asyncio.start_unix_server(self._serve, self._control, limit=MAX_REQUEST)
                self._control.chmod(0o600)
        except OSError:
            await self.stop()
            raise
        self._clock = asyncio.create_task(self._tick(), name="simulator clock")

    async def stop(self) -> None:
        """Unplug everything and remove what was made."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        if self._server is not None and self._control is not None:
            self._server.close()
            self._control.unlink(missing_ok=True)
        for terminal in self._terminals.values():
            terminal.unplug()

    def poke(self, name: str, handle: str, args: Sequence[str]) -> object:
        """Move a handle of a device, or its plug. Errors: LookupError, ValueError."""
        for terminal in self._terminals.values():
            device = terminal.found(name)
            if device is not None:
                return self._moved(terminal, device, handle, args)
        raise LookupError(f"no device {name!r}; there are {sorted(self._terminals)}")

    def _moved(self, terminal: Terminal, device: SimDevice, handle: str, args: Sequence[str]) -> object:
        if handle in ("unplug", "replug") and not args:
            (terminal.unplug if handle == "unplug" else terminal.replug)()
            return {"plugged": terminal.is_plugged}
        result = device.poke(handle, args)
        terminal.tick(_now_ms())
        return result

    async def _tick(self) -> None:
        while True:
            for terminal in self._terminals.values():
                terminal.tick(_now_ms())
            await asyncio.sleep(TICK_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one line per connection."""
        try:
            async with asyncio.timeout(5):
                line = await reader.readline()
            if not line:  # somebody only looked whether we are here
                return
            writer.write(json.dumps(self._result(line), ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, ValueError, ConnectionError) as error:
            log.warning("control socket: %s", error)
        finally:
            writer.close()

    def _result(self, line: bytes) -> dict[str, object]:
        try:
            name, handle, *args = [str(word) for word in json.loads(line)]
            return {"ok": True, "result": self.poke(name, handle, args)}
        except (LookupError, ValueError, TypeError, OSError) as error:
            return {"ok": False, "error": str(error)}


def _answers(control: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(control)) == 0


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000  # a simulated device has its own clock, as a real one does
