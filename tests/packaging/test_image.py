"""What an image is made of: a disk without gaps, settings that parse, boot files whole or absent, no secrets."""

from __future__ import annotations

import configparser
import os
import re
import runpy
import shutil
import stat
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import killed
import pytest

IMAGE = Path(__file__).parents[2] / "packaging/image"
FILES = IMAGE / "files"
VILLAGE = FILES / "usr/lib/village"
UNITS = sorted((FILES / "usr/lib/systemd/system").glob("village-*"))
SETTINGS = sorted(
    path for folder in ("etc/systemd", "etc/rauc") for path in (FILES / folder).rglob("*") if path.is_file()
)
MIB = 1024 * 1024


def layout(expression: str) -> str:
    """What a shell makes of an expression with the layout at hand."""
    return subprocess.run(
        ["bash", "-euc", f". {IMAGE}/layout.sh; {expression}"], check=True, capture_output=True, text=True
    ).stdout.strip()


def parsed(path: Path) -> configparser.ConfigParser:
    reader = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    reader.read_string(path.read_text())
    return reader


def test_partitions_follow_each_other_on_borders_of_erase_blocks() -> None:
    numbers = [
        int(number)
        for number in layout(
            "echo $(firmware_start_mib) $FIRMWARE_MIB $(root_a_start_mib) $ROOT_MIB $(root_b_start_mib) $ROOT_MIB "
            "$(data_start_mib) $DATA_MIB $(disk_mib)"
        ).split()
    ]
    starts, sizes, end = numbers[0:8:2], numbers[1:8:2], numbers[8]

    assert [start + size for start, size in zip(starts, sizes, strict=True)] == [*starts[1:], end]
    assert all(start % 8 == 0 for start in starts)
    assert end * MIB < 4_000_000_000, "it has to fit every card that is sold as 4 GB or more"


def test_a_slot_has_the_partition_that_the_updater_writes() -> None:
    rauc = parsed(FILES / "etc/rauc/system.conf")
    for number, slot in enumerate("AB"):
        section = rauc[f"slot.rootfs.{number}"]
        assert section["bootname"] == slot
        device = section["device"].replace("@DISK_ID@", layout("echo $DISK_ID"))
        assert device == "/dev/disk/by-partuuid/" + layout(f"slot_partuuid {slot}")


@pytest.mark.parametrize("path", [*UNITS, *SETTINGS], ids=lambda path: path.name)
def test_settings_parse_and_name_programs_that_are_there(path: Path) -> None:
    sections = parsed(path)

    assert sections.sections()
    for section in sections.values():
        for key, value in section.items():
            if key.startswith("Exec") or key in ("bootloader-custom-backend", "pre-install"):
                program = value.lstrip("-+!@").split()[0]
                if program.startswith("/usr/lib/village/"):
                    assert (FILES / program[1:]).stat().st_mode & stat.S_IXUSR, program
                else:
                    assert Path(program).exists(), program


@pytest.mark.parametrize(
    "script",
    [
        path
        for path in sorted(IMAGE.rglob("*"))
        if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/usr/bin/env bash"))
    ],
    ids=lambda path: path.name,
)
def test_every_script_parses_and_may_be_run(script: Path) -> None:
    shell = "bash" if b"bash" in script.read_bytes().split(b"\n")[0] else "sh"

    subprocess.run([shell, "-n", script], check=True)
    assert script.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("word", ["panic=", "init=/usr/lib/village/init", "ro", "rootwait"])
def test_the_kernel_is_told_what_the_way_back_rests_on(word: str) -> None:
    assert any(option.startswith(word) for option in (VILLAGE / "kernel-options").read_text().split())


