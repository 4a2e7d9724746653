"""USB sticks for the emulated machine: a FAT file system with some files, put into a port."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from emulated_point import EmulatedPoint
from ledger import until

SPARE_MIB = 16  # beside the files
FORMAT_S, COPY_S, SEEN_S = 60, 300, 120.0


def fat_stick(stick: Path, label: str, files: Mapping[str, Path]) -> Path:
    """Make a stick that holds these files under these names."""
    mib = sum(file.stat().st_size for file in files.values()) // (1 << 20) + len(files) + SPARE_MIB
    with stick.open("wb") as made:
        made.truncate(mib << 20)
    subprocess.run(["mformat", "-i", str(stick), "-F", "-v", label, "::"], check=True, timeout=FORMAT_S)
    for name, file in files.items():
        subprocess.run(["mcopy", "-i", str(stick), str(file), f"::/{name}"], check=True, timeout=COPY_S)
    return stick


def put_in(point: EmulatedPoint, stick: Path, name: str, label: str) -> None:
    """Put it into the machine and wait until the system knows it. `name`: by which it is pulled."""
    file = {"driver": "file", "filename": str(stick), "read-only": True}
    point.machine.qmp.ask("blockdev-add", **{"driver": "raw", "node-name": name, "read-only": True, "file": file})
    point.machine.qmp.plug("usb-storage", name, bus="usb.0", drive=name, removable=True)
    until("the stick", lambda: point.shell.run(f"ls /dev/disk/by-label/{label} 2>/dev/null || true"), SEEN_S)
