"""One TOML file to one frozen `Settings`, or every mistake in it at once, each with its line.

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
from edge.cabinet_plan import Cabinet, cross_check, locks_of, read_cabinet
from edge.hub_link import HubLink, path_of, read_hub
from edge.mistakes import ConfigError, Problem, mistake
from edge.toml_table import Scalar, Table, read
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
    """One device: a name, its kind, its port, and what its driver alone understands.

    Shape: `lines` where its keys stand in the file, its table under "", for mistakes that only the driver sees.
    """

    name: str
    kind: str
    path: str
    baud: int | None
    options: Mapping[str, Scalar]
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


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
        site=top.text("site", r"[A-Z0-9-]{3,20}", mistake("site_code")),
        name=top.text("name", r"\S(.{0,38}\S)?", mistake("text", low=1, high=40)),
        profile=top.choice("profile", PROFILES),
        data_dir=data_dir,
        language=top.choice("language", LANGUAGES),
        sim=top.flag("sim", default=False),
        idle=IdleTimes(
            operator_s=top.whole("operator_idle_s", 30, 3600, usual.operator_s),
            villager_s=top.whole("villager_idle_s", 10, 600, usual.villager_s),
            pickup_s=top.whole("pickup_idle_s", 10, 600, usual.pickup_s),
        ),
        help_phone=top.optional_text("help_phone", r"[0-9+ -]{3,20}", mistake("phone")),
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
        name=table.text("name", r"[A-Z0-9]{1,3}", mistake("shelf_name")),
        levels=table.whole("levels", 1, 20),
        positions=table.whole("positions", 1, 99),
    )
    table.finish()
    return shelf


def _device(name: str, table: Table, base: Path) -> DeviceConfig:
    if not re.fullmatch(_NAME, name):
        table.wrong(mistake("device_name"))
    kind = table.choice("kind", tuple(DEVICE_KINDS))
    path = table.text("path", r"[^\0\n]{1,200}")
    baud = table.whole("baud", BAUDS[0], BAUDS[-1]) if table.has("baud") else None
    if baud is not None and baud not in BAUDS:
        table.wrong(mistake("one_of", choices=tuple(map(str, BAUDS))), "baud")
    if baud is not None and not DEVICE_KINDS[kind][1]:
        table.wrong(mistake("no_line", kind=kind), "baud")
    options = table.rest()
    lines = {key: table.line(key) for key in ("kind", "path", "baud", *options)} | {"": table.line()}
    return DeviceConfig(name, kind, path if not path or "://" in path else str(base / path), baud, options, lines)


def _drive(table: Table, base: Path) -> Path:
    socket = path_of(table, "socket", base)
    if len(os.fsencode(socket)) > MAX_SOCKET_PATH:
        table.wrong(mistake("long_path", most=MAX_SOCKET_PATH), "socket")
    table.finish()
    return socket


def _cross_check(top: Table, settings: Settings) -> None:
    """Note what only shows when two parts of the file are read together."""
    if settings.cabinet is not None:
        locks = {d.name: locks_of(d.options) if DEVICE_KINDS[d.kind][0] == "lock" else 0 for d in settings.devices}
        cross_check(top, settings.cabinet, locks)
    sim_is_readable = all(each.key != "sim" for each in top.problems)
    if settings.drive_socket is not None and not settings.sim and sim_is_readable:
        top.wrong(mistake("only_sim"), "drive")
    ports = {device.name: _port(device.path) for device in settings.devices if device.path}
    for name, port in ports.items():
        others = tuple(f"[devices.{other}]" for other, same in ports.items() if same == port and other != name)
        if others:
            top.wrong(mistake("port_twice", others=others), "devices", name, "path")
    names = [shelf.name for shelf in settings.shelves]
    for at, name in enumerate(names):
        if name and name in names[:at]:
            top.wrong(mistake("shelf_twice", name=name), "shelf", at, "name")


def _port(path: str) -> str:
    """One spelling for all that lead to one port; below /dev most have several names."""
    scheme, _, rest = path.rpartition("://")
    if scheme != "tcp":
        return os.path.realpath(rest)
    host, _, number = rest.rpartition(":")
    return f"tcp://{host.lower().rstrip('.')}:{number.lstrip('0')}"


def _check_profile(top: Table, settings: Settings) -> None:
    if settings.profile == "shelf_only" and settings.cabinet is not None:
        top.wrong(mistake("cabinet_beside_shelf_only"), "cabinet")
    if settings.profile == "shelf_only" and not settings.shelves:
        top.wrong(mistake("shelf_only_needs_shelf"), "profile")
    if settings.profile == "urban_locker" and settings.cabinet is None:
        top.wrong(mistake("urban_needs_cabinet"), "profile")
    if settings.profile == "village_point" and settings.cabinet is None and not settings.shelves:
        top.wrong(mistake("village_needs_either"), "profile")