def test_no_menu_waits_for_a_key_before_the_kernel() -> None:
    assert "menuentry" not in (IMAGE / "firmware/amd64/grub/grub.cfg").read_text()
    assert re.search(r"^    in_root village-point-kiosk enable$", (IMAGE / "root.sh").read_text(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="grub-common is not installed")
def test_grub_understands_its_script() -> None:
    subprocess.run(["grub-script-check", IMAGE / "firmware/amd64/grub/grub.cfg"], check=True)


def root_with_kernel(folder: Path, board: str) -> Path:
    """As much of a root as its boot files come from."""
    kernel = "6.1.0-9-" + board
    for name in ("boot", f"usr/lib/modules/{kernel}", "usr/lib/village"):
        (folder / name).mkdir(parents=True)
    (folder / f"boot/vmlinuz-{kernel}").write_text("kernel")
    (folder / f"boot/initrd.img-{kernel}").write_text("initrd")
    shutil.copy(VILLAGE / "kernel-options", folder / "usr/lib/village/")
    shutil.copy(IMAGE / "layout.sh", folder / "usr/lib/village/layout")
    if board == "arm64":
        trees = folder / f"usr/lib/linux-image-{kernel}/broadcom"
        trees.mkdir(parents=True)
        for name in ("bcm2837-rpi-3-b-plus", "bcm2711-rpi-4-b", "bcm2711-rpi-cm4-io", "bcm2837-rpi-zero-2-w"):
            (trees / f"{name}.dtb").write_text(name)
    return folder


WHOLE = {
    "amd64": {"vmlinuz", "initrd.img", "cmdline.txt", "boot.cfg"},
    "arm64": {
        "vmlinuz",
        "initrd.img",
        "cmdline.txt",
        "bcm2837-rpi-3-b-plus.dtb",
        "bcm2711-rpi-4-b.dtb",
        "bcm2711-rpi-cm4-io.dtb",
    },
}


@pytest.mark.parametrize("board", WHOLE)
@pytest.mark.parametrize("slot", ["A", "B"])
def test_boot_files_name_the_root_of_their_slot(tmp_path: Path, board: str, slot: str) -> None:
    root, firmware = root_with_kernel(tmp_path / "root", board), tmp_path / "firmware"
    firmware.mkdir()

    subprocess.run([VILLAGE / "slot-boot-files", root, firmware, slot], check=True)

    folder = firmware / f"slot-{slot}"
    assert {path.name for path in folder.iterdir()} == WHOLE[board]
    options = (folder / "cmdline.txt").read_text().split()
    assert options[:2] == [f"root=PARTUUID={layout(f'slot_partuuid {slot}')}", f"rauc.slot={slot}"]
    assert "init=/usr/lib/village/init" in options
    if board == "amd64":
        linux, initrd = (folder / "boot.cfg").read_text().splitlines()
        assert linux.split() == ["linux", f"/slot-{slot}/vmlinuz", *options]
        assert initrd == f"initrd /slot-{slot}/initrd.img"


def test_boot_files_cut_at_any_step_are_whole_or_absent(tmp_path: Path) -> None:
    root, bin_folder = root_with_kernel(tmp_path / "root", "amd64"), killed.wrappers(tmp_path / "bin")
    cuts = 0
    for at in killed.every_cut():
        firmware = tmp_path / str(at)
        (firmware / "slot-B").mkdir(parents=True)
        for name in WHOLE["amd64"]:
            (firmware / "slot-B" / name).write_text("old")
        command = [str(VILLAGE / "slot-boot-files"), str(root), str(firmware), "B"]
        finished = killed.run(command, at=at, bin_folder=bin_folder, env={})

        slot = firmware / "slot-B"
        found = {path.name: path.read_text() for path in slot.iterdir()} if slot.exists() else {}
        assert set(found) in (set(), WHOLE["amd64"])
        assert "old" not in found.values() or set(found.values()) == {"old"}
        if finished:
            break
        cuts += 1
    assert cuts > 5


def test_update_keys_are_made_once_and_fit_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "data/keys"
    subprocess.run([IMAGE / "keys.sh", "data/keys"], check=True, capture_output=True, cwd=tmp_path)  # as the build does
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    subprocess.run([IMAGE / "keys.sh", folder], check=True, capture_output=True)

    assert first == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])
    told = subprocess.run(
        ["openssl", "verify", "-CAfile", folder / "root.pem", folder / "release.pem"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip().endswith(": OK")


def test_no_key_and_no_place_of_packages_is_written_here() -> None:
    for path in IMAGE.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text()
            assert "PRIVATE KEY-----" not in text, path
            assert not re.search(r"https?://", text), path


@pytest.mark.parametrize(("bits", "size"), [(32, 4), (16, 2)])
@pytest.mark.parametrize(("width", "height"), [(1024, 600), (1080, 1920)])
def test_the_picture_of_a_lost_card_fills_the_rows_of_the_screen(width: int, height: int, bits: int, size: int) -> None:
    fault = runpy.run_path(str(VILLAGE / "show-fault"), run_name="fault")
    row_bytes = width * size + 64  # a kernel may pad its rows

    drawn = fault["picture"](width, height)
    rows = fault["rows"](drawn, bits, row_bytes)

    assert len(rows) == height * row_bytes
    assert rows[width * size : row_bytes] == bytes(64)
    ink = drawn.convert("L").point(lambda level: 255 * (level > 200)).getbbox()
    assert ink is not None
    assert ink[2] <= width * 0.96, "no line runs out of the screen"


TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEPT_DAYS = 190


class KeptLogs:
    """keep-logs on a folder, with the journal, the packer and the clock of the system stood in for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._bin = folder / "system", folder / "bin"
        self.folder.mkdir()
        self._bin.mkdir()
        self.lay("journalctl", "echo a line of the journal")
        self.lay("zstd", 'cp "$5" "$4"')
        self.clock(TODAY)

    def lay(self, program: str, text: str) -> None:
        (self._bin / program).write_text(f"#!/bin/sh\n{text}\n")
        (self._bin / program).chmod(0o755)

    def clock(self, now: datetime) -> None:
        """`find` asks the kernel for the time, so the files are as old as they would be by this clock."""
        self.lay("date", f"echo {now:%Y-%m-%d}")
        for file in self.folder.glob("*.zst"):
            age = now - datetime.strptime(file.name[:10], "%Y-%m-%d").replace(hour=12, tzinfo=UTC)
            written = (datetime.now(UTC) - age).timestamp()
            os.utime(file, (written, written))

    def fill(self, days_ago: Iterable[int], size: int = 1000) -> None:
        for days in days_ago:
            file = self.folder / f"{TODAY - timedelta(days=days):%Y-%m-%d}.log.zst"
            with file.open("wb") as out:
                os.posix_fallocate(out.fileno(), 0, size)
        self.clock(TODAY)

    def keep(self) -> list[str]:
        """The days that are there after an hour's turn, oldest first."""
        env = {"PATH": f"{self._bin}:/usr/bin:/bin", "VILLAGE_LOGS": str(self.folder)}
        subprocess.run([VILLAGE / "keep-logs"], env=env, check=True, capture_output=True, timeout=30)
        return sorted(file.name[:10] for file in self.folder.glob("*.zst"))


@pytest.fixture
def logs(tmp_path: Path) -> KeptLogs:
    return KeptLogs(tmp_path)


def test_logs_older_than_the_rule_are_deleted_and_no_others(logs: KeptLogs) -> None:
    logs.fill(range(1, 250))

    kept = logs.keep()

    assert f"{TODAY - timedelta(days=180):%Y-%m-%d}" in kept
    assert KEPT_DAYS <= len(kept) <= KEPT_DAYS + 2


@pytest.mark.parametrize("years", [1, 11])
@pytest.mark.parametrize("days", [5, 185, 250])
def test_a_clock_that_jumps_ahead_deletes_no_log_of_the_last_180_days(logs: KeptLogs, years: int, days: int) -> None:
    logs.fill(range(1, days))
    logs.clock(TODAY.replace(year=TODAY.year + years))

    kept = logs.keep()

    assert {f"{TODAY - timedelta(days=each):%Y-%m-%d}" for each in range(1, min(days, 180))} <= set(kept)


def test_logs_dated_by_a_wrong_clock_push_out_none_that_are_young(logs: KeptLogs) -> None:
    logs.fill([*range(1, 150), *range(-4000, -3900)])

    assert len(logs.keep()) == 250


def test_a_folder_that_is_too_large_loses_its_oldest_days_and_never_the_newest_line(logs: KeptLogs) -> None:
    logs.fill(range(1, 6), size=20 * MIB)
    logs.clock(TODAY - timedelta(days=2000))

    assert logs.keep() == ["2021-06-08", "2026-11-26", "2026-11-27", "2026-11-28"]


@pytest.mark.parametrize(
    "script",
    [
        IMAGE / "bundle-hook",
        IMAGE.parent / "update/delta-hook",
        *sorted(path for path in VILLAGE.iterdir() if path.is_file()),
        *sorted(path for path in (IMAGE.parent / "session").iterdir() if path.is_file()),
    ],
    ids=lambda path: path.name,
)
def test_what_runs_on_the_image_asks_for_no_python_of_the_system(script: Path) -> None:
    """The image has no `python3`: only the program's own, by its whole path."""
    assert re.findall(r"(?m)^[^#\n]*?(?:^|[\s;|&(])(python3? .*)$", script.read_text()) == []
