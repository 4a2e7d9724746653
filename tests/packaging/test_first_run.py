"""`make run ARGS=--first-start`: a terminal without settings beside a whole district, until the desk has let it in."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pytest

DEV = Path(__file__).parents[2] / "packaging/dev"
PATIENCE_S = 60.0


@pytest.mark.soak
def test_a_terminal_without_settings_becomes_the_samples_point_once_it_is_approved(tmp_path: Path) -> None:
    sys.path.insert(0, str(DEV))
    blank, district = importlib.import_module("blank"), importlib.import_module("district")
    with blank.BlankStand(tmp_path / "run", kind=district.Kind(has_tls=True)) as stand:
        for _, work in stand.steps()[:-1]:
            work()
        stand.start_kiosk(headless=True)
        end = time.monotonic() + PATIENCE_S
        while not (codes := stand.approve()) and time.monotonic() < end:
            time.sleep(0.5)

        while not stand.point_toml.exists() and time.monotonic() < end:
            time.sleep(0.5)
        while not any(said.get("site") and said.get("ready") for said in stand.programs.said("kiosk")):
            assert time.monotonic() < end
            time.sleep(0.5)

        assert len(codes) == 1
        assert stand.point_command("status").count('"site": "QJ-0001"') == 1
