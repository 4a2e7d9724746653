"""What each step of the wizard does with its device. A trial yields what the screen shows, and at last what it came to.

Where eyes or ears decide, one of three numbers is shown, printed or sounded and the person says which: a nod proves
nothing. What is written down, and under which code, is in edge/workbench/wizard.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from drivers.base import Device, DeviceError, Display, Health, Lamp, PriceDisplay, Read, Speaker, Tone
from drivers.paper import Cut, Text
from edge import commissioning, log
from edge.clock import Dice
from edge.codes import recognise
from edge.flows.site import Site
from edge.model import OperatorId
from edge.steps.wizard import WizardNow
from edge.workbench import devices

SCAN_S = 60.0
TWICE_S = 0.7  # nobody pulls a trigger twice in this time
CODE_SIGNS = 10  # of random capitals and digits: nobody scans them by chance
HUB_S = 30.0  # a fact and its answer over a slow line take a few seconds
LOOK_S = 0.2
CHOICES = 3
LEAST_G = 20  # less on the pan is not taken for a load
MISS_TENTHS = 60  # beyond this a finger hits the key beside the one it meant
READS = 8


@dataclass(frozen=True, slots=True)
class Came:
    """What a trial came to. `found`: a word of `commissioning_plan.FOUND`, "" for none; `lines` for the settings."""

    result: str
    found: str = ""
    detail: str = ""
    lines: tuple[str, ...] = ()
    slots: tuple[tuple[str, str | int], ...] = ()


@dataclass(slots=True)
class Hands:
    """What a trial has at hand. `is_wanted` turns False when nobody looks any more: then it ends without a result."""

    site: Site
    dice: Dice
    operator: OperatorId
    run: str
    is_wanted: Callable[[], bool]
    is_online: Callable[[], bool]
    answers: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(1))
    reads: asyncio.Queue[Read] = field(default_factory=lambda: asyncio.Queue(READS))

    async def answer(self) -> str:
        """Wait for what the person says; "" when nobody looks any more."""
        while self.is_wanted():
            try:
                async with asyncio.timeout(LOOK_S):
                    return await self.answers.get()
            except TimeoutError:
                continue
        return ""


Trial = AsyncIterator[WizardNow | Came]


async def scan(hands: Hands, gun: str, now: WizardNow) -> Trial:
    """Wait until this gun reads a code: the one shown, or any other (a laser reads no screen)."""
    now = replace(now, stage="scan", code=hands.dice.token()[:CODE_SIGNS], seconds=int(SCAN_S))
    yield now
    end = asyncio.get_running_loop().time() + SCAN_S
    while hands.is_wanted():
        left = end - asyncio.get_running_loop().time()
        if left <= 0:
            yield Came("failed", "other" if now.heard else "none", slots=(("name", now.heard),))
            return
        read = await _read(hands, min(LOOK_S, left))
        if read is None or read.flaw is not None:
            continue
        if _is_of(read, gun):
            yield await _judged(hands, gun, read)
            return
        now = replace(now, heard=read.scanner)
        yield now


async def _judged(hands: Hands, gun: str, first: Read) -> Came:
    """Look whether the code came again: from the same gun without a second pull, or from a second name of it."""
    seen = recognise(first.text)
    detail = f"{']' + seen.symbology if seen.symbology else '--'} {len(first.text)}"
    end = asyncio.get_running_loop().time() + TWICE_S
    while (left := end - asyncio.get_running_loop().time()) > 0:
        again = await _read(hands, left)
        if again is None or again.text != first.text:
            continue
        if not _is_of(again, gun):
            return Came("failed", "twin", detail, slots=(("name", again.scanner),))
        return Came("done", "double", detail)
    return Came("done", detail=detail)


def _is_of(read: Read, gun: str) -> bool:
    return gun in (read.scanner, read.scanner.partition("/")[0])


async def _read(hands: Hands, seconds: float) -> Read | None:
    try:
        async with asyncio.timeout(seconds):
            return await hands.reads.get()
    except TimeoutError:
        return None


async def line(hands: Hands, device: Device, now: WizardNow) -> Trial:
    """Show a number on the display."""
    numbers = _numbers(hands.dice, 10, 90)
    display = cast("Display", device)
    display.show([hands.site.say("led.number", n=numbers[0])])
    try:
        async for told in _shown(hands, device, numbers, now):
            yield told
    finally:
        devices.calm_display(device)


async def price(hands: Hands, device: Device, now: WizardNow) -> Trial:
    """Show an amount on the price display."""
    numbers = [f"{int(number) / 100:.2f}" for number in _numbers(hands.dice, 1000, 9000)]
    cast("PriceDisplay", device).price(round(100 * float(numbers[0])), Lamp.TOTAL)
    try:
        async for told in _shown(hands, device, numbers, now):
            yield told
    finally:
        hands.site.price_board.blank()
        devices.calm_display(device)


async def _shown(hands: Hands, device: Device, numbers: Sequence[str], now: WizardNow) -> Trial:
    yield replace(now, stage="busy")
    await asyncio.sleep(devices.SHOWN_S)
    if device.status().health is Health.AWAY:
        yield Came("failed", "none")
        return
    async for told in _chosen(hands, numbers, now):
        yield told


async def print_slip(hands: Hands, device: Device, now: WizardNow) -> Trial:
    """Print a number beside all that a slip may hold."""
    numbers = _numbers(hands.dice, 100, 900)
    yield replace(now, stage="busy")
    slip = (
        Text(hands.site.say("trial_slip.number"), is_centred=True),
        Text(numbers[0], is_big=True, is_centred=True),
        *[each for each in devices.trial_slip(device, hands.site.say) if not isinstance(each, Cut)],
        Cut(),
    )
    told = await devices.print_lines(device, slip)
    if told.outcome not in ("done", "sent", "unknown"):
        yield Came("failed", "none")
        return
    async for each in _chosen(hands, numbers, now):
        yield each


async def _chosen(hands: Hands, numbers: Sequence[str], now: WizardNow) -> Trial:
    """Ask which number is there; the first is the right one."""
    yield replace(now, stage="choose", choices=tuple(sorted(numbers)))
    match await hands.answer():
        case "":
            return
        case "none":
            yield Came("failed", "none")
        case said if said == numbers[0]:
            yield Came("done", detail=said)
        case said:
            yield Came("failed", "wrong", f"{said} != {numbers[0]}")


def _numbers(dice: Dice, least: int, span: int) -> list[str]:
    """Different numbers, none of which is like another."""
    first = int(dice.code()) % span
    step = span // CHOICES
    return [str(least + (first + at * step) % span) for at in range(CHOICES)]


async def sound(hands: Hands, device: Device, now: WizardNow) -> Trial:
    """Sound some high tones and a low one; ears count the high ones, as often as they like."""
    count = 1 + int(hands.dice.code()) % CHOICES
    choices = tuple(str(n) for n in range(1, CHOICES + 1))
    answer = "again"
    while answer == "again":
        yield replace(now, stage="busy")
        try:
            await cast("Speaker", device).sound([Tone.ACCEPTED] * count + [Tone.REFUSED])
        except DeviceError:
            yield Came("failed", "none")
            return
        yield replace(now, stage="choose", choices=choices)
        answer = await hands.answer()
    if answer == "none":
        yield Came("failed", "none")
    elif answer:
        right = answer == str(count)
        yield Came("done", detail=answer) if right else Came("failed", "wrong", f"{answer} != {count}")


async def weigh(hands: Hands, device: Device, now: WizardNow) -> Trial:
    """Show what the scale sends until the person says that it is right."""
    grams: int | None = None
    stable = False
    yield replace(now, stage="weigh")
    while hands.is_wanted():
        watch = devices.watch_scale(device, lambda: hands.is_wanted() and hands.answers.empty())
        async for seen in watch:
            grams, stable = (None if seen.is_over else seen.grams), seen.is_stable
            yield replace(now, stage="weigh", grams=grams, is_stable=stable)
        match await hands.answer():
            case "right" if grams is not None and stable and grams >= LEAST_G:
                yield Came("done", detail=f"{grams / 1000:.3f} kg")
                return
            case "none" | "wrong" as found:
                yield Came("failed", found, "" if grams is None else f"{grams / 1000:.3f} kg")
                return


async def hub(hands: Hands, now: WizardNow) -> Trial:
    """Send one fact and wait for the hub's own answer, which alone moves the cursor."""
    yield replace(now, stage="hub", seconds=int(HUB_S))
    loop = asyncio.get_running_loop()
    began = loop.time()
    seq = await hands.site.store.run(commissioning.try_line, hands.run, hands.operator)
    while hands.is_wanted() and loop.time() - began < HUB_S:
        if await hands.site.store.run(lambda tx: log.cursor(tx, log.UP).upto) >= seq:
            yield Came("done", detail=f"{loop.time() - began:.1f} s")
            return
        await asyncio.sleep(LOOK_S)
    if hands.is_wanted():
        yield Came("failed", "silent") if hands.is_online() else Came("later", "silent")


def touched(targets: int, misses: Sequence[tuple[int, int]]) -> Came:
    """Judge the touches: each target hit, none far off. Units: tenths of a millimetre."""
    most = max((round((right**2 + up**2) ** 0.5) for right, up in misses), default=0)
    detail = f"{len(misses)}/{targets}, {most / 10:.1f} mm"
    if len(misses) < targets:
        return Came("failed", "dead", detail)
    return Came("failed", "far", detail) if most > MISS_TENTHS else Came("done", detail=detail)
