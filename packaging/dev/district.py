"""The files of the sample district: settings of hub, point and simulators, the link key, the manifest.

Each is written once; what exists stays as it is, so that a second start goes on with the same data and a person may
change a setting. What the district holds is in sample.py; its certificates are made by admission.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sample
from ports import Ports

MAX_SOCKET_PATH = 107  # bytes; sockaddr_un holds 108 with the closing zero

HUB_TOML = """\
# The district hub of the sample. Written once; yours to change.
data_dir = "hub"

[broker]
host = "127.0.0.1"
port = {hub_port}
{more}
[sites.{site}]
name = "{name}"
link_key_file = "link.key"
"""

ENROLMENT = """
[enrolment]               # an authority of its own: a certificate for every terminal
hosts = "{hosts}"
listen = "127.0.0.1"
port = {reception_port}
broker_port = {broker_port}
reload = '''sh -c 'kill -HUP "$(cat "{folder}/run/broker.pid")"''''
"""

DATABASE = """
[hub]
database = "{database}"
"""

BY_KEY = """\
link_key_file = "link.key"
"""

BY_ENROLMENT = """\
enrol_port = {reception_port}
ca_fingerprint = "{fingerprint}"
"""

POINT_TOML = """\
# The service point of the sample. Written once; yours to change.
site = "{site}"
name = "{name}"
profile = "village_point"
data_dir = "point"
language = "zh"
sim = true
help_phone = "023-00000000"

[panel]
width = 1280
height = 800
diagonal_inch = 10.1

[hub]
host = "127.0.0.1"
port = {line_port}      # not the broker itself but a forwarder in front of it, which can cut the line
{more}
[cabinet]                 # two makes of lock boards, with the numbers that stand on the doors
cells = "{cells}"

[[cabinet.part]]
locker = "locker"
numbers = "{locker}"

[[cabinet.part]]
locker = "cellar"
numbers = "{cellar}"

[[shelf]]
name = "A"
levels = 4
positions = 20

[[shelf]]
name = "B"
levels = 4
positions = 20

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
baud = 9600
polarity = "short_when_locked"

[devices.cellar]
kind = "kerong_cu16"
path = "dev/cellar"
ways = 12

[devices.led]
kind = "onbon"
path = "dev/led"
baud = 57600

[devices.price]
kind = "led8"
path = "dev/price"

[devices.scale]
kind = "yaohua_a9"
path = "dev/scale"
baud = 9600

[devices.printer]
kind = "escpos"
path = "dev/printer"

[devices.speaker]         # a loudspeaker whose sounds go into a file; alsa://default would be heard
kind = "alsa_speaker"
path = "alsa://file:'{folder}/run/speaker.wav',wav"

[devices.wand]            # a gun that beeps for accepted and refused, and that has a memory
kind = "ssi_scanner"
path = "dev/wand"

[devices.gun]
kind = "serial_scanner"
path = "dev/gun"
baud = 9600

[drive]
socket = "run/drive.sock"
"""

SIM_TOML = """\
# The simulated devices of the sample. Written once; yours to change.
control = "run/sim.sock"

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
cells = {locker_count}
polarity = "short_when_locked"
reply = "8a"
auto_close_s = 4

[devices.cellar]
kind = "kerong_cu16"
path = "dev/cellar"
cells = {cellar_count}
ways = 12
auto_close_s = 4

[devices.led]
kind = "onbon"
path = "dev/led"

[devices.price]
kind = "led8"
path = "dev/price"

[devices.scale]
kind = "yaohua_a9"
path = "dev/scale"

[devices.printer]
kind = "escpos"
path = "dev/printer"

[devices.wand]
kind = "ssi_scanner"
path = "dev/wand"

[devices.gun]
kind = "serial_scanner"
path = "dev/gun"
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a new district is like. `database`: a URL of PostgreSQL, empty for a file of the hub's own.

    `hosts`: by which names terminals call the hub; its certificate carries them.
    """

    has_tls: bool = False
    database: str = ""
    hosts: str = "127.0.0.1 localhost"


def write(folder: Path, ports: Ports, today: date, kind: Kind = Kind(), told: Callable[[], str] = str) -> bool:
    """Lay out the files of the district in `folder`; what exists stays as it is. Tell whether anything was new.

    `told` makes the authority and tells its fingerprint, once the hub's settings are there; for TLS only.
    Errors: ValueError when the folder's path is too long for a socket inside it.
    """
    if len(str(folder.absolute() / "run/drive.sock").encode()) > MAX_SOCKET_PATH:
        raise ValueError(f"the path of {folder} is too long for a socket inside it; choose a shorter one")
    for part in ("dev", "run", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    files: dict[str, Callable[[], str]] = {
        "hub.toml": lambda: _hub(folder, ports, kind),
        "point.toml": lambda: _point(folder, ports, told),
        "sim.toml": lambda: SIM_TOML.format(**{f"{each}_count": len(cells) for each, cells in sample.BOARDS.items()}),
        "manifest.json": lambda: json.dumps(sample.manifest(today), ensure_ascii=False, indent=1) + "\n",
    }
    if not kind.has_tls:
        files = {"link.key": lambda: secrets.token_hex(32) + "\n"} | files
    is_new = [_write_once(folder / name, make) for name, make in files.items()]
    write_ports(folder, ports)
    return any(is_new)


def has_tls(folder: Path) -> bool:
    """Whether the district in this folder gives certificates to its terminals."""
    return "[enrolment]" in (folder / "hub.toml").read_text("utf-8")


def write_ports(folder: Path, ports: Ports) -> None:
    """Put the ports into the settings that are there."""
    hub, point = folder / "hub.toml", folder / "point.toml"
    ports.write_into(hub, "broker", port=ports.hub if has_tls(folder) else ports.broker)
    ports.write_into(hub, "enrolment", port=ports.reception, broker_port=ports.broker)
    if point.exists():
        ports.write_into(point, "hub", port=ports.line, enrol_port=ports.reception)


def _hub(folder: Path, ports: Ports, kind: Kind) -> str:
    more = ""
    if kind.has_tls:
        words = {"folder": folder.absolute(), "hosts": kind.hosts}
        more += ENROLMENT.format(reception_port=ports.reception, broker_port=ports.broker, **words)
    if kind.database:
        more += DATABASE.format(database=kind.database)
    port = ports.hub if kind.has_tls else ports.broker
    return HUB_TOML.format(site=sample.SITE, name=sample.SITE_NAME, hub_port=port, more=more)


def _point(folder: Path, ports: Ports, told: Callable[[], str]) -> str:
    more = BY_KEY
    if has_tls(folder):
        more = BY_ENROLMENT.format(reception_port=ports.reception, fingerprint=told())
    words = {board: f"{cells[0]}-{cells[-1]}" for board, cells in sample.BOARDS.items()}
    words |= {
        "folder": str(folder.absolute()),
        "site": sample.SITE,
        "name": sample.SITE_NAME,
        "cells": sample.CELLS,
        "more": more,
    }
    return POINT_TOML.format(line_port=ports.line, **words)


def _write_once(file: Path, make: Callable[[], str]) -> bool:
    if file.exists():
        return False
    half_done = file.with_name(f".{file.name}.part")
    half_done.unlink(missing_ok=True)
    half_done.touch(mode=0o600)  # the link key is a secret, and nothing here is for others to read
    half_done.write_text(make(), "utf-8")
    half_done.replace(file)
    return True
