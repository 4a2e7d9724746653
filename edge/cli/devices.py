"""`village-point device …`: look at and move the devices of a configuration, and find out what hangs on a port.

Here: the list, and the probe of one configured device. What each class of devices can do is in files of its own.
"""

from __future__ import annotations

import argparse
from typing import Any, cast

from drivers.base import Device, Health, ItemSensors, Locker
from edge.cli import device_counter, device_display, device_locker, device_port, device_scanner, device_speaker
from edge.cli.common import DEVICE, DONE, command, emit, ended, settings_of
from edge.cli.device_run import seconds, settled, with_device
from edge.config import DEVICE_KINDS


def add(commands: Any) -> None:
    """Add the group `device`."""
    device = commands.add_parser("device", help="list, probe and move devices").add_subparsers(
        required=True, metavar="ACTION"
    )
    command(device, "list", "what the configuration names and whether it is there", _list)
    probe = command(device, "probe", "ask whether a device answers, or what hangs on a port; opens nothing", _probe)
    which = probe.add_mutually_exclusive_group(required=True)
    which.add_argument("name", metavar="NAME", nargs="?", help="a device of the configuration")
    which.add_argument(
        "--port", metavar="PATH", help="a raw port: /dev/serial/by-path/... or tcp://host:port (up to 40 s)"
    )
    hear = "with --port: how long to listen at each baud; scan a code meanwhile to find a gun"
    probe.add_argument("--listen", type=seconds, default=device_port.LISTEN_S, metavar="SECONDS", help=hear)
    device_locker.add(device)
    device_display.add(device)
    device_scanner.add(device)
    device_counter.add(device)
    device_speaker.add(device)


def _list(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments, only_devices=True)
    for each in settings.devices:
        emit({"name": each.name, "kind": each.kind, "path": str(each.path), "class": DEVICE_KINDS[each.kind][0]})


def _probe(arguments: argparse.Namespace) -> int:
    if arguments.port is not None:
        return device_port.run(arguments)
    if "/" in arguments.name:
        raise ValueError("a name of the configuration is wanted; a raw port goes behind --port")

    async def look(device: Device) -> dict[str, Any]:
        answer: dict[str, Any] = {"name": device.name}
        if DEVICE_KINDS[arguments.kind][0] == "lock":
            answer["doors"] = {str(c): d.value for c, d in (await cast("Locker", device).doors()).items()}
            if isinstance(device, ItemSensors) and (lying := await device.items()):
                answer["items"] = {str(cell): lies for cell, lies in lying.items()}
        else:
            await settled(device)
        status = device.status()
        return answer | {"health": status.health.value, "hint": status.hint}

    found = with_device(arguments, look)
    emit(found)
    code = DONE if found["health"] != Health.AWAY.value else DEVICE
    return ended(code, f"device {found['name']}: {found['hint']}")
