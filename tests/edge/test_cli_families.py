"""Every family of devices through `village-point device …`, from a real settings file, against its simulator."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from drivers.build import KINDS
from drivers.sim.cli import main as sim
from edge.cli import main
from edge.clock import SystemClock
from edge.config import DEVICE_KINDS, load
from edge.setup import build_all
from edge.store import take_lock

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "packaging" / "examples" / "devices").glob("*.toml"))
CLOSES = "auto_close_s = 0.5\n"  # as if a person did it
# name -> kind, what the simulator is built with, what the settings of the point say.
DEVICES: dict[str, tuple[str, str, str]] = {
    "l8a80": ("lock_8a80", CLOSES + 'reply = "81"', ""),
    "lopen": ("lock_8a80", CLOSES + 'polarity = "short_when_open"', 'polarity = "short_when_open"'),
    "cu16": ("kerong_cu16", CLOSES, ""),
    "cu48": ("kerong_cu48", CLOSES, ""),
    "cu24": (
        "kerong_cu48",
        CLOSES + 'cells = 24\nways = 24\ncommand_set = "a"\nlayout = "etx"',
        'ways = 24\ncommand_set = "a"',
    ),
    "wkly": ("wkly", CLOSES, ""),
    "modbus": ("modbus_relay", CLOSES, ""),
    "winnsen": ("winnsen", CLOSES, ""),
    "led": ("onbon", "", ""),
    "sign": ("alpha", "", "answers = true"),
    "led8": ("led8", "", ""),
    "vfd": ("cd5220", "", ""),
    "armfly": ("armfly", "digits = 4", ""),
    "armbus": ("armfly", 'digits = 4\nform = "modbus"', 'form = "modbus"'),
    "gun": ("serial_scanner", "", 'memory = "held"'),
    "bell": ("serial_scanner", "", "bell = true"),
    "ssi": ("ssi_scanner", "", ""),
    "newland": ("newland_scanner", "", ""),
    "honeywell": ("honeywell_scanner", "", ""),
    "a9": ("yaohua_a9", "", ""),
    "a9ask": ("yaohua_a9", 'talk = "yaohua_a9_asked"', 'mode = "command"'),
    "a12": ("yaohua_a12", "", ""),
    "a12ask": ("yaohua_a12", 'talk = "yaohua_a12_asked"', 'mode = "command"'),
    "equals": ("scale_equals", "", ""),
    "toledo": ("toledo", "", ""),
    "printer": ("escpos", "", ""),
    "dumb": ("escpos", "answers = false", ""),
}
LOCKS = [name for name, (kind, _, _) in DEVICES.items() if DEVICE_KINDS[kind][0] == "lock"]
SCALES = [name for name, (kind, _, _) in DEVICES.items() if DEVICE_KINDS[kind][0] == "scale"]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number: int = taken.getsockname()[1]
        return number


NETWORK = {
    "netled": ("onbon", free_port()),
    "netcu16": ("kerong_cu16", free_port()),
    "netprinter": ("escpos", free_port()),
}


def net(name: str) -> str:
    return f"tcp://127.0.0.1:{NETWORK[name][1]}"


class Point:
    """One bench with a device of every family, and a settings file that names them all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "point.toml"
        bench, point = ['control = "sim.sock"'], []
        for name, (kind, built, options) in DEVICES.items():
            bench.append(f'[devices.{name}]\nkind = "{kind}"\npath = "dev/{name}"\n{built}')
            point.append(f'[devices.{name}]\nkind = "{kind}"\npath = "dev/{name}"\n{options}')
        for name, (kind, _) in NETWORK.items():
            both = f'[devices.{name}]\nkind = "{kind}"\npath = "{net(name)}"'
            bench.append(both + ("\n" + CLOSES if kind == "kerong_cu16" else ""))
            point.append(both)
        (folder / "sim.toml").write_text("\n".join(bench))
        self.config.write_text("\n".join(point))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drivers.sim.cli", "--config", folder / "sim.toml"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        for _ in range(len(DEVICES) + len(NETWORK)):
            json.loads(self.process.stdout.readline())

    def port(self, name: str) -> str:
        return str(self.folder / "dev" / name)


@pytest.fixture(scope="module")
def point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Point]:
    made = Point(tmp_path_factory.mktemp("families"))
    yield made
    made.process.terminate()
    made.process.communicate(timeout=20)


