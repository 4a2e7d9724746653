"""Releases on their way into the machine: refused, rolled out by the hub, given up, taken; and cut anywhere in that.

The good roll-out is recorded write by write. A cut at any moment of it is then a disk made from that record: what was
flushed before, and of the rest what the dice say. The slots are written and changed under real kills as well.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sample
from emulated_point import START_S, EmulatedPoint
from image_district import ImageDistrict
from ledger import Ledger, NotSeen, until
from releases import KEYS, Release
from scenes_counter import Counter
from scenes_cuts import UP, Promise, Run, judge, read_books
from scenes_kills import GONE
from scenes_start import STANDBY, Watcher, command, verified
from sticks import fat_stick, put_in

from sync.update_words import sentence

INSTALL_S = 1800.0
ROLLOUT_S = 3600.0  # fetched, written, started and judged by an emulated machine
QUIET_S = 90.0  # a point writes nothing before it was left alone for 60 s
CONFIRMED_S = 900.0  # the judge of a slot on trial gives it 300 s, an emulated machine takes its time
STICK, LABEL = "/run/update-stick", "UPDATE"
BACKEND = "/usr/lib/village/rauc-backend"
HUB_LOOK_S = 5.0
SOONEST_S = 1.0


def stick_with(bundle: Path, folder: Path) -> Path:
    """A USB stick that holds a bundle, one with a flipped byte, and half of one."""
    content = bundle.read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 3] ^= 0xFF
    (folder / "damaged.raucb").write_bytes(damaged)
    (folder / "half.raucb").write_bytes(content[: len(content) // 2])
    files = {"good": bundle, "damaged": folder / "damaged.raucb", "half": folder / "half.raucb"}
    return fat_stick(folder / "stick.img", LABEL, {f"{name}.raucb": file for name, file in files.items()})


def plug_stick(point: EmulatedPoint, stick: Path) -> None:
    """Put it into the machine, and mount it as root."""
    put_in(point, stick, "stick", LABEL)
    point.shell.run(f"mkdir -p {STICK} && mount -o ro /dev/disk/by-label/{LABEL} {STICK}")


def refusals(point: EmulatedPoint, ledger: Ledger) -> None:
    """A damaged and a halved bundle are refused by RAUC and, in words, by the program; the slots stay as they are."""
    before = point.shell.run(f"{BACKEND} get-primary")
    for name in ("damaged", "half"):
        said = point.shell.run(f"rauc install {STICK}/{name}.raucb 2>&1 | tail -3", INSTALL_S)
        ledger.check(f"a {name} bundle is refused", "failed" in said.lower(), said)
        said = command(point, f"update install {STICK}/{name}.raucb", INSTALL_S, worst=9)
        ledger.say(f"{name}: {said[-200:]}")
        ledger.check(f"a {name} bundle is refused in words", sentence(name) in said, said)
    after = point.shell.run(f"{BACKEND} get-primary")
    ledger.check("a refused bundle changes no slot", before == after, (before, after))


# -- by the hub's roll-out


@dataclass(frozen=True, slots=True)
class KillPlan:
    """How often to kill, within so many bytes of a slot's writing."""

    times: int
    slot: int


class Desk:
    """The desk of the district brings a release to the point, and hears how that went."""

    def __init__(self, district: ImageDistrict) -> None:
        self._hub = district.stand.hub_command
        shutil.copyfile(KEYS / "root.pem", district.stand.folder / "release-keyring.pem")

    def offer(self, bundle: Path) -> int:
        """Take a bundle in; tell its bytes."""
        told: dict[str, Any] = json.loads(self._hub("release", "add", str(bundle)))
        return int(told["bytes"])

    def order(self, version: str, *, at_once: bool = True) -> None:
        """To this one point, now or by night."""
        self._hub("rollout", "start", version, "--site", sample.SITE, *(["--at-once"] if at_once else []))

    def stop(self) -> None:
        self._hub("rollout", "stop")

    def newest(self) -> dict[str, Any]:
        """The newest roll-out: state of its sites, and what failed."""
        found: dict[str, Any] = json.loads(self._hub("rollout", "status").splitlines()[0])
        return found

    def wait(self, state: str, seconds: float = ROLLOUT_S) -> dict[str, Any]:
        """Wait until the point has told that. Errors: NotSeen; at once when it told a failure instead."""

        def look() -> dict[str, Any]:
            told = self.newest()
            if told["failed"] and state not in told["sites"]:
                raise NotSeen(f"the release failed before it was {state}: {told}")
            return told if state in told["sites"] else {}

        found: dict[str, Any] = until(f"the release {state} (at the hub {self.newest()})", look, seconds, HUB_LOOK_S)
        return found


