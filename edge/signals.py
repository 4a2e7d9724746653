"""Being asked to end by the system: SIGTERM and Ctrl-C. What ending means is said by the root (`edge.app`)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` once for each SIGTERM or Ctrl-C, in a thread of its own.

    A handler runs between two steps of the main thread, which may hold the very lock that `stop` needs: the kiosk then
    stood still for ever. A SimpleQueue may be put into at any point (library reference, `queue`).
    """
    asked: SimpleQueue[int] = SimpleQueue()

    def obey() -> None:
        while True:
            asked.get()
            stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: asked.put(number))
    threading.Thread(target=obey, name="signals", daemon=True).start()
