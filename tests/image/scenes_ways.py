"""The other ways of a release into the machine: on a stick, by the technician's screen; and by night, as a delta.

The stick is not mounted by this test: the technician's page has it mounted, as a real one. For the night the machine's
clock is set forward; what the night is, the point decides.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sample
from emulated_point import START_S, EmulatedPoint
from ledger import Ledger, until
from releases import Release
from scenes_counter import PAGE_S, Counter
from scenes_start import STANDBY, Watcher, verified
from scenes_update import BACKEND, CONFIRMED_S, INSTALL_S, ROLLOUT_S, Desk
from sticks import fat_stick, put_in

from ui.words import t

TECHNICIAN = next(each for each in sample.OPERATORS if each.role == "technician")
VERSION = "sed -n s/^VERSION=//p /etc/village-image"
NOON, NIGHT = 4, 19  # o'clock UTC: twelve at noon, and three in the night, by Chinese time
WAITS_S = 150.0  # two looks of the point for something to fetch
RECEIVED = "cat /sys/class/net/e*/statistics/rx_bytes"
CLOCK_SEEN_S = 5.0
LABEL, STICK_S = "VILLAGE", 120.0


# -- on a stick


def by_stick(counter: Counter, new: Release, watcher: Watcher, ledger: Ledger) -> None:
    """A technician puts a release on with a stick, leaves, and it restarts into it. The point is on and open after."""
    point = counter.point
    old, facts = point.shell.run(f"{BACKEND} get-current"), verified(point)["facts"]
    stick = fat_stick(point.folder / "pen.img", LABEL, {new.bundle.name: new.bundle})
    put_in(point, stick, "pen", LABEL)
    _open_sticks(counter)
    ledger.check("a stick with a release says which one", new.version in _words(point), _words(point))
    point.tap("stick.place_0")
    started = time.monotonic()
    until("the release in place", lambda: t("stick.placed", "zh") in _words(point), INSTALL_S, 2.0)
    ledger.figure("a release from a stick, touched to written", time.monotonic() - started)
    point.machine.qmp.shot(point.folder / "screen.png")
    watcher.keep("stick-placed")
    point.machine.qmp.unplug("pen")
    _hold_restart(point)
    counter.log_out()
    _restarts(point, watcher)
    _is_taken(point, ledger, new.version, old)
    proof = verified(point)
    ledger.check("the books are as before the stick", proof["ok"] and proof["facts"] >= facts, (facts, proof))


def _open_sticks(counter: Counter) -> None:
    """The technician logs in and looks for sticks until one is there."""
    point = counter.point
    counter.go_home()
    point.tap("home.operator")
    point.wait("login", PAGE_S)
    point.type(TECHNICIAN.pin)
    point.tap("login.ok")
    point.wait("devices", PAGE_S)
    point.tap("devices.sync")
    point.wait("sync", PAGE_S)
    point.tap("sync.stick")
    point.wait("stick", PAGE_S)

    def look() -> bool:
        if "stick.place_0" in point.page()["buttons"]:
            return True
        point.tap("stick.refresh")
        return False

    until("the stick's release on the page", look, STICK_S, 3.0)


def _words(point: EmulatedPoint) -> str:
    return " ".join(map(str, point.page()["texts"]))


# -- by night


def by_night(counter: Counter, desk: Desk, delta: Path, new: Release, watcher: Watcher) -> None:
    """A roll-out that waits for the night, then brings the delta alone. The point is on and open after."""
    point, ledger = counter.point, watcher.ledger
    old, facts = point.shell.run(f"{BACKEND} get-current"), verified(point)["facts"]
    whole, small = desk.offer(new.bundle), desk.offer(delta)
    ledger.figure("the same release, whole and as a delta", f"{whole} and {small}", "bytes")
    _set_clock(point, NOON)
    counter.log_out()
    desk.order(new.version, at_once=False)
    time.sleep(WAITS_S)
    told = desk.newest()
    is_waiting = not set(told["sites"]) & {"fetched", "written", "installed"}
    ledger.check("by day nothing is fetched", is_waiting, told)
    before = int(point.shell.run(RECEIVED))
    _set_clock(point, NIGHT)
    began = time.monotonic()
    _hold_restart(point)
    desk.wait("written", ROLLOUT_S)
    ledger.figure("night to the delta written", time.monotonic() - began)
    came = int(point.shell.run(RECEIVED)) - before
    ledger.figure("received meanwhile, all of it", came, "bytes")
    ledger.check("the delta came, and not the whole release", small < came < whole // 2, (small, came, whole))
    _restarts(point, watcher)
    _is_taken(point, ledger, new.version, old)
    desk.wait("installed", CONFIRMED_S)
    proof = verified(point)
    ledger.check("the books are as before the night", proof["ok"] and proof["facts"] >= facts, (facts, proof))
    counter.compare()


def _set_clock(point: EmulatedPoint, hour: int) -> None:
    """Set it forward to the next such hour of UTC, as a day would pass."""
    now = datetime.fromtimestamp(int(point.shell.run("date +%s")), UTC)
    then = now.replace(hour=hour, minute=0, second=0)
    then += timedelta(days=then <= now)
    point.shell.run(f"date -u -s @{int(then.timestamp())}")
    time.sleep(CLOCK_SEEN_S)


# -- both


def _hold_restart(point: EmulatedPoint) -> None:
    """Its next restart by itself switches it off, so that its card gets the words for a shell."""
    point.machine.qmp.ask("set-action", reboot="shutdown")


def _restarts(point: EmulatedPoint, watcher: Watcher) -> None:
    """It goes down once nobody is there, and comes up. It is open afterwards."""
    point.follow(CONFIRMED_S)
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    point.open_eyes()


def _is_taken(point: EmulatedPoint, ledger: Ledger, version: str, old: str) -> None:
    """The other slot runs, is committed, and is of that version."""
    until("the slot on trial confirmed", lambda: point.shell.run(f"{BACKEND} get-committed") != old, CONFIRMED_S, 2.0)
    now = point.shell.run(f"{BACKEND} get-current; {BACKEND} get-committed; {VERSION}").split()
    other = {"A": "B", "B": "A"}[old]
    ledger.check("a release by stick or by night runs and is committed", now == [other, other, version], now)
