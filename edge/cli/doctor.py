"""`village-point doctor`: one line for each device and each part of the terminal, with the next hand movement.

When a kiosk runs on the data folder it is asked, because it holds the ports; else everything is looked at from here.
Nothing is moved and no door is opened; lock boards and displays are asked as the kiosk asks them when it starts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any

from drivers.base import Device
from drivers.faults import Fault
from edge import doctor, doctor_line, examine, keys
from edge.certificate import certificate
from edge.cli.common import DEVICE, DONE, STORE, command, emit, settings_of
from edge.clock import SystemClock, SystemDice
from edge.config import DEVICE_KINDS, Settings
from edge.copies import FILE
from edge.doctor_facts import BookFacts, DeviceFacts, LineFacts, PointFacts
from edge.house import FONTS, point_of
from edge.mistakes import ConfigError
from edge.setup import VERSION, build_all
from edge.steps import CheckupBoard, Finding
from edge.store import StoreFault, take_lock
from ui.words import LANGUAGES, t

SETTLE_MIN_S = 1.0  # ports open at once; a streaming scale has sent ten readings
SETTLE_MAX_S = 15.0  # a silent display is asked three times for three seconds
LOOK_S = 0.1


def add(commands: Any) -> None:
    parser = command(commands, "doctor", "what is wrong, and what to do with the hands", _run)
    parser.add_argument("--lang", choices=LANGUAGES, help="as the settings say when not given")
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of sentences")


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments, only_devices=True)
    board = board_of(settings)
    lang = arguments.lang or settings.language
    for finding in board.findings:
        if arguments.json:
            emit(_as_json(finding, lang))
        else:
            print(sentence(finding, lang))
    return {"store": STORE, "device": DEVICE, "": DONE}[doctor.at_fault(board.findings)]


def board_of(settings: Settings) -> CheckupBoard:
    """The findings, of the running kiosk if there is one. Errors: ConfigError for options of a device."""
    return doctor_line.ask(settings.data_dir) or asyncio.run(_look(settings))


def sentence(finding: Finding, lang: str) -> str:
    """The finding as one line for people."""
    head = (
        t(f"doctor_level.{finding.level}", lang),
        finding.code,
        t(f"doctor_what.{finding.what}", lang),
        finding.subject,
    )
    return t("checkup.line", lang, head=" ".join(filter(None, head)), said=said(finding, lang))


def said(finding: Finding, lang: str) -> str:
    return t(f"doctor.{finding.key}", lang, **dict(finding.slots))


def _as_json(finding: Finding, lang: str) -> dict[str, Any]:
    return {
        "what": finding.what,
        "name": finding.subject or None,
        "level": finding.level,
        "code": finding.code or None,
        "key": finding.key,
        "slots": dict(finding.slots),
        "text": said(finding, lang),
    }


async def _look(settings: Settings) -> CheckupBoard:
    """Look from here, without a kiosk."""
    clock = SystemClock()
    devices = build_all(settings, clock)
    books, line = await asyncio.to_thread(_books, settings)
    point = point_of(settings)
    try:
        await asyncio.gather(*(device.start() for _, device in devices))
        await _settled([device for _, device in devices])
        told = [DeviceFacts(DEVICE_KINDS[kind][0], device.status()) for kind, device in devices]
    finally:
        await asyncio.gather(*(device.stop() for _, device in devices))
    facts = PointFacts(
        site=settings.site,
        version=VERSION,
        devices=told,
        disk=examine.disk(settings.data_dir),
        machine=examine.machine(clock, FONTS, certificate(point.hub, clock.stamp().at // 1000)),
        line=LineFacts(point.hub is not None, None, line.days, line.pending),
        books=books,
    )
    return doctor.check_up(facts)


async def _settled(devices: list[Device]) -> None:
    """Give the devices time to be heard; the slowest decides."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (past := loop.time() - began) < SETTLE_MAX_S:
        if past >= SETTLE_MIN_S and all(device.status().fault is not Fault.STARTING for device in devices):
            return
        await asyncio.sleep(LOOK_S)


def _books(settings: Settings) -> tuple[BookFacts, LineFacts]:
    """Check the books, unless somebody holds them: a kiosk that did not answer."""
    folder = settings.data_dir
    if not (folder / FILE).exists():
        return BookFacts("new"), LineFacts()
    try:
        os.close(take_lock(folder))
    except StoreFault:
        return BookFacts(is_kiosk_mute=True, backup_age_h=_backup_age(settings)), LineFacts()
    except OSError:
        return BookFacts("unread"), LineFacts()
    if not (folder / keys.DEVICE_KEY).exists():
        return BookFacts("key", _backup_age(settings)), LineFacts()
    try:
        own = keys.load(settings)
    except ConfigError:
        return BookFacts("key", _backup_age(settings)), LineFacts()
    return examine.books(folder, own, SystemClock(), SystemDice())


def _backup_age(settings: Settings) -> int | None:
    return examine.backup_age_h(settings.data_dir, SystemClock().stamp().at)
