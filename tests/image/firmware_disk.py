"""The firmware partition of an image, and the part of the Raspberry Pi's firmware: which kernel does it start?

Files are read and written with mtools, without mounting. Source of the rules: the documentation of config.txt
(conditional filters, `os_prefix`, `initramfs`, `cmdline`) and of `tryboot`: with the one-shot flag set, tryboot.txt
is read instead of config.txt.
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SECTOR = 512
MTOOLS_S = 120
BOARD = ("all", "pi4")  # conditional filters that hold for the board whose part we play


class FirmwareError(Exception):
    """The partition does not hold what the firmware needs."""


class Bytes(Protocol):
    """A disk: cut_disk.CutDisk, or a file."""

    def read(self, at: int, count: int) -> bytes: ...
    def extract(self, at: int, count: int, to: Path) -> None: ...
    def insert(self, at: int, source: Path) -> None: ...


@dataclass(frozen=True, slots=True)
class Partition:
    """Where a primary partition lies, in bytes."""

    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Start:
    """What the firmware would start: files of the partition, and the kernel's words."""

    kernel: str
    initrd: str
    words: str
    prefix: str


def partitions(disk: Bytes) -> list[Partition]:
    """The four primary partitions of an MBR. Errors: FirmwareError when there is none."""
    head = disk.read(0, SECTOR)
    if head[510:] != b"\x55\xaa":
        raise FirmwareError("no partition table")
    entries = [struct.unpack_from("<II", head, 446 + 16 * number + 8) for number in range(4)]
    return [Partition(first * SECTOR, count * SECTOR) for first, count in entries]


class FirmwareDisk:
    """The files of partition 1 of a disk nobody uses at the moment: a copy is worked on, `close` puts it back."""

    def __init__(self, disk: Bytes) -> None:
        self._disk = disk
        self._part = partitions(disk)[0]
        self._folder = tempfile.TemporaryDirectory(prefix="firmware-")
        self._copy = Path(self._folder.name) / "fat"
        self._is_changed = False
        disk.extract(self._part.at, self._part.size, self._copy)

    def __enter__(self) -> FirmwareDisk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_changed:
            self._disk.insert(self._part.at, self._copy)
        self._folder.cleanup()

    def names(self, folder: str = "") -> list[str]:
        """The names in a folder, without path."""
        said = self._tool("mdir", "-b", f"::/{folder}").decode()
        return [line.rstrip("/").rsplit("/", 1)[-1] for line in said.splitlines()]

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return subprocess.run(self._words("mtype", f"::/{name}"), capture_output=True, check=False).returncode == 0

    def read(self, name: str) -> bytes:
        """Errors: FirmwareError when there is no such file."""
        return self._tool("mtype", f"::/{name}")

    def copy_out(self, name: str, to: Path) -> Path:
        """Errors: FirmwareError when there is no such file."""
        to.unlink(missing_ok=True)
        self._tool("mcopy", "-n", f"::/{name}", str(to))
        return to

    def write(self, name: str, content: bytes) -> None:
        """As a technician does on a laptop; the folder is made."""
        self._is_changed = True
        if "/" in name:
            folder = name.rsplit("/", 1)[0]
            subprocess.run(self._words("mmd", "-D", "s", f"::/{folder}"), capture_output=True, check=False)
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self._tool("mcopy", "-o", file.name, f"::/{name}")

    def start(self, *, trial: bool = False) -> Start:
        """What the board's firmware would start. `trial`: its one-shot flag is set. Errors: FirmwareError."""
        name = "tryboot.txt" if trial and self.has("tryboot.txt") else "config.txt"
        return chosen(self.read(name).decode("utf-8", errors="replace"), self.read)

    def _tool(self, tool: str, *words: str) -> bytes:
        done = subprocess.run(self._words(tool, *words), capture_output=True, timeout=MTOOLS_S, check=False)
        if done.returncode != 0:
            raise FirmwareError(f"{tool} {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def _words(self, tool: str, *words: str) -> list[str]:
        return [tool, "-i", str(self._copy), *words]


def settings(text: str, board: Collection[str] = BOARD) -> dict[str, str]:
    """The settings of a config.txt that hold for a board: later lines win, filters are kept, comments dropped."""
    found: dict[str, str] = {}
    holds = True
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            holds = line[1:-1].lower() in board
        elif holds and line and not line.startswith("#"):
            key, sign, value = line.partition("=")
            if not sign and line.startswith("initramfs "):
                key, value = "initramfs", line.split()[1]
            found[key.strip()] = value.strip()
    return found


def chosen(text: str, read_file: object) -> Start:
    """Kernel, initrd and words by a config.txt. `read_file` reads a file of the partition."""
    assert callable(read_file)
    said = settings(text)
    if "kernel" not in said:
        raise FirmwareError("config.txt names no kernel")
    prefix = said.get("os_prefix", "")
    words = read_file(prefix + said.get("cmdline", "cmdline.txt")).decode().strip()
    return Start(prefix + said["kernel"], prefix + said["initramfs"] if "initramfs" in said else "", words, prefix)
