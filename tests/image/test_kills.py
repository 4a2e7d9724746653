"""What is judged after a kill of the running machine: promises of the screen, and a card that was to grow."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sample
import scenes_kills
from emulated_point import STILL, EmulatedPoint
from ledger import Ledger
from scenes_cuts import Books
from scenes_kills import SLIPS, THANKED, files_end, judge_work, more_parcels

import ui
from ui.drive_client import DriveError

SITE = {"logs": [{"upto": 4}]}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the hub tells."""

    def hub_site(self) -> dict[str, Any]:
        return SITE


@dataclass(frozen=True, slots=True)
class Hands:
    """What hands and eyes noted."""

    thanked: int
    slips: int
    district: Desk = Desk()

    def pulses(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("kinds", "broken"),
    [
        ({"parcel_picked_up.1": 2, "bill_accepted.1": 1}, set()),
        ({"parcel_picked_up.1": 3, "bill_accepted.1": 2}, set()),  # the power went before the screen could say it
        ({"parcel_picked_up.1": 1, "bill_accepted.1": 1}, {THANKED}),
        ({"parcel_picked_up.1": 2}, {SLIPS}),
    ],
)
def test_what_the_screen_confirmed_must_be_in_the_books(
    tmp_path: Path, kinds: dict[str, int], broken: set[str]
) -> None:
    ledger, hands = Ledger(tmp_path), Hands(thanked=2, slips=1)
    counter: Any = hands

    judge_work(Books(0, "", {"ok": True, "facts": 4}, 1, kinds), counter, ledger)

    assert {what for what, bad in ledger.checks.items() if bad} == broken


def test_the_end_of_a_file_system_is_read_from_it(tmp_path: Path) -> None:
    card = tmp_path / "data.ext4"
    for mib in (16, 24):
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", "1024", str(card), f"{mib << 10}k"], check=True, timeout=60)

        assert files_end(card) == mib << 20


def test_more_parcels_are_all_different() -> None:
    rows = more_parcels(2 * sample.PARCELS + 1)
    bills = {row["waybill_no"] for row in sample.manifest(scenes_kills.today(), sample.SEED)["parcels"]}

    assert len({row["waybill_no"] for row in rows} - bills) == len(rows) == 3 * sample.PARCELS


class Slow:
    """A window that stands still when it is asked, so many times."""

    def __init__(self, times: int, words: str) -> None:
        self._times, self._words = times, words

    def screen(self) -> dict[str, Any]:
        self._times -= 1
        if self._times >= 0:
            raise DriveError(self._words)
        return {"screen": "standby"}


def seen_by(eyes: Slow) -> dict[str, Any]:
    point: Any = EmulatedPoint.__new__(EmulatedPoint)  # no card and no machine: only eyes
    point._eyes = eyes
    page: dict[str, Any] = point.page()
    return page


def test_a_window_that_stands_still_is_asked_again() -> None:
    assert seen_by(Slow(2, STILL)) == {"screen": "standby"}


def test_a_kiosk_that_is_gone_is_not() -> None:
    with pytest.raises(DriveError, match="closed"):
        seen_by(Slow(1, "the kiosk closed the drive socket"))


def test_the_words_are_the_window_s_own() -> None:
    assert f'"{STILL}"' in (Path(ui.__file__).parent / "drive.py").read_text("utf-8")
