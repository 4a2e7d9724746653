"""How a command asks the running kiosk for its check-up: a unix socket in the data folder that only answers.

The kiosk holds the ports, so only it can say how they are. Nothing can be ordered here: whatever a client sends is not
read. What is asked is decided in edge/house.py, what it means in edge/doctor.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.steps import CheckupBoard, Finding
from edge.store import StoreFault

log = logging.getLogger(__name__)

SOCKET = "doctor.sock"
LOOK_S = 20.0  # the books of a large point are checked in a few seconds on a slow card
ASK_S = 25.0
MAX_ANSWER = 262_144
REST_S = 60.0


class Doctor:
    """The kiosk's half. One look at a time; who comes meanwhile gets the same answer a moment later."""

    def __init__(
        self, folder: Path, look: Callable[[], Awaitable[CheckupBoard]], alive: Callable[[], dict[str, Any]] = dict
    ) -> None:
        """`alive`: what edge/health.py wants to know beside the findings."""
        self._folder = folder
        self._look = look
        self._alive = alive
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Answer for ever. A socket that cannot be made is no reason to close the counter."""
        while True:
            try:
                with _reached(self._folder) as path:
                    server = await asyncio.start_unix_server(self._answer, sock=_bound(path))
            except OSError as error:
                log.warning("the doctor cannot be asked: %s", error)
                await asyncio.sleep(REST_S)
                continue
            async with server:
                try:
                    await server.serve_forever()
                finally:
                    with contextlib.suppress(OSError):
                        (self._folder / SOCKET).unlink(missing_ok=True)

    async def _answer(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                async with self._turn:
                    board = await self._look()
                writer.write(json.dumps(asdict(board) | {"alive": self._alive()}).encode("ascii"))
                await writer.drain()
        except (TimeoutError, ConnectionError) as error:
            log.info("the doctor was not heard to the end: %s", error)
        except StoreFault as fault:  # no answer sends the asking command to look at the damaged books itself
            log.warning("the doctor could not look: %s", fault)
        finally:
            writer.close()


def _bound(path: str) -> socket.socket:
    """A socket that is the owner's alone before anybody can reach it: nobody connects before it listens."""
    Path(path).unlink(missing_ok=True)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.bind(path)
        Path(path).chmod(0o600)
    except OSError:
        line.close()
        raise
    return line


def ask(folder: Path) -> CheckupBoard | None:
    """Ask the kiosk that runs on this folder; None when none answers."""
    try:
        return _read(_heard(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ask_alive(folder: Path) -> dict[str, Any] | None:
    """The same question; what the kiosk says of its window, its line and its devices."""
    try:
        return dict(_heard(folder)["alive"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _heard(folder: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as line, _reached(folder) as path:
        line.settimeout(ASK_S)
        line.connect(path)
        heard = b""
        while len(heard) < MAX_ANSWER and (chunk := line.recv(65536)):
            heard += chunk
    return dict(json.loads(heard))


@contextmanager
def _reached(folder: Path) -> Iterator[str]:
    """A short path to the socket: an address holds 107 bytes, a data folder may be deeper."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def _read(table: dict[str, Any]) -> CheckupBoard:
    found = [Finding(**{**each, "slots": tuple((k, v) for k, v in each["slots"])}) for each in table["findings"]]
    return CheckupBoard(tuple(found), str(table["report"]))
