"""Power cuts at random moments, during the first start and while parcels are taken in; what must hold after each.

A cut kills the emulator; of the writes since the last flush the disk keeps what the dice say (cut_disk.py). After each
cut the books are read on this machine from a copy of the data partition, and cold starts show that it comes up.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulated_point import START_S, EmulatedPoint
from firmware_disk import partitions
from ledger import Ledger, NotSeen, until
from machine import MachineError
from qmp import QmpError
from root_shell import ShellError
from scenes_counter import Counter
from scenes_start import FIRST, STANDBY, Watcher

from ui.drive_client import DriveError

UP = "comes up after a power cut"
BOOKS = "the chain of facts verifies after a power cut"
DISK = "the file system of the data needs its journal alone"
OPENED = "every cell that opened has its order in the books"
HEARD = "every fact the hub confirmed is still there"
TOOL_S = 300
FIRST_LATEST_S = 150.0  # latest moment of a cut before a first start was seen to its end
BOARD_S = 60.0
SCANS_S = 25.0  # latest moment of a cut after the intake is open
GONE = (QmpError, DriveError, ShellError, MachineError, NotSeen, OSError)  # what hands meet when the power is gone


@dataclass(frozen=True, slots=True)
class Plan:
    """How many cuts, and after how many of them the machine is left to start."""

    cuts: int
    start_every: int = 1


@dataclass(frozen=True, slots=True)
class Books:
    """What a copy of the data partition says after its journal was replayed."""

    fsck: int  # exit code of a check that mends nothing
    words: str
    proof: dict[str, Any] | None  # of `log verify`; None while there is no database
    orders: int  # cells that were ordered to open


def cut_first_starts(point: EmulatedPoint, watcher: Watcher, dice: random.Random, plan: Plan) -> None:
    """A new card is cut at random moments of its first starts; some lives are left alone until the screen asks."""
    ledger = watcher.ledger
    latest, seen = FIRST_LATEST_S, 0
    for number in range(1, plan.cuts + 1):
        machine = point.power_on()
        if number % plan.start_every == 0:
            watcher.wait(FIRST, START_S)
            ledger.check(UP, is_so=True)
            seen, latest = seen + 1, machine.seconds
        else:
            moment = dice.uniform(2.0, latest)
            while machine.seconds < moment:
                time.sleep(0.2)
        at, hurt = machine.seconds, point.cut_power(dice)
        fsck, words = data_check(point, point.folder / "data.ext4")
        ledger.check(DISK, fsck == 0, words)
        ledger.say(f"cut {number}/{plan.cuts} of a first start, {at:.0f} s after power on; {hurt} writes hurt")
    point.power_on()
    watcher.wait(FIRST, START_S)
    watcher.keep("first_after_cuts")
    ledger.check(UP, is_so=True)
    ledger.figure("power cuts during first starts", plan.cuts, "cuts")
    ledger.figure("of them followed by a start that was left alone", seen + 1, "starts")
    point.kill()
    point.settle(dice)


def cut_writes(counter: Counter, watcher: Watcher, dice: random.Random, plan: Plan) -> None:
    """Cut while parcels are scanned in, again and again from one saved moment of the open intake.

    The books are judged after each cut; every so many cuts the machine is started cold. The network cable is out, since
    the hub must not hear of several futures of one point. Up, with shell and eyes, at the moment saved, afterwards.
    """
    ledger, point = watcher.ledger, counter.point
    counter.open_intake()
    moment = point.save()
    boots: list[float] = []
    for number in range(1, plan.cuts + 1):
        point.resume(moment)
        until("the lock board", lambda: point.page()["screen"] == "intake", BOARD_S)
        at = _work_until_cut(counter, dice)
        hurt = point.settle(dice)
        books = read_books(point, point.folder)
        _judge(books, counter, counter.district.hub_site(), ledger)
        facts = books.proof["facts"] if books.proof else 0
        ledger.say(f"cut {number}/{plan.cuts} {at:.1f} s into work: {hurt} writes hurt, {facts} facts in the books")
        if number % plan.start_every == 0:
            boots.append(_cold_start(point, watcher, f"cut {number}", dice))
    point.resume(moment)
    point.machine.qmp.cable("cable", is_in=True)
    ledger.figure("power cuts during writes", plan.cuts, "cuts")
    ledger.figure("of them followed by a cold start to standby", len(boots), "starts")
    if boots:
        ledger.figure("cold start after a cut to standby: longest", max(boots))


def _cold_start(point: EmulatedPoint, watcher: Watcher, what: str, dice: random.Random) -> float:
    """Start, look until standby is on the screen, cut again. Tell the seconds."""
    machine = point.power_on()
    machine.qmp.cable("cable", is_in=False)
    try:
        watcher.wait(STANDBY, START_S)
    except NotSeen:
        watcher.ledger.check(UP, is_so=False, seen=f"{what}: the screen is {watcher.last}")
    else:
        watcher.ledger.check(UP, is_so=True)
    took = machine.seconds
    point.kill()
    point.settle(dice)
    return took


def _work_until_cut(counter: Counter, dice: random.Random) -> float:
    """Scan parcels into the open intake; the power goes in the middle of it."""
    began = time.monotonic()
    fuse = threading.Timer(dice.uniform(0.3, SCANS_S), counter.point.kill)
    fuse.start()
    with suppress(*GONE):
        while counter.point.is_on:
            row = dice.choice(counter.parcels)
            counter.point.machine.qmp.scan(row["waybill_no"])
            time.sleep(dice.uniform(0.2, 3.0))
    fuse.join()
    return time.monotonic() - began


def _judge(books: Books, counter: Counter, heard: dict[str, Any], ledger: Ledger) -> None:
    ledger.check(DISK, books.fsck == 0, books.words)
    ledger.check(BOOKS, books.proof is not None and books.proof["ok"], books.proof)
    pulses = counter.pulses()
    ledger.check(OPENED, books.orders >= pulses, f"{pulses} pulses, {books.orders} orders")
    upto = max([each["upto"] for each in heard.get("logs", [])], default=0)
    facts = books.proof["facts"] if books.proof else 0
    ledger.check(HEARD, facts >= upto, f"the hub has {upto}, the point {facts}")


def data_check(point: EmulatedPoint, card: Path) -> tuple[int, str]:
    """Copy the data partition out, replay its journal, and check without mending. Tell exit code and last words."""
    part = partitions(point.disk)[3]
    point.disk.extract(part.at, part.size, card)
    subprocess.run(["e2fsck", "-p", str(card)], capture_output=True, check=False, timeout=TOOL_S)
    done = subprocess.run(["e2fsck", "-fn", str(card)], capture_output=True, text=True, check=False, timeout=TOOL_S)
    return done.returncode, done.stdout[-300:]


def read_books(point: EmulatedPoint, folder: Path) -> Books:
    """Read the data partition of a machine that is off, on a copy: what its next start will find."""
    card, out = folder / "data.ext4", folder / "data"
    fsck, words = data_check(point, card)
    subprocess.run(["rm", "-rf", str(out)], check=True, timeout=TOOL_S)
    out.mkdir()
    for folder_there in ("/village-point", "/etc"):
        order = ["debugfs", "-R", f"rdump {folder_there} {out}", str(card)]
        subprocess.run(order, capture_output=True, check=True, timeout=TOOL_S)
    card.unlink()
    config = out / "village-point" / "books.toml"
    data = config.parent
    if not (data / "point.db").exists():
        return Books(fsck, words, None, 0)
    config.write_text(_settings(out / "etc/village-point/point.toml", data), "utf-8")
    proof = json.loads(_asked(config, "log", "verify")[0])
    orders = sum('"kind": "door_authorised.1"' in line for line in _asked(config, "log", "export"))
    return Books(fsck, words, proof, orders)


def _settings(own: Path, data: Path) -> str:
    """The point's own settings, reading the copy of its data."""
    lines = [line for line in own.read_text("utf-8").splitlines() if not line.startswith("data_dir")]
    return "\n".join([f'data_dir = "{data}"', *lines]) + "\n"


def _asked(config: Path, *words: str) -> list[str]:
    order = [sys.executable, "-m", "edge.cli", *words, "--config", str(config)]
    done = subprocess.run(order, capture_output=True, text=True, check=False, timeout=TOOL_S)
    return done.stdout.splitlines()
