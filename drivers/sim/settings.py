"""The settings of a simulator bench: TOML to devices. Says everything that is wrong at once.

control = "sim.sock"

[devices.locker]
kind = "lock_8a80"            # or "onbon", "serial_scanner"
path = "dev/locker"           # a symbolic link is made here; relative to the settings file
cells = 24
polarity = "short_when_locked"
reply = "8a"                  # or "81" (pushes instead), "none"
auto_close_s = 0
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from drivers.sim.counter import COUNTER, Maker
from drivers.sim.device import SimDevice
from drivers.sim.led import Led
from drivers.sim.lock_board import Cabinet, LockBoard, Reply
from drivers.sim.scanner import Gun
from drivers.wire.lock import Polarity


class BadBench(Exception):
    """The settings are wrong; one sentence per mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Bench:
    """What to simulate: name, device, path of its terminal; and the control socket."""

    devices: tuple[tuple[str, SimDevice, Path], ...]
    control: Path | None


def read_bench(file: Path) -> Bench:
    """Read a settings file. Errors: BadBench, OSError."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadBench([f"{file}: {error}"]) from error
    mistakes = [f"unknown setting {key!r}" for key in table if key not in ("control", "devices")]
    sections = table.get("devices")
    if not isinstance(sections, dict) or not sections:
        raise BadBench([*mistakes, "no [devices.NAME] section"])
    devices = []
    for name, section in sections.items():
        try:
            device, path = _device(section)
            devices.append((name, device, file.parent / path))
        except (BadBench, ValueError) as error:
            mistakes += [f"devices.{name}: {line}" for line in str(error).splitlines()]
    control = table.get("control")
    if control is not None and not isinstance(control, str):
        mistakes.append("control must be a path")
    paths = [path for _, _, path in devices]
    mistakes += [f"path {path} is used twice" for path in sorted({p for p in paths if paths.count(p) > 1})]
    if mistakes:
        raise BadBench(mistakes)
    return Bench(tuple(devices), file.parent / control if control else None)


def _device(section: object) -> tuple[SimDevice, str]:
    if not isinstance(section, dict):
        raise BadBench(["must be a section"])
    rest = dict(section)
    kind, path = rest.pop("kind", None), rest.pop("path", None)
    mistakes = [] if isinstance(path, str) and path else ["path is missing"]
    maker = _MAKERS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        raise BadBench([*mistakes, f"kind {kind!r} is not one of {sorted(_MAKERS)}"])
    make, kinds = maker
    mistakes += [f"unknown setting {key!r}" for key in rest if key not in kinds]
    values: dict[str, object] = {}
    for key, value in rest.items():
        if key in kinds:
            try:
                values[key] = _typed(value, kinds[key])
            except ValueError as error:
                mistakes.append(f"{key}: {error}")
    if mistakes:
        raise BadBench(mistakes)
    return make(values), str(path)


def _typed(value: object, kind: type) -> object:
    if issubclass(kind, Enum):
        known = [member.value for member in kind]
        if value not in known:
            raise ValueError(f"{value!r} is not one of {known}")
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{value!r} is not of type {kind.__name__}")
    return value


def _locker(values: Mapping[str, object]) -> SimDevice:
    return LockBoard(Cabinet(**values))  # type: ignore[arg-type]  # checked one by one against the same table


def _led(values: Mapping[str, object]) -> SimDevice:
    return Led(**values)  # type: ignore[arg-type]


def _gun(values: Mapping[str, object]) -> SimDevice:
    return Gun(**values)  # type: ignore[arg-type]


_MAKERS: dict[str, Maker] = {
    "lock_8a80": (
        _locker,
        {"cells": int, "ways": int, "polarity": Polarity, "reply": Reply, "auto_close_s": float},
    ),
    "onbon": (_led, {"screen": int}),
    "serial_scanner": (_gun, {"terminator": str}),
    **COUNTER,
}
