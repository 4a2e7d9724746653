"""What a terminal is before it runs: its devices built, its tables laid out, its start written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from drivers.base import Device, Locker
from drivers.build import DeviceSettings, build
from drivers.cabinet import JointLocker, Part
from drivers.mistakes import Unfit, Wrong, unfit
from edge import cells, events, log, shelves
from edge.clock import BOOT_ID, SystemClock
from edge.config import Cabinet, DeviceConfig, Settings
from edge.mistakes import ConfigError, Mistake, Problem
from edge.store import Tx

VERSION = "0.1.0"
NO_FILE = Path("settings")  # what settings made by a program are known by
CABINET = "cabinet"  # the name of several lock devices together


def build_all(settings: Settings, clock: SystemClock) -> list[tuple[str, Device]]:
    """Build every device of the settings as (kind, device). Errors: ConfigError with every mistake in their options."""
    built: list[tuple[str, Device]] = []
    problems: list[Problem] = []
    for each in settings.devices:
        try:
            device = build(DeviceSettings(each.name, each.kind, each.path, each.baud, each.options), clock)
        except Unfit as error:
            problems += [_problem(each, wrong) for wrong in error.wrong]
        else:
            built.append((each.kind, device))
    if problems:
        raise ConfigError(settings.file or NO_FILE, problems)
    return built


def prove(settings: Settings) -> None:
    """Build every device as the kiosk will, and throw them away. Errors: ConfigError with every mistake."""
    locker_of(settings, build_all(settings, SystemClock()))


def locker_of(settings: Settings, devices: Sequence[tuple[str, Device]]) -> Locker | None:
    """Join the lock devices of the cabinet; one alone stays as it is. Errors: ConfigError for one with too few locks.

    How many a device has is left to its driver where the file does not say.
    """
    cabinet = settings.cabinet
    if cabinet is None:
        return None
    built = {device.name: cast("Locker", device) for _, device in devices}  # the settings were checked: these are locks
    if len(cabinet.parts) == 1:
        return numbered(settings, built[cabinet.parts[0].locker])
    _check_locks(settings, cabinet, built)
    return JointLocker(CABINET, [Part(built[part.locker], part.numbers) for part in cabinet.parts])


def numbered(settings: Settings, locker: Locker) -> Locker:
    """Give one lock device the cell numbers it has in the cabinet; one that is no part of it keeps its own."""
    cabinet = settings.cabinet
    part = cabinet.part_of(locker.name) if cabinet is not None else None
    if cabinet is None or part is None or cabinet.is_plain:
        return locker
    return JointLocker(locker.name, [Part(locker, part.numbers)])


def _check_locks(settings: Settings, cabinet: Cabinet, built: Mapping[str, Locker]) -> None:
    named = {each.name: each for each in settings.devices}
    problems = []
    for part in cabinet.parts:
        cells, locks = len(part.numbers), len(built[part.locker].cells)
        if cells > locks:
            problems.append(_problem(named[part.locker], unfit("", "few_for_cabinet", cells=cells, locks=locks)))
    if problems:
        raise ConfigError(settings.file or NO_FILE, problems)


def _problem(device: DeviceConfig, wrong: Wrong) -> Problem:
    key = ".".join(filter(None, ("devices", device.name, wrong.key)))
    line = device.lines.get(wrong.key, device.lines.get("", 1))
    return Problem(line, key, Mistake(wrong.code, wrong.values))


def begin(tx: Tx, settings: Settings) -> None:
    log.begin(tx)
    log.take_over(tx)
    lay_out(tx, settings)
    last = tx.value("SELECT kind FROM fact ORDER BY seq DESC LIMIT 1")
    clean = last is None or last == events.TerminalStopped.kind
    log.append(tx, events.TerminalStarted(VERSION, BOOT_ID.read_text(encoding="ascii")[:8], clean))


def lay_out(tx: Tx, settings: Settings) -> None:
    """Make rows for the cells and places of the settings; what is in use stays as it is."""
    if settings.cabinet is not None:
        cells.lay_out(tx, settings.cabinet.cells)
    shelves.lay_out(
        tx,
        [
            (shelf.name, f"{shelf.name}-{level}-{position:03d}")
            for shelf in settings.shelves
            for level in range(1, shelf.levels + 1)
            for position in range(1, shelf.positions + 1)
        ],
    )
