"""The only place where threads meet: steps go to the window, intents come out of it. No Kivy, no rules.

    bridge = Bridge()
    bridge.on_intent = ...      # called in the window's thread for every Intent; must not block
    bridge.on_ready = ...       # called once in the window's thread after the first drawn frame
    bridge.post(step)           # any thread; order is kept; the window wakes at once
    bridge.scan(text, scanner)  # any thread; comes back as intent Scanned(text, <open screen>, scanner)
    bridge.on_closed = ...      # called in the posting thread for every step Closed
    bridge.stop()               # any thread; run_app returns
    bridge.renderer             # GL renderer, "" before the first frame
    bridge.beat                 # monotonic seconds of the window's last turn, for the watchdog

Only frozen values cross. Everything else here is for `ui.screens`, which attaches the window.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from edge.steps import Closed, Intent, LinkState, NoticeBoard, Step

log = logging.getLogger(__name__)

# A flow posts a handful of steps a second; a window that has not drained a thousand has hung, and the watchdog acts.
BOUND = 1_000


@dataclass(frozen=True, slots=True)
class ScanRead:
    """A code on its way to the window, which knows the screen it belongs to."""

    text: str
    scanner: str


@dataclass(frozen=True, slots=True)
class Call:
    """Something to be done in the window's thread, with its answer."""

    what: Callable[[], Any]
    answer: Future[Any]


Item = Step | ScanRead | Call


def _nobody_listens(_intent: Intent) -> None:
    return None


def _nobody_waits() -> None:
    return None


def _nobody_reopens(_step: Closed) -> None:
    return None


class Bridge:
    """See the module docstring. Made before the window and alive after it; `post` never blocks and never raises."""

    def __init__(self) -> None:
        self.on_intent: Callable[[Intent], None] = _nobody_listens
        self.on_ready: Callable[[], None] = _nobody_waits
        self.on_closed: Callable[[Closed], None] = _nobody_reopens
        self.renderer = ""
        self.beat = 0.0
        self.stopped = threading.Event()
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()
        self._wake: Callable[[], None] = _nobody_waits
        self._dropped = 0

    def post(self, step: Step) -> None:
        self._put(step)
        if isinstance(step, Closed):
            self.on_closed(step)

    def scan(self, text: str, scanner: str = "") -> None:
        self._put(ScanRead(text, scanner))

    def call(self, what: Callable[[], Any]) -> Future[Any]:
        """Do something in the window's thread; for the drive socket."""
        answer: Future[Any] = Future()
        self._put(Call(what, answer))
        return answer

    def stop(self) -> None:
        self.stopped.set()
        self._wake()

    def attach(self, wake: Callable[[], None]) -> None:
        """The window says how to wake it."""
        self._wake = wake

    def take(self) -> list[Item]:
        """Everything posted since the last call, oldest first. Window's thread only."""
        with self._lock:
            items = list(self._items)
            self._items.clear()
        return items

    def _put(self, item: Item) -> None:
        with self._lock:
            if len(self._items) >= BOUND:
                self._make_room()
            self._items.append(item)
        self._wake()

    def _make_room(self) -> None:
        """The window hangs. Give up a banner rather than a step of a flow; say so once."""
        if not self._dropped:
            log.error("the window takes no steps: %d wait; the oldest are given up", BOUND)
        self._dropped += 1
        for old in self._items:
            if isinstance(old, LinkState | NoticeBoard):
                self._items.remove(old)
                return
        lost = self._items.popleft()
        if isinstance(lost, Call):
            lost.answer.cancel()
