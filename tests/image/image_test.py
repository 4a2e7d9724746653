"""`make image-check` and `make image-test`: boot the image that was built, work it, cut its power, print what held.

image_test.py check          one start from a blank card to the standby screen, keys, an intake, a pick-up, a bill
image_test.py test [PART..]  everything, or some of the parts named in PARTS
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging/dev")]

import scenes_cuts  # noqa: E402
import scenes_kills  # noqa: E402
import scenes_machine  # noqa: E402
import scenes_start  # noqa: E402
import scenes_trouble  # noqa: E402
import scenes_update  # noqa: E402
import scenes_ways  # noqa: E402
from emulated_point import START_S, EmulatedPoint  # noqa: E402
from firmware_disk import FirmwareDisk  # noqa: E402
from image_district import ImageDistrict  # noqa: E402
from ledger import Ledger  # noqa: E402
from look import Album  # noqa: E402
from machine import NEEDED, accelerator  # noqa: E402
from releases import PROGRAM, Release, delta, later, release, root_of, version_of  # noqa: E402
from scenes_counter import Counter, short_day  # noqa: E402
from scenes_start import STANDBY  # noqa: E402

IMAGES = ROOT / "build/image"
NEXT = ROOT / "build/image-test/next"  # releases after the image
REPORTS = ROOT / "build/image-test"
SEED = 20261128
INTERRUPTED = 130  # as a shell tells it
LEFT_OUT_OF_CHECK = (
    "power cuts, updates and falling back, a full disk, plugs, the network cable, arm64: make image-test does them"
)


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


def main() -> int:
    """Exit code 0: nothing was violated; 1: something was; 2: it could not begin; 130: interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("how", choices=("check", "test"))
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="only these parts")
    parser.add_argument("--image", type=Path, help="the image; the newest amd64 one in build/image when not given")
    parser.add_argument("--cuts", type=int, default=25, help="power cuts of each recorded run")
    parser.add_argument("--kills", type=int, default=10, help="kills of the machine at work")
    parser.add_argument("--first-kills", type=int, default=8, help="kills of the machine in a first start")
    parser.add_argument(
        "--start-every", type=int, default=1, help="cuts from one cold start that is waited for to the next"
    )
    parser.add_argument("--report", type=Path, default=REPORTS, help="folder of report and pictures")
    parser.add_argument("--seed", type=int, default=SEED, help="of the dice")
    parser.add_argument("--keep", type=Path, help="keep the folder with disk, logs and sockets here; a short path")
    asked = parser.parse_args()
    image = asked.image or newest("amd64")
    if image is None or shutil.which(NEEDED["amd64"]) is None:
        print("image-test: there is no image or no QEMU: make image ARCH=amd64, tests/image/get_tools.sh")
        return 2
    signal.signal(signal.SIGTERM, interrupt)
    asked.report.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vp-") as own:  # sockets want a short path
        folder = asked.keep or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        return play(asked, image, folder)


def play(asked: argparse.Namespace, image: Path, folder: Path) -> int:
    """Set the stage and play the parts."""
    ledger = Ledger(asked.report)
    plan = scenes_cuts.Plan(asked.cuts, asked.start_every, asked.kills, asked.first_kills)
    ledger.say(f"{image.name}, seed {asked.seed}")
    album = Album(folder / "album")
    album.begin()
    accel, why = accelerator(kernel_of(image, folder), folder)
    ledger.say(f"the machine is run by {accel}: {why}")
    ledger.figures["acceleration"] = accel
    point = EmulatedPoint("amd64", image, folder / "m", accel)
    is_whole = True
    try:
        with ImageDistrict(folder / "d", folder / "m") as district:
            watcher = scenes_start.Watcher(point, album, ledger)
            stage = Stage(
                point,
                district,
                watcher,
                Counter(point, district, ledger),
                ledger,
                random.Random(asked.seed),
                image,
                plan,
                accel,
            )
            chosen = asked.parts or (CHECK if asked.how == "check" else list(PARTS))
            play_parts(stage, chosen)
    except KeyboardInterrupt:
        is_whole = False
        ledger.skip("the rest", "the run was interrupted; the table below is as far as it came")
    finally:
        point.close()
    if asked.how == "check":
        ledger.skip("not in this check", LEFT_OUT_OF_CHECK)
    code = ledger.close()
    return code if is_whole else code or INTERRUPTED


def play_parts(stage: Stage, chosen: Sequence[str]) -> None:
    """Play these parts, and before them those that make a point of a blank card, if one of them needs a point."""
    first = () if set(chosen) <= set(ALONE) else NEEDED_FIRST
    for name in [*first, *(part for part in chosen if part not in first)]:
        with stage.ledger.scenario(name):
            if name not in first and name not in ALONE:
                make_ready(stage)
            PARTS[name](stage)


def interrupt(*_: object) -> None:
    """As Ctrl-C does; also where the shell that began us made us deaf to that."""
    raise KeyboardInterrupt


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
    scenes_trouble.keys(stage.point, stage.watcher, stage.ledger)


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


def newest(arch: str, kind: str = "img") -> Path | None:
    """The newest image or bundle that was built for an architecture."""
    found = sorted(IMAGES.glob(f"*-{arch}.{kind}"), key=lambda file: file.stat().st_mtime)
    return found[-1] if found else None


def kernel_of(image: Path, folder: Path) -> Path:
    """The image's own kernel, to try the virtualisation with."""
    point = EmulatedPoint("amd64", image, folder / "k")
    try:
        with FirmwareDisk(point.disk) as firmware:
            return firmware.copy_out("slot-A/vmlinuz", folder / "vmlinuz")
    finally:
        point.close()


if __name__ == "__main__":
    sys.exit(main())
