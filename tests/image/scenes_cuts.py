"""Power cuts at random moments, during the first start and while parcels are taken in; what must hold after each.

A cut kills the emulator; of the writes since the last flush the disk keeps what the dice say (cut_disk.py). After each
cut the books are read on this machine from a copy of the data partition; then comes a real cold start, and the next cut
falls into that life.
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
from ledger import Ledger, NotSeen
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
SCANS_S = 25.0  # latest moment of a cut after the intake is open
GONE = (QmpError, DriveError, ShellError, MachineError, NotSeen, OSError)  # what hands meet when the power is gone


@dataclass(frozen=True, slots=True)
class Books:
    """What a copy of the data partition says after its journal was replayed."""

    fsck: int  # exit code of a check that mends nothing
    words: str
    proof: dict[str, Any] | None  # of `log verify`; None while there is no database
    orders: int  # cells that were ordered to open


def cut_first_starts(point: EmulatedPoint, watcher: Watcher, ledger: Ledger, dice: random.Random, times: int) -> None:
    """A new card is cut at random moments of its first starts; each third life is left alone until it asks."""
    longest = 60.0
    seen_after = 0
    for number in range(1, times + 1):
        machine = point.power_on()
        if number % 3 == 1 and number > 1:
            watcher.wait(FIRST, START_S)
            ledger.check(UP, is_so=True)
            longest = machine.seconds * 1.1
            seen_after += 1
        else:
            moment = dice.uniform(2.0, longest)
            while machine.seconds < moment:
                time.sleep(0.2)
        at, hurt = machine.seconds, point.cut_power(dice)
        ledger.say(f"cut {number}/{times} of a first start, {at:.0f} s after power on; {hurt} writes hurt")
        longest = max(longest, 60.0)
    machine = point.power_on()
    watcher.wait(FIRST, START_S)
    ledger.check(UP, is_so=True)
    ledger.figure("power cuts during first starts", times, "cuts")
    ledger.figure("of them followed by a start that was left alone", seen_after + 1, "starts")


def cut_writes(counter: Counter, watcher: Watcher, ledger: Ledger, dice: random.Random, times: int) -> None:
    """Cut while parcels are scanned in. The point is up, with shell and eyes; it is up again afterwards."""
    point = counter.point
    boots: list[float] = []
    for number in range(1, times + 1):
        at = _work_until_cut(counter, dice)
        hurt = point.settle(dice)
        heard = counter.district.hub_site()
        books = read_books(point, point.folder)
        _judge(books, counter, heard, ledger)
        machine = point.power_on()
        try:
            watcher.wait(STANDBY, START_S)
        finally:
            ledger.check(UP, watcher.last[0].startswith(STANDBY), f"cut {number}: the screen is {watcher.last}")
        boots.append(machine.seconds)
        facts = books.proof["facts"] if books.proof else 0
        ledger.say(
            f"cut {number}/{times} {at:.1f} s into work, {hurt} writes hurt, {facts} facts; up in {boots[-1]:.0f} s"
        )
        point.open_shell()
        point.open_eyes()
    ledger.figure("power cuts during writes", times, "cuts")
    ledger.figure("cold start after a cut to standby: mean", sum(boots) / len(boots))
    ledger.figure("cold start after a cut to standby: longest", max(boots))


def _work_until_cut(counter: Counter, dice: random.Random) -> float:
    """Open the intake and scan; the power goes in the middle of it."""
    counter.open_intake()
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


def read_books(point: EmulatedPoint, folder: Path) -> Books:
    """Read the data partition of a machine that is off, on a copy: what its next start will find."""
    part = partitions(point.disk)[3]
    card = folder / "data.ext4"
    out = folder / "data"
    point.disk.extract(part.at, part.size, card)
    subprocess.run(["e2fsck", "-p", str(card)], capture_output=True, check=False, timeout=TOOL_S)  # replays the journal
    fsck = subprocess.run(["e2fsck", "-fn", str(card)], capture_output=True, text=True, check=False, timeout=TOOL_S)
    subprocess.run(["rm", "-rf", str(out)], check=True, timeout=TOOL_S)
    out.mkdir()
    for folder_there in ("/village-point", "/etc"):
        order = ["debugfs", "-R", f"rdump {folder_there} {out}", str(card)]
        subprocess.run(order, capture_output=True, check=True, timeout=TOOL_S)
    card.unlink()
    config = out / "village-point" / "books.toml"
    data = config.parent
    if not (data / "point.db").exists():
        return Books(fsck.returncode, fsck.stdout[-300:], None, 0)
    config.write_text(_settings(out / "etc/village-point/point.toml", data), "utf-8")
    proof = json.loads(_asked(config, "log", "verify")[0])
    orders = sum('"kind": "door_authorised.1"' in line for line in _asked(config, "log", "export"))
    return Books(fsck.returncode, fsck.stdout[-300:], proof, orders)


def _settings(own: Path, data: Path) -> str:
    """The point's own settings, reading the copy of its data."""
    lines = [line for line in own.read_text("utf-8").splitlines() if not line.startswith("data_dir")]
    return "\n".join([f'data_dir = "{data}"', *lines]) + "\n"


def _asked(config: Path, *words: str) -> list[str]:
    order = [sys.executable, "-m", "edge.cli", *words, "--config", str(config)]
    done = subprocess.run(order, capture_output=True, text=True, check=False, timeout=TOOL_S)
    return done.stdout.splitlines()