class Hands:
    """The command line of the point and of the bench, with what they print."""

    def __init__(self, point: Point, capsys: pytest.CaptureFixture[str]) -> None:
        self.point, self._capsys = point, capsys

    def say(self, *words: str, code: int = 0) -> list[Any]:
        got = main(["device", *words, *([] if "--port" in words else ["--config", str(self.point.config)])])
        out, err = self._capsys.readouterr()
        assert got == code, err
        assert err.count("\n") == (0 if code == 0 else 1), err  # one plain sentence about what was not done
        return [json.loads(line) for line in out.splitlines()]

    def poke(self, *words: str) -> Any:
        assert sim(["poke", "--control", str(self.point.folder / "sim.sock"), *words]) == 0
        return json.loads(self._capsys.readouterr().out)

    def facts(self) -> list[dict[str, Any]]:
        assert main(["log", "export", "--jsonl", "--config", str(self.full())]) == 0
        return [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def full(self) -> Path:
        """The same settings with what a whole point needs, to read the log."""
        file = self.point.folder / "full.toml"
        head = (
            'site = "BENCH"\nname = "bench"\nprofile = "shelf_only"\ndata_dir = "village-point-data"\nlanguage = "en"\n'
            "[panel]\nwidth = 1280\nheight = 800\ndiagonal_inch = 10.1\n"
            '[[shelf]]\nname = "A"\nlevels = 1\npositions = 1\n'
        )
        file.write_text(head)
        return file

    def later(self, seconds: float, *words: str) -> subprocess.Popen[bytes]:
        """Poke the bench while a command of ours runs."""
        program = (
            f"import sys,time; from drivers.sim.cli import main; time.sleep({seconds}); "
            f"sys.exit(main(['poke','--control',{str(self.point.folder / 'sim.sock')!r},*sys.argv[1:]]))"
        )
        return subprocess.Popen([sys.executable, "-c", program, *words], cwd=ROOT, stdout=subprocess.DEVNULL)


@pytest.fixture
def hands(point: Point, capsys: pytest.CaptureFixture[str]) -> Hands:
    return Hands(point, capsys)


pytestmark = pytest.mark.logs(*DEVICES, *NETWORK, "dev/", "silent", "vanished")


def test_every_kind_of_the_table_is_on_the_bench() -> None:
    not_here = {"evdev_scanner", "alsa_speaker"}  # need a kernel with input devices, a sound card

    assert {kind for kind, _, _ in DEVICES.values()} == set(DEVICE_KINDS) - not_here


@pytest.mark.parametrize("name", [*DEVICES, *NETWORK])
def test_every_configured_device_is_probed(hands: Hands, name: str) -> None:
    (told,) = hands.say("probe", name)

    assert (told["name"], told["health"]) == (name, "ok")
    assert ("doors" in told) == (name in LOCKS or name == "netcu16")


def test_boards_that_see_what_lies_in_a_cell_say_so_and_others_do_not(hands: Hands) -> None:
    hands.poke("cu16", "put", "4")
    (told,), (other,) = hands.say("probe", "cu16"), hands.say("probe", "wkly")
    hands.poke("cu16", "take", "4")

    assert {cell for cell, lies in told["items"].items() if lies} == {"4"}
    assert "items" not in other


@pytest.mark.parametrize("name", [*LOCKS, "netcu16"])
def test_every_lock_board_opens_one_cell_and_writes_it_down(hands: Hands, name: str) -> None:
    before = hands.poke(name, "pulses")["pulses"].get("3", 0)

    assert hands.say("locker", "open", name, "3") == [{"name": name, "cell": 3, "opening": "open"}]
    assert hands.poke(name, "pulses")["pulses"] == {"3": before + 1}
    assert [fact["kind"] for fact in hands.facts()[-2:]] == ["door_authorised.1", "door_opened.1"]
    time.sleep(0.7)
    assert hands.say("locker", "state", name, "3")[0]["door"] == "closed"


@pytest.mark.parametrize("name", LOCKS)
def test_the_polarity_of_every_lock_board_is_proven(hands: Hands, name: str) -> None:
    hands.poke(name, "auto_close", "3" if name in ("cu48", "cu24", "winnsen") else "1")  # slow ones look later
    (told,) = hands.say("locker", "commission", name, "5", "--stands", "open")
    hands.poke(name, "auto_close", "0.5")

    assert told["verdict"] == "right"
    usual = KINDS[DEVICES[name][0]].options["polarity"].default
    polarity = "short_when_open" if "short_when_open" in DEVICES[name][2] else usual
    assert told["write"] == [f"[devices.{name}]", f'polarity = "{polarity}"']
    kinds = [fact["kind"].partition(".")[0] for fact in hands.facts()]
    last = kinds[max(at for at, kind in enumerate(kinds) if kind == "door_authorised") :]
    assert last[:3] == ["door_authorised", "door_trial_asked", "door_opened"]
    assert {"polarity_proven", "door_closed"} <= set(last)


def test_a_polarity_set_wrong_is_told_with_the_line_to_write(hands: Hands) -> None:
    wrong = hands.point.folder / "wrong.toml"
    wrong.write_text(f'[devices.it]\nkind = "lock_8a80"\npath = "{hands.point.port("lopen")}"\n')
    hands.poke("lopen", "auto_close", "0")  # the door stands open until a hand shuts it

    code = main(["device", "locker", "commission", "it", "9", "--stands", "open", "--config", str(wrong)])
    told = json.loads(hands._capsys.readouterr().out)
    hands.poke("lopen", "close_door", "9")
    hands.poke("lopen", "auto_close", "0.5")

    assert (code, told["verdict"], told["write"][1]) == (0, "inverted", 'polarity = "short_when_open"')


def test_a_jammed_door_proves_nothing(hands: Hands) -> None:
    hands.poke("wkly", "jam", "7")

    (told,) = hands.say("locker", "commission", "wkly", "7", "--stands", "closed", code=3)
    hands.poke("wkly", "unjam", "7")

    assert (told["verdict"], told["write"]) == ("not_opened", [])


def test_whoever_does_not_answer_proves_nothing(hands: Hands) -> None:
    command = [sys.executable, "-m", "edge.cli", "device", "locker", "commission", "cu16", "6", "--config"]

    done = subprocess.run(
        [*command, str(hands.point.config)], check=False, cwd=ROOT, input="", capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "unanswered")
    assert "does the door of cell 6 stand open" in done.stderr


def test_a_spoken_answer_counts_in_the_real_program(hands: Hands) -> None:
    command = [sys.executable, "-m", "edge.cli", "device", "locker", "commission", "cu16", "8", "--config"]

    done = subprocess.run(
        [*command, str(hands.point.config)],
        check=False,
        cwd=ROOT,
        input="what?\nopen\n",
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "right")


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [("led", "取件请到柜台", "取件请到柜台"), ("sign", "A05 READY", "A05 READY"), ("netled", "网络", "网络"),
     ("vfd", "A05 READY", "A05 READY"), ("led8", "105", "105"), ("armfly", "105", "105"), ("armbus", "105", "105")],
)  # fmt: skip
def test_every_display_shows_a_line(hands: Hands, name: str, text: str, seen: str) -> None:
    (told,) = hands.say("display", "show", name, text)

    assert (told["shown"], told["health"]) == (True, "ok")
    assert seen in json.dumps(hands.poke(name, "shown"), ensure_ascii=False)


