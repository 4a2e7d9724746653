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
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging/dev")]

import scenes_cuts  # noqa: E402
import scenes_start  # noqa: E402
from emulated_point import EmulatedPoint  # noqa: E402
from firmware_disk import FirmwareDisk  # noqa: E402
from image_district import ImageDistrict  # noqa: E402
from image_parts import ALONE, CHECK, NEEDED_FIRST, PARTS, Stage, make_ready, newest  # noqa: E402
from ledger import Ledger  # noqa: E402
from look import Album  # noqa: E402
from machine import NEEDED, accelerator  # noqa: E402
from scenes_counter import Counter  # noqa: E402
from scenes_kills import GONE  # noqa: E402

REPORTS = ROOT / "build/image-test"
SEED = 20261128
INTERRUPTED = 130  # as a shell tells it
LEFT_OUT_OF_CHECK = (
    "power cuts, updates and falling back, a full disk, plugs, the network cable, arm64: make image-test does them"
)


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
        before = stage.ledger.violations
        with stage.ledger.scenario(name):
            if name not in first and name not in ALONE:
                make_ready(stage)
            PARTS[name](stage)
        if stage.ledger.violations > before:
            keep_screen(stage, name)


def keep_screen(stage: Stage, name: str) -> None:
    """What the screen showed when a part had found something wrong, for whoever looks for the reason."""
    with suppress(*GONE, AssertionError):  # it may be off, or have no eyes yet
        stage.point.machine.qmp.shot(stage.ledger.folder / f"after-{name}.png")
        stage.ledger.say(f"the page after {name}: {stage.point.page()}")


def interrupt(*_: object) -> None:
    """As Ctrl-C does; also where the shell that began us made us deaf to that."""
    raise KeyboardInterrupt


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
