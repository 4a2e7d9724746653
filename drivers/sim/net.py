"""A simulated device behind a TCP port, as LED cards and receipt printers hang on the network. No device logic here."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path

from drivers.sim.device import SimDevice
from drivers.sim.host import READ_BYTES, Terminal

Place = Path | str  # a path for a pseudo-terminal, tcp://host:port for a network device
_TCP = re.compile(r"tcp://([0-9.]{7,15}):([0-9]{1,5})")


class NetTerminal(Terminal):
    """One device that listens; it talks to one guest at a time, and a new guest takes the place of the old."""

    def __init__(self, name: str, device: SimDevice, host: str, port: int) -> None:
        super().__init__(name, device, Path())
        self._host = host
        self._port = port
        self._door: socket.socket | None = None
        self._guest: socket.socket | None = None

    @property
    def place(self) -> str:
        """Where it listens."""
        return f"tcp://{self._host}:{self._port}"

    @property
    def is_plugged(self) -> bool:
        """Whether it listens now."""
        return self._door is not None

    def replug(self) -> None:
        """Listen. Errors: OSError when the port is taken."""
        if self._door is None:
            self._door = socket.create_server((self._host, self._port))
            self._door.setblocking(False)
            asyncio.get_running_loop().add_reader(self._door, self._admit)

    def unplug(self) -> None:
        """Hang up and listen no more."""
        self._see_off()
        if self._door is not None:
            asyncio.get_running_loop().remove_reader(self._door)
            self._door.close()
            self._door = None

    def _admit(self) -> None:
        assert self._door is not None
        try:
            guest, _ = self._door.accept()
        except (BlockingIOError, ConnectionError):
            return
        self._see_off()
        guest.setblocking(False)
        self._guest, self._master = guest, guest.fileno()
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _see_off(self) -> None:
        if self._guest is not None:
            asyncio.get_running_loop().remove_reader(self._guest)
            self._guest.close()
            self._guest = self._master = None

    def _readable(self) -> None:
        assert self._master is not None
        try:
            chunk = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            chunk = b""
        if chunk:
            self._send(self.device.receive(chunk))
        else:
            self._see_off()

    def _send_oldest(self) -> None:
        try:
            super()._send_oldest()
        except ConnectionError:
            self._see_off()


def terminal(name: str, device: SimDevice, place: Place) -> Terminal:
    """Make the terminal a place asks for. Errors: ValueError for an address that is none."""
    if isinstance(place, Path):
        return Terminal(name, device, place)
    parts = _TCP.fullmatch(place)
    if parts is None or not 0 < int(parts[2]) <= 65535:
        raise ValueError(f"path {place!r} is not like tcp://127.0.0.1:5005")
    return NetTerminal(name, device, parts[1], int(parts[2]))
