"""The helper that mounts sticks: what it takes for a stick, how it mounts, and what it leaves alone."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import pwd
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

HELPER = Path(__file__).parents[2] / "packaging/session/village-sticks"
ROOT_DISK = "22 1 8:18 / / rw,noatime shared:1 - ext4 /dev/sdb2 rw\n"
# Stands for systemd-mount: writes what the kernel would tell in mountinfo, and what it was asked for.
SYSTEMD_MOUNT = """#!/bin/sh
echo "$*" >>{folder}/asked
if [ "$1" = --umount ]; then
    grep -v " $2 " {folder}/mountinfo >{folder}/less; mv {folder}/less {folder}/mountinfo; exit
fi
for word; do case $word in
    --options=*) how=${{word#--options=}}; how=${{how%%,*}} ;;
    /dev/*) device=$word ;;
    {folder}/media/*) path=$word ;;
esac; done
echo "90 22 8:1 / $path $how,nosuid shared:9 - vfat $device $how,utf8" >>{folder}/mountinfo
"""


class Machine:
    """Folders as the kernel and udev lay them, with disks put in by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "block").mkdir()
        (folder / "udev").mkdir()
        (folder / "mountinfo").write_text(ROOT_DISK)
        tool = folder / "bin/systemd-mount"
        tool.parent.mkdir()
        tool.write_text(SYSTEMD_MOUNT.format(folder=folder))
        tool.chmod(0o755)

    def plug(self, disk: str, parts: dict[str, tuple[str, dict[str, str]]]) -> None:
        """`parts`: name, then device number and what udev knows; the name of the disk is the disk itself."""
        for name, (number, about) in parts.items():
            part = self.folder / "block" / disk if name == disk else self.folder / "block" / disk / name
            (part / "holders").mkdir(parents=True)
            (part / "dev").write_text(number + "\n")
            if name != disk:
                (part / "partition").write_text("1\n")
            told = "".join(f"E:{key}={value}\n" for key, value in about.items())
            (self.folder / "udev" / f"b{number}").write_text(f"S:disk/by-id/x\n{told}")

    @property
    def asked(self) -> str:
        return (self.folder / "asked").read_text() if (self.folder / "asked").exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def sticks(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Any:
    loader = importlib.machinery.SourceFileLoader("village_sticks", str(HELPER))
    spec = importlib.util.spec_from_loader("village_sticks", loader)
    assert spec is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.setitem(sys.modules, "village_sticks", module)
    loader.exec_module(module)
    module.FOLDER, module.BLOCK = machine.folder / "media", machine.folder / "block"
    module.UDEV, module.MOUNTS = machine.folder / "udev", machine.folder / "mountinfo"
    monkeypatch.setattr(module.pwd, "getpwnam", lambda _: pwd.getpwuid(0))
    monkeypatch.setenv("PATH", f"{machine.folder / 'bin'}:/usr/bin:/bin")
    return module


def stick(label: str = "KINGSTON", kind: str = "vfat", bus: str = "usb") -> dict[str, str]:
    return {"ID_BUS": bus, "ID_FS_TYPE": kind, "ID_FS_LABEL": label}


def test_a_stick_is_mounted_read_only_and_nothing_on_it_runs(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", {"ID_BUS": "usb"}), "sda1": ("8:1", stick())})

    told = sticks.look()

    assert told == {"sticks": ["KINGSTON"]}
    options = machine.asked.partition("--options=")[2].split()[0].split(",")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options)
    assert "rw" not in options


def test_a_disk_that_is_one_file_system_is_one_stick(machine: Machine, sticks: Any) -> None:
    """Its first sector may look like a table of partitions: the same files, mounted twice, would be written twice."""
    machine.plug("sda", {"sda": ("8:0", stick()), "sda1": ("8:1", stick())})

    assert sticks.look() == {"sticks": ["KINGSTON"]}
    assert set(sticks.mounts().values()) == {("sda", False)}


def test_looking_again_asks_for_nothing(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    sticks.look()
    before = machine.asked

    sticks.look()

    assert machine.asked == before


def test_written_only_until_the_next_look(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    sticks.look()

    assert sticks.write("KINGSTON") == {"sticks": ["KINGSTON"]}
    path = machine.folder / "media/KINGSTON"
    assert sticks.mounts() == {path: ("sda", True)}
    sticks.look()
    assert sticks.mounts() == {path: ("sda", False)}


@pytest.mark.parametrize(
    ("why", "parts"),
    [
        ("not on USB", {"sda": ("8:0", stick(bus="ata"))}),
        ("a file system sticks do not have", {"sda": ("8:0", stick(kind="ext4"))}),
        ("the disk we run from", {"sdb": ("8:16", {}), "sdb1": ("8:17", stick()), "sdb2": ("8:18", stick())}),
        ("nothing on it", {"sda": ("8:0", {"ID_BUS": "usb"})}),
    ],
)
def test_what_is_no_stick_is_left_alone(machine: Machine, sticks: Any, why: str, parts: Any) -> None:
    machine.plug(next(iter(parts)), parts)

    assert sticks.look() == {"sticks": []}, why
    assert machine.asked == ""


def test_a_stick_that_others_use_is_left_alone(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    (machine.folder / "block/sda/holders/dm-0").mkdir()

    assert sticks.look() == {"sticks": []}


def test_a_pulled_stick_is_taken_away(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    sticks.look()
    (machine.folder / "udev/b8:0").unlink()

    assert sticks.look() == {"sticks": []}
    assert sticks.mounts() == {}


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("KINGSTON", "KINGSTON"),
        ("我的 U盘", "我的-U盘"),
        ("../../etc", "etc"),
        ("-rf", "rf"),
        ("", "sda1"),
        ("...", "sda1"),
        ("a" * 60, "a" * 20),
    ],
)
def test_a_label_becomes_a_plain_name(sticks: Any, label: str, name: str) -> None:
    assert sticks.folder_name(label, "sda1", set()) == name


def test_two_sticks_of_one_label_are_told_apart(machine: Machine, sticks: Any) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    machine.plug("sdc", {"sdc": ("8:32", stick())})

    assert sticks.look() == {"sticks": ["KINGSTON", "KINGSTON-sdc"]}


@pytest.mark.parametrize("word", ["", "write", "write ../x", "write OTHER", "mount sda", "\udcff", "x" * 2000])
def test_a_strange_word_mounts_nothing(machine: Machine, sticks: Any, word: str) -> None:
    machine.plug("sda", {"sda": ("8:0", stick())})
    ours, theirs = socket.socketpair()

    with ours, theirs:
        ours.sendall(word.encode(errors="surrogateescape") + b"\n")
        sticks.answer(theirs)
        told = json.loads(ours.recv(900))

    assert told == {}
    assert machine.asked == ""
