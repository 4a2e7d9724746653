"""The table of a run: what was violated decides the exit code, also when a scenario breaks off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from emulated_point import with_words
from ledger import Ledger, NotSeen, until


def test_nothing_violated_is_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(tmp_path)
    ledger.check("comes up", is_so=True)
    ledger.check("comes up", is_so=True)

    assert ledger.close() == 0
    assert "0 violations in 2 looks" in capsys.readouterr().out


def test_one_violation_is_exit_code_1_and_is_told_with_what_was_seen(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.check("comes up", is_so=True)
    ledger.check("comes up", is_so=False, seen="a black screen")

    assert ledger.close() == 1
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["checks"] == {"comes up": ["a black screen"]}
    assert told["counts"] == {"comes up": 2}


def test_a_scenario_that_breaks_off_is_a_violation_and_the_next_one_begins(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with ledger.scenario("one"):
        until("a thing that never comes", lambda: False, 0.05, 0.01)
    with ledger.scenario("two"):
        ledger.figure("time", 1.26)

    assert ledger.close() == 1
    assert "NotSeen" in ledger.checks["one runs to its end"][0]
    assert ledger.checks["two runs to its end"] == []
    assert ledger.figures["time [s]"] == 1.3


def test_what_was_left_out_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger(tmp_path)
    ledger.skip("arm64", "no image")
    ledger.close()

    assert "left out: arm64: no image" in capsys.readouterr().out


def test_what_happens_again_is_counted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, machine="arm64: ")
    ledger.count("lost scans")
    ledger.count("lost scans")

    assert ledger.figures == {"arm64: lost scans [times]": 2}


def test_waiting_ends_with_what_was_seen_or_an_error() -> None:
    assert until("a number", iter([0, 0, 7]).__next__, 5.0, 0.01) == 7
    with pytest.raises(NotSeen, match="a door"):
        until("a door", lambda: None, 0.05, 0.01)


def test_words_for_a_shell_go_to_the_kernel_once() -> None:
    grub = "linux /slot-A/vmlinuz ro quiet\ninitrd /slot-A/initrd.img\n"

    once = with_words(grub, "amd64")

    assert (
        once
        == "linux /slot-A/vmlinuz ro quiet console=ttyS0 village.rescue no_timer_check\ninitrd /slot-A/initrd.img\n"
    )
    assert with_words(once, "amd64") == once
    assert with_words("ro quiet\n", "arm64") == "ro quiet console=ttyAMA0 village.rescue\n"
