"""The table from kind to driver: defaults, and every mistake at once."""

from __future__ import annotations

import pytest

from drivers.base import Device
from drivers.build import KINDS, DeviceSettings, Options, build
from drivers.display import LedDisplay
from drivers.locker import BoardLocker
from drivers.mistakes import Unfit
from drivers.panel import PanelDisplay
from drivers.printer import SlipPrinter
from drivers.scale import SerialScale
from drivers.scanner import EvdevScanner, SerialScanner
from drivers.talking_scanner import TalkingScanner
from tests.links import LoopClock
from tests.mistakes import english


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("lock_8a80", BoardLocker),
        ("kerong_cu16", BoardLocker),
        ("kerong_cu48", BoardLocker),
        ("wkly", BoardLocker),
        ("modbus_relay", BoardLocker),
        ("winnsen", BoardLocker),
        ("onbon", LedDisplay),
        ("serial_scanner", SerialScanner),
        ("evdev_scanner", EvdevScanner),
        ("ssi_scanner", TalkingScanner),
        ("newland_scanner", TalkingScanner),
        ("honeywell_scanner", TalkingScanner),
        ("yaohua_a9", SerialScale),
        ("yaohua_a12", SerialScale),
        ("scale_equals", SerialScale),
        ("toledo", SerialScale),
        ("led8", PanelDisplay),
        ("cd5220", PanelDisplay),
        ("alpha", PanelDisplay),
        ("armfly", PanelDisplay),
        ("escpos", SlipPrinter),
    ],
)
def test_each_kind_is_built_from_its_defaults(kind: str, made: type[Device]) -> None:
    device = build(DeviceSettings("it", kind, "/dev/it"), LoopClock())

    assert type(device) is made
    assert device.name == "it"


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        ({}, 24),
        ({"boards": 2}, 48),
        ({"boards": 2, "cells": 30}, 30),
        ({"ways": 32, "polarity": "short_when_open"}, 32),
    ],
)
def test_cells_follow_from_boards_or_are_counted(options: Options, cells: int) -> None:
    device = build(DeviceSettings("it", "lock_8a80", "/dev/it", options=options), LoopClock())

    assert isinstance(device, BoardLocker)
    assert list(device.cells) == list(range(1, cells + 1))


def test_every_mistake_is_told_at_once() -> None:
    wrong: Options = {"polarity": "sometimes", "boards": 0, "echo": 1, "wings": 2, "pulse_s": 10}

    with pytest.raises(Unfit) as caught:
        build(DeviceSettings("box", "lock_8a80", "", -1, wrong), LoopClock())

    lines = english(caught.value).splitlines()
    assert len(lines) == 7
    assert "polarity must be one of: short_when_locked, short_when_open" in lines
    assert "boards must be a whole number from 1 to 32" in lines
    assert "echo must be true or false" in lines
    assert "pulse_s must be a whole number from 0 to 9" in lines
    assert "path is missing" in lines
    assert "baud means nothing here" in lines
    assert any("wings is not one of boards, cells" in line for line in lines)


@pytest.mark.parametrize("cells", [25, 100])
def test_cells_must_fit_on_the_boards(cells: int) -> None:
    with pytest.raises(Unfit, match="cells_do_not_fit"):
        build(DeviceSettings("box", "lock_8a80", "/dev/x", options={"cells": cells}), LoopClock())


def test_a_scanner_without_a_serial_line_has_no_baud() -> None:
    with pytest.raises(Unfit, match="baud: no_baud"):
        build(DeviceSettings("gun", "evdev_scanner", "/dev/input/x", 9600), LoopClock())


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(Unfit) as caught:
        build(DeviceSettings("it", "toaster", "/dev/it"), LoopClock())

    assert english(caught.value) == "kind must be one of: " + ", ".join(sorted(KINDS))


@pytest.mark.parametrize("path", ["tcp://10.0.0.9:5005", "usb:///dev/usb/lp0"])
def test_a_scanner_and_a_lock_board_hang_on_this_machine_alone(path: str) -> None:
    with pytest.raises(Unfit, match="path: local_path"):
        build(DeviceSettings("box", "lock_8a80", path), LoopClock())


def test_a_display_may_hang_on_the_network() -> None:
    assert build(DeviceSettings("led", "onbon", "tcp://10.0.0.9:5005"), LoopClock()).name == "led"
    with pytest.raises(Unfit, match="path: address"):
        build(DeviceSettings("led", "onbon", "tcp://10.0.0.9"), LoopClock())
