"""Tries of display, printer and scale: one request, one answer within a time, a device's fault as a word. No doors."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

from drivers.base import (
    Device,
    DeviceError,
    Dimmable,
    Display,
    Lamp,
    NotThere,
    PriceDisplay,
    Refused,
    Scale,
    Settled,
    Weight,
)
from drivers.paper import BarCode, Cut, Line, Printer, QrCode, Text
from edge import doctor
from edge.doctor_facts import DeviceFacts
from edge.steps.workbench import DisplayTried, PrinterTried, ScaleSeen, Tared

SHOWN_S = 1.5  # a card answers within this, and its status tells
PRINT_S = 30.0  # a slip of the longest feeds for a few seconds; a printer that asks for paper waits for a person
TARE_S = 6.0
LOOK_S = 0.2
SAME = 5  # equal readings that make a weight stable
ALL_LIT_FEN = 88_888_888  # every stroke of a seven-stroke figure
SAMPLE_WAYBILL = "VPTEST0123456789"  # its bars fit paper of 58 mm; a longer one would be printed as text


async def try_display(device: Device, kind: str, what: str, say: Callable[..., str]) -> DisplayTried:
    """Put a pattern up and say how the display is a moment later. `kind`: display or price_display."""
    display = cast("Display", device)
    match what.partition("_"):
        case ("light", _, level):
            if isinstance(device, Dimmable):
                device.light(None if level == "own" else int(level))
        case ("digits", _, _):
            cast("PriceDisplay", device).price(ALL_LIT_FEN // 1000, Lamp.TOTAL)
        case ("blank", _, _):
            display.show([])
        case _:
            display.show([say("led.trial"), "0123456789 ABC"])
    await asyncio.sleep(SHOWN_S)
    status = device.status()
    return DisplayTried(device.name, what, status.health.value, doctor.device(DeviceFacts(kind, status), 0))


def calm_display(device: Device) -> None:
    """Take the pattern down again."""
    cast("Display", device).show([])
    if isinstance(device, Dimmable):
        device.light(None)


def trial_slip(device: Device, say: Callable[..., str]) -> Sequence[Line]:
    """Everything a slip of ours may hold: Chinese small and large, a QR code, a Code 128, the cut."""
    return (
        Text(say("trial_slip.title"), is_big=True, is_centred=True),
        Text(say("trial_slip.device", name=device.name)),
        Text(say("trial_slip.chinese")),
        Text("0123456789 ABCDEFGHIJKLM abcdefghijklm"),
        QrCode(f"village-point {device.name}"),
        BarCode(SAMPLE_WAYBILL),
        Text(say("trial_slip.end"), is_centred=True),
        Cut(),
    )


async def try_printer(device: Device, say: Callable[..., str]) -> PrinterTried:
    """Print the trial slip, once. Errors: none; what went wrong is in the outcome."""
    return await print_lines(device, trial_slip(device, say))


async def print_lines(device: Device, slip: Sequence[Line]) -> PrinterTried:
    """Print one slip, once. Errors: none; what went wrong is in the outcome."""
    printer = cast("Printer", device)
    try:
        async with asyncio.timeout(PRINT_S):
            outcome = (await printer.print(slip)).value
    except TimeoutError:
        outcome = "unknown"  # it may still come
    except DeviceError as error:
        outcome = fault_word(error)
    status = printer.status()
    return PrinterTried(device.name, outcome, status.paper.value, status.cover.value)


async def tare(device: Device) -> tuple[Tared, int | None]:
    """Take what lies on the pan for nothing. Return what counts as zero now, None if that did not change."""
    try:
        async with asyncio.timeout(TARE_S + 2):
            done = await cast("Scale", device).tare(TARE_S)
    except TimeoutError:
        return Tared(device.name, "no_answer"), None
    except DeviceError as error:
        return Tared(device.name, fault_word(error)), None
    is_set = done.outcome in (Settled.WEIGHED, Settled.EMPTY)
    return Tared(device.name, done.outcome.value), (done.grams or 0) if is_set else None


async def watch_scale(device: Device, is_wanted: Callable[[], bool]) -> AsyncIterator[ScaleSeen]:
    """Yield the pan whenever it reads otherwise, as long as it is wanted. Never more often than LOOK_S."""
    scale = cast("Scale", device)
    last: ScaleSeen | None = None
    newest: deque[Weight] = deque(maxlen=SAME)
    while is_wanted():
        reading = scale.weight()
        if reading is None:
            newest.clear()
        elif not newest or newest[-1].at_ms != reading.at_ms:
            newest.append(reading)
        seen = _pan(device.name, reading, newest)
        if seen != last:
            last = seen
            yield seen
        await asyncio.sleep(LOOK_S)


def _pan(name: str, reading: Weight | None, newest: Sequence[Weight]) -> ScaleSeen:
    if reading is None:
        return ScaleSeen(name, None)
    steady = len(newest) == SAME and len({each.grams for each in newest}) == 1 and not reading.is_moving
    return ScaleSeen(name, reading.grams, steady, reading.is_net, reading.is_over)


def fault_word(error: DeviceError) -> str:
    """not_there: cable or power; refused: the device says why; no_answer: everything else."""
    match error:
        case NotThere():
            return "not_there"
        case Refused():
            return "refused"
    return "no_answer"
