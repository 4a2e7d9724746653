"""`village-point device …` as a program, against the simulated devices on their pseudo-terminals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from plain_point import CABINET, point_with

from drivers.sim.cli import main as sim
from edge.cli import main

ROOT = Path(__file__).parents[2]
BENCH = """
control = "sim.sock"

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
cells = 24
polarity = "short_when_open"
reply = "8a"
auto_close_s = 0.3

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
polarity = "short_when_open"

[devices.led]
kind = "onbon"
path = "dev/led"

[devices.gun]
kind = "serial_scanner"
path = "dev/gun"

[devices.ghost]
kind = "serial_scanner"
path = "dev/nowhere"
"""
CONFIG = point_with(CABINET, DEVICES)


class Bench:
    """The simulated devices and a configuration that names their terminals."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.config, self._capsys = folder, folder / "point.toml", capsys
        self.config.write_text(CONFIG)
        (folder / "sim.toml").write_text(BENCH)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drivers.sim.cli", "--config", folder / "sim.toml"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        for _ in range(3):
            json.loads(self.process.stdout.readline())

    def say(self, *words: str) -> tuple[int, list[Any], str]:
        code = main(["device", *words, "--config", str(self.config)])
        out, err = self._capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    def poke(self, *words: str) -> Any:
        assert sim(["poke", "--control", str(self.folder / "sim.sock"), *words]) == 0
        return json.loads(self._capsys.readouterr().out)

    def pulses(self) -> dict[str, int]:
        """How often each cell was pulsed."""
        told: dict[str, int] = self.poke("locker", "pulses")["pulses"]
        return told

    def facts(self) -> list[str]:
        assert main(["log", "export", "--jsonl", "--config", str(self.config)]) == 0
        return [json.loads(line)["kind"] for line in self._capsys.readouterr().out.splitlines()]

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Bench]:
    made = Bench(tmp_path, capsys)
    yield made
    made.end()


pytestmark = pytest.mark.logs("locker", "led", "gun", "ghost", "dev/")


def test_the_list_names_every_device(bench: Bench) -> None:
    code, told, _ = bench.say("list")

    assert code == 0
    assert [(d["name"], d["kind"], d["class"]) for d in told] == [
        ("locker", "lock_8a80", "lock"), ("led", "onbon", "display"),
        ("gun", "serial_scanner", "scanner"), ("ghost", "serial_scanner", "scanner"),
    ]  # fmt: skip


def test_a_probe_asks_and_opens_nothing(bench: Bench) -> None:
    code, told, _ = bench.say("probe", "locker")
    assert (code, told[0]["health"]) == (0, "ok")
    assert told[0]["doors"] == {str(cell): "closed" for cell in range(1, 25)}
    assert bench.say("probe", "led")[0] == 0
    assert bench.say("probe", "gun")[0] == 0

    assert bench.pulses() == {}
    assert not (bench.folder / "data" / "point.db").exists()


def test_a_cell_is_opened_and_the_opening_is_written_down(bench: Bench) -> None:
    code, told, _ = bench.say("locker", "open", "locker", "7")

    assert (code, told) == (0, [{"name": "locker", "cell": 7, "opening": "open"}])
    assert bench.pulses() == {"7": 1}
    kinds = bench.facts()
    assert kinds.index("door_authorised.1") < kinds.index("door_opened.1")


def test_the_state_of_a_door_is_read(bench: Bench) -> None:
    bench.poke("locker", "open_by_hand", "5")

    assert bench.say("locker", "state", "locker", "5")[:2] == (0, [{"name": "locker", "cell": 5, "door": "open"}])
    assert bench.say("locker", "state", "locker", "6")[1][0]["door"] == "closed"


def test_a_jammed_door_is_a_device_fault_with_its_record(bench: Bench) -> None:
    bench.poke("locker", "jam", "3")

    code, told, err = bench.say("locker", "open", "locker", "3")

    assert (code, told[0]["opening"]) == (3, "stayed_closed")
    assert err == "device locker: cell 3 stayed shut: look at lock, wires and the 12 V supply\n"
    assert bench.facts()[-2:] == ["door_authorised.1", "door_not_opened.1"]


def test_ctrl_c_in_the_middle_of_an_opening_leaves_its_outcome_on_record(bench: Bench) -> None:
    bench.poke("locker", "jam", "3")  # the board is watched for a while
    command = [sys.executable, "-m", "edge.cli", "device", "locker", "open", "locker", "3"]
    run = subprocess.Popen(
        [*command, "--config", bench.config], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 20
    while not bench.pulses() and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=20)

    assert (run.returncode, told) == (1, "interrupted\n")
    assert bench.facts()[-2:] == ["door_authorised.1", "door_not_opened.1"]
    assert bench.pulses() == {"3": 1}


def test_a_mute_board_is_pulsed_once_and_told_as_unknown(bench: Bench) -> None:
    bench.poke("locker", "mute")

    code, told, _ = bench.say("locker", "open", "locker", "3")

    assert code == 3
    assert not told or told[0]["opening"] in {"unknown", "not_there"}
    bench.poke("locker", "unmute")
    assert bench.pulses() in ({}, {"3": 1})


