"""The commands of both ends on real files: facts up, answers down, one code on both sheets, a sentence for each no."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plain_point import SHELF, point_with

from edge import events, keys, log
from edge.cli import main as point_main
from edge.clock import SystemClock, SystemDice
from edge.config import load
from edge.setup import begin
from edge.store import Store, Tx, take_lock
from sync.hub.cli import main as hub_main
from sync.sealed import Way
from sync.stick_file import Kind, Writing

HOUR = 3_600_000
LINE = """[hub]
host = "127.0.0.1"
port = 1
link_key_file = "{site}.key"
"""
HUB = """\
data_dir = "hubdata"
[broker]
host = "127.0.0.1"
port = 1
[sites.QJ-0001]
name = "one"
link_key_file = "QJ-0001.key"
[sites.QJ-0002]
name = "two"
link_key_file = "QJ-0002.key"
"""
Say = Callable[..., tuple[int, dict[str, Any], str]]


class Yesterday(SystemClock):
    """A clock of another boot, two days ago."""

    def stamp(self) -> Any:

        real = super().stamp()
        return real._replace(at=real.at - 48 * HOUR, boot="00000000")


@pytest.fixture
def district(tmp_path: Path) -> Path:
    """A hub of two points, one of which has had facts for two days, and a stick."""
    for number, site in enumerate(("QJ-0001", "QJ-0002")):
        (tmp_path / f"{site}.key").write_text(f"{number + 1:064x}\n")
        (tmp_path / f"{site}.toml").write_text(point_with(SHELF, LINE.format(site=site), site=site, data_dir=site))
        settings = load(tmp_path / f"{site}.toml")
        store = Store(settings.data_dir, Yesterday(), SystemDice(), keys.load(settings))
        store.open()
        store.run_now(begin, settings)
        store.run_now(_money)
        store.close()
    (tmp_path / "hub.toml").write_text(HUB)
    (tmp_path / "stick").mkdir()
    return tmp_path


def _money(tx: Tx) -> None:
    for number in range(3):
        log.append(tx, events.BillAccepted(f"B{number}", 8_650, "cash", f"S{number}", "op1"))


@pytest.fixture
def say(district: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run `point` or `hub` with its settings: exit code, the last line of JSON, what was said to people."""

    def run(end: str, *words: str | Path, site: str = "QJ-0001") -> tuple[int, dict[str, Any], str]:
        file = district / (f"{site}.toml" if end == "point" else "hub.toml")
        program = point_main if end == "point" else hub_main
        code = program([*map(str, words), "--config", str(file)])
        out, err = capsys.readouterr()
        told: dict[str, Any] = json.loads(out.splitlines()[-1]) if out else {}
        return code, told, err

    return run


