"""`village-sim` as a program: its terminals, its handles, and a client that is killed and comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from drivers.sim.cli import main
from drivers.sim.settings import BadBench, read_bench

ROOT = Path(__file__).parents[2]
BENCH = """
control = "sim.sock"

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
cells = 24
polarity = "short_when_open"
reply = "81"
auto_close_s = 0.2

[devices.led]
kind = "onbon"
path = "dev/led"

[devices.scanner]
kind = "serial_scanner"
path = "dev/scanner"
"""
OPEN_3, READ_ALL = bytes.fromhex("8A 01 03 11 99"), bytes.fromhex("80 01 00 33 B2")


class Sim:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sim.toml").write_text(BENCH)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drivers.sim.cli", "--config", str(folder / "sim.toml")],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.told = [json.loads(self.process.stdout.readline()) for _ in range(3)]

    def poke(self, capsys: pytest.CaptureFixture[str], *words: str) -> object:
        code = main(["poke", "--control", str(self.folder / "sim.sock"), *words])
        out, err = capsys.readouterr()
        return json.loads(out) if code == 0 else (code, err.strip())

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=10)
        assert err == ""
        return self.process.returncode


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Sim]:
    bench = Sim(tmp_path)
    yield bench
    if bench.process.poll() is None:
        bench.end()


def port(sim: Sim, name: str) -> serial.Serial:
    return serial.Serial(str(sim.folder / "dev" / name), 9600, timeout=2, exclusive=True)


def test_it_prints_one_line_per_device_and_leaves_nothing_behind(sim: Sim, tmp_path: Path) -> None:
    assert sim.told == [{"name": n, "path": str(tmp_path / "dev" / n)} for n in ("locker", "led", "scanner")]
    assert all((tmp_path / "dev" / name).is_symlink() for name in ("locker", "led", "scanner"))

    assert sim.end(signal.SIGINT) == 0

    assert list((tmp_path / "dev").iterdir()) == []
    assert not (tmp_path / "sim.sock").exists()


def test_the_cabinet_pushes_and_closes_its_doors_itself(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    with port(sim, "locker") as line:
        line.write(OPEN_3)
        assert line.read(5) == bytes.fromhex("81 01 03 11 92")
        assert line.read(5) == bytes.fromhex("81 01 03 00 83")
    state = sim.poke(capsys, "locker", "state")

    assert isinstance(state, dict)
    assert (state["doors"]["3"], state["pulses"]) == ("closed", {"3": 1})


def test_handles_move_devices(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    sim.poke(capsys, "locker", "auto_close", "0")
    sim.poke(capsys, "locker", "open_by_hand", "24")
    with port(sim, "scanner") as line:
        assert sim.poke(capsys, "scanner", "send", "取件 SF1") == {"sent": 1, "faults": 0}
        assert line.read_until(b"\r").decode() == "取件 SF1\r"
        sim.poke(capsys, "scanner", "burst", "A", "B")
        assert line.read(4) == b"A\rB\r"
        sim.poke(capsys, "scanner", "raw", "00ff1d0d")
        assert line.read(4) == b"\x00\xff\x1d\x0d"

    state = sim.poke(capsys, "locker", "state")
    assert isinstance(state, dict)
    assert state["doors"]["24"] == "open"
    assert sim.poke(capsys, "led", "shown") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["toaster", "state"], "no device 'toaster'"),
        (["locker", "dance"], "no handle 'dance'"),
        (["locker", "jam", "99"], "cell 99 is not in 1..24"),
        (["locker", "jam", "x"], "invalid literal"),
        (["scanner", "garble", "2", "1"], "rate 2.0 is not in 0..1"),
    ],
)
def test_a_wrong_handle_is_refused_in_one_sentence(
    sim: Sim, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    refusal = sim.poke(capsys, *words)

    assert isinstance(refusal, tuple)
    assert refusal[0] == 1
    assert said in refusal[1]


def test_an_unplugged_device_is_gone_and_comes_back_under_its_path(
    sim: Sim, capsys: pytest.CaptureFixture[str]
) -> None:
    line = port(sim, "locker")

    assert sim.poke(capsys, "locker", "unplug") == {"plugged": False}

    with pytest.raises((serial.SerialException, OSError)):
        line.read(1)
    line.close()
    assert not (sim.folder / "dev" / "locker").exists()
    assert sim.poke(capsys, "locker", "replug") == {"plugged": True}
    with port(sim, "locker") as line:
        line.write(READ_ALL)
        assert line.read(7) == bytes.fromhex("80 01 00 00 00 33 B2")


def test_a_client_that_is_killed_finds_the_same_terminal_and_state_again(
    sim: Sim, capsys: pytest.CaptureFixture[str]
) -> None:
    sim.poke(capsys, "locker", "auto_close", "0")
    path = sim.folder / "dev" / "locker"
    terminal = path.readlink()
    client = (
        "import serial, sys, time\n"
        f"line = serial.Serial({str(path)!r}, 9600, timeout=2, exclusive=True)\n"
        f"line.write({OPEN_3!r})\nprint(line.read(5).hex(), flush=True)\n"
        f"line.write({READ_ALL!r})\ntime.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", client], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "8101031192\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    time.sleep(0.1)

    assert path.readlink() == terminal
    with port(sim, "locker") as line:
        line.write(READ_ALL)
        assert line.read(7) == bytes.fromhex("80 01 00 00 04 33 B6")
    state = sim.poke(capsys, "locker", "pulses")
    assert isinstance(state, dict)
    assert state["pulses"] == {"3": 1}


@pytest.mark.parametrize("digits", ["8A 01 00 11 9A", "90 01 05 00 00 94", "80 01 00 99 18", "9D 01 02 10 8E"])
def test_requests_for_many_doors_move_none(sim: Sim, capsys: pytest.CaptureFixture[str], digits: str) -> None:
    with port(sim, "locker") as line:
        line.write(bytes.fromhex(digits))
        line.write(READ_ALL)
        assert line.read(7) == bytes.fromhex("80 01 00 00 00 33 B2")

    state = sim.poke(capsys, "locker", "state")
    assert isinstance(state, dict)
    assert state["pulses"] == {}


def test_no_bench_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poke", "--control", str(tmp_path / "none"), "locker", "state"]) == 3
    assert "no bench answers" in capsys.readouterr().err


def test_every_mistake_in_the_settings_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sim.toml"
    file.write_text(
        'contrl = "x"\n[devices.a]\nkind = "lock_8a80"\npath = "p"\nreply = "82"\nwings = 2\ncells = "many"\n'
        '[devices.b]\nkind = "toaster"\n[devices.c]\nkind = "onbon"\npath = "p2"\n[devices.d]\nkind = "onbon"\n'
        'path = "p2"\n[devices.e]\nkind = "lock_8a80"\npath = "p3"\ncells = 0\n'
    )

    with pytest.raises(BadBench) as caught:
        read_bench(file)

    assert len(caught.value.mistakes) == 8
    assert main(["--config", str(file)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert f"{file}:1: unknown setting 'contrl'" in said
    assert f"{file}:2: devices.a: unknown setting 'wings'" in said
    assert len(said) == 8
    assert all(line.startswith(f"{file}:") for line in said)


@pytest.mark.parametrize("words", [[], ["--conf"], ["poke", "locker"]])
def test_a_wrong_command_is_told_in_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_path_that_is_somebody_elses_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sim.toml").write_text(BENCH)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "led").write_text("precious")

    assert main(["--config", str(tmp_path / "sim.toml")]) == 3

    assert (tmp_path / "dev" / "led").read_text() == "precious"
    assert not (tmp_path / "dev" / "locker").is_symlink()


def test_a_second_bench_on_the_same_settings_is_refused_and_takes_nothing_away(
    sim: Sim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.readlink() for path in (tmp_path / "dev").iterdir()}

    assert main(["--config", str(tmp_path / "sim.toml")]) == 1

    assert "another village-sim" in capsys.readouterr().err
    assert {path.name: path.readlink() for path in (tmp_path / "dev").iterdir()} == before
    assert sim.poke(capsys, "locker", "state")["doors"]["1"] == "closed"  # type: ignore[index]
