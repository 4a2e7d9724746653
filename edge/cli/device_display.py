"""`village-point device display …` and `device price …`: try what people see. The kiosk sets it anew when it starts."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, cast

from drivers.base import Device, Dimmable, Display, Health, Lamp, PriceDisplay
from drivers.faults import Fault
from edge.cli.common import DEVICE, DONE, emit, ended
from edge.cli.device_run import group, named, settled, with_device

DRAW_S = 1.0  # a card draws after it has answered
BRING_UP_S = 12.0  # a silent card is asked three times for three seconds
PER_CENT = range(101)


def add(device: Any) -> None:
    """Add the groups `display` and `price`."""
    display = group(device, "display", "a display of text")
    show = named(display, "show", "put a line up", _show)
    show.add_argument("text", metavar="TEXT")
    named(display, "clock", "set the clock of the display to this terminal's", _clock)
    brightness = named(display, "brightness", "hold a brightness until the kiosk starts", _brightness)
    brightness.add_argument("percent", metavar="PERCENT", type=_percent)
    power = named(display, "power", "switch the light on or off until the kiosk starts", _power)
    power.add_argument("way", choices=("on", "off"))
    price = group(device, "price", "a price display")
    amount = named(price, "show", "show an amount", _price)
    amount.add_argument("fen", metavar="FEN", type=int, help="1/100 yuan")
    amount.add_argument("--lamp", choices=[lamp.name.lower() for lamp in Lamp], default="total")


def _percent(text: str) -> int:
    if (number := int(text)) not in PER_CENT:
        raise argparse.ArgumentTypeError("must be 0 to 100")
    return number


def _show(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> dict[str, Any]:
        cast("Display", device).show([arguments.text])
        return await _seen(device)

    return _end(arguments, with_device(arguments, work, "display", "price_display"), "shown")


def _clock(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> dict[str, Any]:
        _card(device)  # its driver sets the clock whenever it brings the card up
        return await _seen(device)

    return _end(arguments, with_device(arguments, work, "display", "price_display"), "set")


def _brightness(arguments: argparse.Namespace) -> int:
    return _lit(arguments, arguments.percent, {"percent": arguments.percent})


def _power(arguments: argparse.Namespace) -> int:
    return _lit(arguments, None if arguments.way == "on" else 0, {"power": arguments.way})


def _lit(arguments: argparse.Namespace, percent: int | None, more: dict[str, Any]) -> int:
    async def work(device: Device) -> dict[str, Any]:
        card = _card(device)
        await settled(device, BRING_UP_S)
        card.light(percent)
        return await _seen(device)

    return _end(arguments, with_device(arguments, work, "display", "price_display") | more, "set")


def _price(arguments: argparse.Namespace) -> int:
    async def work(device: Device) -> dict[str, Any]:
        cast("PriceDisplay", device).price(arguments.fen, Lamp[arguments.lamp.upper()])
        return await _seen(device)

    return _end(arguments, with_device(arguments, work, "price_display") | {"fen": arguments.fen}, "shown")


def _card(device: Device) -> Dimmable:
    if not isinstance(device, Dimmable):
        # a mistake of whoever typed the command
        raise ValueError(f"{device.name} has no clock, brightness or power to be set from here")  # noqa: TRY004
    return device


async def _seen(device: Device) -> dict[str, Any]:
    """How the display is once it had time to take what it was told."""
    await settled(device, BRING_UP_S if device.status().fault is not Fault.BLIND else 0)
    await asyncio.sleep(DRAW_S)
    status = device.status()
    return {"name": device.name, "health": status.health.value, "hint": status.hint}


def _end(arguments: argparse.Namespace, told: dict[str, Any], word: str) -> int:
    is_done = told["health"] == Health.OK.value
    emit({"name": arguments.name, word: is_done} | told)
    return ended(DONE if is_done else DEVICE, f"device {arguments.name}: {told['hint']}")