@pytest.mark.parametrize("cell", ["0", "25", "-1"])
def test_a_cell_that_is_not_there_is_a_mistake(bench: Bench, cell: str) -> None:
    code = main(["device", "locker", "open", "--config", str(bench.config), "--", "locker", cell])

    assert code == 2
    assert bench.pulses() == {}


def test_names_and_kinds_that_do_not_fit_are_mistakes(bench: Bench) -> None:
    for words in (("probe", "nobody"), ("locker", "open", "led", "1"), ("display", "show", "gun", "x"),
                  ("scanner", "listen", "led", "--seconds", "1")):  # fmt: skip
        code, told, err = bench.say(*words)
        assert (code, told) == (2, [])
        assert err.count("\n") == 1


def test_a_line_is_shown(bench: Bench) -> None:
    code, told, _ = bench.say("display", "show", "led", "今日到件3件")

    assert (code, told[0]["shown"]) == (0, True)
    assert "今日到件3件" in json.dumps(bench.poke("led", "shown"), ensure_ascii=False)


def test_codes_are_heard_as_they_come(bench: Bench) -> None:
    listening = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "device", "scanner", "listen", "gun",
         "--count", "2", "--seconds", "30", "--config", bench.config],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 20
    heard: list[Any] = []
    while listening.poll() is None and time.monotonic() < deadline:
        bench.poke("gun", "send", "SF1234567890123")
        time.sleep(0.3)
    out, err = listening.communicate(timeout=10)

    heard = [json.loads(line) for line in out.splitlines()]
    assert (listening.returncode, len(heard)) == (0, 2), err
    assert heard[0]["candidates"][0]["value"] == "SF1234567890123"
    assert heard[0]["scanner"] == "gun"


def test_hearing_too_little_is_refused(bench: Bench) -> None:
    assert bench.say("scanner", "listen", "gun", "--seconds", "0.5") == (
        1, [], "device gun: 0 of 1 came within 0.5 s\n"
    )  # fmt: skip


def test_a_port_that_is_not_there_is_a_device_fault(bench: Bench) -> None:
    code, told, err = bench.say("probe", "ghost")

    assert code == 3
    assert not told or told[0]["health"] == "away"
    assert err.startswith("device ghost: ")
    assert err.count("\n") == 1


def test_a_port_that_another_program_holds_is_refused(bench: Bench) -> None:
    with serial.Serial(str((bench.folder / "dev" / "locker").resolve()), exclusive=True):
        for words in (("locker", "open", "locker", "1"), ("probe", "locker"), ("locker", "state", "locker", "1")):
            code, told, err = bench.say(*words)
            assert (code, told) == (1, [])
            assert err == "device locker: another program holds the port; is the kiosk running?\n"

    assert bench.pulses() == {}


@pytest.mark.parametrize("words", [("--count", "0"), ("--seconds", "nan"), ("--seconds", "-1"), ("--count", "x")])
def test_listening_for_nothing_or_for_ever_is_a_mistake(bench: Bench, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        bench.say("scanner", "listen", "gun", *words)

    assert caught.value.code == 2


def test_a_file_that_names_devices_only_is_enough_for_them(bench: Bench) -> None:
    bench.config.write_text(
        '[hub]\nhost = "hub"\nport = 8883\nlink_key_file = "not-there-yet.key"\n'
        f'[devices.locker]\nkind = "lock_8a80"\npath = "{(bench.folder / "dev/locker").resolve()}"\n'
        'polarity = "short_when_open"\n'
    )

    assert [each["name"] for each in bench.say("list")[1]] == ["locker"]
    assert bench.say("probe", "locker")[1][0]["health"] == "ok"
    assert bench.say("locker", "state", "locker", "7")[1][0]["door"] == "closed"
    code, told, err = bench.say("locker", "open", "locker", "7")
    assert (code, told) == (2, [])  # an opening is chained with the key of the link
    assert "link_key_file" in err
    assert bench.pulses() == {}

    bench.config.write_text(bench.config.read_text().partition("[devices")[2].join(("[devices", "")))
    assert bench.say("locker", "open", "locker", "7")[:2] == (0, [{"name": "locker", "cell": 7, "opening": "open"}])
    assert bench.pulses() == {"7": 1}
    assert (bench.folder / "village-point-data" / "point.db").exists()


def test_the_configuration_may_stand_anywhere(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(bench.config)
    for words in (["--config", config, "device", "list"], ["device", "--config", config, "list"],
                  ["device", "list", "--config", config]):  # fmt: skip
        assert main(words) == 0
        assert capsys.readouterr().out.count("\n") == 4


def test_an_unplugged_port_is_a_device_fault(bench: Bench) -> None:
    bench.poke("locker", "unplug")

    code, _, err = bench.say("locker", "open", "locker", "1")

    assert code == 3
    assert err
