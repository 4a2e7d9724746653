"""Joins the terminal of a simulated device with a port of the emulated machine: bytes both ways, nothing else.

Either end may go away and come back: a simulator's terminal when its plug is pulled, QEMU's socket at a power cut.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
import threading
import tty
from pathlib import Path

CHUNK = 4096
AGAIN_S = 0.2
LOOK_S = 0.5  # how soon `stop` is seen


class Pump:
    """A thread between a terminal (`near`) and a unix socket of QEMU (`far`)."""

    def __init__(self, name: str, near: Path, far: Path) -> None:
        self.carried = 0  # bytes, both ways
        self._near, self._far = near, far
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"pump {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(5)

    def _work(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(OSError, termios.error):  # one end is not there: again in a moment
                self._join()
            self._end.wait(AGAIN_S)

    def _join(self) -> None:
        with socket.socket(socket.AF_UNIX) as far:
            far.connect(str(self._far))
            near = os.open(self._near, os.O_RDWR | os.O_NOCTTY)
            try:
                tty.setraw(near)
                while self._carry(near, far):
                    pass
            finally:
                os.close(near)

    def _carry(self, near: int, far: socket.socket) -> bool:
        """Carry what is there; False when an end is gone or the pump is to stop."""
        ready, _, _ = select.select([near, far], [], [], LOOK_S)
        if near in ready:
            chunk = os.read(near, CHUNK)
            far.sendall(chunk)
            self.carried += len(chunk)
            if not chunk:
                return False
        if far in ready:
            chunk = far.recv(CHUNK)
            os.write(near, chunk)
            self.carried += len(chunk)
            if not chunk:
                return False
        return not self._end.is_set()
