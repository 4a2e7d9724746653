"""Is the release that has just started fit to stay? Looks at the books on a copy, and asks the running kiosk the rest.

What decides is in `judge`; `books` and `wait` look. Asked by `village-point health` in the first minutes of a trial,
and the same way by a technician at any time.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import log
from edge.clock import Clock, Dice
from edge.copies import FILE, read_only
from edge.doctor_line import ask_alive
from edge.leftovers import scratch
from edge.store import Keys, Store, StoreFault, Tx
from edge.update_trial import Trial

TAIL = 500  # facts whose chain is verified
LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Alive:
    """What a running kiosk says of itself. `drawn`: None without a window; `beat_s`: since the window's last turn."""

    version: str
    drawn: bool | None
    beat_s: float
    online: bool
    devices: Mapping[str, str]


def judge(alive: Alive | None, version: str, before: Trial | None) -> tuple[str, ...]:
    """What is wrong, as words: silent, version, screen, device NAME, hub; nothing when all is well.

    Without a trial only the kiosk itself is judged: nobody knows how things were before.
    """
    if alive is None:
        return ("silent",)
    wrong = []
    if alive.version != version:
        wrong.append("version")
    if alive.drawn is False or (alive.drawn and alive.beat_s > 10.0):
        wrong.append("screen")
    if before is not None:
        fine = {name for name, health in before.devices.items() if health == "ok"}
        wrong += [f"device {name}" for name in sorted(fine) if alive.devices.get(name) not in ("ok", None)]
        if before.online and not alive.online:
            wrong.append("hub")
    return tuple(wrong)


def books(folder: Path, keys: Keys, clock: Clock, dice: Dice) -> tuple[str, ...]:
    """Open and migrate a copy of the books, and verify the end of their chain. Words: store CODE, chain."""
    if not (folder / FILE).exists():
        return ()  # a terminal that has not begun yet
    try:
        with scratch(folder) as copy:
            _copy(folder / FILE, copy / FILE)
            store = Store(copy, clock, dice, keys)
            store.open()
            try:
                broken = store.run_now(_tail)
            finally:
                store.close()
    except StoreFault as fault:
        return (f"store {fault.code}",)
    except (sqlite3.Error, OSError):
        return ("store S3",)
    return ("chain",) if broken else ()


def wait(
    folder: Path, version: str, before: Trial | None, until: Callable[[], bool], rest: Callable[[float], None]
) -> tuple[str, ...]:
    """Ask the kiosk until nothing is wrong or the time is over; return what was wrong last."""
    while True:
        wrong = judge(alive(folder), version, before)
        if not wrong or not until():
            return wrong
        rest(LOOK_S)


def alive(folder: Path) -> Alive | None:
    """Ask the kiosk that runs on this folder; None when none answers."""
    told = ask_alive(folder)
    try:
        return None if told is None else Alive(**told)
    except TypeError:
        return None


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(read_only(source)) as live, contextlib.closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=1_000)
    target.chmod(0o600)


def _tail(tx: Tx) -> bool:
    return log.verify(tx, TAIL) is not None
