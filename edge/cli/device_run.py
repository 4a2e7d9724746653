"""What every `village-point device …` command does around its work: one device by name, started, used, given back.

A port that another program holds is refused: the kiosk owns its devices while it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

from drivers.base import HELD, Device, DeviceError, Health, Locker, NotThere
from drivers.faults import Fault
from edge.cli.common import DONE, REFUSED, NotNow, command, ended, settings_of
from edge.clock import SystemClock
from edge.config import DEVICE_KINDS, DeviceConfig, Settings
from edge.setup import build_all, numbered
from edge.store import StoreFault, take_lock

COME_UP_S = 3.0
OPEN_S = 3.5  # a network address is dialled for three seconds
LISTEN_MAX_S = 86_400
# The port itself is no good; whatever else is wrong shows when the device is asked.
PORT_FAULTS = (Fault.NO_PORT, Fault.NO_RIGHT, Fault.LOST, Fault.NO_HOST, Fault.PORT_ERROR)
Run = Callable[[argparse.Namespace], int | None]
T = TypeVar("T")


def group(actions: Any, name: str, help_text: str) -> Any:
    """Add a group of sub-commands."""
    return actions.add_parser(name, help=help_text).add_subparsers(required=True, metavar="ACTION")


def named(actions: Any, name: str, help_text: str, run: Run) -> argparse.ArgumentParser:
    """Add a sub-command about one device of the configuration."""
    parser = command(actions, name, help_text, run)
    parser.add_argument("name", metavar="NAME")
    return parser


def count(text: str) -> int:
    """Read how many. Errors: ArgumentTypeError."""
    if not (number := int(text)) > 0:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def seconds(text: str) -> float:
    """Read how long. Errors: ArgumentTypeError."""
    if not 0 < (number := float(text)) <= LISTEN_MAX_S:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {LISTEN_MAX_S}")
    return number


def came(arguments: argparse.Namespace, heard: int) -> int:
    """The exit code of listening for `--count` things during `--seconds`; says it when fewer came."""
    code = DONE if heard >= arguments.count else REFUSED
    return ended(code, f"device {arguments.name}: {heard} of {arguments.count} came within {arguments.seconds:g} s")


def config_of(settings: Settings, name: str) -> DeviceConfig:
    """The section of a device. Errors: ValueError."""
    for each in settings.devices:
        if each.name == name:
            return each
    raise ValueError(f"{name} is not a device of this configuration")


def with_device(arguments: argparse.Namespace, work: Callable[[Device], Awaitable[T]], *need: str) -> T:
    """Start the named device, work with it, stop it. `need` is what it may be: lock, display ...; none: anything.

    Errors: NotThere when its port is absent, NotNow when another program holds it, ValueError for a device that is
    none or another.
    """
    settings = settings_of(arguments, only_devices=True)
    what = DEVICE_KINDS[config_of(settings, arguments.name).kind][0]
    if need and what not in need:
        raise ValueError(f"{arguments.name} is a {what}, no {need[0]}")
    arguments.kind, device = next(
        (kind, each) for kind, each in build_all(settings, SystemClock()) if each.name == arguments.name
    )
    if what == "lock":
        device = numbered(settings, cast("Locker", device))  # people read the cabinet's numbers on the doors
    return asyncio.run(_used(device, work))


async def _used(device: Device, work: Callable[[Device], Awaitable[T]]) -> T:
    await device.start()
    try:
        await is_there(device)
        return await work(device)
    finally:
        await device.stop()


async def listened(arguments: argparse.Namespace, stream: AsyncIterator[T], tell: Callable[[T], object]) -> int:
    """Tell of what comes until `--count` came or `--seconds` are over. Return how many came."""
    heard = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(arguments.seconds):
            async for each in stream:
                tell(each)
                heard += 1
                if heard >= arguments.count:
                    break
    return heard


async def is_there(device: Device) -> None:
    """Wait until its port is open. Errors: NotNow when another program holds it, NotThere when there is none."""
    await asyncio.sleep(0.2)  # the port opens in the background
    loop = asyncio.get_running_loop()
    deadline = loop.time() + OPEN_S
    while device.status().hint == "not opened yet" and loop.time() < deadline:
        await asyncio.sleep(0.1)
    status = device.status()
    if status.fault is Fault.HELD or HELD in status.hint:
        raise NotNow(f"device {device.name}: {HELD}; is the kiosk running?")
    if status.health is Health.AWAY and (status.fault in PORT_FAULTS or status.hint == "not opened yet"):
        raise NotThere(device.name, status.hint)


async def settled(device: Device, wait_s: float = COME_UP_S) -> Health:
    """Give a device that answers by itself (a display is pinged at start) time to do so; returns how it is then."""
    for _ in range(int(wait_s * 10)):
        if device.status().health is Health.OK:
            break
        await asyncio.sleep(0.1)
    return device.status().health


def must_be_fit(device: Device) -> None:
    """Errors: DeviceError with the device's own hint when it is away."""
    status = device.status()
    if status.health is Health.AWAY:
        raise DeviceError(device.name, status.hint)


def no_kiosk(settings: Settings) -> None:
    """Errors: NotNow while a kiosk runs on the data folder of this configuration."""
    if settings.data_dir.is_dir():
        try:
            os.close(take_lock(settings.data_dir))
        except StoreFault as error:
            raise NotNow("the kiosk of this configuration is running and holds its devices") from error
