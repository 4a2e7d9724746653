"""What a terminal is before it runs: its devices built, its tables laid out, its start written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from drivers.base import Device, Locker
from drivers.build import DeviceSettings, build
from drivers.cabinet import JointLocker, Part
from edge import cells, events, log, shelves
from edge.clock import BOOT_ID, SystemClock
from edge.config import Settings
from edge.store import Tx

VERSION = "0.1.0"
CABINET = "cabinet"  # the name of several lock devices together


def build_all(settings: Settings, clock: SystemClock) -> list[tuple[str, Device]]:
    """Build every device of the settings as (kind, device). Errors: ValueError with every mistake in their options."""
    return [(d.kind, build(DeviceSettings(d.name, d.kind, d.path, d.baud, d.options), clock)) for d in settings.devices]


def prove(settings: Settings) -> None:
    """Build every device as the kiosk will, and throw them away. Errors: ValueError with every mistake."""
    build_all(settings, SystemClock())


def locker_of(settings: Settings, devices: Sequence[tuple[str, Device]]) -> Locker | None:
    """Join the lock devices of the cabinet; one alone stays as it is. Errors: ValueError for one with too few locks."""
    cabinet = settings.cabinet
    if cabinet is None:
        return None
    built = {device.name: cast("Locker", device) for _, device in devices}  # the settings were checked: these are locks
    if len(cabinet.parts) == 1:
        return numbered(settings, built[cabinet.parts[0].locker])
    return JointLocker(CABINET, [Part(built[part.locker], part.numbers) for part in cabinet.parts])


def numbered(settings: Settings, locker: Locker) -> Locker:
    """Give one lock device the cell numbers it has in the cabinet; one that is no part of it keeps its own."""
    cabinet = settings.cabinet
    part = cabinet.part_of(locker.name) if cabinet is not None else None
    if cabinet is None or part is None or cabinet.is_plain:
        return locker
    return JointLocker(locker.name, [Part(locker, part.numbers)])


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
