"""What the root gives to the technician's workbench: the devices of the settings, and an ear for keyboards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.base import Device
from drivers.build import KINDS
from drivers.enrol_watch import find_scanner
from drivers.input_nodes import keyboards
from edge.clock import SystemDice
from edge.config import Settings
from edge.steps import Step
from edge.steps.workbench import GunFound
from edge.workbench import Fittings
from edge.workbench.bench import Part


def fittings_of(settings: Settings, devices: Sequence[tuple[str, Device]], post: Callable[[Step], None]) -> Fittings:
    """Gather what the bench works with."""
    paths = {each.name: each.path for each in settings.devices}
    parts = tuple(Part(kind, paths[device.name], device) for kind, device in devices)
    return Fittings(parts, SystemDice(), lambda cell: board_of(settings, cell), find_keyboard, post)


def board_of(settings: Settings, cell: int) -> tuple[str, str]:
    """Return the lock device that opens a cell and the polarity it runs with; empty for a cell of none."""
    parts = settings.cabinet.parts if settings.cabinet is not None else ()
    named = {each.name: each for each in settings.devices}
    for part in parts:
        if cell in part.numbers and part.locker in named:
            device = named[part.locker]
            usual = KINDS[device.kind].options["polarity"].default
            return part.locker, str(device.options.get("polarity", usual))
    return "", ""


async def find_keyboard(code: str, seconds: float) -> GunFound | None:
    """Wait until a keyboard types the code; None when none did. Errors: OSError when none can be listened to."""
    try:
        watched = keyboards()
    except ImportError as error:
        raise OSError(str(error)) from error
    found = await find_scanner(code, watched, seconds)
    if found is None:
        return None
    lines = ("[devices.scanner-new]", *(f'{key} = "{value}"' for key, value in found.settings.items()))
    return GunFound(
        path=found.node.path,
        port=found.node.port,
        lines=lines,
        prefix=found.prefix,
        has_twin=found.has_twin,
        keeps_case=found.keeps_case,
        has_aim=found.has_aim,
    )
