"""The way back from a full disk: the closed screen stands until there is room, then the program begins anew in place.

A supervisor alone cannot see this: the program still runs, it only takes nothing. Parts of it have ended with the
fault, so it is not mended but started again, under the same process number.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from edge.reserve import BALLAST_BYTES
from edge.steps import Closed

ROOM = 2 * BALLAST_BYTES  # bytes: the reserve, and as much again to work in
LOOK_S = 5.0  # whoever made room is still standing there

log = logging.getLogger(__name__)


class Reopening:
    """Told of every closing by `closed`; calls `stop` when the disk has room again, and `due` is True from then on."""

    def __init__(self, folder: Path, stop: Callable[[], None], look_s: float = LOOK_S) -> None:
        self._folder = folder
        self._stop = stop
        self._look_s = look_s
        self._lock = threading.Lock()
        self._watch: threading.Thread | None = None
        self.due = False

    def closed(self, step: Closed) -> None:
        """Wait for room if it was room that was missing. Any thread; the same again changes nothing."""
        if step.code != "S2" and not (step.code == "S3" and self._free() < ROOM):  # S3: even a look needs some bytes
            return
        with self._lock:
            if self._watch is None:
                self._watch = threading.Thread(target=self._wait, name="room", daemon=True)
                self._watch.start()

    def now(self) -> None:
        """Begin anew without waiting for room. Any thread."""
        self.due = True
        self._stop()

    def begin_anew(self) -> None:
        """Replace this process by a fresh start of the same command. Returns only when that fails: OSError."""
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 our own command line

    def _wait(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._look_s):
            if self._free() >= ROOM:
                log.warning("there is room on the disk again: the terminal begins anew")
                self.due = True
                self._stop()
                return

    def _free(self) -> int:
        room = os.statvfs(self._folder)
        return room.f_bavail * room.f_frsize
