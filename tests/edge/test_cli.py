"""The command line by its contract: JSON on standard output, one sentence on standard error, exit 0 1 2 3 4."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plain_point import CONFIG

from edge import events, keys, log
from edge.cli import main
from edge.clock import SystemClock, SystemDice
from edge.config import load
from edge.setup import begin
from edge.store import FILE, Store

ROOT = Path(__file__).parents[2]
Say = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "point.toml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: Path) -> Say:
    """Run a command in this process with the configuration; return exit code, JSON lines and standard error."""

    def run(*words: str, typed: str = "") -> tuple[int, list[dict[str, Any]], str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = main([*words, "--config", str(config)])
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def program(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "edge.cli", *words], cwd=ROOT, capture_output=True, timeout=60, check=False, **options
    )


def grown(config: Path) -> None:
    """A store with some facts in it."""
    settings = load(config)
    store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings), strict=True)
    store.open()
    store.run_now(begin, settings)
    for number in range(24):
        store.run_now(log.append, events.HelpCalled(f"home{number}"))
    store.close()


# --- codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "decision"),
    [
        ("SF1234567890123", "waybill", None),
        ("134567890123456789", "payment_code", "secret"),
        ("", "unknown", None),
        ("x" * 4000, "unknown", None),
        ("]C0SF1234567890123\r", "waybill", None),
        ("-- --", None, None),
        ("\ud800\udcff", None, None),
        ("\x1b[2J\x07", None, None),
    ],
)
def test_a_code_is_recognised_as_json(
    capsys: pytest.CaptureFixture[str], text: str, kind: str | None, decision: str | None
) -> None:
    assert main(["code", "recognise", "--", text]) == 0

    out, err = capsys.readouterr()
    told = json.loads(out)
    assert out.count("\n") == 1
    assert err == ""
    assert set(told) >= {"input", "candidates", "decision"}
    assert told["decision"] in {"accept", "ask", "secret", "reject"}
    for candidate in told["candidates"]:
        assert set(candidate) >= {"kind", "value", "confidence", "why"}
        assert 0 <= candidate["confidence"] <= 1
    assert decision is None or told["decision"] == decision
    assert kind is None or told["candidates"][0]["kind"] == kind


def test_a_payment_code_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["code", "recognise", "--", "134567890123456789"])

    assert "134567890123456789" not in capsys.readouterr().out


def test_the_program_takes_any_bytes_as_a_code() -> None:
    done = program("code", "recognise", "--", os.fsdecode(b"\xff\xfe12"))

    assert done.returncode == 0
    assert json.loads(done.stdout)["decision"] in {"ask", "reject"}


# --- usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["log"], ["device", "locker", "open"], ["code", "recognise"], ["log", "show", "--config"]]
)
def test_wrong_usage_ends_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_the_settings_may_be_named_by_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    monkeypatch.delenv("VILLAGE_POINT_CONFIG", raising=False)
    assert main(["device", "list"]) == 2
    assert "--config" in capsys.readouterr().err

    monkeypatch.setenv("VILLAGE_POINT_CONFIG", str(config))
    assert main(["device", "list"]) == 0


def test_every_mistake_of_the_settings_is_told_with_its_line(say: Say, config: Path) -> None:
    config.write_text(CONFIG.replace('"zh"', '"fr"').replace("width = 1280", "width = true") + "\ncolour = 3\n")

    for words in (["status"], ["log", "verify"], ["device", "list"], ["backup"], ["restore"]):
        code, told, err = say(*words)

        assert (code, told) == (2, [])
        assert [f":{line}" in err for line in (5, 9)] == [True, True]
        assert "colour" in err
    assert not (config.parent / "data").exists()


def test_settings_that_are_not_there_are_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (tmp_path / "nowhere.toml", tmp_path):
        assert main(["status", "--config", str(file)]) == 2
        assert str(file) in capsys.readouterr().err


# --- the store ----------------------------------------------------------------------------------------------------


def test_without_a_database_there_is_nothing_to_read(say: Say) -> None:
    for words in (["status"], ["log", "show"], ["log", "verify"], ["log", "export", "--jsonl"], ["backup"]):
        code, told, err = say(*words)

        assert (code, told) == (4, [])
        assert err.startswith("store S")
        assert err.count("\n") == 1


def test_people_are_added_by_pin_from_standard_input(say: Say) -> None:
    add = ("operator", "add", "--role", "operator", "--pin-stdin", "--id")

    assert say(*add, "op1", typed="271828\n") == (0, [{"operator": "op1", "role": "operator"}], "")
    assert say(*add, "op2", typed="271828\n")[::2] == (1, "refused: somebody else has this PIN\n")
    assert say(*add, "op1", typed="271828\n")[0] == 0
    for weak in ("123456\n", "", "abc\n", "1\n"):
        code, _, err = say(*add, "op3", typed=weak)
        assert (code, err.startswith("refused: a PIN has 6 to 8 digits")) == (1, True)


def test_a_closed_standard_input_is_an_empty_one(config: Path) -> None:
    words = ("operator", "add", "--role", "operator", "--pin-stdin", "--id", "op1", "--config", config)

    done = program(*words, preexec_fn=lambda: os.close(0))

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"refused: a PIN has 6 to 8 digits")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(("module", "words"), [
    ("edge.cli", ["code", "recognise", "--", "SF1385628716739"]), ("sync.hub.cli", ["status"]),
])  # fmt: skip
def test_output_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path, module: str, words: list[str]) -> None:
    hub = tmp_path / "hub.toml"
    site = '[sites.QJ-0001]\nname = "x"\nlink_key_file = "key"\n'
    hub.write_text(f'data_dir = "hub"\n[broker]\nhost = "127.0.0.1"\nport = 1883\n{site}')
    (tmp_path / "key").write_text("ab" * 32)
    (tmp_path / "key").chmod(0o600)
    named = ["--config", str(hub)] if module == "sync.hub.cli" else []

    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", module, *named, *words], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60,
            check=False,
        )  # fmt: skip

    assert done.returncode == 4
    assert done.stderr.endswith(b": No space left on device\n")
    assert done.stderr.count(b"\n") == 1


def test_the_log_is_shown_verified_and_exported(say: Say, config: Path) -> None:
    grown(config)

    code, shown, _ = say("log", "show")
    assert (code, len(shown)) == (0, 20)
    code, whole, _ = say("log", "export", "--jsonl")
    assert code == 0
    assert [line["seq"] for line in whole] == list(range(1, len(whole) + 1))
    assert whole[-20:] == shown
    assert all(line["event"] == line["hash"][:32] for line in whole)
    code, verdict, _ = say("log", "verify")
    assert code == 0
    assert verdict == [{"ok": True, "facts": len(whole), "log": verdict[0]["log"], "mark": whole[-1]["hash"]}]


def test_a_broken_log_is_told_with_its_place(say: Say, config: Path) -> None:
    grown(config)
    with sqlite3.connect(config.parent / "data" / FILE) as db:
        db.execute("UPDATE fact SET body = replace(body, 'home3', 'gone3') WHERE kind = 'help_called.1'")
    db.close()
    bad = next(line["seq"] for line in say("log", "export", "--jsonl")[1] if line["body"].get("screen") == "gone3")

    code, told, err = say("log", "verify")

    assert (code, told) == (4, [{"ok": False, "seq": bad, "why": "hash"}])
    assert err == f"the log is broken at fact {bad}: hash\n"


def test_status_gives_figures_and_a_digest_of_all_facts(say: Say, config: Path) -> None:
    grown(config)
    code, told, _ = say("status")
    whole = say("log", "export", "--jsonl")[1]

    assert code == 0
    status = told[0]
    assert (status["site"], status["facts"], status["pending"]) == ("QJ-0001", len(whole), len(whole))
    assert status["mark"] == whole[-1]["hash"]
    ids = [line["event"] for line in whole]
    assert status["digest"] in {hashlib.sha256(glue.join(ids).encode()).hexdigest() for glue in ("", "\n")} | {
        hashlib.sha256("".join(f"{one}\n" for one in ids).encode()).hexdigest()
    }


def test_a_backup_is_made_and_put_back(say: Say, config: Path) -> None:
    grown(config)
    before = say("log", "verify")[1]
    code, made, _ = say("backup")
    assert (code, made[0]["upto"]) == (0, before[0]["facts"])
    say("operator", "add", "--id", "late", "--role", "technician", "--pin-stdin", typed="998877\n")

    code, told, _ = say("restore")

    assert code == 0
    assert told[0]["restored"] == made[0]["backup"]
    assert Path(told[0]["set_aside"]).exists()
    assert say("log", "verify")[1] == before
    assert say("restore", "--from", made[0]["backup"])[0] == 0


def test_a_damaged_database_is_told_set_aside_and_brought_back(say: Say, config: Path) -> None:
    grown(config)
    data = config.parent / "data"
    say("backup")
    (data / FILE).write_bytes(b"noise" * 9999)

    for words in (["status"], ["log", "verify"]):
        code, told, err = say(*words)
        assert (code, told) == (4, [])
        assert err.startswith("store S1")
    code, _, err = say("operator", "add", "--id", "x", "--role", "operator", "--pin-stdin", typed="445566\n")
    assert code == 4
    assert "set aside" in err
    assert (data / f"{FILE}.damaged-1").read_bytes() == b"noise" * 9999

    assert say("restore")[0] == 0
    assert say("log", "verify")[0] == 0


def test_without_a_backup_nothing_is_put_back(say: Say, config: Path) -> None:
    grown(config)
    before = (config.parent / "data" / FILE).read_bytes()

    code, _, err = say("restore")
    assert (code, err.startswith("store S1")) == (4, True)
    assert say("restore", "--from", "/nowhere/x.db") == (4, [], "store S1: there is no backup /nowhere/x.db\n")
    code, _, err = say("restore", "--from", str(config))
    assert (code, err.startswith("store S1")) == (4, True)

    assert (config.parent / "data" / FILE).read_bytes() == before


def test_a_folder_that_is_in_use_is_not_restored(say: Say, config: Path) -> None:
    from edge.store import take_lock

    grown(config)
    say("backup")
    held = take_lock(config.parent / "data")

    assert say("restore")[0] == 4
    assert say("operator", "add", "--id", "x", "--role", "operator", "--pin-stdin", typed="445566\n")[0] == 4
    assert say("status")[0] == 0  # reading goes beside

    os.close(held)


def test_a_damaged_device_key_is_told_and_kept(say: Say, config: Path) -> None:
    grown(config)
    key = config.parent / "data" / "device.key"
    key.write_text("")

    code, _, err = say("operator", "add", "--id", "x", "--role", "operator", "--pin-stdin", typed="445566\n")

    assert code == 2
    assert "device.key" in err
    assert key.read_text() == ""


def test_the_program_says_the_same_as_the_function(say: Say, config: Path) -> None:
    grown(config)

    done = program("log", "verify", "--config", config)

    assert done.returncode == 0
    assert json.loads(done.stdout) == say("log", "verify")[1][0]
    assert done.stderr == b""


def test_a_reader_that_has_seen_enough_is_no_fault(say: Say, config: Path) -> None:
    grown(config)
    export = f"{sys.executable} -m edge.cli log export --jsonl --config {config}"
    shell = f"{export} | head -n 1 >/dev/null; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_folder_nobody_may_write_is_a_store_fault(say: Say, config: Path) -> None:
    (config.parent / "data").write_text("a file where the folder should be")

    code, _, err = say("operator", "add", "--id", "x", "--role", "operator", "--pin-stdin", typed="445566\n")

    assert (code, err.startswith("store S")) == (4, True)


def test_a_mistyped_settings_file_is_an_error_and_no_new_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VILLAGE_POINT_BOOT", "VILLAGE_POINT_DATA"):
        monkeypatch.delenv(name, raising=False)

    assert main(["run", "--headless", "--config", str(tmp_path / "piont.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
