"""The kiosk as it is, with a witness inside: what the frame really shows, and when. Started by the benches.

    watched_kiosk.py SEEN_FIFO CONTROL_SOCKET run --config FILE

After every drawn frame the witness reads the middle of the picture back from GL and, when it has changed, writes one
line into the FIFO: {"at": monotonic ns, "screen": ..., "waybill": of the last parcel stored, "target": chosen}. The
title bar, where the clock and the count of pending facts live, is not part of it. CLOCK_MONOTONIC is one clock for
all processes.
On the control socket: {"do": "stock", "first": n, "count": n} puts parcels into the cells by the rules; {"do":
"backlog", "first": n, "count": n} writes facts; {"do": "pending"} tells how many wait; {"do": "settle"} gives spare
memory back and tells what is held.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import os
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for place in (ROOT, Path(__file__).parent):
    sys.path.insert(0, str(place))

from process import memory_kb  # noqa: E402

import edge.app  # noqa: E402
import ui.app  # noqa: E402
from drivers import lock_kinds  # noqa: E402
from drivers.locker import BoardLocker  # noqa: E402
from edge import log  # noqa: E402

TOP, BOTTOM = 0.80, 0.20  # share of the height, from below: the middle of the page, where answers appear
ANSWER_S = 30.0
QUICK_BOARD = "BENCH_QUICK_BOARD"  # in the environment: look at doors more often, so that many pick-ups take less time


class Witness:
    """Looks at every frame before it is shown."""

    def __init__(self, seen: int) -> None:
        self._seen = seen
        self._last: Any = b""

    def watch(self) -> None:
        """Window's thread, after the first frame."""
        from kivy.core.window import Window

        Window.bind(on_flip=self._flipped)

    def _flipped(self, *_: Any) -> None:
        from kivy.app import App
        from kivy.core.window import Window
        from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels

        width, height = Window.system_size
        low, high = int(height * BOTTOM), int(height * TOP)
        pixels = glReadPixels(0, low, width, high - low, GL_RGBA, GL_UNSIGNED_BYTE)  # waits until all is drawn
        if pixels == self._last:
            return
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        self._last = pixels
        frame = App.get_running_app().frame
        stored = frame.stored.parcel.waybill_no if frame.stored else ""
        line = {"at": at, "screen": frame.state.screen, "waybill": stored, "target": frame.target}
        os.write(self._seen, json.dumps(line).encode() + b"\n")


class WatchedKiosk(edge.app.Kiosk):
    """Remembers itself for the control socket."""

    alive: WatchedKiosk | None = None

    def start(self) -> None:
        WatchedKiosk.alive = self
        super().start()


def serve(path: Path) -> None:
    """Obey the control socket, one order per connection."""
    listener = socket.socket(socket.AF_UNIX)
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    listener.listen(4)
    while True:
        client, _ = listener.accept()
        with client, client.makefile("rwb") as lines:
            order = json.loads(lines.readline())
            lines.write(json.dumps(obey(order)).encode() + b"\n")


def obey(order: dict[str, Any]) -> Any:
    kiosk = WatchedKiosk.alive
    assert kiosk is not None
    assert kiosk._loop is not None
    import point_store

    match order["do"]:
        case "settle":
            return settled()
        case "pending":
            work = kiosk._store.run(log.pending)
        case "backlog":
            work = kiosk._store.run(point_store.more_facts, order["first"], order["count"])
        case "stock":
            work = kiosk._store.run(point_store.stock, order["first"], order["count"])
    return asyncio.run_coroutine_threadsafe(work, kiosk._loop).result(ANSWER_S)


def quick_board(link: Any, wire: Any, cabinet: Any, clock: Any, timing: Any) -> BoardLocker:
    """The same board driver with shorter looks at its doors."""
    return BoardLocker(link, wire, cabinet, clock, replace(timing, gap_s=0.005, poll_s=0.03))


def settled() -> dict[str, int]:
    """Give back what is only kept by allocators, then tell what is really held."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return {"objects": len(gc.get_objects()), "rss_kb": memory_kb(os.getpid())}


def main() -> int:
    seen, control, *words = sys.argv[1:]
    witness = Witness(os.open(seen, os.O_WRONLY))
    shown = ui.app.run_app

    def run_app(settings: Any, bridge: Any) -> None:
        ready = bridge.on_ready

        def on_ready() -> None:
            witness.watch()
            ready()

        bridge.on_ready = on_ready
        shown(settings, bridge)

    if os.environ.get(QUICK_BOARD):
        lock_kinds.BoardLocker = quick_board  # type: ignore[misc, assignment]
    ui.app.run_app = run_app
    edge.app.Kiosk = WatchedKiosk  # type: ignore[misc]
    threading.Thread(target=serve, args=(Path(control),), daemon=True).start()
    from edge.cli import main as cli

    return cli(words)


if __name__ == "__main__":
    sys.exit(main())
