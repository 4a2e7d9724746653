"""`village-point device scale …` and `device printer …`: weigh, tare, print."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial
from typing import Any, cast

from drivers.base import Device, Scale, Settled, Weighing, Weight
from drivers.faults import Fault
from drivers.paper import Cut, Line, Printed, Printer, PrinterStatus, Text
from edge.cli.common import DEVICE, DONE, REFUSED, emit, ended, settings_of
from edge.cli.device_run import came, count, group, listened, must_be_fit, named, seconds, with_device
from edge.workbench.devices import trial_slip
from ui.words import t

WEIGH_S = 10.0
LOOK_S = 2.5  # a printer is asked twice for a second each
NOT_WEIGHED = {
    Settled.EMPTY: "nothing lies on the pan",
    Settled.SAME_LOAD: "what was weighed before still lies there",
    Settled.RESTLESS: "it never stood still",
    Settled.OVERLOAD: "too much lies on the pan",
}
FEED = (Text(""), Text(""), Cut())


def add(device: Any) -> None:
    """Add the groups `scale` and `printer`."""
    scale = group(device, "scale", "a scale")
    weigh = named(scale, "weigh", "wait for a load at rest and tell its grams", _weigh)
    tare = named(scale, "tare", "count what lies on the pan as zero, then weigh what is laid upon it", _tare)
    listen = named(scale, "listen", "print readings as they come", _listen)
    for parser in (weigh, tare, listen):
        parser.add_argument("--seconds", type=seconds, default=WEIGH_S)
    listen.add_argument("--count", type=count, default=10)
    printer = group(device, "printer", "a receipt printer")
    named(printer, "print", "print a line", _print).add_argument("text", metavar="TEXT")
    named(printer, "status", "paper and cover, where the printer tells", _status)
    named(printer, "test", "print a slip with Chinese, a QR code and a Code 128", _test)


def _weigh(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> Weighing:
        return await cast("Scale", device).weigh(arguments.seconds)

    weighing = with_device(arguments, work, "scale")
    emit({"name": arguments.name} | _weighed(weighing))
    return ended(DONE if weighing.outcome is Settled.WEIGHED else REFUSED, _why(arguments, weighing.outcome))


def _tare(arguments: argparse.Namespace) -> int:
    """The tare is the driver's, not the instrument's: it ends with this command, so the load is weighed in it."""

    async def work(device: Device) -> Settled:
        scale = cast("Scale", device)
        tare = await scale.tare(arguments.seconds)
        emit({"name": device.name, "tare": tare.grams, "outcome": tare.outcome.value})
        if tare.outcome is not Settled.WEIGHED:
            return tare.outcome
        weighing = await scale.weigh(arguments.seconds)
        emit({"name": device.name} | _weighed(weighing))
        return Settled.WEIGHED

    outcome = with_device(arguments, work, "scale")  # an empty pan takes the tare back
    return ended(DONE if outcome in (Settled.WEIGHED, Settled.EMPTY) else REFUSED, _why(arguments, outcome))


def _why(arguments: argparse.Namespace, outcome: Settled) -> str:
    return f"device {arguments.name}: {NOT_WEIGHED.get(outcome, '')}"


def _weighed(weighing: Weighing) -> dict[str, Any]:
    return {"outcome": weighing.outcome.value, "grams": weighing.grams, "net": weighing.is_net}


def _listen(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> int:
        heard = await listened(arguments, cast("Scale", device).weights(), lambda weight: emit(_reading(weight)))
        if not heard:
            must_be_fit(device)
        return heard

    return came(arguments, with_device(arguments, work, "scale"))


def _reading(weight: Weight) -> dict[str, Any]:
    return {"grams": weight.grams, "moving": weight.is_moving, "net": weight.is_net, "over": weight.is_over}


def _print(arguments: argparse.Namespace) -> int:
    return _put_out(arguments, (Text(arguments.text), *FEED))


def _test(arguments: argparse.Namespace) -> int:
    language = settings_of(arguments, only_devices=True).language
    return _put_out(arguments, None, language)


def _put_out(arguments: argparse.Namespace, slip: tuple[Line, ...] | None, language: str = "") -> int:
    async def work(device: Device) -> tuple[Printed, PrinterStatus]:
        printer = cast("Printer", device)
        said = partial(_say, language)
        outcome = await printer.print(slip if slip is not None else trial_slip(device, said))
        return outcome, printer.status()

    outcome, status = with_device(arguments, work, "printer")
    emit({"name": arguments.name, "printed": outcome.value} | _sensed(status))
    code = DEVICE if outcome is Printed.UNKNOWN else DONE
    return ended(code, f"device {arguments.name}: whether the slip is whole is not known: look at the paper")


def _say(language: str, key: str, **slots: str) -> str:
    return t(key, language, **slots)


def _status(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> PrinterStatus:
        printer = cast("Printer", device)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LOOK_S
        while printer.status().fault in (Fault.BLIND, Fault.STARTING) and loop.time() < deadline:
            await asyncio.sleep(0.1)
        return printer.status()

    status = with_device(arguments, work, "printer")
    emit({"name": arguments.name, "health": status.health.value, "hint": status.hint} | _sensed(status))
    code = DONE if status.fault in (None, Fault.BLIND, Fault.PAPER_LOW) else DEVICE
    return ended(code, f"device {arguments.name}: {status.hint}")


def _sensed(status: PrinterStatus) -> dict[str, str]:
    return {"paper": status.paper.value, "cover": status.cover.value}
