"""Releases that come after the image under test: a good one, and one whose program is missing. Signed as real ones are.

Nothing of the image is built again: the next release is the image's own root file system, told to be of the next
version. So what is tried is the way of a release onto a card, not what is new in it.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEYS = Path(os.environ.get("VILLAGE_UPDATE_KEYS", ROOT / "data/update-keys"))
PROGRAM = "/opt/village-point/bin/village-point"  # what the kiosk's unit starts
ABOUT = "/etc/village-image"
BUNDLE_S = 1800
QUICK = "3"  # compression of bundles that live for one test
TOOL_S = 300


@dataclass(frozen=True, slots=True)
class Release:
    """A signed bundle, and the root file system that is in it."""

    version: str
    bundle: Path
    root: Path


def version_of(image: Path) -> str:
    """The version in the name of an image or a bundle. Errors: ValueError."""
    found = re.search(r"-(\d+\.\d+\.\d+)-", image.name)
    if found is None:
        raise ValueError(f"{image.name} does not tell its version")
    return found[1]


def later(version: str, steps: int) -> str:
    """A version some steps after another: 0.1.0 -> 0.1.2."""
    *first, last = version.split(".")
    return ".".join([*first, str(int(last) + steps)])


def root_of(image: Path) -> Path:
    """The root file system beside an image, as it was built."""
    return image.with_name(f"{image.stem}.root.ext4")


def release(image: Path, arch: str, version: str, folder: Path, *, without: str = "") -> Release:
    """A release of that version, made now unless it lies there and is newer than the image. `without`: a lost file."""
    base = f"village-point-{version}-{arch}"
    made = Release(version, folder / f"{base}.raucb", folder / f"{base}.root.ext4")
    if made.bundle.exists() and made.bundle.stat().st_mtime > root_of(image).stat().st_mtime:
        return made
    folder.mkdir(parents=True, exist_ok=True)
    order = ["cp", "--sparse=always", str(root_of(image).resolve()), str(made.root)]
    subprocess.run(order, check=True, timeout=TOOL_S)
    _change(made.root, version, folder, without)
    environment = {
        **os.environ, "VILLAGE_IMAGES": str(folder.absolute()), "VILLAGE_VERSION": version,
        "VILLAGE_UPDATE_KEYS": str(KEYS.absolute()), "VILLAGE_ZSTD_LEVEL": QUICK,
    }  # fmt: skip
    subprocess.run(
        [str(ROOT / "packaging/image/bundle.sh"), arch], check=True, env=environment, timeout=BUNDLE_S,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return made


def delta(old: Release, new: Release, arch: str) -> Path:
    """The bundle that builds on another release."""
    out = new.bundle.with_name(f"village-point-{new.version}-on-{old.version}-{arch}.raucb")
    order = [str(ROOT / "packaging/update/delta.sh"), arch, str(old.root), old.version, str(new.root), new.version]
    environment = {**os.environ, "VILLAGE_UPDATE_KEYS": str(KEYS.absolute())}
    subprocess.run([*order, str(out)], check=True, env=environment, timeout=BUNDLE_S, stdout=subprocess.DEVNULL)
    return out


def _change(root: Path, version: str, folder: Path, without: str) -> None:
    """Another version in its file, its mode as before; and a file taken away."""
    about = folder / "village-image"
    said = _debugfs(root, f"cat {ABOUT}")
    about.write_text(re.sub(r"(?m)^VERSION=.*$", f"VERSION={version}", said), "utf-8")
    _debugfs(root, f"rm {ABOUT}")
    _debugfs(root, f"write {about} {ABOUT}")
    _debugfs(root, f"set_inode_field {ABOUT} mode 0100644")
    if without:
        _debugfs(root, f"rm {without}")
    if f"VERSION={version}" not in _debugfs(root, f"cat {ABOUT}"):
        raise RuntimeError(f"{root.name} cannot be made a release of its own")


def _debugfs(root: Path, order: str) -> str:
    done = subprocess.run(
        ["debugfs", "-w", "-R", order, str(root)], capture_output=True, text=True, check=True, timeout=TOOL_S
    )
    return done.stdout
