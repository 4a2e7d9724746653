"""What a terminal is before it runs: its devices built, its tables laid out, its start written down."""

from __future__ import annotations

from drivers.base import Device
from drivers.build import DeviceSettings, build
from edge import cells, events, log, shelves
from edge.clock import BOOT_ID, SystemClock
from edge.config import Settings
from edge.store import Tx

VERSION = "0.1.0"


def build_all(settings: Settings, clock: SystemClock) -> list[tuple[str, Device]]:
    """Build every device of the settings as (kind, device). Errors: ValueError with every mistake in their options."""
    return [(d.kind, build(DeviceSettings(d.name, d.kind, d.path, d.baud, d.options), clock)) for d in settings.devices]


def begin(tx: Tx, settings: Settings) -> None:
    log.begin(tx)
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
    last = tx.value("SELECT kind FROM fact ORDER BY seq DESC LIMIT 1")
    clean = last is None or last == events.TerminalStopped.kind
    log.append(tx, events.TerminalStarted(VERSION, BOOT_ID.read_text(encoding="ascii")[:8], clean))
