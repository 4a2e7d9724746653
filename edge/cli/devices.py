"""`village-point device …`: look at and move the devices of a configuration. Every opened door is audited."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from drivers.base import HELD, Device, Display, Health, Locker, NotThere, Scanner
from edge import cells, keys
from edge.cli.common import DEVICE, DONE, REFUSED, NotNow, command, emit, settings_of
from edge.clock import SystemClock, SystemDice
from edge.config import DEVICE_KINDS, Settings
from edge.flows.doors import Outcome, pulse
from edge.flows.site import Site
from edge.model import CellNo, OperatorId
from edge.setup import begin, build_all, numbered
from edge.store import Store, Tx

COME_UP_S = 3.0
LISTEN_MAX_S = 86_400
NOT_ASKED = "not asked yet"  # a display whose port is open and which has not answered yet
T = TypeVar("T")
CLI = OperatorId("cli")


def add(commands: Any) -> None:
    device = commands.add_parser("device", help="list, probe and move devices").add_subparsers(
        required=True, metavar="ACTION"
    )
    command(device, "list", "what the configuration names and whether it is there", _list)
    probe = command(device, "probe", "ask one device whether it answers; opens nothing", _probe)
    probe.add_argument("name")
    locker = device.add_parser("locker", help="one cell").add_subparsers(required=True, metavar="ACTION")
    for action, help_text, run in (
        ("open", "open one empty cell (audited)", _open),
        ("state", "read one door", _state),
    ):
        parser = command(locker, action, help_text, run)
        parser.add_argument("name")
        parser.add_argument("cell", type=int)
    display = device.add_parser("display", help="the display").add_subparsers(required=True, metavar="ACTION")
    show = command(display, "show", "put a line up", _show)
    show.add_argument("name")
    show.add_argument("text")
    scanner = device.add_parser("scanner", help="a scanner").add_subparsers(required=True, metavar="ACTION")
    listen = command(scanner, "listen", "print codes as they come", _listen)
    listen.add_argument("name")
    listen.add_argument("--count", type=_count, default=1)
    listen.add_argument("--seconds", type=_seconds, default=30.0)


def _count(text: str) -> int:
    if not (number := int(text)) > 0:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _seconds(text: str) -> float:
    if not 0 < (number := float(text)) <= LISTEN_MAX_S:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {LISTEN_MAX_S}")
    return number


def _list(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments, only_devices=True)
    for each in settings.devices:
        emit({"name": each.name, "kind": each.kind, "path": str(each.path), "class": DEVICE_KINDS[each.kind][0]})


def _probe(arguments: argparse.Namespace) -> int:
    async def look(device: Device) -> dict[str, Any]:
        answer: dict[str, Any] = {"name": device.name}
        if DEVICE_KINDS[arguments.kind][0] == "lock":
            answer["doors"] = {str(c): d.value for c, d in (await cast("Locker", device).doors()).items()}
        else:
            await _settled(device)
        status = device.status()
        return answer | {"health": status.health.value, "hint": status.hint}

    found = _with(arguments, look)
    emit(found)
    return DONE if found["health"] != Health.AWAY.value else DEVICE


async def _settled(device: Device) -> None:
    """Give a device that answers by itself (a display is pinged at start) time to do so."""
    for _ in range(int(COME_UP_S * 10)):
        if device.status().health is Health.OK:
            return
        await asyncio.sleep(0.1)


def _open(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments, only_devices=True)

    async def work(device: Device) -> Outcome:
        locker = cast("Locker", device)
        _own(locker, arguments.cell)
        store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
        store.open()
        try:
            await store.run(_ready, settings, len(locker.cells))
            opening = await store.run(cells.authorise, CellNo(arguments.cell), "service", None, CLI)
            site = Site(store, SystemClock(), locker, None, lambda key, **_: key)
            return await pulse(site, opening, CellNo(arguments.cell))
        finally:
            store.close()

    outcome = _with(arguments, work, need="lock")
    emit({"name": arguments.name, "cell": arguments.cell, "opening": str(outcome)})
    return DONE if outcome is Outcome.OPEN else DEVICE


def _ready(tx: Tx, settings: Settings, count: int) -> None:
    begin(tx, settings)
    if settings.cabinet is None:
        cells.lay_out(tx, "M" * count)


def _own(locker: Locker, cell: int) -> None:
    if cell not in locker.cells:
        raise ValueError(f"cell {cell} is not one of {locker.cells[0]} to {locker.cells[-1]}")


def _state(arguments: argparse.Namespace) -> None:
    async def work(device: Device) -> str:
        locker = cast("Locker", device)
        _own(locker, arguments.cell)
        return (await locker.doors())[arguments.cell].value

    emit({"name": arguments.name, "cell": arguments.cell, "door": _with(arguments, work, need="lock")})


def _show(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> str:
        cast("Display", device).show([arguments.text])
        await _settled(device)
        await asyncio.sleep(1.0)  # the card draws after it has answered
        return device.status().health.value

    health = _with(arguments, work, need="display")
    emit({"name": arguments.name, "shown": health == Health.OK.value, "health": health})
    return DONE if health == Health.OK.value else DEVICE


def _listen(arguments: argparse.Namespace) -> int:
    from edge.codes import recognise, to_json

    async def work(device: Device) -> int:
        heard = 0
        try:
            async with asyncio.timeout(arguments.seconds):
                async for read in cast("Scanner", device).reads():
                    emit(to_json(recognise(read.text)) | {"scanner": read.scanner})
                    heard += 1
                    if heard >= arguments.count:
                        break
        except TimeoutError:
            pass
        return heard

    return DONE if _with(arguments, work, need="scanner") >= arguments.count else REFUSED


def _with(arguments: argparse.Namespace, work: Callable[[Device], Awaitable[T]], *, need: str = "") -> T:
    """Start the named device, work with it, stop it. `need` is what it must be: lock, display, scanner or anything.

    Errors: NotThere when its port is absent, NotNow when another program holds it, ValueError for a device that is
    none or another.
    """
    settings = settings_of(arguments, only_devices=True)
    found = [(kind, device) for kind, device in build_all(settings, SystemClock()) if device.name == arguments.name]
    if not found:
        raise ValueError(f"{arguments.name} is not a device of this configuration")
    arguments.kind, device = found[0]
    what = DEVICE_KINDS[arguments.kind][0]
    if need and what != need:
        raise ValueError(f"{arguments.name} is a {what}, no {need}")
    if what == "lock":
        device = numbered(settings, cast("Locker", device))  # people read the cabinet's numbers on the doors

    async def all_of_it() -> T:
        await device.start()
        try:
            await asyncio.sleep(0.2)  # the port opens in the background
            status = device.status()
            if status.hint == HELD:
                raise NotNow(f"device {device.name}: {HELD}; is the kiosk running?")
            if status.health is Health.AWAY and status.hint != NOT_ASKED:
                raise NotThere(device.name, status.hint)
            return await work(device)
        finally:
            await device.stop()

    return asyncio.run(all_of_it())