@pytest.mark.parametrize(
    ("name", "seen"), [("led8", "12.34"), ("vfd", "12.34"), ("armfly", "12.34"), ("armbus", "12.34")]
)
def test_every_price_display_shows_an_amount(hands: Hands, name: str, seen: str) -> None:
    (told,) = hands.say("price", "show", name, "1234", "--lamp", "change")

    assert (told["fen"], told["shown"]) == (1234, True)
    state = hands.poke(name, "state")
    assert seen in json.dumps(state["shown"])
    assert state.get("lamp", "change") == "change"


def test_the_card_takes_clock_brightness_and_power(hands: Hands) -> None:
    assert hands.say("display", "clock", "led")[0]["set"] is True
    assert (
        hands.poke("led", "state")["clock"]
        == SystemClock().local().strftime("%Y-%m-%d %H:%M:") + (hands.poke("led", "state")["clock"][-2:])
    )
    assert hands.say("display", "brightness", "led", "100")[0]["percent"] == 100
    assert hands.poke("led", "state")["brightness"] == 15
    assert hands.say("display", "power", "led", "off")[0] | {"hint": ""} == {
        "name": "led", "set": True, "health": "ok", "hint": "", "power": "off",
    }  # fmt: skip
    assert hands.poke("led", "state")["on"] is False
    hands.say("display", "power", "led", "on")
    assert hands.poke("led", "state")["on"] is True


