"""A root shell on the machine's serial console.

A card as it is built opens none. The test adds words to the kernel's line on its own copy, as whoever holds the card
can; scenarios that look at the shipped card as it is go by the screen, the keyboard and the hub alone.
"""

from __future__ import annotations

import base64
import re
import select
import socket
import time
from pathlib import Path

CONSOLE = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
CALM = " no_timer_check"  # emulated on a busy machine the timer's test fails, and the kernel panics at 0.05 s
PIECE = 2048  # bytes of a file for each line typed; the console takes lines of 4095
TAIL = 600


class ShellError(AssertionError):
    """The shell did not come, did not answer, or a command failed."""


def words(arch: str) -> str:
    """What the kernel is told so that the image's rescue unit opens a root shell on the serial port."""
    return f"console={CONSOLE[arch]} village.rescue{CALM if arch == 'amd64' else ''}"


class RootShell:
    """Types commands and reads what they say."""

    def __init__(self, path: Path, log: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._log = log
        self._said = b""
        self._number = 0

    def close(self) -> None:
        self._socket.close()

    def open(self, seconds: float) -> None:
        """Wait until a shell answers. Errors: ShellError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._said = b""
            self.type("\x15stty -echo; dmesg -n 1; PS1= PS2= SYSTEMD_PAGER=cat TERM=dumb; echo sh''ell''-ready\n")
            if self._hear(rb"shell-ready", 5.0):
                self._hear(rb"$^", 0.5)
                return
        raise ShellError(f"no root shell within {seconds:g} s; the console's last words: {self.tail()}")

    def run(self, command: str, seconds: float = 120.0, *, worst: int = 0) -> str:
        """Run a command and tell its output. Errors: ShellError; also when its exit code is above `worst`."""
        self._number += 1
        mark = f"end-{self._number}-{time.monotonic_ns()}"
        self._said = b""
        self.type(f"{command}\necho '{mark[:4]}''{mark[4:]}':$?:\n")
        found = self._hear(rf"{mark}:(\d+):".encode(), seconds)
        if found is None:
            raise ShellError(f"{command!r} did not end within {seconds:g} s; last words: {self.tail()}")
        output = self._said[: found.start()].decode(errors="replace").replace("\r", "").strip()
        if int(found[1]) > worst:
            raise ShellError(f"{command!r} ended with {int(found[1])}: {output[-TAIL:]}")
        return output

    def put(self, path: str, content: bytes) -> None:
        """Write a file of the machine."""
        text = base64.b64encode(content).decode()
        self.run(f": >{path}.b64")
        for at in range(0, len(text), PIECE):
            self.run(f"printf %s {text[at : at + PIECE]} >>{path}.b64")
        self.run(f"base64 -d <{path}.b64 >{path} && rm {path}.b64")

    def type(self, text: str) -> None:
        """Type without waiting."""
        self._socket.sendall(text.encode())

    def tail(self) -> str:
        """The console's last words."""
        return self._said[-TAIL:].decode(errors="replace")

    def listen(self, pattern: bytes, seconds: float) -> re.Match[bytes] | None:
        """Wait for words of the console."""
        return self._hear(pattern, seconds)

    def _hear(self, pattern: bytes, seconds: float) -> re.Match[bytes] | None:
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self._said)) is None:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._socket], [], [], max(0.0, min(left, 0.5)))
            if ready:
                chunk = self._socket.recv(65536)
                if not chunk:
                    return None
                with self._log.open("ab") as log:
                    log.write(chunk)
                self._said += chunk
            elif left <= 0:
                return None
        return found
