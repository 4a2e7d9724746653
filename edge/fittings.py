"""What the root gives to the technician's workbench: the devices of the settings, and an ear for keyboards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.base import Device
from drivers.build import KINDS, DeviceSettings, guns_of
from drivers.enrol_watch import find_scanner
from drivers.input_nodes import keyboards
from edge.clock import SystemDice
from edge.commissioning_plan import steps_of
from edge.commissioning_record import Record, device_id
from edge.config import DEVICE_KINDS, Settings
from edge.slips import Letterhead
from edge.steps import CheckupBoard, Step
from edge.steps.workbench import GunFound
from edge.workbench import Fittings, WizardKit
from edge.workbench.bench import Part


@dataclass(frozen=True, slots=True)
class Outlook:
    """What of the running point the wizard looks at: its version and key, whether the line is up, the check-up,
    and where records are kept."""

    version: str
    device_key: bytes
    is_online: Callable[[], bool]
    checkup: Callable[[], Awaitable[CheckupBoard]]
    save: Callable[[Letterhead, Record], Awaitable[str]]


def fittings_of(
    settings: Settings, devices: Sequence[tuple[str, Device]], post: Callable[[Step], None], outlook: Outlook
) -> Fittings:
    """Gather what the bench works with."""
    paths = {each.name: each.path for each in settings.devices}
    parts = tuple(Part(kind, paths[device.name], device) for kind, device in devices)
    kit = WizardKit(
        steps=wizard_steps(settings),
        version=outlook.version,
        device=device_id(outlook.device_key),
        devices={device.name: device for _, device in devices},
        dice=SystemDice(),
        board_of=lambda cell: board_of(settings, cell),
        is_online=outlook.is_online,
        checkup=outlook.checkup,
        save=outlook.save,
    )
    return Fittings(parts, kit.dice, kit.board_of, find_keyboard, post, kit)


def wizard_steps(settings: Settings) -> tuple[str, ...]:
    """The steps of this point's commissioning; a lock outside the cabinet has no cell to be opened."""
    parts = settings.cabinet.parts if settings.cabinet is not None else ()
    in_cabinet = {part.locker for part in parts}
    devices: list[tuple[str, tuple[str, ...]]] = []
    for each in settings.devices:
        kind = DEVICE_KINDS[each.kind][0]
        if kind == "scanner":
            built = DeviceSettings(each.name, each.kind, each.path, each.baud, each.options)
            devices.append((kind, guns_of(built)))
        elif kind != "lock" or each.name in in_cabinet:
            devices.append((kind, (each.name,)))
    return steps_of(devices, has_hub=settings.hub is not None)


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