def test_displays_without_a_clock_say_so(hands: Hands) -> None:
    for words in (
        ("display", "clock", "led8"),
        ("display", "power", "vfd", "off"),
        ("display", "brightness", "sign", "5"),
    ):
        hands.say(*words, code=2)


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_is_read_weighs_and_tares(hands: Hands, name: str) -> None:
    hands.poke(name, "put", "2500")

    assert [each["grams"] for each in hands.say("scale", "listen", name, "--count", "3")] == [2500] * 3
    (weighed,) = hands.say("scale", "weigh", name)
    assert (weighed["outcome"], weighed["grams"]) == ("weighed", 2500)

    adding = hands.later(2.5, name, "put", "3250")
    told = hands.say("scale", "tare", name)
    adding.wait(10)
    assert [told[0]["tare"], told[1]["grams"], told[1]["net"]] == [2500, 750, True]
    hands.poke(name, "take")
    assert hands.say("scale", "weigh", name, "--seconds", "1.5", code=1)[0]["outcome"] == "empty"


def test_a_silent_scale_is_a_device_fault(hands: Hands) -> None:
    hands.poke("a9", "power_off")

    assert hands.say("scale", "weigh", "a9", "--seconds", "1", code=3) == []
    assert hands.say("scale", "listen", "a9", "--seconds", "1", code=3) == []
    hands.poke("a9", "power_on")


@pytest.mark.parametrize(("name", "outcome"), [("printer", "done"), ("dumb", "sent"), ("netprinter", "done")])
def test_every_printer_prints_and_tells_of_its_paper(hands: Hands, name: str, outcome: str) -> None:
    (told,) = hands.say("printer", "print", name, "受理凭证 A05")
    assert told["printed"] == outcome
    assert any("受理凭证 A05" in line for line in hands.poke(name, "slips")["slips"][-1])

    (told,) = hands.say("printer", "test", name)
    slip = hands.poke(name, "slips")["slips"][-1]
    assert told["printed"] == outcome
    assert any(line.startswith("[QR ") for line in slip)
    assert any(line.startswith("[128 ") for line in slip)

    (told,) = hands.say("printer", "status", name)
    known = ("unknown", "unknown") if name == "dumb" else ("ok", "closed")
    assert (told["paper"], told["cover"]) == known


def test_a_printer_without_paper_refuses_and_says_why(hands: Hands) -> None:
    hands.poke("printer", "paper_out")

    assert hands.say("printer", "status", "printer", code=3)[0]["paper"] == "out"
    assert hands.say("printer", "print", "printer", "x", code=3) == []
    hands.poke("printer", "new_roll")


@pytest.mark.parametrize("name", ["gun", "bell", "ssi", "newland", "honeywell"])
def test_every_gun_is_heard(hands: Hands, name: str) -> None:
    scanning = hands.later(1.5, name, "send", "SF1385628716739")

    (told,) = hands.say("scanner", "listen", name, "--seconds", "15")
    scanning.wait(10)

    assert told["scanner"] == name
    assert told["candidates"][0]["value"] == "SF1385628716739"


@pytest.mark.parametrize("name", ["ssi", "newland", "honeywell"])
def test_every_gun_with_ears_is_triggered_and_beeps(hands: Hands, name: str) -> None:
    assert hands.say("scanner", "trigger", name, "on") == [{"name": name, "trigger": "on"}]
    assert hands.poke(name, "state")["triggered"] is True
    assert hands.say("scanner", "trigger", name, "off") == [{"name": name, "trigger": "off"}]
    assert hands.poke(name, "state")["triggered"] is False
    before = len(hands.poke(name, "state")["beeps"])
    assert hands.say("scanner", "signal", name, "accepted") == [{"name": name, "signal": "accepted"}]
    assert len(hands.poke(name, "state")["beeps"]) == before + 1


def test_a_gun_without_ears_is_refused(hands: Hands) -> None:
    assert hands.say("scanner", "trigger", "gun", "on", code=1) == []
    assert hands.say("scanner", "signal", "gun", "refused", code=1) == []
    assert hands.say("scanner", "signal", "bell", "refused") == [{"name": "bell", "signal": "refused"}]


def test_an_upload_is_printed_as_one_batch(hands: Hands) -> None:
    codes = [f"SF13856287167{number:02}" for number in range(12)]
    hands.poke("gun", "store", *codes)
    uploading = hands.later(1.5, "gun", "upload")

    (told,) = hands.say("scanner", "batches", "gun", "--seconds", "20")
    uploading.wait(10)

    assert (told["codes"], told["live"], told["whole"]) == (codes, 0, True)


