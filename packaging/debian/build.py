"""Build the two Debian packages: build/deb/village-point_VERSION_ARCH.deb and village-hub_VERSION_ARCH.deb.

    python packaging/debian/build.py [--arch amd64|arm64] [--version V] [--only point|hub]

The same sources, lock and day of the last commit give the same bytes. Which file lands where is the table FILES.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import environment
from environment import ROOT, Rooms
from lock import HERE

OUT = ROOT / "build/deb"


@dataclass(frozen=True, slots=True)
class Package:
    """`commands`: name in /usr/bin and what it calls. `files`: from the repository to the target's folder or name."""

    name: str
    rooms: Rooms
    commands: dict[str, str]
    files: tuple[tuple[str, str], ...]


POINT = Package(
    "village-point",
    Rooms(("drivers", "edge", "sync", "ui"), without=("sync/hub",)),
    {"village-point": "edge.cli:main", "village-sim": "drivers.sim.cli:main"},
    (
        ("packaging/systemd/village-*", "lib/systemd/system/"),
        ("packaging/udev/*.rules", "lib/udev/rules.d/"),
        ("packaging/session/village-point-session", "usr/lib/village-point/"),
        ("packaging/session/village-sticks", "usr/lib/village-point/"),
        ("packaging/session/village-point-kiosk", "usr/sbin/"),
        ("packaging/session/xorg.conf", "usr/share/village-point/"),
        ("packaging/session/kiosk/*", "usr/share/village-point/kiosk/"),
        ("packaging/examples/*", "usr/share/doc/village-point/examples/"),
    ),
)
HUB = Package(
    "village-hub",
    # of ui the words alone: what is wrong with its settings, and with those it keeps for points
    Rooms(("edge", "sync", "ui"), without=("edge/cli", "edge/flows", "ui/fonts", "ui/screens", "ui/viewmodels")),
    {"village-hub": "sync.hub.cli:main"},
    (
        ("packaging/hub/systemd/*", "lib/systemd/system/"),
        ("packaging/hub/polkit/*", "usr/share/polkit-1/rules.d/"),
        ("packaging/hub/README.md", "usr/share/doc/village-hub/"),
        ("packaging/examples/hub.example.toml", "usr/share/doc/village-hub/examples/"),
        ("packaging/hub/district/*", "usr/share/doc/village-hub/examples/district/"),
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--arch", choices=environment.TRIPLETS, default="amd64")
    parser.add_argument("--version", help="another than that of setup.py, for tests of upgrades")
    parser.add_argument("--only", choices=("point", "hub"))
    arguments = parser.parse_args()
    version = arguments.version or re.findall(r'version="([^"]+)"', (ROOT / "setup.py").read_text())[0]
    day = _day_of_the_sources()
    for short, package in (("point", POINT), ("hub", HUB)):
        if arguments.only in (None, short):
            began = time.monotonic()
            deb = build(package, short, arguments.arch, version, day)
            print(f"{deb.relative_to(ROOT)}: {deb.stat().st_size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s")


def build(package: Package, short: str, arch: str, version: str, day: int) -> Path:
    """Stage everything below build/deb/, set every time to `day`, pack."""
    stage, work = OUT / f"{package.name}-{arch}", OUT / "work"
    shutil.rmtree(stage, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    home = stage / "opt" / package.name
    environment.fill(home, arch, HERE / f"{short}.lock", package.rooms, work)
    (stage / "usr/bin").mkdir(parents=True)
    for command, target in package.commands.items():
        environment.script(home, command, target)
        (stage / "usr/bin" / command).symlink_to(f"/opt/{package.name}/bin/{command}")
    _place(stage, package)
    _papers(stage, package.name, day)
    _control(stage, HERE / short, arch, version)
    deb = OUT / f"{package.name}_{version}_{arch}.deb"
    _settle(stage, day)
    pack = ["dpkg-deb", "--root-owner-group", "--uniform-compression", "-Zxz", "--build", stage, deb]
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(day)})
    shutil.rmtree(stage)
    return deb


def _place(stage: Path, package: Package) -> None:
    for pattern, target in package.files:
        found = sorted(ROOT.glob(pattern))
        if not found:
            raise SystemExit(f"{pattern} is not there")
        folder = stage / target
        folder.mkdir(parents=True, exist_ok=True)
        for each in found:
            if each.is_dir():
                shutil.copytree(each, folder / each.name)
            else:
                shutil.copy(each, folder)


def _papers(stage: Path, name: str, day: int) -> None:
    """What every Debian package has: changelog and copyright."""
    folder = stage / "usr/share/doc" / name
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(folder / "changelog.gz", "wb", compresslevel=9, mtime=day) as changelog:
        changelog.write((ROOT / "CHANGELOG.md").read_bytes())
    shutil.copy(HERE / "copyright", folder / "copyright")


def _control(stage: Path, source: Path, arch: str, version: str) -> None:
    folder = stage / "DEBIAN"
    folder.mkdir()
    kilobytes = sum(path.lstat().st_size for path in stage.rglob("*")) // 1024
    text = (source / "control").read_text(encoding="utf-8")
    (folder / "control").write_text(text.format(version=version, arch=arch, size=kilobytes), encoding="utf-8")
    for script in ("postinst", "prerm", "postrm"):
        shutil.copy(source / script, folder / script)
        (folder / script).chmod(0o755)


def _settle(stage: Path, day: int) -> None:
    """One time and plain modes for everything, so that the same content is the same archive."""
    for path in sorted(stage.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (day, day), follow_symlinks=False)
    os.utime(stage, (day, day))


def _day_of_the_sources() -> int:
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told:
        return int(told)
    asked = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
