"""`village-hub simulate` against a real hub and a real broker, and what it refuses to do."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mistakes import english

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "hub"))

import simulated
from conftest import HubProcess, PrivateBroker

from edge.mistakes import ConfigError
from edge.model import Seq, SiteCode
from sync.hub.cli import main
from sync.hub.config import load
from sync.hub.simulation.life import Life
from sync.hub.simulation.point import SimulatedPoint
from sync.rhythm import Timing

ROOT = Path(__file__).parents[2]
SITES = 200


@pytest.fixture
def district(tmp_path: Path, broker: PrivateBroker) -> Path:
    return simulated.lay_out(tmp_path / "sim", SITES, {"host": "127.0.0.1", "port": broker.port}, {})


@pytest.fixture
def hub(district: Path) -> Iterator[HubProcess]:
    process = HubProcess(district)
    process.start()
    yield process
    process.kill()


def simulate(settings: Path, *words: str) -> tuple[int, dict[str, object], str]:
    done = subprocess.run(
        [sys.executable, "-m", "sync.hub.cli", "simulate", "--config", str(settings), *words],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_two_hundred_points_send_everything_and_the_hub_holds_each_fact_once(district: Path, hub: HubProcess) -> None:
    code, said, _ = simulate(district, "--sites", str(SITES), "--connections", "8", "--facts", "25")
    assert code == 0
    assert said["sites"] == SITES
    assert said["acknowledged"] == said["facts"] == SITES * 25
    assert said["hub"] == {"held": SITES * 25, "equal": True, "wrong_sites": 0, "wrong": []}
    assert said["refused"]["by_broker"] == 0
    assert said["down_facts"] > 0


def test_a_second_run_adds_other_facts_to_the_same_points(district: Path, hub: HubProcess) -> None:
    for _ in range(2):
        code, said, _ = simulate(district, "--sites", "5", "--connections", "2", "--facts", "12", "--rate", "100")
        assert (code, said["hub"]["held"]) == (0, 60)


def test_a_hub_that_lost_a_fact_is_found_out(district: Path, hub: HubProcess) -> None:
    code, said, _ = simulate(district, "--sites", "3", "--facts", "4")
    assert code == 0
    hub.terminate()
    points = [_replayed(district, f"SIM-{number:05d}", said["run"], 4) for number in (1, 2, 3)]
    with sqlite3.connect(district.parent / "data" / "hub.db") as db:
        db.execute("DELETE FROM fact WHERE site = 'SIM-00002' AND seq = 3")
    found = _checked(district, points, said["run"])
    assert found["wrong_sites"] == 1
    assert found["wrong"] == ["SIM-00002: a fact is missing, doubled or out of order"]


def test_a_broker_elsewhere_needs_consent(district: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = district.read_text().replace('host = "127.0.0.1"', 'host = "127.0.0.1 192.0.2.1"')
    district.write_text(text)
    assert main(["simulate", "--config", str(district), "--sites", "1"]) == 1
    assert "--yes-this-is-my-test-broker" in capsys.readouterr().err


def test_a_real_point_is_never_played(district: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sites = district.parent / simulated.LIST
    sites.write_text(sites.read_text().replace("SIM-", "QJ-"))
    assert main(["simulate", "--config", str(district), "--sites", "1"]) == 1
    assert "has 0 points with a code SIM-" in capsys.readouterr().err


def test_a_run_that_cannot_end_in_time_is_not_begun(district: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "--config", str(district), "--sites", "200", "--facts", "100", "--rate", "1"]
    assert main(words) == 1
    assert "do not fit into the time" in capsys.readouterr().err


def test_the_same_fact_is_made_again_to_the_last_byte() -> None:
    one, other = (Life(SiteCode("SIM-00001"), "r") for _ in range(2))
    assert [one.item(Seq(n)) for n in range(1, 101)] == [other.item(Seq(n)) for n in range(1, 101)]
    assert one.item(Seq(1)).body != Life(SiteCode("SIM-00001"), "s").item(Seq(1)).body


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("SIM-1,name", "must be code,name,link_key_file"),
        ("sim-00001,name,keys/x", "the code of a site"),
        ("SIM-00001,name,keys/x", "twice"),
    ],
)
def test_a_wrong_line_in_the_list_of_sites_is_told_with_its_number(district: Path, line: str, mistake: str) -> None:
    with (district.parent / simulated.LIST).open("a") as sites:
        sites.write(line + "\n")
    with pytest.raises(ConfigError) as caught:
        load(district)

    assert re.search(f"sites_list: .*sites.csv:{SITES + 1}: .*{mistake}", english(caught.value))


def _replayed(district: Path, site: str, run: object, facts: int) -> SimulatedPoint:
    """A point as it is after a run, made again from its name."""
    point = SimulatedPoint(SiteCode(site), load(district).keys()[SiteCode(site)], str(run), lambda: 0.5, Timing())
    point.head = facts
    point._read_after(Seq(0))
    return point


def _checked(district: Path, points: list[SimulatedPoint], run: object) -> dict[str, object]:
    from edge.clock import SystemClock, SystemDice
    from sync.hub.place import database_of
    from sync.hub.simulation.play import check
    from sync.hub.store import HubStore

    settings = load(district)
    store = HubStore(database_of(settings), SystemClock(), SystemDice(), settings.keys())
    store.open()
    try:
        return check(store, points, str(run))
    finally:
        store.close()
