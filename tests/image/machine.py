"""One emulated point: QEMU with the image's disk, a screen, a finger, a keyboard gun, USB serial ports and a cable.

amd64 starts by its own firmware (OVMF) and the image's GRUB; for arm64 the caller plays the Raspberry Pi's firmware
and hands kernel and words in. What people and devices do is not known here.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qmp import Qmp

OVMF = (Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd"))
PROBE_S = 8.0  # a kernel under hardware virtualisation says its name within one second
STOP_S = 20.0
NEEDED = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}


class MachineError(Exception):
    """The machine did not start, or ended."""


@dataclass(frozen=True, slots=True)
class DirectStart:
    """A kernel that the firmware would have loaded."""

    kernel: Path
    initrd: Path | None
    words: str


@dataclass(frozen=True, slots=True)
class Build:
    """What a machine is made of. `ports`: name of a USB serial port -> serial number of its adapter."""

    arch: str
    folder: Path  # sockets, logs, the firmware's variables; a short path
    disk: str  # an URL or file for QEMU
    accel: str = "tcg"
    memory_mib: int = 1024
    width: int = 1280
    height: int = 800
    ports: Mapping[str, str] = field(default_factory=dict)
    gun: str = "GUN00001"  # serial number of the keyboard gun
    start: DirectStart | None = None
    extra: Sequence[str] = ()  # further words for QEMU: a watchdog, another clock


class Machine:
    """A running machine; `kill` is the power cut."""

    def __init__(self, build: Build) -> None:
        self.build = build
        self._child: subprocess.Popen[bytes] | None = None
        self.began = 0.0
        build.folder.mkdir(parents=True, exist_ok=True)

    def power_on(self) -> None:
        """Start it. Errors: MachineError with QEMU's words."""
        for old in self.build.folder.glob("*.sock"):
            if old.name != "disk.sock":
                old.unlink()
        log = self.build.folder / "qemu.log"
        with log.open("ab") as out:
            ends_with_us = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()
            self._child = subprocess.Popen(
                [*ends_with_us, *command(self.build)], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.began = time.monotonic()
        try:
            self.qmp = Qmp(self.build.folder / "qmp.sock")
        except Exception as error:
            self.kill()
            raise MachineError(f"QEMU did not start: {log.read_text(errors='replace')[-500:]}") from error

    @property
    def is_on(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def seconds(self) -> float:
        """Since the power came on."""
        return time.monotonic() - self.began

    def kill(self) -> None:
        """The power goes, in the middle of whatever it does."""
        if self._child is not None:
            self._child.kill()
            self._child.wait(STOP_S)
            self._child = None

    def wait_off(self, seconds: float) -> None:
        """Wait until it has switched itself off or started anew. Errors: MachineError."""
        assert self._child is not None
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"still running {seconds:g} s after it was asked to end") from error
        self._child = None

    def socket(self, name: str) -> Path:
        """Where a port of the machine is reached."""
        return self.build.folder / f"{name}.sock"


def command(build: Build) -> list[str]:
    """The words that start QEMU."""
    words = [NEEDED[build.arch], *_board(build), "-m", str(build.memory_mib), "-smp", "2"]
    # On arm64 the caller is the firmware, so a restart ends the emulator; a mini-PC starts by itself.
    words += ["-nodefaults", "-display", "none", "-action", f"reboot={'reset' if build.start is None else 'shutdown'}"]
    words += ["-qmp", f"unix:{build.folder}/qmp.sock,server=on,wait=off"]
    words += [*_port(build, "console"), "-serial", "chardev:console"]
    words += [
        "-blockdev",
        f"driver=raw,node-name=card,file.driver=nbd,file.server.type=unix,file.server.path={build.disk}",
    ]
    words += ["-device", "virtio-blk-pci,drive=card,bootindex=1,write-cache=on"]
    words += (
        ["-device", f"virtio-gpu-pci,xres={build.width},yres={build.height}"]
        if build.arch == "arm64"
        else ["-device", f"virtio-vga,xres={build.width},yres={build.height}"]
    )
    words += [
        "-device",
        "qemu-xhci,id=usb,p2=8,p3=8",
        "-device",
        f"usb-kbd,bus=usb.0,id=gun,serial={build.gun}",
        "-device",
        "usb-tablet,bus=usb.0",
    ]
    words += ["-netdev", "user,id=line", "-device", "virtio-net-pci,netdev=line,id=cable,romfile="]
    words += ["-device", "virtio-serial-pci,id=words", *_port(build, "eyes")]
    words += ["-device", "virtserialport,bus=words.0,chardev=eyes,name=village.eyes"]
    words += ["-device", "virtio-rng-pci"]
    for name, serial in build.ports.items():
        words += [*_port(build, name), "-device", f"usb-serial,bus=usb.0,chardev={name},id={name},serial={serial}"]
    if build.start is not None:
        words += ["-kernel", str(build.start.kernel), "-append", build.start.words]
        words += ["-initrd", str(build.start.initrd)] if build.start.initrd else []
    return [*words, *build.extra]


def _board(build: Build) -> Sequence[str]:
    accel = "kvm" if build.accel == "kvm" else "tcg,thread=multi"
    if build.arch == "arm64":
        return ["-machine", "virt,gic-version=3", "-accel", accel, "-cpu", "cortex-a72"]
    words = ["-machine", "q35", "-accel", accel, "-cpu", "host" if build.accel == "kvm" else "max"]
    if build.start is not None:
        return words
    own_variables = build.folder / "ovmf-vars.fd"
    if not own_variables.exists():
        shutil.copyfile(OVMF[1], own_variables)
    return [
        *words,
        "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF[0]}",
        "-drive", f"if=pflash,format=raw,file={own_variables}",
    ]  # fmt: skip


def _port(build: Build, name: str) -> list[str]:
    return ["-chardev", f"socket,id={name},path={build.folder}/{name}.sock,server=on,wait=off"]


def accelerator(kernel: Path, folder: Path) -> tuple[str, str]:
    """Try hardware virtualisation with a real kernel; tell ("kvm" or "tcg", why).

    A device node proves nothing: nested machines are known where guests hang before their first word.
    """
    if not Path("/dev/kvm").exists():
        return "tcg", "there is no /dev/kvm"
    said = folder / "probe.txt"
    said.unlink(missing_ok=True)
    words = [NEEDED["amd64"], "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256", "-nodefaults"]
    words += ["-display", "none", "-no-reboot", "-serial", f"file:{said}", "-kernel", str(kernel)]
    words += ["-append", "console=ttyS0 panic=-1"]
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + PROBE_S
        while time.monotonic() < deadline:
            if said.exists() and b"Linux version" in said.read_bytes():
                return "kvm", "a kernel spoke under hardware virtualisation"
            if child.poll() is not None:
                assert child.stderr is not None
                return "tcg", f"QEMU gave up: {child.stderr.read().decode(errors='replace').splitlines()[0][:80]}"
            time.sleep(0.1)
        return "tcg", f"a kernel under hardware virtualisation said nothing within {PROBE_S:g} s"
    finally:
        child.kill()
        child.wait(STOP_S)
