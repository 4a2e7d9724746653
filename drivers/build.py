"""Settings to devices: the one table from a kind's name to its driver. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.base import Clock, Device
from drivers.display import LedDisplay, Panel
from drivers.link import Link, serial_link
from drivers.locker import BoardLocker, Cabinet
from drivers.scanner import EvdevScanner, SerialScanner, grab_nodes
from drivers.wire import lock_8a80, onbon
from drivers.wire.keys import KeyScans
from drivers.wire.lock import Polarity
from drivers.wire.scans import IDLE_MS, LineScans

Scalar = str | int | float | bool
Options = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One device as the settings file has it. `baud` None means the factory setting of the kind."""

    name: str
    kind: str
    path: str
    baud: int | None = None
    options: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Option:
    """What an option may be: a value of the default's type, within the range or the choice if there is one."""

    default: Scalar
    low: int | None = None
    high: int | None = None
    choice: tuple[Scalar, ...] = ()

    def mistake(self, value: object) -> str | None:
        """Say what is wrong with a value; None when it is right."""
        if type(value) is not type(self.default):
            return f"must be of type {type(self.default).__name__}"
        if self.choice and value not in self.choice:
            return f"must be one of {', '.join(map(str, self.choice))}"
        if self.low is not None and self.high is not None and not self.low <= int(str(value)) <= self.high:
            return f"must be {self.low} to {self.high}"
        return None


@dataclass(frozen=True, slots=True)
class _Kind:
    """One line of the table."""

    make: Callable[[DeviceSettings, Options, Clock], Device]
    options: Mapping[str, _Option]
    baud: int | None  # None: not on a serial line


def build(settings: DeviceSettings, clock: Clock) -> Device:
    """Make a device from its settings. Errors: ValueError that lists every mistake, one per line."""
    kind = KINDS.get(settings.kind)
    if kind is None:
        raise ValueError(f"{settings.name}: kind {settings.kind!r} is not one of {', '.join(sorted(KINDS))}")
    mistakes = [] if settings.path else ["path is missing"]
    if settings.baud is not None and (kind.baud is None or settings.baud <= 0):
        mistakes.append(f"baud {settings.baud} means nothing here")
    for key, value in settings.options.items():
        option = kind.options.get(key)
        mistake = f"is not one of {', '.join(sorted(kind.options))}" if option is None else option.mistake(value)
        if mistake is not None:
            mistakes.append(f"option {key} {mistake}")
    if not mistakes:
        options = {key: option.default for key, option in kind.options.items()} | dict(settings.options)
        try:
            return kind.make(settings, options, clock)
        except ValueError as error:
            mistakes.append(str(error))
    raise ValueError("\n".join(f"{settings.name}: {mistake}" for mistake in mistakes))


def _locker(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    boards, ways, cells = int(options["boards"]), int(options["ways"]), int(options["cells"])
    if not (boards - 1) * ways < (cells or boards * ways) <= boards * ways:
        raise ValueError(f"{cells} cells do not fit on {boards} boards of {ways} locks")
    wire = lock_8a80.Board8A80(ways, int(options["pulse_s"]) or None)
    cabinet = Cabinet(cells or boards * ways, Polarity(options["polarity"]), bool(options["has_door_sensor"]))
    return BoardLocker(_link(settings, lock_8a80.BAUD, options), wire, cabinet, clock)


def _display(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    panel = Panel(
        width=int(options["width"]),
        height=int(options["height"]),
        screen=int(options["screen"]),
        device_type=int(options["device_type"]),
        brightness=int(options["brightness"]),
        in_pixels=bool(options["in_pixels"]),
    )
    return LedDisplay(_link(settings, onbon.BAUD, options), panel, clock)


def _serial_scanner(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    lines = LineScans(int(options["idle_ms"]), bool(options["stx"]))
    return SerialScanner(_link(settings, SCANNER_BAUD, options), lines, clock)


def _evdev_scanner(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    where = str(options["phys"]) or settings.path
    keys = KeyScans(int(options["idle_ms"]), bool(options["tab_ends"]), bool(options["alt_is_gbk"]))
    return EvdevScanner(settings.name, lambda: grab_nodes(where), keys, clock)


def _link(settings: DeviceSettings, baud: int, options: Options) -> Link:
    return serial_link(settings.name, settings.path, settings.baud or baud, bool(options.get("echo", False)))


SCANNER_BAUD = 9600  # usual factory setting; guns on USB ignore it
_ECHO = {"echo": _Option(False)}
_IDLE = {"idle_ms": _Option(IDLE_MS, 20, 2000)}
KINDS: Mapping[str, _Kind] = {
    "lock_8a80": _Kind(
        _locker,
        {
            "boards": _Option(1, 1, lock_8a80.BOARDS[-1]),
            "ways": _Option(24, choice=lock_8a80.WAYS),
            "cells": _Option(0, 0, lock_8a80.BOARDS[-1] * lock_8a80.WAYS[-1]),  # 0: every lock is a cell
            "polarity": _Option(Polarity.SHORT_WHEN_LOCKED.value, choice=tuple(each.value for each in Polarity)),
            "has_door_sensor": _Option(True),
            "pulse_s": _Option(0, 0, lock_8a80.MAX_PULSE_S),  # 0: the board's own pulse of 300 ms
        }
        | _ECHO,
        lock_8a80.BAUD,
    ),
    "onbon": _Kind(
        _display,
        {
            "width": _Option(128, 16, 4096),
            "height": _Option(32, 8, 1024),
            "screen": _Option(1, 0, 0xFFFE),
            "device_type": _Option(onbon.ANY_TYPE, 0, 0xFF),
            "brightness": _Option(8, 0, onbon.MAX_BRIGHTNESS),
            "in_pixels": _Option(True),
        }
        | _ECHO,
        onbon.BAUD,
    ),
    "serial_scanner": _Kind(_serial_scanner, {"stx": _Option(False)} | _IDLE, SCANNER_BAUD),
    "evdev_scanner": _Kind(
        _evdev_scanner, {"phys": _Option(""), "tab_ends": _Option(True), "alt_is_gbk": _Option(False)} | _IDLE, None
    ),
}
