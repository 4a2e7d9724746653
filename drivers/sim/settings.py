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

import re
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

_SECTION = re.compile(r"""\s*\[\s*devices\s*\.\s*["']?([^"'\]]+?)["']?\s*\]""")
_Mistake = tuple[str, str]  # the section it stands in, "" for none; one sentence


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
        text = file.read_text(encoding="utf-8-sig")  # Notepad puts a mark before the text
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadBench([f"{file}: {error}"]) from error
    mistakes: list[_Mistake] = [("", f"unknown setting {key!r}") for key in table if key not in ("control", "devices")]
    devices: list[tuple[str, SimDevice, Place]] = []
    sections = table.get("devices")
    if not isinstance(sections, dict) or not sections:
        mistakes.append(("", "no [devices.NAME] section"))
    else:
        devices, wrong = _devices(file.parent, sections)
        mistakes += wrong
    control = table.get("control")
    if control is not None and not isinstance(control, str):
        mistakes.append(("", "control must be a path"))
    if mistakes:
        lines = _section_lines(text)
        told = ((lines.get(name, 1), f"devices.{name}: {said}" if name else said) for name, said in mistakes)
        raise BadBench([f"{file}:{line}: {said}" for line, said in told])
    return Bench(tuple(devices), file.parent / control if control else None)


def _section_lines(text: str) -> dict[str, int]:
    """The line on which each section of a device begins."""
    found = ((number, _SECTION.match(line)) for number, line in enumerate(text.splitlines(), start=1))
    return {match[1]: number for number, match in found if match is not None}


def _devices(folder: Path, sections: Mapping[str, object]) -> tuple[list[tuple[str, SimDevice, Place]], list[_Mistake]]:
    mistakes: list[_Mistake] = []
    parts: list[_Part] = []
    for name, section in sections.items():
        try:
            device, path, bus = _device(section)
            parts.append(_Part(name, device, path if "://" in path else folder / path, bus))
        except (BadBench, ValueError) as error:
            mistakes += [(name, line) for line in str(error).splitlines()]
    devices, wrong = _gathered(parts)
    paths = [path for _, _, path in devices]
    twice = [("", f"path {path} is used twice") for path in sorted({str(p) for p in paths if paths.count(p) > 1})]
    return devices, [*mistakes, *wrong, *twice]


@dataclass(frozen=True, slots=True)
class _Part:
    """One section: a device of its own, or a board of a bus."""

    name: str
    device: SimDevice
    path: Place
    bus: str


def _gathered(parts: Sequence[_Part]) -> tuple[list[tuple[str, SimDevice, Place]], list[_Mistake]]:
    """Put the boards of each bus together; returns the devices, and what is wrong with the buses."""
    devices: list[tuple[str, SimDevice, Place]] = []
    mistakes: list[_Mistake] = []
    for part in parts:
        members = [each for each in parts if each.bus and each.bus == part.bus]
        if not part.bus:
            devices.append((part.name, part.device, part.path))
        elif part is members[0]:
            devices.append((part.bus, SharedBus({each.name: each.device for each in members}), part.path))
        if part.bus in [each.name for each in parts]:
            mistakes.append((part.name, f"bus {part.bus!r} is the name of a device"))
        if part.bus and part.path != members[0].path:
            mistakes.append((part.name, f"bus {part.bus!r} has another path"))
    return devices, mistakes


def _device(section: object) -> tuple[SimDevice, str, str]:
    if not isinstance(section, dict):
        raise BadBench(["must be a section"])
    rest = dict(section)
    kind, path, bus = rest.pop("kind", None), rest.pop("path", None), rest.pop("bus", "")
    mistakes = [] if isinstance(path, str) and path else ["path is missing" if path is None else "path must be a text"]
    mistakes += [] if isinstance(bus, str) else ["bus must be a name"]
    maker = _MAKERS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        said = "kind is missing; it" if kind is None else f"kind {kind!r} is unknown; it"
        raise BadBench([*mistakes, f"{said} must be one of: {', '.join(sorted(_MAKERS))}"])
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
