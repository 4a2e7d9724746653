"""A delta bundle, made by our script and put on by the real RAUC, gives the new root to the last byte, or nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bundles import Releasing, needs_rauc
from rauc_stand import ROOT, SLOT_BYTES, Machine, ext4_of, needs_slots

from edge.release import Unfit
from sync import bundle

pytestmark = [needs_rauc, needs_slots, pytest.mark.root]
SCRIPT = ROOT / "packaging" / "update" / "delta.sh"
POST_INSTALL = """#!/bin/sh
[ "$1" = slot-post-install ] && cp "$RAUC_SLOT_MOUNT_POINT/etc/version" "{folder}/boot-files-of-$RAUC_SLOT_BOOTNAME"
"""


@dataclass
class Two:
    """Two releases of a root, and the delta between them."""

    old: bytes
    new: bytes
    delta: Path
    keyring: Path
    boot_files: Path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("two")
    releasing = Releasing(folder)
    for name, file in (("release.pem", releasing.cert), ("release.key", releasing.key)):
        (releasing.folder / name).write_bytes(file.read_bytes())
    dice = random.Random(7)
    files = {f"usr/lib/{number:03d}": dice.randbytes(dice.randrange(200, 60_000)) for number in range(60)}
    old = ext4_of(folder, files | {"etc/version": b"0.1.0\n"})
    files["usr/lib/007"] = dice.randbytes(70_000)
    del files["usr/lib/030"]
    new = ext4_of(folder, files | {"etc/version": b"0.2.0\n", "usr/lib/a-first": dice.randbytes(30_000)})
    (folder / "old.ext4").write_bytes(old)
    (folder / "new.ext4").write_bytes(new)
    (folder / "post-install").write_text(POST_INSTALL.format(folder=folder))
    words = ["amd64", folder / "old.ext4", "0.1.0", folder / "new.ext4", "0.2.0", folder / "delta.raucb"]
    more = {
        "VILLAGE_UPDATE_KEYS": str(releasing.folder),
        "VILLAGE_POST_INSTALL": str(folder / "post-install"),
        "VILLAGE_BUNDLE_FORMAT": "plain",  # dm-verity is not everywhere that tests run
    }
    done = subprocess.run(
        [SCRIPT, *words], env=os.environ | more, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return Two(old, new, folder / "delta.raucb", releasing.keyring, folder)


@pytest.fixture
def machine(tmp_path: Path, two: Two) -> Iterator[Machine]:
    made = Machine(tmp_path, Releasing(tmp_path, "nobody"))
    conf = made.folder / "system.conf"
    conf.write_text(conf.read_text().replace(str(made.keyring), str(two.keyring)))
    made.environment["VILLAGE_OLD_ROOT"] = str(made.folder / "slot-A")
    made.environment["VILLAGE_PYTHON"] = sys.executable
    made.environment["PATH"] = without_python(tmp_path / "no-python", made.environment["PATH"])
    (made.folder / "slot-A").write_bytes(two.old)
    made.start()
    yield made
    made.power_cut()


def without_python(folder: Path, path: str) -> str:
    """All that is there but Python by its name: the image has only that of the program."""
    folder.mkdir()
    for place in map(Path, reversed(path.split(":"))):
        for tool in place.iterdir() if place.is_dir() else ():
            if not tool.name.startswith("python"):
                (folder / tool.name).unlink(missing_ok=True)
                (folder / tool.name).symlink_to(tool)
    return str(folder)


def test_a_delta_is_small_and_says_what_it_builds_on(two: Two) -> None:
    told = bundle.read(two.delta, two.keyring)

    assert (told.version, told.base) == ("0.2.0", "0.1.0")
    assert 100_000 < told.size < 250_000  # a hundred kilobytes are new, of a megabyte and a half


def test_rauc_makes_the_new_root_to_the_last_byte(machine: Machine, two: Two) -> None:
    machine.rauc("install", str(two.delta))

    assert (machine.folder / "slot-B").read_bytes()[:SLOT_BYTES] == two.new
    assert (machine.folder / "slot-A").read_bytes() == two.old
    assert (two.boot_files / "boot-files-of-B").read_text() == "0.2.0\n"
    assert (machine.folder / "trial").read_text() == "B\n"


def test_on_a_root_that_is_not_as_shipped_nothing_is_armed(machine: Machine, two: Two) -> None:
    altered = bytearray(two.old)
    at = two.old.index(b"0.1.0\n".ljust(64, b"\0"))  # a block that the new root does not take
    altered[at] ^= 1
    for block in range(SLOT_BYTES // 4096 // 2):
        altered[block * 4096 + 1_000] ^= 1  # and many that it does
    (machine.folder / "slot-A").write_bytes(altered)

    done = subprocess.run(
        ["rauc", "install", str(two.delta)],
        env=machine.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert not (machine.folder / "trial").exists()
    assert (machine.folder / "state-B").read_text() == "bad\n"
    assert "not as it was shipped" in (machine.folder / "rauc.log").read_text()


def test_a_super_block_that_a_mount_has_written_to_does_not_matter(machine: Machine, two: Two) -> None:
    altered = bytearray(two.old)
    altered[1024 + 0x2C : 1024 + 0x36] = b"\x11" * 10  # mount time, write time, mount count
    (machine.folder / "slot-A").write_bytes(altered)

    machine.rauc("install", str(two.delta))

    assert (machine.folder / "slot-B").read_bytes()[:SLOT_BYTES] == two.new


def test_a_damaged_delta_is_none(two: Two, tmp_path: Path) -> None:
    content = bytearray(two.delta.read_bytes())
    content[len(content) // 2] ^= 1
    damaged = tmp_path / "damaged.raucb"
    damaged.write_bytes(content)

    with pytest.raises(Unfit, match="bad_signature"):
        bundle.read(damaged, two.keyring)
