"""The parts of the image tests: what each needs, and the scenes it plays, in the order in which they are played."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import scenes_cuts
import scenes_kills
import scenes_machine
import scenes_start
import scenes_trouble
import scenes_update
import scenes_ways
from emulated_point import START_S, EmulatedPoint
from image_district import ImageDistrict
from ledger import Ledger
from machine import NEEDED
from releases import PROGRAM, Release, delta, later, release, root_of, version_of
from scenes_counter import Counter, short_day
from scenes_start import STANDBY

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "build/image"
NEXT = ROOT / "build/image-test/next"  # releases after the image


@dataclass(slots=True)
class Stage:
    """What the parts work with. The point is set up and off between them."""

    point: EmulatedPoint
    district: ImageDistrict
    watcher: scenes_start.Watcher
    counter: Counter
    ledger: Ledger
    dice: random.Random
    image: Path
    plan: scenes_cuts.Plan
    accel: str = "tcg"
    runs: dict[str, scenes_cuts.Run] = field(default_factory=dict)


def newest(arch: str, kind: str = "img") -> Path | None:
    """The newest image or bundle that was built for an architecture."""
    found = sorted(IMAGES.glob(f"*-{arch}.{kind}"), key=lambda file: file.stat().st_mtime)
    return found[-1] if found else None


def make_ready(stage: Stage) -> None:
    """A part before may have left the point off, or broken off in the middle: it is up, with shell and eyes."""
    if not stage.point.is_on:
        stage.point.power_on()
        stage.watcher.wait(STANDBY, START_S)
        stage.point.open_shell()
        stage.point.open_eyes()


# -- parts


def first_start(stage: Stage) -> None:
    """From a blank card, nothing on it but district.toml; the shipped image as it is, seen from outside. Recorded."""
    recording = stage.point.disk.record(stage.point.folder / "blank")
    stage.runs["first_start"] = scenes_cuts.Run("a first start", "", recording)
    scenes_start.first_start(stage.point, stage.district, stage.watcher, stage.ledger)
    stage.point.press_power(300)
    stage.point.disk.recording = None


def cold_start(stage: Stage) -> None:
    """The second start, with a shell: the budget. People are added, the manifest comes."""
    scenes_start.boot_budget(stage.point, stage.watcher, stage.ledger)
    stage.point.open_eyes()
    scenes_start.add_people(stage.point)
    stage.district.stand.send_manifest()


def counter_day(stage: Stage) -> None:
    """Recorded, with what the world saw when."""
    run = scenes_cuts.Run("work", STANDBY, stage.point.disk.record(stage.point.folder / "before-work"))
    stage.runs["work"] = run
    stage.counter.seen = lambda: run.promise(stage.counter.pulses(), scenes_cuts.heard_upto(stage.district))
    short_day(stage.counter)
    stage.counter.seen = lambda: None
    stage.point.disk.recording = None


def keys(stage: Stage) -> None:
    stage.counter.log_out()
    scenes_trouble.keys(stage.point, stage.watcher, stage.counter, stage.ledger)


def plugs(stage: Stage) -> None:
    scenes_trouble.plugs(stage.point, stage.counter, stage.ledger)


def cable(stage: Stage) -> None:
    scenes_trouble.cable(stage.point, stage.counter, stage.ledger)


def full_disk(stage: Stage) -> None:
    scenes_trouble.full_disk(stage.point, stage.counter, stage.ledger)


def wrong_turns(stage: Stage) -> None:
    scenes_machine.wrong_turns(stage.point, stage.watcher, stage.ledger)
    stage.point.switch_off()


def cut_writes(stage: Stage) -> None:
    scenes_kills.cut_writes(stage.counter, stage.watcher, stage.dice, stage.plan.kills)


def cut_first_start(stage: Stage) -> None:
    """Cards of their own, in a district of their own."""
    folder = stage.point.folder.parent
    point = EmulatedPoint("amd64", stage.image, folder / "b", stage.accel)
    try:
        with ImageDistrict(folder / "f", folder / "b") as district:
            watcher = scenes_start.Watcher(point, stage.watcher.album, stage.ledger)
            scenes_kills.cut_first_start(point, district, watcher, stage.dice, stage.plan.first_kills)
    finally:
        point.close()


def cut_recorded(stage: Stage) -> None:
    """Cuts of the first start and of the work, from their records; a new one begins where a cut one ended."""
    stage.point.switch_off()
    for run in stage.runs.values():
        scenes_cuts.cut_recorded(stage.point, run, stage.watcher, stage.dice, stage.plan)
    stage.point.power_on()
    stage.watcher.wait(STANDBY, START_S)
    stage.point.open_shell()
    stage.point.open_eyes()


def update(stage: Stage) -> None:
    """Refused; rolled out by the hub: a good release, and a broken one that is given up; the good one cut anywhere."""
    if not has_root(stage, "update"):
        return
    good, broken = releases(stage)
    desk = scenes_update.Desk(stage.district)
    scenes_update.plug_stick(stage.point, scenes_update.stick_with(good.bundle, stage.point.folder))
    scenes_update.refusals(stage.point, stage.ledger)
    run = scenes_update.roll_out(stage.counter, desk, good, stage.watcher, stage.ledger)
    scenes_update.fall_back(stage.point, desk, broken, stage.watcher, stage.ledger)
    stage.point.switch_off()
    scenes_cuts.cut_recorded(stage.point, run, stage.watcher, stage.dice, stage.plan)


def kill_update(stage: Stage) -> None:
    """Killed while the other slot is written, and while it is tried. The hub hears nothing of it; it ends off."""
    if not has_root(stage, "kill_update"):
        return
    good, _ = releases(stage)
    stage.point.machine.qmp.cable("cable", is_in=False)
    stick = scenes_update.stick_with(good.bundle, stage.point.folder)
    plan = scenes_update.KillPlan(stage.plan.kills, good.root.stat().st_size)
    scenes_update.kill_writing(stage.point, stage.watcher, stick, stage.dice, plan)
    scenes_update.kill_switching(stage.point, stage.watcher, stage.dice, plan.times)


def update_ways(stage: Stage) -> None:
    """A release by a stick and the technician's screen, and the one after it by night as a delta."""
    if not has_root(stage, "update_ways"):
        return
    version = version_of(stage.image)
    by_hand, after = (release(stage.image, "amd64", later(version, steps), NEXT) for steps in (3, 4))
    scenes_ways.by_stick(stage.counter, by_hand, stage.watcher, stage.ledger)
    small = delta(by_hand, after, "amd64")
    scenes_ways.by_night(stage.counter, scenes_update.Desk(stage.district), small, after, stage.watcher)


