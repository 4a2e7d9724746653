"""One TOML file to one frozen `Settings`, or every mistake in it at once, each with its line and a plain sentence.

Secrets are never in the file, only the paths of files that hold them. Nothing is opened here but the TOML itself and,
on demand, a secret's file; which driver serves a device kind is known to edge/app.py alone.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.cabinet_plan import NAME as _NAME
from edge.cabinet_plan import NAME_HINT as _NAME_HINT
from edge.cabinet_plan import Cabinet, cross_check, locks_of, read_cabinet
from edge.hub_link import HubLink, path_of, read_hub
from edge.toml_table import ConfigError, Problem, Scalar, Table, read
from edge.update_settings import UpdateSettings, read_update

__all__ = ["Cabinet", "ConfigError", "HubLink", "Problem", "Settings", "load", "settled"]

PROFILES = ("village_point", "urban_locker", "shelf_only")
LANGUAGES = ("zh", "en")
# kind -> what it is, and whether it hangs on a serial line. One line for each new device.
DEVICE_KINDS: Mapping[str, tuple[str, bool]] = {
    "lock_8a80": ("lock", True),
    "kerong_cu16": ("lock", True),
    "kerong_cu48": ("lock", True),
    "wkly": ("lock", True),
    "modbus_relay": ("lock", True),
    "winnsen": ("lock", True),
    "onbon": ("display", True),
    "serial_scanner": ("scanner", True),
    "evdev_scanner": ("scanner", False),
    "ssi_scanner": ("scanner", True),
    "newland_scanner": ("scanner", True),
    "honeywell_scanner": ("scanner", True),
    "yaohua_a9": ("scale", True),
    "yaohua_a12": ("scale", True),
    "scale_equals": ("scale", True),
    "toledo": ("scale", True),
    "led8": ("price_display", True),
    "cd5220": ("price_display", True),
    "armfly": ("price_display", True),
    "alpha": ("display", True),
    "escpos": ("printer", True),
    "alsa_speaker": ("speaker", False),
}
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
MAX_SOCKET_PATH = 107  # bytes; sockaddr_un holds 108 with the closing zero
# What `device …` reads into a file that names devices only; an opened door is audited in its data_dir.
BENCH: Mapping[str, object] = {
    "site": "BENCH",
    "name": "bench",
    "profile": PROFILES[0],
    "data_dir": "village-point-data",
    "language": "en",
    "panel": {"width": 1280, "height": 800, "diagonal_inch": 10.1},
}


@dataclass(frozen=True, slots=True)
class IdleTimes:
    """Seconds without a touch until the idle question appears."""

    operator_s: int = 300
    villager_s: int = 90
    pickup_s: int = 30


@dataclass(frozen=True, slots=True)
class Panel:
    """The screen: pixels, real diagonal in inches, and whether the window takes all of it."""

    width: int
    height: int
    diagonal_inch: float
    fullscreen: bool

    @property
    def dpi(self) -> float:
        """Dots per inch, from the real diagonal; desktop Linux reports 96 for every panel."""
        return math.hypot(self.width, self.height) / self.diagonal_inch


@dataclass(frozen=True, slots=True)
class Shelf:
    """One shelf: places are name-level-position, each counted from 1."""

    name: str
    levels: int
    positions: int


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One device: a name, its kind, its port, and what its driver alone understands."""

    name: str
    kind: str
    path: str
    baud: int | None
    options: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a point is told from outside. Paths are absolute."""

    site: str
    name: str
    profile: str
    data_dir: Path
    language: str
    sim: bool
    idle: IdleTimes
    help_phone: str | None
    panel: Panel
    hub: HubLink | None
    cabinet: Cabinet | None
    shelves: tuple[Shelf, ...]
    devices: tuple[DeviceConfig, ...]
    drive_socket: Path | None
    sticks_dir: Path | None = None  # where the system mounts USB sticks, one folder each
    file: Path | None = None  # where all this is written
    update: UpdateSettings = field(default_factory=UpdateSettings)


def load(path: Path, *, only_devices: bool = False) -> Settings:
    """Read the settings of one point.

    With `only_devices` the file may name devices and nothing else, and the hub's files need not be there yet: that is
    how a technician stands before a new cabinet. What is written must be right all the same.
    Errors: ConfigError with every mistake of the file, in the order of its lines.
    """
    file = path.absolute()
    table = read(file)
    if not only_devices:
        return settled(table, file)
    table = table.with_usual(BENCH)
    settings = _read_all(table, file)
    if problems := [each for each in table.problems if not each.key.startswith("hub.")]:
        raise ConfigError(file, problems)
    return settings


def settled(table: Table, file: Path) -> Settings:
    """Read a whole table as the settings of one point. Errors: ConfigError as `load`."""
    settings = _read_all(table, file)
    _check_profile(table, settings)
    if table.problems:
        raise ConfigError(file, table.problems)
    return settings


def _read_all(table: Table, file: Path) -> Settings:
    settings = replace(_settings(table, file.parent), file=file)
    table.finish()
    _cross_check(table, settings)
    return settings


def _settings(top: Table, base: Path) -> Settings:
    usual = IdleTimes()
    data_dir = path_of(top, "data_dir", base)
    return Settings(
        site=top.text("site", r"[A-Z0-9-]{3,20}", "must be 3 to 20 capital letters, digits or hyphens"),
        name=top.text("name", r"\S(.{0,38}\S)?", "must be a text of 1 to 40 characters"),
        profile=top.choice("profile", PROFILES),
        data_dir=data_dir,
        language=top.choice("language", LANGUAGES),
        sim=top.flag("sim", default=False),
        idle=IdleTimes(
            operator_s=top.whole("operator_idle_s", 30, 3600, usual.operator_s),
            villager_s=top.whole("villager_idle_s", 10, 600, usual.villager_s),
            pickup_s=top.whole("pickup_idle_s", 10, 600, usual.pickup_s),
        ),
        help_phone=top.optional_text("help_phone", r"[0-9+ -]{3,20}", "must be a phone number"),
        panel=_panel(top.table("panel")),
        hub=read_hub(top.table("hub"), base, data_dir) if top.has("hub") else None,
        cabinet=read_cabinet(top.table("cabinet")) if top.has("cabinet") else None,
        shelves=tuple(_shelf(each) for each in top.listed_tables("shelf")),
        devices=tuple(_device(name, each, base) for name, each in top.named_tables("devices").items()),
        drive_socket=_drive(top.table("drive"), base) if top.has("drive") else None,
        sticks_dir=path_of(top, "sticks_dir", base) if top.has("sticks_dir") else None,
        update=read_update(top.table("update"), base) if top.has("update") else UpdateSettings(),
    )


def _panel(table: Table) -> Panel:
    panel = Panel(
        width=table.whole("width", 480, 7680),
        height=table.whole("height", 480, 7680),
        diagonal_inch=table.number("diagonal_inch", 4, 100),
        fullscreen=table.flag("fullscreen", default=False),
    )
    table.finish()
    return panel


def _shelf(table: Table) -> Shelf:
    shelf = Shelf(
        name=table.text("name", r"[A-Z0-9]{1,3}", "must be 1 to 3 capital letters or digits"),
        levels=table.whole("levels", 1, 20),
        positions=table.whole("positions", 1, 99),
    )
    table.finish()
    return shelf


def _device(name: str, table: Table, base: Path) -> DeviceConfig:
    if not re.fullmatch(_NAME, name):
        table.wrong(f"the name of a device {_NAME_HINT}")
    kind = table.choice("kind", tuple(DEVICE_KINDS))
    path = table.text("path", r"[^\0\n]{1,200}")
    baud = table.whole("baud", BAUDS[0], BAUDS[-1]) if table.has("baud") else None
    if baud is not None and baud not in BAUDS:
        table.wrong(f"must be one of: {', '.join(map(str, BAUDS))}", "baud")
    if baud is not None and not DEVICE_KINDS[kind][1]:
        table.wrong(f"means nothing for a device of kind {kind}, which hangs on no serial line", "baud")
    return DeviceConfig(name, kind, path if not path or "://" in path else str(base / path), baud, table.rest())


def _drive(table: Table, base: Path) -> Path:
    socket = path_of(table, "socket", base)
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        table.wrong(f"is longer than {MAX_SOCKET_PATH} bytes once made absolute; choose a shorter folder", "socket")
    table.finish()
    return socket


def _cross_check(top: Table, settings: Settings) -> None:
    """Note what only shows when two parts of the file are read together."""
    if settings.cabinet is not None:
        locks = {d.name: locks_of(d.options) if DEVICE_KINDS[d.kind][0] == "lock" else 0 for d in settings.devices}
        cross_check(top, settings.cabinet, locks)
    sim_is_readable = all(each.key != "sim" for each in top.problems)
    if settings.drive_socket is not None and not settings.sim and sim_is_readable:
        top.wrong("is only allowed with sim = true: it moves the screens without a finger", "drive")
    ports = {device.name: _port(device.path) for device in settings.devices if device.path}
    for name, port in ports.items():
        others = ", ".join(f"[devices.{other}]" for other, same in ports.items() if same == port and other != name)
        if others:
            top.wrong(f"is the port of {others} too", "devices", name, "path")
    names = [shelf.name for shelf in settings.shelves]
    for at, name in enumerate(names):
        if name and name in names[:at]:
            top.wrong(f"is the name of another shelf too: {name}", "shelf", at, "name")


def _port(path: str) -> str:
    """One spelling for all that lead to one port; below /dev most have several names."""
    scheme, _, rest = path.rpartition("://")
    if scheme != "tcp":
        return os.path.realpath(rest)
    host, _, number = rest.rpartition(":")
    return f"tcp://{host.lower().rstrip('.')}:{number.lstrip('0')}"


def _check_profile(top: Table, settings: Settings) -> None:
    if settings.profile == "shelf_only" and settings.cabinet is not None:
        top.wrong("has no place in the profile shelf_only; choose village_point or leave it out", "cabinet")
    if settings.profile == "shelf_only" and not settings.shelves:
        top.wrong("shelf_only needs at least one [[shelf]]", "profile")
    if settings.profile == "urban_locker" and settings.cabinet is None:
        top.wrong("urban_locker needs a [cabinet]", "profile")
    if settings.profile == "village_point" and settings.cabinet is None and not settings.shelves:
        top.wrong("village_point needs a [cabinet], a [[shelf]], or both", "profile")
