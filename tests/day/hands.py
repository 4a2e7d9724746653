"""The hands at the cabinet: shut every door that stands open, a moment after it opened, like the person before it."""

from __future__ import annotations

import threading
import time

from programs import StandError
from stand import Stand

LOOK_S = 0.05
MOMENT_S = 0.6  # a hand needs longer; boards that answer no opening are read 0.3 s after it


class Hands:
    """A thread that works the simulated doors. `hold` makes it leave a door open."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, name="hands", daemon=True)
        self.held: set[int] = set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _work(self) -> None:
        while not self._end.wait(LOOK_S):
            try:
                for cell, door in self._stand.cells("doors").items():
                    if door == "open" and cell not in self.held:
                        time.sleep(MOMENT_S)
                        self._stand.at_cell(cell, "close_door")
            except (OSError, StandError):
                continue  # the simulator is not up yet, or going down
