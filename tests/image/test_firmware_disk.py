"""What the Raspberry Pi's firmware would start, read from config.txt, and the files of a firmware partition."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_disk import CutDisk
from firmware_disk import FirmwareDisk, FirmwareError, chosen, partitions, settings

CONFIG = """\
# the committed slot
arm_64bit=1
os_prefix=slot-A/
kernel=vmlinuz
initramfs initrd.img followkernel
[pi3]
kernel=other
[pi4]
enable_uart=1
[none]
os_prefix=nowhere/
[all]
cmdline=cmdline.txt
"""
FAT_AT, FAT_SIZE = 1 << 20, 8 << 20
mtools = pytest.mark.skipif(shutil.which("mcopy") is None, reason="mtools is not installed (image tests only)")


def test_filters_of_other_boards_do_not_hold() -> None:
    found = settings(CONFIG)

    assert found["kernel"] == "vmlinuz"
    assert found["os_prefix"] == "slot-A/"
    assert found["enable_uart"] == "1"
    assert settings(CONFIG, ("all", "pi3"))["kernel"] == "other"


def test_later_lines_win() -> None:
    assert settings("kernel=a\nkernel = b\n")["kernel"] == "b"


def test_kernel_initrd_and_words_lie_under_the_prefix() -> None:
    start = chosen(CONFIG, {"slot-A/cmdline.txt": b"root=PARTUUID=1-02 ro\n"}.__getitem__)

    assert start.kernel == "slot-A/vmlinuz"
    assert start.initrd == "slot-A/initrd.img"
    assert start.words == "root=PARTUUID=1-02 ro"


def test_a_config_without_kernel_is_refused_in_words() -> None:
    with pytest.raises(FirmwareError, match="names no kernel"):
        chosen("os_prefix=slot-A/\n", dict[str, bytes]().__getitem__)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[CutDisk]:
    """A card with one FAT partition as an image has it."""
    image = tmp_path / "card"
    image.write_bytes(bytes(FAT_AT + FAT_SIZE))
    subprocess.run(["mformat", "-i", f"{image}@@{FAT_AT}", "-T", str(FAT_SIZE // 512), "::"], check=True)
    entry = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x0C, 0, 0, 0, FAT_AT // 512, FAT_SIZE // 512)
    with image.open("r+b") as file:
        file.seek(446)
        file.write(entry.ljust(64, b"\0") + b"\x55\xaa")
    disk = CutDisk(image, tmp_path / "disk")
    yield disk
    disk.close()


@mtools
def test_the_one_shot_flag_picks_tryboot(card: CutDisk) -> None:
    with FirmwareDisk(card) as firmware:
        firmware.write("config.txt", CONFIG.encode())
        firmware.write("slot-A/cmdline.txt", b"slot=A\n")
        without = firmware.start(trial=True)
        firmware.write("tryboot.txt", CONFIG.replace("slot-A", "slot-B").encode())
        firmware.write("slot-B/cmdline.txt", b"slot=B\n")

    with FirmwareDisk(card) as firmware:
        assert without.words == firmware.start().words == "slot=A"
        assert firmware.start(trial=True).words == "slot=B"
        assert sorted(firmware.names()) == ["config.txt", "slot-A", "slot-B", "tryboot.txt"]


@mtools
def test_a_missing_file_is_named(card: CutDisk) -> None:
    with FirmwareDisk(card) as firmware, pytest.raises(FirmwareError, match=r"config\.txt"):
        firmware.start()


def test_a_disk_without_partition_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "blank").write_bytes(bytes(8192))
    disk = CutDisk(tmp_path / "blank", tmp_path)

    with pytest.raises(FirmwareError, match="no partition table"):
        partitions(disk)
    disk.close()
