"""A release is fit to stay only if its books open, its chain holds, and the kiosk is at work as it was before."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stockroom import Clock, Dice, furnish, new_store

from edge import events, health, leftovers, log, update_trial
from edge.health import Alive, judge
from edge.store import FILE
from edge.update_trial import Trial

ROOT = Path(__file__).parents[2]
BEFORE = Trial("o1", "0.2.0", "0.1.0", "A", "b1", {"lock1": "ok", "led": "away"}, online=True, written=True)
WELL = Alive("0.2.0", drawn=True, beat_s=0.1, online=True, devices={"lock1": "ok", "led": "away"})
POINT = """site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "data"
language = "zh"
[[shelf]]
name = "A"
levels = 1
positions = 4
[panel]
width = 1280
height = 800
diagonal_inch = 10.1
"""


def changed(**fields: object) -> Alive:
    return Alive(**{name: fields.get(name, getattr(WELL, name)) for name in Alive.__slots__})  # type: ignore[arg-type]


WRONG = {
    "all is as before": (WELL, ()),
    "nobody answers": (None, ("silent",)),
    "another release runs": (changed(version="0.1.0"), ("version",)),
    "nothing was drawn": (changed(drawn=False), ("screen",)),
    "the window hangs": (changed(beat_s=30.0), ("screen",)),
    "without a window nobody looks": (changed(drawn=None, beat_s=99.0), ()),
    "a device is away": (changed(devices={"lock1": "away", "led": "away"}), ("device lock1",)),
    "a device came back": (changed(devices={"lock1": "ok", "led": "ok"}), ()),
    "a device was taken out of the settings": (changed(devices={}), ()),
    "the hub is away": (changed(online=False), ("hub",)),
    "several": (changed(drawn=False, online=False), ("screen", "hub")),
}


@pytest.mark.parametrize(("alive", "wrong"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(alive: Alive | None, wrong: tuple[str, ...]) -> None:
    assert judge(alive, "0.2.0", BEFORE) == wrong


def test_who_was_offline_before_may_be_offline() -> None:
    before = Trial("o1", "0.2.0", "0.1.0", "A", "b1", {}, online=False, written=True)

    assert judge(changed(online=False), "0.2.0", before) == ()
    assert judge(changed(online=False, devices={"x": "away"}), "0.2.0", None) == ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = new_store(tmp_path, Clock(), Dice())
    store.open()
    store.run_now(furnish)
    for number in range(20):
        store.run_now(log.append, events.HelpCalled(f"screen{number}"))
    store.close()
    return tmp_path


def books(folder: Path) -> tuple[str, ...]:
    from stockroom import KEYS

    return health.books(folder, KEYS, Clock(), Dice())


def test_sound_books_are_left_as_they_are(folder: Path) -> None:
    before = (folder / FILE).read_bytes()

    assert books(folder) == ()

    assert (folder / FILE).read_bytes() == before
    assert not list(folder.glob(".health-*"))


KILLED = """import os, signal, sys
from pathlib import Path
from stockroom import KEYS, Clock, Dice
from edge import health
health._tail = lambda _tx: os.kill(os.getpid(), signal.SIGKILL)  # the power goes while the copy is looked at
health.books(Path(sys.argv[1]), KEYS, Clock(), Dice())
"""


def test_a_copy_that_a_kill_left_behind_is_gone_after_the_next_look(folder: Path) -> None:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], check=False, timeout=60, env={**os.environ, "PYTHONPATH": paths}
    )
    assert list(folder.glob(".health-*/point.db"))

    assert books(folder) == ()

    assert not list(folder.glob(".health-*"))


def test_the_copy_of_somebody_who_looks_right_now_stays(folder: Path) -> None:
    with leftovers.scratch(folder) as made:
        leftovers.clear(folder)
        assert made.is_dir()


def test_an_altered_fact_is_seen(folder: Path) -> None:
    db = sqlite3.connect(folder / FILE)
    db.execute('UPDATE fact SET body = \'{"screen":"other"}\' WHERE seq = 12')
    db.commit()
    db.close()

    assert books(folder) == ("chain",)


def test_damaged_books_are_seen(folder: Path) -> None:
    content = bytearray((folder / FILE).read_bytes())
    content[4096:12288] = b"\xff" * 8192
    (folder / FILE).write_bytes(content)

    assert books(folder)[0].startswith("store S")


@pytest.mark.logs("migration")
def test_a_migration_that_fails_is_seen_on_the_copy(folder: Path) -> None:
    """The table a coming migration wants to make is there already."""
    db = sqlite3.connect(folder / FILE)
    last = db.execute("SELECT name FROM _sqlite_migrations WHERE name = 'update_orders'").fetchone()
    assert last is not None
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'update_orders'")
    db.commit()
    db.close()

    assert books(folder) == ("store S1",)
    assert (folder / FILE).exists()


# --- the command, and a kiosk that runs -----------------------------------------------------------------------------


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Path]:
    """A headless kiosk at work; its settings."""
    file = tmp_path / "point.toml"
    file.write_text(POINT)
    child = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "run", "--headless", "--config", str(file)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert '"ready": true' in child.stdout.readline()
    yield file
    child.terminate()
    child.wait(20)
    child.stdout.close()


def ask(file: Path, *words: str) -> tuple[int, dict[str, object], str]:
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli", *words, "--config", str(file)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_a_kiosk_that_starts_clears_away_what_is_left_of_copies(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    data = tmp_path / "data"
    for left in (".health-999999999-abc", "restoring"):
        (data / left).mkdir(parents=True)
        (data / left / FILE).write_bytes(b"books")
    (data / "0123456789abcdef.copy.kept").write_bytes(b"sealed books")

    request.getfixturevalue("kiosk")

    assert sorted(each.name for each in data.iterdir() if "health" in each.name or "rest" in each.name) == []
    assert not list(data.glob("*.kept"))


def test_a_kiosk_at_work_is_healthy_and_one_that_lost_its_hub_is_not(kiosk: Path) -> None:
    code, told, _ = ask(kiosk, "health", "--limit", "20")
    assert (code, told["healthy"], told["wrong"]) == (0, True, [])

    folder = kiosk.parent / "data" / "update"
    before = Trial("o1", str(told["version"]), "0.0.9", "A", "b1", {}, online=True, written=True)
    update_trial.save(folder, before)
    code, told, said = ask(kiosk, "update", "health", "--limit", "1")

    assert (code, told["wrong"]) == (1, ["hub"])  # it was online before, and there is no hub here
    assert "not fit to stay: hub" in said
    assert update_trial.verdict(folder) == ("hub",)


def test_without_a_kiosk_nothing_is_healthy_after_the_time_is_over(tmp_path: Path) -> None:
    (tmp_path / "point.toml").write_text(POINT)

    code, told, _ = ask(tmp_path / "point.toml", "health", "--limit", "1")

    assert (code, told["wrong"]) == (1, ["silent"])


def test_where_no_image_runs_an_update_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "point.toml").write_text(POINT)
    file = tmp_path / "x.raucb"
    file.write_bytes(b"x" * 100)

    code, _, said = ask(tmp_path / "point.toml", "update", "install", str(file))
    assert (code, "a package is updated with apt" in said) == (1, True)
    code, told, _ = ask(tmp_path / "point.toml", "update", "status")
    assert (code, told["slots"], told["order"]) == (0, "no_helper", None)
