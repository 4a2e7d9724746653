"""How often the window turns: quickly after a touch, slowly at rest, at once when something is posted.

Kivy's own clock sleeps a whole frame and cannot be woken; at rest that would delay a scan by 100 ms.
Source: reference, section 1.4 (idle cost is the polling loop: 2 % of a core at 60 turns, 0.3 % at 10).
"""

from __future__ import annotations

import threading
import time
from typing import Any

BUSY_FPS, REST_FPS = 60, 10
BUSY_S = 2.0


class Pace:
    """Replaces the waiting part of Kivy's clock. `wake` may be called from any thread."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._busy_until = 0.0
        self._clock: Any = None

    def take_over(self, clock: Any) -> None:
        self._clock = clock
        clock.idle = self._idle

    def give_back(self, clock: Any) -> None:
        if self._clock is not None:
            del clock.idle
            self._clock = None

    def wake(self) -> None:
        self._woken.set()

    def hurry(self) -> None:
        """Somebody is here: turn quickly for a while."""
        self._busy_until = time.monotonic() + BUSY_S

    def _idle(self) -> float:
        """Wait until the next turn is due or somebody woke us; what Kivy's ClockBase.idle promises its caller."""
        clock = self._clock
        fps = BUSY_FPS if time.monotonic() < self._busy_until else REST_FPS
        rest = 1 / fps - (clock.time() - clock._last_tick)
        if rest > 0:
            self._woken.wait(rest)
        self._woken.clear()
        now: float = clock.time()
        clock._dt = now - clock._last_tick
        clock._last_tick = now
        return now