def test_a_stick_goes_there_and_back_and_both_ends_print_one_code(say: Say, district: Path) -> None:
    stick = district / "stick"
    _, written, _ = say("point", "stick", "write", stick)
    _, taken, _ = say("hub", "stick", "read", stick)
    _, back, _ = say("hub", "stick", "write", stick, "--site", "QJ-0001")
    _, read, said = say("point", "stick", "read", stick)
    _, sheet, _ = say("point", "sheet", "--png", district / "sheet.png")
    say("point", "stick", "write", stick)
    say("hub", "stick", "read", stick)
    _, theirs, _ = say("hub", "sheet", "--site", "QJ-0001")

    assert (written["facts"], taken["facts"], back["facts"]) == (4, 4, 3)  # each payment for an unknown bill is refused
    assert (read["confirmed"], read["applied"]) == (4, 3)
    assert "nothing new" not in said
    assert (sheet["ours"]["accepted"], sheet["ours"]["accepted_fen"], sheet["days"]) == (3, 25_950, 2)
    assert sheet["genuine"]
    assert sheet["code"] == theirs["code"]
    assert (district / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_the_code_is_checked_as_it_was_read_out(say: Say, district: Path) -> None:
    stick = district / "stick"
    for end, act, more in (("point", "write", ()), ("hub", "read", ()), ("hub", "write", ("--site", "QJ-0001"))):
        say(end, "stick", act, stick, *more)
    say("point", "stick", "read", stick)
    _, sheet, _ = say("hub", "sheet", "--site", "QJ-0001", "--after", "0", "--upto", "4")

    wrong = say("point", "sheet", "--check", "0000-0000")

    assert wrong[0] == 1
    assert "does not belong to our figures" in wrong[2]
    assert sheet["hub"]["refused"] == 3


def test_a_stick_used_twice_is_told_and_doubles_nothing(say: Say, district: Path) -> None:
    stick = district / "stick"
    say("point", "stick", "write", stick)
    say("hub", "stick", "read", stick)

    code, taken, said = say("hub", "stick", "read", stick)

    assert (code, taken["facts"]) == (0, 0)
    assert "nothing new" in said


def test_at_the_wrong_point_a_stick_is_refused(say: Say, district: Path) -> None:
    stick = district / "stick"
    say("hub", "stick", "write", stick, "--site", "QJ-0002")

    code, told, said = say("point", "stick", "read", stick)

    assert (code, told) == (1, {})
    assert "another point" in said


@pytest.mark.parametrize("part", [100, 40_000])
def test_a_cut_stick_is_refused_at_both_ends(say: Say, district: Path, part: int) -> None:
    stick = district / "stick"
    say("point", "stick", "write", stick)
    say("hub", "stick", "write", stick, "--site", "QJ-0001")
    for file in stick.iterdir():
        file.write_bytes(file.read_bytes()[:part])

    hub, point = say("hub", "stick", "read", stick), say("point", "stick", "read", stick)

    assert (hub[0], hub[1]["refused"], hub[1]["facts"]) == (1, "cut_off", 0)
    assert point[0] == 1
    assert "cut off" in hub[2]
    assert "cut off" in point[2]


def test_a_changed_stick_is_refused(say: Say, district: Path) -> None:
    stick = district / "stick"
    say("point", "stick", "write", stick)
    [file] = stick.iterdir()
    held = bytearray(file.read_bytes())
    held[30_000] ^= 1
    file.write_bytes(held)

    code, told, said = say("hub", "stick", "read", stick)

    assert (code, told["facts"]) == (1, 0)
    assert "changed" in said


@pytest.mark.parametrize(("end", "sentence"), [("point", "no file for us"), ("hub", "no file for us")])
def test_an_empty_stick_and_a_folder_that_is_none_are_told(say: Say, district: Path, end: str, sentence: str) -> None:
    code, _, said = say(end, "stick", "read", district / "stick")
    none, _, told = say(end, "stick", "read", district / "nowhere")

    assert (code, none) == (1, 1)
    assert sentence in said
    assert "no such folder" in told


def test_our_own_file_is_not_taken_for_the_others(say: Say, district: Path) -> None:
    say("point", "stick", "write", district / "stick")

    code, _, said = say("point", "stick", "read", district / "stick")

    assert code == 1
    assert "take it to the other side" in said


def test_a_pulled_stick_is_told(say: Say, district: Path) -> None:
    (district / "stick" / f".{'a' * 32}.part").write_bytes(b"half")

    code, _, said = say("point", "stick", "read", district / "stick")

    assert code == 1
    assert "pulled" in said


def test_beside_a_running_kiosk_a_stick_is_written_and_not_read(say: Say, district: Path) -> None:
    held = take_lock(district / "QJ-0001")
    try:
        written = say("point", "stick", "write", district / "stick")
        code, _, said = say("point", "stick", "read", district / "stick")
    finally:
        os.close(held)

    assert written[0] == 0
    assert code == 1
    assert "kiosk is running" in said


def test_writing_again_replaces_our_file_and_leaves_the_others(say: Say, district: Path) -> None:
    stick = district / "stick"
    say("point", "stick", "write", stick)
    say("point", "stick", "write", stick, site="QJ-0002")
    first = set(stick.iterdir())

    say("point", "stick", "write", stick)

    assert len(first) == len(set(stick.iterdir())) == 2
    assert len(first & set(stick.iterdir())) == 1


def test_a_file_of_a_later_release_is_told_and_stops_no_other(say: Say, district: Path) -> None:
    stick = district / "stick"
    with Writing(stick, bytes.fromhex(f"{1:064x}"), Way.UP) as writing:
        writing.add(Kind.ACK, b'{"v":99}')
        writing.add(Kind.BATCH, b"\0\0 of a later release")
        writing.finish()
    say("point", "stick", "write", stick, site="QJ-0002")

    code, _, said = say("hub", "stick", "read", stick)
    _, status, _ = say("hub", "status")

    assert code == 1
    assert "QJ-0001" in said
    assert {each["site"]: each["facts"] for each in status["sites"]} == {"QJ-0001": 0, "QJ-0002": 4}


def test_without_an_outage_there_is_no_sheet(say: Say) -> None:
    code, _, said = say("point", "sheet")

    assert code == 1
    assert "no outage" in said