def test_the_gun_that_reads_the_shown_code_is_found(hands: Hands, tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    enrolling = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "device", "scanner", "enrol", "--seconds", "30", "--picture", picture,
         "--config", hands.point.config],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert enrolling.stdout is not None
    shown = json.loads(enrolling.stdout.readline())
    time.sleep(1.5)
    hands.poke("honeywell", "send", "6901234567892")  # somebody scans a parcel meanwhile
    hands.poke("bell", "send", "]C0" + shown["code"])
    out, err = enrolling.communicate(timeout=30)

    assert enrolling.returncode == 0, err
    found = json.loads(out)
    assert (found["found"], found["has_aim"], found["keeps_case"]) == ("bell", True, True)
    assert found["write"][0] == "[devices.bell]"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_code_nobody_reads_finds_no_gun(hands: Hands) -> None:
    code = main(["device", "scanner", "enrol", "--seconds", "1.5", "--config", str(hands.point.config)])

    out, err = hands._capsys.readouterr()
    assert code == 1
    assert out.count("\n") == 1
    assert err.startswith("no gun read the code")


# --- a raw port ---------------------------------------------------------------------------------------------------

# A few on real terminals at their real pace; tests/drivers/test_probe.py has all of them on virtual time.
RAW = {"l8a80": "lock_8a80", "a9": "yaohua_a9", "a12ask": "yaohua_a12", "toledo": "toledo"}


@pytest.mark.parametrize("name", RAW)
def test_a_raw_port_tells_its_family_and_moves_nothing(hands: Hands, name: str) -> None:
    before = hands.poke(name, "state")

    told = hands.say("probe", "--port", hands.point.port(name), "--listen", "0.3")

    assert (told[0]["family"], told[0]["answered"], told[0]["sure"] >= 0.9) == (RAW[name], True, True)
    assert told[0]["write"]["kind"] == RAW[name]
    assert all(each["sure"] < 0.9 and each["why"] for each in told[1:])
    after = hands.poke(name, "state")
    assert {key: after.get(key) for key in ("pulses", "asked", "doors", "slips", "on_paper", "shown", "updates")} == {
        key: before.get(key) if key != "asked" or name in LOCKS else after.get("asked")
        for key in ("pulses", "asked", "doors", "slips", "on_paper", "shown", "updates")
    }


def test_a_network_port_tells_its_family(hands: Hands) -> None:
    told = hands.say("probe", "--port", net("netcu16"), "--listen", "0.3")

    assert (told[0]["family"], told[0]["sure"] >= 0.9) == ("kerong_cu16", True)
    assert {each["family"] for each in told} == {kind for kind, each in KINDS.items() if "tcp" in each.schemes}


def test_a_port_where_nobody_answers_ends_with_one(hands: Hands) -> None:
    told = hands.say("probe", "--port", net("netprinter"), "--listen", "0.3")  # one that answers, to compare
    assert told[0]["family"] == "escpos"
    hands.poke("netprinter", "answers", "off")

    told = hands.say("probe", "--port", net("netprinter"), "--listen", "0.3", code=1)
    hands.poke("netprinter", "answers", "on")

    assert all(not each["answered"] and each["write"] is None for each in told)


def test_a_port_that_is_not_there_or_held_is_a_device_fault(hands: Hands, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in ("/dev/serial/by-path/nowhere", str(tmp_path / "file"), "tcp://127.0.0.1:1"):
        assert hands.say("probe", "--port", path, code=3) == []
    with serial.Serial(os.path.realpath(hands.point.port("l8a80")), exclusive=True):
        assert hands.say("probe", "--port", hands.point.port("l8a80"), code=3) == []


def test_a_port_of_a_running_kiosk_is_left_alone(hands: Hands) -> None:
    data = hands.point.folder / "village-point-data"
    data.mkdir(exist_ok=True)
    held = take_lock(data)
    try:
        words = ["device", "probe", "--port", net("netcu16"), "--config", str(hands.point.config)]
        assert main(words) == 1
        assert "kiosk" in hands._capsys.readouterr().err
        assert hands.say("scanner", "enrol", code=1) == []
    finally:
        os.close(held)


def test_a_name_is_no_port(hands: Hands) -> None:
    hands.say("probe", "/dev/ttyUSB0", code=2)
    hands.say("probe", "--port", "usb:///dev/usb/lp0", code=2)


# --- the examples -------------------------------------------------------------------------------------------------


def test_the_examples_name_every_kind_and_build_a_driver_for_each() -> None:
    kinds: list[str] = []
    for file in EXAMPLES:
        settings = load(file, only_devices=True)
        kinds += [kind for kind, _ in build_all(settings, SystemClock())]
        for device in settings.devices:
            table = KINDS[device.kind]
            assert device.baud == table.baud
            for key, value in device.options.items():
                assert table.options[key].default == value, (device.name, key)  # "the values shown" are those left out

    assert sorted(kinds) == sorted(DEVICE_KINDS)
