"""The files of the sample district: settings of hub, point and simulators, the link key, the manifest.

Each is written once; what exists stays as it is, so that a second start goes on with the same data and a person may
change a setting. What the district holds is in sample.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
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
port = {broker_port}

[sites.{site}]
name = "{name}"
link_key_file = "link.key"
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
link_key_file = "link.key"

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


def write(folder: Path, ports: Ports, today: date) -> bool:
    """Lay out the files of the district in `folder`; what exists stays as it is. Tell whether anything was new.

    Errors: ValueError when the folder's path is too long for a socket inside it.
    """
    if len(str(folder.absolute() / "run/drive.sock").encode()) > MAX_SOCKET_PATH:
        raise ValueError(f"the path of {folder} is too long for a socket inside it; choose a shorter one")
    for part in ("dev", "run", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    words: dict[str, object] = {"site": sample.SITE, "name": sample.SITE_NAME, "cells": sample.CELLS}
    words |= {"broker_port": ports.broker, "line_port": ports.line}
    for board, cells in sample.BOARDS.items():
        words |= {board: f"{cells[0]}-{cells[-1]}", f"{board}_count": len(cells)}
    files: dict[str, Callable[[], str]] = {
        "link.key": lambda: secrets.token_hex(32) + "\n",
        "hub.toml": lambda: HUB_TOML.format(**words),
        "point.toml": lambda: POINT_TOML.format(**words),
        "sim.toml": lambda: SIM_TOML.format(**words),
        "manifest.json": lambda: json.dumps(sample.manifest(today), ensure_ascii=False, indent=1) + "\n",
    }
    is_new = [_write_once(folder / name, make) for name, make in files.items()]
    ports.write_into(folder / "hub.toml", ports.broker)
    ports.write_into(folder / "point.toml", ports.line)
    return any(is_new)


def _write_once(file: Path, make: Callable[[], str]) -> bool:
    if file.exists():
        return False
    half_done = file.with_name(f".{file.name}.part")
    half_done.unlink(missing_ok=True)
    half_done.touch(mode=0o600)  # the link key is a secret, and nothing here is for others to read
    half_done.write_text(make(), "utf-8")
    half_done.replace(file)
    return True
