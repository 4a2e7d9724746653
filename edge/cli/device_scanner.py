"""`village-point device scanner …`: hear codes and uploads, beep, pull the trigger, find out which node is the gun."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any, cast

from drivers.base import Batch, Device, DeviceError, Health, Read, Scanner
from edge.cli import bars
from edge.cli.common import DONE, REFUSED, NotNow, command, emit, settings_of
from edge.cli.device_run import came, count, group, is_there, listened, named, no_kiosk, seconds, with_device
from edge.clock import SystemClock, SystemDice
from edge.codes import recognise, to_json
from edge.config import DEVICE_KINDS, Settings
from edge.fittings import find_keyboard
from edge.setup import build_all
from edge.steps.workbench import GunFound

ENROL_SIGNS = 8  # random capitals and digits: nobody types them by chance, and the bars fit a terminal
ENROL_S = 60.0
LISTEN_S = 30.0


def add(device: Any) -> None:
    """Add the group `scanner`."""
    scanner = group(device, "scanner", "a scanner")
    for name, help_text, run in (
        ("listen", "print codes as they come", _listen),
        ("batches", "print what a gun sends from its memory", _batches),
    ):
        parser = named(scanner, name, help_text, run)
        parser.add_argument("--count", type=count, default=1)
        parser.add_argument("--seconds", type=seconds, default=LISTEN_S)
    trigger = named(scanner, "trigger", "pull the trigger or let go of it", _trigger)
    trigger.add_argument("way", choices=("on", "off"))
    signal = named(scanner, "signal", "beep as the kiosk does", _signal)
    signal.add_argument("what", choices=("accepted", "refused"))
    enrol = command(scanner, "enrol", "show a random code and tell which node or port reads it", _enrol)
    enrol.add_argument("--seconds", type=seconds, default=ENROL_S)
    enrol.add_argument("--picture", type=Path, metavar="FILE", help="write the code as a PNG picture too")


def _listen(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> int:
        return await listened(arguments, cast("Scanner", device).reads(), lambda read: emit(_read(read)))

    return came(arguments, with_device(arguments, work, "scanner"))


def _batches(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> int:
        return await listened(arguments, cast("Scanner", device).batches(), lambda batch: emit(_batch(batch)))

    return came(arguments, with_device(arguments, work, "scanner"))


def _read(read: Read) -> dict[str, Any]:
    return to_json(recognise(read.text)) | {"scanner": read.scanner}


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "scanner": batch.scanner,
        "codes": [read.text for read in batch.reads],
        "flawed": sum(read.flaw is not None for read in batch.reads),
        "repeated": batch.repeated,
        "live": batch.live,
        "announced": batch.announced,
        "whole": batch.is_whole,
    }


def _trigger(arguments: argparse.Namespace) -> None:
    async def work(device: Device) -> None:
        gun = cast("Scanner", device)
        if not gun.can_trigger:
            raise NotNow(f"device {device.name}: its trigger cannot be pulled from here")
        await gun.trigger(arguments.way == "on")

    with_device(arguments, work, "scanner")
    emit({"name": arguments.name, "trigger": arguments.way})


def _signal(arguments: argparse.Namespace) -> None:
    async def work(device: Device) -> None:
        gun = cast("Scanner", device)
        if not gun.can_signal:
            raise NotNow(f"device {device.name}: it cannot be made to beep (a serial_scanner may, with bell = true)")
        await gun.signal(arguments.what == "accepted")
        status = device.status()
        if status.health is not Health.OK:
            raise DeviceError(device.name, status.hint)

    with_device(arguments, work, "scanner")
    emit({"name": arguments.name, "signal": arguments.what})


def _enrol(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments, only_devices=True)
    no_kiosk(settings)
    code = SystemDice().token()[:ENROL_SIGNS]
    modules = bars.modules(code)
    if arguments.picture is not None:
        bars.picture(modules, code, arguments.picture)
    if sys.stderr.isatty():
        print(bars.terminal(modules), file=sys.stderr)
    emit({"code": code, "seconds": arguments.seconds, "picture": _text(arguments.picture)})
    sys.stdout.flush()  # whoever shows the code waits for this line
    found = asyncio.run(_found(settings, code, arguments.seconds))
    if found is None:
        print("no gun read the code: is it switched on, and paired?", file=sys.stderr)
        return REFUSED
    emit(_gun(found))
    return DONE


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _gun(found: GunFound) -> dict[str, Any]:
    return {
        "found": found.known or None,
        "path": found.path,
        "port": found.port,
        "prefix": found.prefix,
        "has_twin": found.has_twin,
        "keeps_case": found.keeps_case,
        "has_aim": found.has_aim,
        "write": list(found.lines),
    }


async def _found(settings: Settings, code: str, wait_s: float) -> GunFound | None:
    """Wait for a gun of the settings or any keyboard to give the code. Errors: NotNow for a port that is held."""
    guns = [(kind, device) for kind, device in build_all(settings, SystemClock()) if DEVICE_KINDS[kind][0] == "scanner"]
    paths = {each.name: each.path for each in settings.devices}
    await asyncio.gather(*(device.start() for _, device in guns))
    tasks = [asyncio.create_task(_heard(kind, device, paths[device.name], code)) for kind, device in guns]
    tasks.append(asyncio.create_task(_typed(code, wait_s)))
    try:
        for _, device in guns:
            with contextlib.suppress(DeviceError):  # a gun that is away may be another's port by now
                await is_there(device)
        async with asyncio.timeout(wait_s):
            for done in asyncio.as_completed(tasks):
                if (found := await done) is not None:
                    return found
    except TimeoutError:
        pass
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(device.stop() for _, device in guns))
    return None


async def _heard(kind: str, device: Device, path: str, code: str) -> GunFound | None:
    """A gun of the settings: its own driver has the code, for nobody else hears it."""
    async for read in cast("Scanner", device).reads():
        if read.text.upper().endswith(code):
            return _known(kind, path, code, read)
    return None


def _known(kind: str, path: str, code: str, read: Read) -> GunFound:
    before = read.text[: -len(code)]
    name = read.scanner.partition("/")[0]
    lines = (f"[devices.{name}]", f'kind = "{kind}"', f'path = "{path}"')
    return GunFound(path=path, port=path, lines=lines, known=read.scanner, prefix="" if before[:1] == "]" else before,
                    keeps_case=read.text.endswith(code), has_aim=before[:1] == "]")  # fmt: skip


async def _typed(code: str, wait_s: float) -> GunFound | None:
    try:
        return await find_keyboard(code, wait_s)
    except OSError:  # this machine's keyboards cannot be listened to: the guns of the settings can still be found
        return None
