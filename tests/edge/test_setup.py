"""What is built from the settings: the locker of a cabinet, with the cabinet's numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.cabinet import JointLocker
from drivers.locker import BoardLocker
from edge.clock import SystemClock
from edge.mistakes import ConfigError
from edge.setup import build_all, locker_of, numbered, prove
from tests.edge.test_config import GOOD, TWO_MAKES, load
from tests.mistakes import english


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

    with pytest.raises(ConfigError) as caught:
        prove(settings)

    [problem] = caught.value.problems
    assert settings.file
    assert settings.file.read_text("utf-8").splitlines()[problem.line - 1] == "[devices.right]"
    assert english(caught.value).endswith(": devices.right: has 16 locks, but gets 18 cells")


def test_what_drivers_refuse_is_told_of_all_devices_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("boards = 2", "boards = 99").replace("[drive]", 'usb_id = "x"\n\n[drive]')
    settings = load(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        prove(settings)

    told = [(each.key, text.splitlines()[each.line - 1]) for each in caught.value.problems]
    assert told == [("devices.locker.boards", "boards = 99"), ("devices.gun.usb_id", 'usb_id = "x"')]
