"""Power cuts at random moments, and what must hold after each: the books, the file system, the screen.

Two ways. The running machine is killed, again and again (scenes_kills.py). And a run is recorded write by write; a cut
at any write of it is then a disk made from that record, which needs no second run (`cut_recorded`, here). Either way
the disk keeps of the writes since the last flush what the dice say (cut_disk.py), and the books are read on this
machine from a copy of the data partition. Cold starts show that it comes up.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cut_disk import Recording
from emulated_point import EmulatedPoint
from firmware_disk import partitions
from image_district import ImageDistrict
from ledger import Ledger, NotSeen
from scenes_start import Watcher

UP = "comes up after a power cut"
BOOKS = "the chain of facts verifies after a power cut"
DISK = "the file system of the data needs its journal alone"
OPENED = "every cell that opened has its order in the books"
HEARD = "every fact the hub confirmed is still there"
TOOL_S = 300
NOT_BEGUN = "no such table: fact"  # the power went between the file of the store and its first transaction


@dataclass(frozen=True, slots=True)
class Plan:
    """How many cuts of each recorded run, after how many of them a cold start; how many kills at work, and in a first
    start."""

    cuts: int
    start_every: int
    kills: int
    first_kills: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """What the world had seen when so much was written: locks that were opened, facts that the hub confirmed."""

    at: int
    pulses: int = 0
    heard: int = 0


@dataclass(slots=True)
class Run:
    """A recorded run: its writes, what was promised when, and the page that each start after a cut must reach."""

    name: str
    page: str
    recording: Recording
    promises: list[Promise] = field(default_factory=list)

    def promise(self, pulses: int, heard: int) -> None:
        """Note what the world sees now. It was written earlier, so the note claims too little rather than too much."""
        self.promises.append(Promise(len(self.recording.log), pulses, heard))

    def promised(self, upto: int) -> Promise:
        """The newest promise before a write."""
        return max((each for each in self.promises if each.at <= upto), key=_moment, default=Promise(0))


@dataclass(frozen=True, slots=True)
class Books:
    """What a copy of the data partition says after its journal was replayed."""

    fsck: int  # exit code of a check that mends nothing
    words: str
    proof: dict[str, Any] | None  # of `log verify`; None while there is no database
    orders: int  # cells that were ordered to open
    kinds: Mapping[str, int] = field(default_factory=dict)  # how many facts of each kind


def _moment(promise: Promise) -> int:
    return promise.at


def cut_recorded(point: EmulatedPoint, run: Run, watcher: Watcher, dice: random.Random, plan: Plan) -> None:
    """Disks of power cuts at random writes of a recorded run. The point is off, and as it was afterwards."""
    ledger = watcher.ledger
    kept = point.disk.snapshot(point.folder / "kept")
    hurt_ever, starts = 0, 0
    try:
        for number in range(1, plan.cuts + 1):
            upto = dice.randint(1, len(run.recording.log))
            hurt_ever += point.disk.replay(run.recording, upto, dice)
            judge(read_books(point, point.folder), run.promised(upto), ledger)
            if number % plan.start_every == 0:
                starts += 1
                took = _cold_start(point, watcher, run.page, dice)
                ledger.say(f"{run.name}: cut {number}/{plan.cuts} at write {upto}: up in {took:.0f} s")
    finally:
        point.disk.restore(kept)
    ledger.figure(f"{run.name}: power cuts", plan.cuts, "cuts")
    ledger.figure(f"{run.name}: writes recorded", len(run.recording.log), "writes")
    ledger.figure(f"{run.name}: writes that did not survive whole", hurt_ever, "writes")
    ledger.figure(f"{run.name}: cold starts after a cut", starts, "starts")


def _cold_start(point: EmulatedPoint, watcher: Watcher, page: str, dice: random.Random) -> float:
    """Start, look until the page is on the screen, cut again. Tell the seconds."""
    machine = point.power_on()
    machine.qmp.cable("cable", is_in=False)  # the hub must not hear of several futures of one point
    with suppress(NotSeen):  # noted; the next cut is another try
        watcher.reach(page, UP)
    took = machine.seconds
    point.kill()
    point.settle(dice)
    return took


def judge(books: Books, promise: Promise, ledger: Ledger) -> None:
    """What must hold after every cut, whenever it came."""
    ledger.check(DISK, books.fsck == 0, books.words)
    facts = books.proof["facts"] if books.proof else 0
    if books.proof is not None:
        ledger.check(BOOKS, books.proof["ok"], books.proof)
    ledger.check(OPENED, books.orders >= promise.pulses, f"{promise.pulses} pulses, {books.orders} orders")
    ledger.check(HEARD, facts >= promise.heard, f"the hub has {promise.heard}, the point {facts}")


def heard_upto(district: ImageDistrict) -> int:
    """How many facts of the point the hub has confirmed."""
    return max([each["upto"] for each in district.hub_site().get("logs", [])], default=0)


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
    said, why = _asked(config, "log", "verify")
    if not said:
        return Books(fsck, words, None if NOT_BEGUN in why else {"ok": False, "facts": 0, "why": why}, 0)
    kinds = Counter(json.loads(line)["kind"] for line in _asked(config, "log", "export")[0])
    return Books(fsck, words, json.loads(said[0]), kinds["door_authorised.1"], kinds)


def _settings(own: Path, data: Path) -> str:
    """The point's own settings, reading the copy of its data."""
    lines = [line for line in own.read_text("utf-8").splitlines() if not line.startswith("data_dir")]
    return "\n".join([f'data_dir = "{data}"', *lines]) + "\n"


def _asked(config: Path, *words: str) -> tuple[list[str], str]:
    """Run a `village-point` command on this machine; tell its lines, and its one sentence of what is wrong."""
    order = [sys.executable, "-m", "edge.cli", *words, "--config", str(config)]
    done = subprocess.run(order, capture_output=True, text=True, check=False, timeout=TOOL_S)
    return done.stdout.splitlines(), done.stderr.strip()[-300:]