def has_root(stage: Stage, part: str) -> bool:
    """Whether the next releases can be made of the image; else the part is left out."""
    has = root_of(stage.image).exists()
    if not has:
        stage.ledger.skip(part, "the root file system is not beside the image: make image ARCH=amd64")
    return has


def releases(stage: Stage) -> tuple[Release, Release]:
    """The two releases after the image: a good one, and one whose program is missing."""
    version = version_of(stage.image)
    made = [
        release(stage.image, "amd64", later(version, steps), NEXT, without=lost)
        for steps, lost in ((1, ""), (2, PROGRAM))
    ]
    return made[0], made[1]


def arm64(stage: Stage) -> None:
    """The card's image for the board: from a blank card to a parcel given out. The test is the board's firmware."""
    image = newest("arm64")
    if image is None or shutil.which(NEEDED["arm64"]) is None:
        stage.ledger.skip("arm64", "there is no image or no emulator: make image ARCH=arm64")
        return
    stage.ledger.machine = "arm64: "
    folder = stage.point.folder.parent
    point = EmulatedPoint("arm64", image, folder / "r")
    try:
        with ImageDistrict(folder / "e", folder / "r") as district:
            watcher = scenes_start.Watcher(point, stage.watcher.album, stage.ledger)
            scenes_start.first_start(point, district, watcher, stage.ledger)
            point.press_power(300)
            scenes_start.boot_budget(point, watcher, stage.ledger)
            point.open_eyes()
            scenes_start.add_people(point)
            district.stand.send_manifest()
            short_day(Counter(point, district, stage.ledger), bills=0)
    finally:
        point.close()


PARTS: dict[str, Callable[[Stage], None]] = {
    "first_start": first_start,
    "cold_start": cold_start,
    "counter_day": counter_day,
    "keys": keys,
    "plugs": plugs,
    "cable": cable,
    "wrong_turns": wrong_turns,
    "cut_first_start": cut_first_start,
    "cut_writes": cut_writes,
    "cut_recorded": cut_recorded,
    "full_disk": full_disk,
    "update": update,
    "update_ways": update_ways,
    "kill_update": kill_update,
    "arm64": arm64,
}
NEEDED_FIRST = ("first_start", "cold_start", "counter_day")
ALONE = ("cut_first_start", "arm64")  # need no point that is set up
CHECK = ["first_start", "cold_start", "counter_day", "keys"]
