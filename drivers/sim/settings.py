"""The settings of a simulator bench: TOML to devices. Says everything that is wrong at once.

control = "sim.sock"

[devices.locker]
kind = "lock_8a80"            # or "onbon", "serial_scanner"
path = "dev/locker"           # a symbolic link is made here; relative to the settings file; or tcp://127.0.0.1:5005
cells = 24
polarity = "short_when_locked"
reply = "8a"                  # or "81" (pushes instead), "none"
auto_close_s = 0

[devices.left]                # several boards on one RS-485 bus: same bus, same path, each with its own numbers
kind = "kerong_cu16"
bus = "cellar"                # the name of the terminal, and of the cable's handles
path = "dev/cellar"
first = 3
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from drivers.sim.counter import COUNTER, Maker
from drivers.sim.device import SimDevice
from drivers.sim.guns import GUNS
from drivers.sim.led import Led
from drivers.sim.locks import LOCKS
from drivers.sim.net import Place
from drivers.sim.shared_bus import SharedBus


class BadBench(Exception):
    """The settings are wrong; one sentence per mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Bench:
    """What to simulate: name, device, path of its terminal; and the control socket."""

    devices: tuple[tuple[str, SimDevice, Place], ...]
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
    parts: list[_Part] = []
    for name, section in sections.items():
        try:
            device, path, bus = _device(section)
            parts.append(_Part(name, device, path if "://" in path else file.parent / path, bus))
        except (BadBench, ValueError) as error:
            mistakes += [f"devices.{name}: {line}" for line in str(error).splitlines()]
    devices, wrong = _gathered(parts)
    mistakes += wrong
    control = table.get("control")
    if control is not None and not isinstance(control, str):
        mistakes.append("control must be a path")
    paths = [path for _, _, path in devices]
    mistakes += [f"path {path} is used twice" for path in sorted({str(p) for p in paths if paths.count(p) > 1})]
    if mistakes:
        raise BadBench(mistakes)
    return Bench(tuple(devices), file.parent / control if control else None)


@dataclass(frozen=True, slots=True)
class _Part:
    """One section: a device of its own, or a board of a bus."""

    name: str
    device: SimDevice
    path: Place
    bus: str


def _gathered(parts: Sequence[_Part]) -> tuple[list[tuple[str, SimDevice, Place]], list[str]]:
    """Put the boards of each bus together; returns the devices, and what is wrong with the buses."""
    devices: list[tuple[str, SimDevice, Place]] = []
    mistakes = []
    for part in parts:
        members = [each for each in parts if each.bus and each.bus == part.bus]
        if not part.bus:
            devices.append((part.name, part.device, part.path))
        elif part is members[0]:
            devices.append((part.bus, SharedBus({each.name: each.device for each in members}), part.path))
        if part.bus in [each.name for each in parts]:
            mistakes.append(f"devices.{part.name}: bus {part.bus!r} is the name of a device")
        if part.bus and part.path != members[0].path:
            mistakes.append(f"devices.{part.name}: bus {part.bus!r} has another path")
    return devices, mistakes


def _device(section: object) -> tuple[SimDevice, str, str]:
    if not isinstance(section, dict):
        raise BadBench(["must be a section"])
    rest = dict(section)
    kind, path, bus = rest.pop("kind", None), rest.pop("path", None), rest.pop("bus", "")
    mistakes = [] if isinstance(path, str) and path else ["path is missing"]
    mistakes += [] if isinstance(bus, str) else ["bus must be a name"]
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
    return make(values), str(path), bus


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


def _led(values: Mapping[str, object]) -> SimDevice:
    return Led(**values)  # type: ignore[arg-type]


_MAKERS: dict[str, Maker] = {
    **LOCKS,
    "onbon": (_led, {"screen": int}),
    **COUNTER,
    **GUNS,
}
