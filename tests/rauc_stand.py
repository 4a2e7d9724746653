"""A machine with two slots for tests: RAUC itself on a bus of its own, files for slots, and a boot loader of two lines.

What is real: rauc with its service, its signatures and the other slot's bytes; the privileged helper as systemd starts
it. What is played: the firmware (a file names the committed slot, one the slot on trial) and `systemctl reboot`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from bundles import BOARD, Releasing

ROOT = Path(__file__).parents[1]
SLOT_BYTES = 8 << 20


def _can_mount() -> bool:
    """Whether this machine lets us mount bundles: root, a free loop device, and no container that forbids it."""
    tools = ("rauc", "dbus-daemon", "mksquashfs", "mke2fs")
    if os.geteuid() != 0 or any(shutil.which(name) is None for name in tools):
        return False
    asked = (["losetup", "--find"], ["unshare", "--mount", "true"])
    return all(subprocess.run(words, capture_output=True, check=False).returncode == 0 for words in asked)


needs_slots = pytest.mark.skipif(
    not _can_mount(), reason="needs root, loop devices, rauc, dbus, squashfs-tools: packaging/setup.sh installs them"
)
BACKEND = """#!/bin/sh
# {folder}: committed = the slot that starts, trial = the one that starts once
cd {folder}
case "$1" in
get-current) cat running ;;
get-primary) cat committed ;;
set-primary) if [ "$(cat committed)" = "$2" ]; then rm -f trial; else echo "$2" > trial; fi ;;
get-state) cat "state-$2" ;;
set-state) echo "$3" > "state-$2"
    if [ "$3" = good ] && [ "$(cat running)" = "$2" ]; then echo "$2" > committed; rm -f trial; fi ;;
esac
"""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
<allow user="*"/></policy></busconfig>
"""
CONF = """[system]
compatible={board}
bootloader=custom
statusfile={folder}/status.raucs
mountprefix={folder}/mnt
bundle-formats=plain verity
[handlers]
bootloader-custom-backend={folder}/backend
[keyring]
path={keyring}
[slot.rootfs.0]
device={folder}/slot-A
type=ext4
bootname=A
extra-mount-opts=ro
[slot.rootfs.1]
device={folder}/slot-B
type=ext4
bootname=B
extra-mount-opts=ro
"""


class Machine:
    """One terminal's slots. `settings` names the files of edge/update_settings.py; `start` boots it."""

    def __init__(self, folder: Path, releasing: Releasing, version: str = "0.1.0") -> None:
        self.folder = folder / "machine"
        self.folder.mkdir()
        self.keyring = releasing.keyring
        self.helper_socket = self.folder / "update.sock"
        self.image_file = self.folder / "village-image"
        self.toml = self.folder / "point.toml"
        self._children: list[subprocess.Popen[bytes]] = []
        self._listening: socket.socket | None = None
        self._helpers: list[subprocess.Popen[bytes]] = []
        fill = {"folder": self.folder, "board": BOARD, "keyring": self.keyring}
        for name, text in (("backend", BACKEND), ("bus.conf", BUS), ("system.conf", CONF)):
            (self.folder / name).write_text(text.format(**fill))
        (self.folder / "backend").chmod(0o755)
        (self.folder / "mnt").mkdir()
        for slot in "AB":
            (self.folder / f"slot-{slot}").write_bytes(bytes(SLOT_BYTES))
            (self.folder / f"state-{slot}").write_text("good\n")
        (self.folder / "committed").write_text("A\n")
        (self.folder / "running").write_text("A\n")
        self.versions = {"A": version, "B": ""}
        bin_dir = self.folder / "bin"
        bin_dir.mkdir()
        (bin_dir / "rauc").write_text(f'#!/bin/sh\nexec {shutil.which("rauc")} -c {self.folder}/system.conf "$@"\n')
        (bin_dir / "systemctl").write_text(f'#!/bin/sh\necho "$@" >> {self.folder}/asked-of-systemd\n')
        for tool in bin_dir.iterdir():
            tool.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{bin_dir}:/usr/sbin:/usr/bin:/sbin:/bin",
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/bus",
        }

    @property
    def slot(self) -> str:
        return (self.folder / "running").read_text().strip()

    @property
    def next_slot(self) -> str:
        """The slot that the next start picks."""
        trial = self.folder / "trial"
        return (trial if trial.exists() else self.folder / "committed").read_text().strip()

    def start(self, *, still: bool = False) -> None:
        """Power on; what a start that failed has begun, is ended. `still`: without RAUC and the helper."""
        try:
            self._pick_slot()
            if not still:
                self._start()
        except BaseException:
            self.power_cut()
            raise

    def _pick_slot(self) -> None:
        """The firmware picks the slot on trial once, else the committed one."""
        (self.folder / "running").write_text(f"{self.next_slot}\n")
        (self.folder / "trial").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "data" / "state", ignore_errors=True)  # /run is empty after a start
        (self.folder / "asked-of-systemd").unlink(missing_ok=True)
        self.image_file.write_text(f"VERSION={self.versions[self.slot]}\nARCH=amd64\nCOMPATIBLE={BOARD}\n")

    def _start(self) -> None:
        self._run("dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork")
        wait_for(self.folder / "bus")
        self._run("rauc", "service", f"--override-boot-slot={self.slot}")
        self._wait_for_rauc()
        self._listening = socket.socket(socket.AF_UNIX)
        self.helper_socket.unlink(missing_ok=True)
        self._listening.bind(str(self.helper_socket))
        self._listening.listen()
        threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def power_cut(self) -> None:
        """Everything ends in the middle."""
        for child in [*self._helpers, *reversed(self._children)]:
            child.kill()
            child.wait(10)
        self._helpers.clear()
        self._children.clear()
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for mount in ("bundle", "rootfs.1", "rootfs.0"):
            subprocess.run(["umount", "-q", self.folder / "mnt" / mount], check=False, capture_output=True)
        (self.folder / "bus").unlink(missing_ok=True)

    def mark_good(self) -> None:
        """What village-health.service does after a check that passed."""
        self.rauc("status", "mark-good")

    def rauc(self, *words: str) -> str:
        done = subprocess.run(
            ["rauc", *words], env=self.environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wants_restart(self) -> bool:
        return (self.folder / "asked-of-systemd").exists()

    def _serve(self, listening: socket.socket) -> None:
        """As systemd with Accept=yes: one helper for each connection, the socket as its input and output."""
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                command = [sys.executable, "-m", "edge.update_root", "--config", str(self.toml)]
                self._helpers.append(subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=line, stdout=line))

    def _run(self, *words: str) -> None:
        log = (self.folder / f"{words[0]}.log").open("ab")
        with log:
            self._children.append(subprocess.Popen(words, env=self.environment, stdout=log, stderr=log))

    def _wait_for_rauc(self) -> None:
        for _ in range(200):
            done = subprocess.run(
                ["rauc", "status"], env=self.environment, capture_output=True, timeout=30, check=False
            )
            if done.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "rauc.log").read_text())


def wait_for(file: Path) -> None:
    for _ in range(500):
        if file.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{file} does not come")


def ext4_of(folder: Path, files: dict[str, bytes], size: int = SLOT_BYTES) -> bytes:
    """A root file system with some files."""
    tree, made = folder / "tree", folder / "root.ext4"
    shutil.rmtree(tree, ignore_errors=True)
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    made.unlink(missing_ok=True)
    command = ["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", tree, made, f"{size // 1024}k"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0, done.stderr
    return made.read_bytes()
