"""Random walks over the drawn pages: no order of buttons, steps, scans and silence ends in an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from screen_samples import PARCELS, STORED, frame

from edge import steps as s
from edge.model import CellNo
from ui.viewmodels import on_step
from ui.viewmodels import staff_states as staff
from ui.viewmodels import states as v

WALK = str(Path(__file__).with_name("walk.py"))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("size", "inch", "seed"), [("1024x600", "10.1", 5), ("1080x1920", "21.5", 6)])
def test_no_order_of_buttons_steps_and_silence_breaks_a_page(size: str, inch: str, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, WALK, size, inch, str(seed), "400"], capture_output=True, text=True, check=True, timeout=200
    )
    told = json.loads(done.stdout.splitlines()[-1])

    assert told["wrong"] == {}
    assert len(told["seen"]) > 25


@pytest.mark.parametrize("step", [STORED, s.NeedConsent(PARCELS[0]), s.AskPhone("SF1", "SF"), s.HandOverAsk(PARCELS[0]),
                                  s.CallStaff(CellNo(7), "left_open")])  # fmt: skip
def test_a_flow_that_ends_after_the_operator_has_left_opens_no_page_of_theirs(step: s.Step) -> None:
    at_home, _ = on_step(frame(v.Home()), step)
    at_door, _ = on_step(frame(staff.IntakeDoor(CellNo(7), "put"), role=None, operator=""), step)

    assert at_home.state.who == "villager"
    assert at_door.state.who == "villager"
    assert at_door.stored is None