def fall_back(point: EmulatedPoint, desk: Desk, broken: Release, watcher: Watcher, ledger: Ledger) -> None:
    """A signed release whose program is missing is rolled out: the point gives it up by itself and says so."""
    old, facts = point.shell.run(f"{BACKEND} get-current"), verified(point)["facts"]
    desk.offer(broken.bundle)
    started = time.monotonic()
    desk.order(broken.version)
    desk.wait("written")
    written = time.monotonic()
    ledger.figure("a broken release: ordered to written", written - started)
    told = desk.wait("fell_back")
    ledger.figure("a broken release: written to given up, told at the hub", time.monotonic() - written)
    ledger.check("a broken release is told at the hub as fallen back", "no_start" in str(told["failed"]), told)
    ledger.check("the roll-out of a broken release stops", told["state"] == "stopped", told)
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    point.open_eyes()
    now = point.shell.run(f"{BACKEND} get-current")
    ledger.check("a broken slot falls back to the old one", now == old, (old, now))
    proof = verified(point)
    ledger.check("falling back keeps the books", proof["ok"] and proof["facts"] >= facts, (facts, proof))


def roll_out(counter: Counter, desk: Desk, good: Release, watcher: Watcher, ledger: Ledger) -> Run:
    """A good release, written only when nobody is there, until it runs for good. Recorded. The point is off after."""
    point = counter.point
    old, facts = point.shell.run(f"{BACKEND} get-current"), verified(point)["facts"]
    counter.log_in()
    recording = point.disk.record(point.folder / "before-update")
    ledger.figure("a release, whole", desk.offer(good.bundle), "bytes")
    started = time.monotonic()
    desk.order(good.version)
    desk.wait("fetched")
    ledger.figure("a release is fetched over HTTPS, in pieces", time.monotonic() - started)
    _stay_there(counter)
    told = desk.newest()
    ledger.check("nothing is written while somebody is logged in", "fetched" in told["sites"], told)
    counter.log_out()
    left = time.monotonic()
    desk.wait("written")
    ledger.figure("the last touch to a release written", time.monotonic() - left)
    recording.mark("written")
    desk.wait("installed")
    ledger.figure("the last touch to a release that runs for good, told at the hub", time.monotonic() - left)
    recording.mark("confirmed")
    watcher.wait(STANDBY, START_S)
    point.press_power(300)
    point.disk.recording = None
    point.open_console()
    point.power_on()
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    point.open_eyes()
    now = point.shell.run(f"{BACKEND} get-current; {BACKEND} get-committed; sed -n s/^VERSION=//p /etc/village-image")
    other = {"A": "B", "B": "A"}[old]
    ledger.check("the new slot runs, is committed and of the release", now.split() == [other, other, good.version], now)
    proof = verified(point)
    ledger.check("the books are as before the update", proof["ok"] and proof["facts"] >= facts, (facts, proof))
    counter.compare()
    run = Run("a roll-out and the change of slots", STANDBY, recording)
    run.promises.append(Promise(0, 0, facts))
    return run


def _stay_there(counter: Counter) -> None:
    """Somebody goes on working at the board for longer than a point waits before it writes."""
    deadline = time.monotonic() + QUIET_S
    while time.monotonic() < deadline:
        counter.open_intake()
        time.sleep(10)
        counter.point.tap("intake.done" if "intake.done" in counter.point.page()["buttons"] else "intake.back")
        time.sleep(5)


# -- under real kills


