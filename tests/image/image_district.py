"""The district around an emulated point: hub and broker on this machine, simulated devices joined to its ports.

What is started is the sample district of packaging/dev; the point itself runs in the machine and not here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import sample
from district import Kind
from pump import Pump
from stand import Stand

HOST = "10.0.2.2"  # as which QEMU's network shows this machine's loopback to the guest
SERIALS = {"locker": "LOCK0001", "led": "LED00001"}  # of the USB adapters, as `usb-serial` tells them
BY_ID = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_{serial}-if00-port0"
GUN = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard_{serial}-event-kbd"
GUN_SERIAL = "GUN00001"
DRIVE = "/run/village-kiosk/drive.sock"
KIND = Kind(has_tls=True, hosts=f"{HOST} 127.0.0.1 localhost")  # the first one goes into district.toml

SIM_TOML = """\
control = "run/sim.sock"

[devices.locker]
kind = "lock_8a80"
path = "dev/locker"
cells = 24
polarity = "short_when_locked"
reply = "8a"
auto_close_s = 2

[devices.led]
kind = "onbon"
path = "dev/led"
"""

PROFILE = """\
site = "{site}"
name = "{name}"
profile = "village_point"
language = "zh"
sim = {sim}
help_phone = "023-00000000"

[cabinet]
locker = "locker"
cells = "SSSSSSSSSSSSMMMMMMMMLLLL"

[[shelf]]
name = "A"
levels = 4
positions = 20

[devices.locker]
kind = "lock_8a80"
path = "{locker}"
baud = 9600
polarity = "short_when_locked"

[devices.led]
kind = "onbon"
path = "{led}"
baud = 57600

[devices.gun]
kind = "evdev_scanner"
path = "{gun}"

[update]
kbit = 100000
"""

EYES = """
[drive]                   # where the pages' buttons lie is asked here; touches come through the panel
socket = "{drive}"
"""


class ImageDistrict:
    """One district for one emulated point. Use it in one thread that lives as long as it does."""

    def __init__(self, folder: Path, machine_folder: Path) -> None:
        self.stand = Stand(folder, os.environ, KIND)
        self._pumps = {
            name: Pump(name, self.stand.folder / "dev" / name, machine_folder / f"{name}.sock") for name in SERIALS
        }

    def __enter__(self) -> ImageDistrict:
        stand = self.stand
        stand.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stand.sim_toml.write_text(SIM_TOML, "utf-8")
        stand.lay_out()
        for work in (stand.start_broker, stand.start_reception, stand.start_hub, stand.start_sim):
            work()
        for pump in self._pumps.values():
            pump.start()
        return self

    def __exit__(self, *_: object) -> None:
        for pump in self._pumps.values():
            pump.stop()
        self.stand.stop_all()

    # -- the desk

    def card(self) -> bytes:
        """What a technician puts into the folder village-point of a card: district.toml."""
        self.stand.hub_command("district", str(self.stand.folder), "--phone", "023-00000000")
        return (self.stand.folder / "district.toml").read_bytes()

    def set_profile(self, *, with_eyes: bool = True) -> None:
        """Keep the point's settings at the hub. `with_eyes`: the drive socket tells where buttons are."""
        paths = {name: BY_ID.format(serial=serial) for name, serial in SERIALS.items()}
        text = PROFILE.format(
            site=sample.SITE,
            name=sample.SITE_NAME,
            sim=str(with_eyes).lower(),
            gun=GUN.format(serial=GUN_SERIAL),
            **paths,
        )
        file = self.stand.folder / "profile.toml"
        file.write_text(text + (EYES.format(drive=DRIVE) if with_eyes else ""), "utf-8")
        self.stand.hub_command("profile", "set", "--site", sample.SITE, str(file))

    def waiting(self) -> list[str]:
        """The claim codes of terminals that ask to be let in."""
        lines = self.stand.hub_command("enrolments").splitlines()
        return [row["code"] for row in map(json.loads, lines) if row.get("state") == "waiting"]

    def approve(self, code: str) -> None:
        """The desk says yes."""
        self.stand.hub_command("approve", code, "--site", sample.SITE, "--replace")

    def refuse(self, code: str) -> None:
        """The desk says no."""
        self.stand.hub_command("refuse", code)

    def hub_site(self) -> dict[str, Any]:
        """How the point stands at the hub."""
        sites = json.loads(self.stand.hub_command("status"))["sites"]
        found: dict[str, Any] = next(site for site in sites if site["site"] == sample.SITE)
        return found
