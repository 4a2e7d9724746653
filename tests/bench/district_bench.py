"""A sample district for benches: its point is filled before the kiosk starts, and the kiosk has a witness inside."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sample
from process import go_first
from programs import Said
from stand import Stand

from edge import config, keys, log
from edge.clock import SystemClock, SystemDice
from edge.store import Store
from ui.drive_client import Driver

PIN = next(o.pin for o in sample.OPERATORS if o.role == "operator")
BACKLOG_CHUNK = 2_000
SHELF_LEVELS, SHELF_POSITIONS = 20, 99  # the largest shelf that settings allow
WATCHED = Path(__file__).parent / "watched_kiosk.py"


class BenchStand(Stand):
    """Broker, hub, simulated locker and display, and a gun whose wire ends in this process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {**os.environ, "SDL_VIDEODRIVER": "offscreen"})
        self._gun = -1
        self._slave = -1
        self._seen = -1
        self._rest = b""

    def open_district(self) -> None:
        """Lay out files, with the gun taken from the simulator."""
        self.lay_out()
        text = self.sim_toml.read_text("utf-8")
        text = text[: text.index("[devices.gun]")]
        self.sim_toml.write_text(text, "utf-8")
        self._gun, self._slave = os.openpty()
        tty.setraw(self._slave)
        wire = self.folder / "dev" / "gun"
        wire.unlink(missing_ok=True)
        wire.symlink_to(os.ttyname(self._slave))
        os.mkfifo(self.folder / "run" / "seen")
        self._seen = os.open(self.folder / "run" / "seen", os.O_RDWR | os.O_NONBLOCK)

    def store(self) -> Store:
        """The point's own store, while the kiosk does not run."""
        settings = config.load(self.point_toml)
        store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
        store.open()
        store.run_now(log.begin)
        return store

    def build_shelves(self, places: int) -> None:
        """Shelves with room for so many, in the settings: the kiosk takes down what does not stand there."""
        many = -(-places // (SHELF_LEVELS * SHELF_POSITIONS))
        shelf = '\n[[shelf]]\nname = "Z{}"\nlevels = {}\npositions = {}\n'
        with self.point_toml.open("a", encoding="utf-8") as text:
            text.writelines(shelf.format(number, SHELF_LEVELS, SHELF_POSITIONS) for number in range(many))

    def start_watched_kiosk(self) -> Driver:
        self.start_line()
        run = self.folder / "run"
        words = ["run", "--config", str(self.point_toml)]
        command = [sys.executable, str(WATCHED), str(run / "seen"), str(run / "control.sock"), *words]
        self._start("kiosk", command, lambda said: any(each.get("ready") is True for each in said))
        return self.driver()

    def scan(self, text: str) -> int:
        """Put a code on the gun's wire; tell the monotonic nanoseconds just before."""
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.write(self._gun, text.encode() + b"\r")
        return at

    def seen(self, timeout_s: float) -> dict[str, Any] | None:
        """The next change of pixels, None when there is none in time."""
        end = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._seen], [], [], left)[0]:
                return None
            self._rest += os.read(self._seen, 65536)
        line, self._rest = self._rest.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found

    def forget_seen(self) -> None:
        while self.seen(0.0) is not None:
            pass

    def stock(self, first: int, count: int) -> list[str]:
        """Fill free cells inside the running kiosk, by the rules; tell the tokens."""
        tokens: list[str] = self._ask({"do": "stock", "first": first, "count": count})
        return tokens

    def pending(self) -> int:
        """How many facts of the running kiosk the hub has not confirmed."""
        return int(self._ask({"do": "pending"}))

    def add_backlog(self, first: int, count: int) -> None:
        """Write facts inside the running kiosk; a chunk at a time, so that the window lives."""
        for start in range(first, first + count, BACKLOG_CHUNK):
            self._ask({"do": "backlog", "first": start, "count": min(BACKLOG_CHUNK, first + count - start)})

    def settle(self) -> dict[str, int]:
        """Let the kiosk give spare memory back; tell `rss_kb` and how many `objects` it holds."""
        held: dict[str, int] = self._ask({"do": "settle"})
        return held

    def _ask(self, order: dict[str, Any]) -> Any:
        with socket.socket(socket.AF_UNIX) as line, line.makefile("rwb") as lines:
            line.settimeout(30)
            line.connect(str(self.folder / "run" / "control.sock"))
            lines.write(json.dumps(order).encode() + b"\n")
            lines.flush()
            return json.loads(lines.readline())

    def _start(self, name: str, command: Sequence[str], is_up: Callable[[Said], bool]) -> None:
        super()._start(name, command, is_up)
        go_first(self.programs.pid(name))

    def close(self) -> None:
        self.stop_all()
        for handle in (self._gun, self._slave, self._seen):
            if handle >= 0:
                os.close(handle)


def log_in(driver: Driver) -> None:
    """The operator types the PIN and goes to intake."""
    driver.tap("standby.start")
    driver.wait("home")
    driver.tap("home.operator")
    driver.wait("login")
    driver.type(PIN)
    driver.tap("login.ok")
    driver.wait("board", 15)
    driver.tap("board.intake")
    driver.wait("intake")