def kill_writing(point: EmulatedPoint, watcher: Watcher, stick: Path, dice: random.Random, plan: KillPlan) -> None:
    """Kill the machine while RAUC writes the other slot, start it cold, again; then let it be written."""
    ledger, facts = watcher.ledger, verified(point)["facts"]
    plug_stick(point, stick)
    for number in range(1, plan.times + 1):
        at = dice.randrange(plan.slot)
        fuse = threading.Thread(target=_kill_when_written, args=(point, point.disk.written + at))
        fuse.start()
        with suppress(*GONE):
            point.shell.run(f"rauc install {STICK}/good.raucb", INSTALL_S)
        fuse.join()
        seconds = _back(point, watcher, dice, facts)
        ledger.say(f"kill {number}/{plan.times} {at >> 20} MiB into writing a slot: up in {seconds:.0f} s")
        point.open_shell()
        plug_stick(point, stick)
    ledger.figure("machine killed while a slot was written", plan.times, "kills")
    started = time.monotonic()
    said = point.shell.run(f"rauc install {STICK}/good.raucb 2>&1 | tail -3", INSTALL_S)
    ledger.check("a good bundle is installed", "succeeded" in said, said)
    ledger.figure("a slot is written by RAUC", time.monotonic() - started)


def _kill_when_written(point: EmulatedPoint, upto: int) -> None:
    """The power goes when so much was written to the disk; at the latest when that should long have been."""
    deadline = time.monotonic() + INSTALL_S
    while point.disk.written < upto and time.monotonic() < deadline:
        time.sleep(0.02)
    point.kill()


def kill_switching(point: EmulatedPoint, watcher: Watcher, dice: random.Random, times: int) -> None:
    """Kill the machine while it starts the slot on trial and judges it, start it cold. It is on, that slot armed."""
    ledger, facts = watcher.ledger, verified(point)["facts"]
    old = point.shell.run(f"{BACKEND} get-current")
    point.switch_off()
    point.open_console()
    armed = point.disk.snapshot(point.folder / "armed")
    took = _confirmed(point, watcher, old, ledger)
    point.cut_power(dice)
    ended: dict[str, int] = {}
    for number in range(1, times + 1):
        point.disk.restore(armed)
        at = dice.uniform(SOONEST_S, took + SOONEST_S)
        point.power_on()
        point.machine.qmp.cable("cable", is_in=False)  # the hub must not hear of several futures of one point
        time.sleep(at)
        point.kill()
        seconds = _back(point, watcher, dice, facts)
        point.open_shell()
        now = point.shell.run(f"{BACKEND} get-current; {BACKEND} get-committed").split()
        ledger.check("after a kill during the change of slots a committed slot runs", now[0] == now[1], now)
        ended[now[0]] = ended.get(now[0], 0) + 1
        ledger.say(f"kill {number}/{times} {at:.0f} s into a trial: up in {seconds:.0f} s, slot {now[0]}")
        point.cut_power(dice)
    ledger.figure("machine killed during the change of slots", times, "kills")
    ledger.figure("slots that ran afterwards", str(ended), "times")


def _confirmed(point: EmulatedPoint, watcher: Watcher, old: str, ledger: Ledger) -> float:
    """The slot on trial is started and not disturbed; tell the seconds from power on until it is committed."""
    point.power_on()
    point.machine.qmp.cable("cable", is_in=False)
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    now = point.shell.run(f"{BACKEND} get-current")
    ledger.check("the new slot is tried", now != old, (old, now))
    until("the new slot is confirmed", lambda: point.shell.run(f"{BACKEND} get-committed") == now, CONFIRMED_S, 2.0)
    took = point.machine.seconds
    ledger.figure("power on to the new slot confirmed", took)
    return took


def _back(point: EmulatedPoint, watcher: Watcher, dice: random.Random, facts: int) -> float:
    """After a kill the disk keeps what the dice say, the books hold, the standby screen comes. Tell the seconds."""
    point.settle(dice)
    judge(read_books(point, point.folder), Promise(0, 0, facts), watcher.ledger)
    machine = point.power_on()
    machine.qmp.cable("cable", is_in=False)
    watcher.reach(STANDBY, UP)
    return machine.seconds
