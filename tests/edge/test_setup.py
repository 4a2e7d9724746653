"""What is built from the settings: the locker of a cabinet, with the cabinet's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.cabinet import JointLocker
from drivers.locker import BoardLocker
from edge.clock import SystemClock
from edge.setup import build_all, locker_of, numbered
from tests.edge.test_config import GOOD, TWO_MAKES, load


def test_one_lock_device_is_the_locker_itself(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)

    assert isinstance(locker_of(settings, build_all(settings, SystemClock())), BoardLocker)


def test_several_lock_devices_are_one_locker_with_the_cabinets_cells(tmp_path: Path) -> None:
    settings = load(tmp_path, TWO_MAKES)

    locker = locker_of(settings, build_all(settings, SystemClock()))

    assert isinstance(locker, JointLocker)
    assert list(locker.cells) == [1, 2, 3, 4, 5, 6]
    assert "right" in locker.status().hint


def test_a_device_alone_keeps_the_numbers_that_stand_on_its_doors(tmp_path: Path) -> None:
    settings = load(tmp_path, TWO_MAKES)
    devices = {device.name: device for _, device in build_all(settings, SystemClock())}

    assert list(numbered(settings, devices["right"]).cells) == [3, 4, 5]  # type: ignore[arg-type]
    assert list(numbered(settings, devices["locker"]).cells) == [1, 2, 6]  # type: ignore[arg-type]


def test_too_few_locks_that_only_the_driver_knows_of_are_a_mistake(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        TWO_MAKES.replace("SSMLLL", "S" * 20)
        .replace("1-2, 6", "1-2")
        .replace("5,3-4", "3-20")
        .replace("ways = 12\n", ""),
    )

    with pytest.raises(ValueError, match="right has 16 locks, but gets 18 cells"):
        locker_of(settings, build_all(settings, SystemClock()))
