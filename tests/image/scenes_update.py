"""A signed update of the root file system: installed, tried, confirmed; refused; fallen back from; cut anywhere in it.

The whole update is done once and every write of it recorded. A cut at any moment of it is then a disk made from that
record: what was flushed before, and of the rest what the dice say. Each such disk is started cold.
"""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

from cut_disk import Recording
from emulated_point import START_S, EmulatedPoint
from firmware_disk import FirmwareDisk, partitions
from ledger import Ledger, until
from scenes_cuts import Promise, Run
from scenes_start import STANDBY, Watcher, verified

INSTALL_S = 1800.0
CONFIRMED_S = 900.0  # the judge of a slot on trial gives it 300 s, an emulated machine takes its time
STICK = "/run/update-stick"
BACKEND = "/usr/lib/village/rauc-backend"
PROGRAM = "/usr/bin/village-point"
SPARE_MIB = 16


def stick_with(bundle: Path, folder: Path) -> Path:
    """A USB stick that holds a bundle, one with a flipped byte, and half of one."""
    stick = folder / "stick.img"
    content = bundle.read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 3] ^= 0xFF
    (folder / "damaged.raucb").write_bytes(damaged)
    (folder / "half.raucb").write_bytes(content[: len(content) // 2])
    mib = 3 * (len(content) >> 20) + SPARE_MIB
    stick.write_bytes(b"")
    with stick.open("r+b") as file:
        file.truncate(mib << 20)
    subprocess.run(
        ["mformat", "-i", str(stick), "-F", "-v", "UPDATE", "-T", str(mib * 2048), "::"], check=True, timeout=60
    )
    for source, name in ((bundle, "good"), (folder / "damaged.raucb", "damaged"), (folder / "half.raucb", "half")):
        subprocess.run(["mcopy", "-i", str(stick), str(source), f"::/{name}.raucb"], check=True, timeout=300)
    return stick


def plug_stick(point: EmulatedPoint, stick: Path) -> None:
    """Put it into the machine, and mount it as root."""
    file = {"driver": "file", "filename": str(stick), "read-only": True}
    point.machine.qmp.ask("blockdev-add", **{"driver": "raw", "node-name": "stick", "read-only": True, "file": file})
    point.machine.qmp.plug("usb-storage", "stick", bus="usb.0", drive="stick", removable=True)
    until("the stick", lambda: point.shell.run("ls /dev/disk/by-label/UPDATE 2>/dev/null || true"), 120)
    point.shell.run(f"mkdir -p {STICK} && mount -o ro /dev/disk/by-label/UPDATE {STICK}")


def refusals(point: EmulatedPoint, ledger: Ledger) -> None:
    """A damaged and a halved bundle are refused, and the slots stay as they are."""
    before = point.shell.run(f"{BACKEND} get-primary")
    for name in ("damaged", "half"):
        said = point.shell.run(f"rauc install {STICK}/{name}.raucb 2>&1 | tail -3", INSTALL_S)
        ledger.check(f"a {name} bundle is refused", "failed" in said.lower(), said)
    after = point.shell.run(f"{BACKEND} get-primary")
    ledger.check("a refused bundle changes no slot", before == after, (before, after))


def update(point: EmulatedPoint, watcher: Watcher, ledger: Ledger) -> Run:
    """From the running slot into the other one, until that is confirmed. The stick is mounted. Off afterwards."""
    before = point.shell.run(f"{BACKEND} get-current")
    facts = verified(point)["facts"]
    recording = point.disk.record(point.folder / "before-update")
    started = time.monotonic()
    said = point.shell.run(f"rauc install {STICK}/good.raucb 2>&1 | tail -3", INSTALL_S)
    ledger.figure("an update is written", time.monotonic() - started)
    ledger.check("a good bundle is installed", "succeeded" in said, said)
    recording.mark("installed")
    point.restart()
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    now = point.shell.run(f"{BACKEND} get-current")
    ledger.check("the new slot is tried", now != before, (before, now))
    until("the new slot is confirmed", lambda: point.shell.run(f"{BACKEND} get-committed") == now, CONFIRMED_S, 10.0)
    ledger.figure("power on to the new slot confirmed", point.machine.seconds)
    recording.mark("confirmed")
    proof = verified(point)
    ledger.check("the books are as before the update", proof["ok"] and proof["facts"] >= facts, (facts, proof))
    point.switch_off()
    point.disk.recording = None
    run = Run("an update and the change of slots", STANDBY, recording)
    run.promises.append(Promise(0, 0, facts))
    return run


def fall_back(
    point: EmulatedPoint, recording: Recording, watcher: Watcher, ledger: Ledger, *, without: str = PROGRAM
) -> None:
    """The new slot lacks its program: the trial must end in the old slot by itself, with the books as they were."""
    point.disk.replay(recording, recording.marks["installed"], random.Random(1))
    old = committed(point)
    part = partitions(point.disk)[2 if old == "A" else 1]
    copy = point.folder / "slot.ext4"
    point.disk.extract(part.at, part.size, copy)
    subprocess.run(["debugfs", "-w", "-R", f"rm {without}", str(copy)], check=True, capture_output=True, timeout=300)
    point.disk.insert(part.at, copy)
    copy.unlink()
    point.open_console()
    point.power_on()
    started = time.monotonic()
    point.machine.wait_off(CONFIRMED_S + START_S)  # it restarts by itself, which ends the emulator
    ledger.figure("a broken slot gives up", time.monotonic() - started)
    point.after_off()
    point.power_on()
    watcher.wait(STANDBY, START_S)
    point.open_shell()
    ledger.check("a broken slot falls back to the old one", point.shell.run(f"{BACKEND} get-current") == old, old)
    proof = verified(point)
    ledger.check("falling back keeps the books", proof["ok"], proof)


def committed(point: EmulatedPoint) -> str:
    """The slot the card starts without a trial; the machine is off."""
    with FirmwareDisk(point.disk) as firmware:
        text = firmware.read("grub/committed.cfg" if firmware.has("grub/committed.cfg") else "config.txt").decode()
    lines = [
        line.strip().rstrip("/") for line in text.splitlines() if line.startswith(("set committed=", "os_prefix="))
    ]
    return lines[-1][-1]
