"""R24: no touch waits for a disk that holds each commit for seconds, under a flood of codes, on a line gone dead."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.soak.ledger import Ledger

ROOT = Path(__file__).parents[2]
for place in (ROOT / "packaging" / "dev", ROOT / "tests" / "bench"):
    sys.path.append(str(place))  # the stage is that of the bench, which judges the milliseconds

from touch_to_pixels import touch  # noqa: E402

HELD_S = 3.0  # far beyond any answer of a window, and within the time the store waits for its turn


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_no_touch_of_hundreds_waits_for_the_disk(tmp_path: Path, ledger: Ledger) -> None:
    _no_touch_waits(tmp_path, ledger, 400)


def test_no_touch_waits_for_the_disk(tmp_path: Path, ledger: Ledger) -> None:
    _no_touch_waits(tmp_path, ledger, 8)


def _no_touch_waits(folder: Path, ledger: Ledger, touches: int) -> None:
    seen = touch(folder, touches, HELD_S)

    waited = sum(each >= HELD_S * 1000 for each in seen.times_ms)
    ledger.note("R24", "a held database", seen.codes + touches, waited, touches=touches)
    assert seen.codes > touches
    assert waited == 0
