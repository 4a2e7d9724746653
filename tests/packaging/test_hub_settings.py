"""The settings in packaging/hub/ are ones that the hub reads, and the sizing page is that of the measured figures."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "packaging" / "hub"))

import sizing

from edge.model import SiteCode
from sync.hub.cli import _parser
from sync.hub.config import load

HUB = Path(__file__).parents[2] / "packaging" / "hub"
FIGURES = {
    "sites": 100,
    "cores": 2,
    "sqlite": {
        "drain": {"hub_cpu_us_per_fact": 100.0},
        "trickle": {"hub_cpu_us_per_batch": 2000.0, "batches": 300, "bytes_per_fact": 256.0},
        "disk_bytes_per_fact": 1024.0,
        "hub_idle_kib": 10_240,
        "hub_peak_kib": 10_240,
    },
}


@pytest.mark.parametrize(("place", "nodes", "qos"), [("district", 1, 1), ("cluster", 3, 0)])
def test_the_settings_can_be_loaded(tmp_path: Path, place: str, nodes: int, qos: int) -> None:
    (tmp_path / "sites.csv").write_text("QJ-0001,point,QJ-0001.key\n")
    text = (HUB / place / "hub.toml").read_text()
    (tmp_path / "hub.toml").write_text(text.replace("/etc/village-hub/sites.csv", "sites.csv"))
    settings = load(tmp_path / "hub.toml")
    assert list(settings.sites) == [SiteCode("QJ-0001")]
    assert len(settings.broker.host.split()) == nodes
    assert settings.broker.qos == qos
    assert settings.work.database is not None


@pytest.mark.parametrize("unit", sorted((HUB / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    read = configparser.ConfigParser(interpolation=None, strict=False)  # systemd adds repeated settings up
    read.read(unit)
    program, *words = read["Service"]["ExecStart"].split()
    assert program.endswith("/village-hub")
    assert _parser().parse_args(words).command is not None
    assert read["Service"]["Restart"] == "always"


def test_the_sizes_follow_from_the_figures() -> None:
    one = sizing.size("district", 350, FIGURES)
    assert one.facts_per_day == 700_000
    assert one.facts_peak == pytest.approx(162, abs=0.1)
    assert one.cores == pytest.approx((one.facts_peak + 350 / 60) / 1000)
    assert one.workers == 1
    assert sizing.size("nation", 500_000, FIGURES).workers == 400
    assert one.disk_gib_per_year == pytest.approx(700_000 * 365 / 2**20)


def test_the_sizing_page_is_that_of_the_measured_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sizing.py", "--check"])
    assert sizing.main() == 0
