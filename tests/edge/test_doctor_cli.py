"""`village-point doctor` as a program: exit codes, JSON, and beside a running kiosk that holds ports and books."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_point import CABINET, point_with

from drivers.sim.cli import main as sim
from edge.cli import main
from edge.doctor_line import SOCKET, ask
from edge.store import FILE, take_lock

ROOT = Path(__file__).parents[2]
BENCH = """
control = "sim.sock"

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
cells = 24

[devices.led]
kind = "onbon"
path = "dev/led"

[devices.gun]
kind = "serial_scanner"
path = "dev/gun"
"""
DEVICES = """
[devices.locker]
kind = "lock_8a80"
path = "dev/locker"

[devices.led]
kind = "onbon"
path = "dev/led"

[devices.gun]
kind = "serial_scanner"
path = "dev/gun"
"""
CONFIG = point_with(CABINET, DEVICES)
GHOST = """
[devices.ghost]
kind = "serial_scanner"
path = "dev/nowhere"
"""
WELL, DEVICE, STORE = 0, 3, 4


class Point:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.config, self._capsys = folder, folder / "point.toml", capsys
        self.config.write_text(CONFIG, encoding="utf-8")
        (folder / "sim.toml").write_text(BENCH)
        self._running: list[subprocess.Popen[str]] = []
        self.begin("drivers.sim.cli", "--config", str(folder / "sim.toml"), lines=3)

    def begin(self, module: str, *arguments: str, lines: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *arguments]
        started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._running.append(started)
        assert started.stdout is not None
        assert all(started.stdout.readline() for _ in range(lines))
        return started

    def kiosk(self) -> subprocess.Popen[str]:
        return self.begin("edge.cli", "run", "--headless", "--config", str(self.config), lines=1)

    def poke(self, *words: str) -> None:
        assert sim(["poke", "--control", str(self.folder / "sim.sock"), *words]) == 0
        self._capsys.readouterr()

    def doctor(self, *options: str) -> tuple[int, list[str]]:
        code = main(["doctor", "--config", str(self.config), *options])
        return code, self._capsys.readouterr().out.splitlines()

    def codes(self) -> tuple[int, dict[str, str | None]]:
        code, lines = self.doctor("--json")
        told = [json.loads(line) for line in lines]
        return code, {each["name"] or each["what"]: each["code"] for each in told}

    def end(self) -> None:
        for each in reversed(self._running):
            each.send_signal(signal.SIGTERM)
            each.wait(15)
            assert each.stdout is not None
            each.stdout.close()


@pytest.fixture
def point(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Point]:
    made = Point(tmp_path, capsys)
    yield made
    made.end()


def test_a_point_that_is_well_ends_with_zero_and_leaves_nothing_behind(point: Point) -> None:
    code, lines = point.doctor("--lang", "en")

    assert code == WELL
    assert "OK Locks locker: all is well" in lines
    assert not (point.folder / "data").exists()


@pytest.mark.logs("cannot be read")
def test_a_device_at_fault_ends_with_three_and_stands_first(point: Point) -> None:
    point.poke("locker", "mute")

    code, lines = point.doctor()

    assert code == DEVICE
    assert lines[0].startswith("故障 L11 柜锁 locker：柜锁板没有回应：检查 485 的 A/B 线是否接反")


@pytest.mark.logs("is away")
def test_a_device_that_is_nowhere_ends_with_three(point: Point) -> None:
    point.config.write_text(CONFIG + GHOST, encoding="utf-8")

    with_ghost, codes = point.codes()

    assert with_ghost == DEVICE
    assert codes["ghost"] == "G01"


def test_beside_a_running_kiosk_the_kiosk_is_asked(point: Point) -> None:
    point.kiosk()

    code, codes = point.codes()

    assert code == WELL
    assert codes["locker"] is codes["led"] is codes["gun"] is codes["books"] is None
    assert (point.folder / "data" / SOCKET).is_socket()
    assert (point.folder / "data" / SOCKET).stat().st_mode & 0o077 == 0


def test_the_kiosk_removes_its_socket_when_it_ends(point: Point) -> None:
    kiosk = point.kiosk()
    assert ask(point.folder / "data") is not None

    kiosk.send_signal(signal.SIGTERM)
    kiosk.wait(15)

    assert not (point.folder / "data" / SOCKET).exists()
    assert point.codes()[0] == WELL


def test_damaged_books_end_with_four(point: Point) -> None:
    kiosk = point.kiosk()
    kiosk.send_signal(signal.SIGTERM)
    kiosk.wait(15)
    (point.folder / "data" / FILE).write_bytes(b"worn out" * 4096)

    code, codes = point.codes()

    assert (code, codes["books"]) == (STORE, "B11")


def test_books_without_their_key_end_with_four_and_no_new_key_is_made(point: Point) -> None:
    kiosk = point.kiosk()
    kiosk.send_signal(signal.SIGTERM)
    kiosk.wait(15)
    (point.folder / "data" / "device.key").unlink()

    code, codes = point.codes()

    assert (code, codes["books"]) == (STORE, "B14")
    assert not (point.folder / "data" / "device.key").exists()


def test_a_program_that_holds_the_books_and_does_not_answer_is_told(point: Point) -> None:
    kiosk = point.kiosk()
    kiosk.send_signal(signal.SIGTERM)
    kiosk.wait(15)
    held = take_lock(point.folder / "data")

    code, codes = point.codes()
    os.close(held)

    assert (code, codes["kiosk"]) == (STORE, "B15")


def test_a_settings_file_with_a_mistake_ends_with_two(point: Point) -> None:
    point.config.write_text(CONFIG.replace('kind = "onbon"', 'kind = "onbonn"'), encoding="utf-8")

    assert point.doctor()[0] == 2
