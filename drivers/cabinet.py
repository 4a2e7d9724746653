"""One cabinet made of several lock devices, of whatever makes: cells in, the right device and its own cell out.

No frames, no bus and no door here: each device keeps its own promises (drivers/locker.py). Which cells are behind which
device is settled by the caller.

Where the contract leaves room: a device that cannot be asked leaves its own doors UNKNOWN, as a silent board does
behind one bus, and `doors` fails only when none can be asked. An opening travels on one cable, so "another door moved"
is decided by its device alone; a door of another device that moves meanwhile comes as an uncommanded change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from drivers.base import DeviceError, Door, DoorChanged, Health, Locker, Opening, Status, WrongDoor
from drivers.feed import Feed

log = logging.getLogger(__name__)

MAX_CHANGES = 256  # as the contract says
_WORST = (Health.OK, Health.DEGRADED, Health.AWAY)


@dataclass(frozen=True, slots=True)
class Part:
    """One device of the cabinet: its first cell is `cells[0]` of the cabinet, its second `cells[1]`, and so on."""

    locker: Locker
    cells: Sequence[int]


class JointLocker:
    """`drivers.base.Locker` over several. `has_door_sensor` when every cell has one; `senses` tells of each."""

    def __init__(self, name: str, parts: Sequence[Part]) -> None:
        """Errors: ValueError for a cell that two parts have, and for a device with fewer cells than its part."""
        self.name = name
        self._places: dict[int, tuple[Locker, int]] = {}
        self._cells: list[tuple[Locker, dict[int, int]]] = []  # device -> its cell -> cell of the cabinet
        for part in parts:
            self._add(part)
        self.cells: Sequence[int] = sorted(self._places)
        self.has_door_sensor = all(self.senses(cell) for cell in self.cells)
        self._changes: Feed[DoorChanged] = Feed(MAX_CHANGES, keep_newest=True)
        self._pumps: list[asyncio.Task[None]] = []

    def _add(self, part: Part) -> None:
        device = part.locker
        if len(part.cells) > len(device.cells):
            raise ValueError(f"{device.name} has {len(device.cells)} locks, but gets {len(part.cells)} cells")
        own = dict(zip(device.cells, part.cells, strict=False))
        twice = sorted(set(own.values()) & self._places.keys())
        if twice or len(set(own.values())) < len(own):
            raise ValueError(f"{device.name}: cells {twice or sorted(part.cells)} are given twice")
        self._cells.append((device, own))
        self._places |= {cell: (device, lock) for lock, cell in own.items()}

    async def start(self) -> None:
        """Start all devices and gather what they say of their doors."""
        if self._pumps:
            return
        for device, own in self._cells:
            await device.start()
            self._pumps.append(asyncio.create_task(self._pump(device, own), name=f"doors of {device.name}"))

    async def stop(self) -> None:
        """Stop all devices at once and end `changes()`. Safe to call twice."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._pumps = []
        await asyncio.gather(*(device.stop() for device, _ in self._cells))
        self._changes.end()

    def status(self) -> Status:
        """The worst of all devices; the hint names each that is ill."""
        told = [device.status() for device, _ in self._cells]
        ill = [f"{each.device}: {each.hint or each.health.value}" for each in told if each.health is not Health.OK]
        return Status(self.name, max((each.health for each in told), key=_WORST.index), "; ".join(ill))

    def senses(self, cell: int) -> bool:
        """Tell whether the door of this cell can be seen. Errors: ValueError."""
        device, own = self._place(cell)
        return device.senses(own)

    async def open(self, cell: int) -> Opening:
        """Pulse one door of its device, once. Errors: as in the contract; WrongDoor names cells of the cabinet."""
        device, own = self._place(cell)
        try:
            return await device.open(own)
        except WrongDoor as error:
            names = next(cells for each, cells in self._cells if each is device)
            moved = [names.get(lock, 0) for lock in error.moved]  # 0: a lock that is none of our cells
            raise WrongDoor(error.device, cell, moved) from error

    async def doors(self) -> Mapping[int, Door]:
        """Ask all devices at once; doors of one that cannot be asked are UNKNOWN. Errors: when none can be asked."""
        asked = await asyncio.gather(*(self._doors_of(device) for device, _ in self._cells))
        failures = [each for each in asked if isinstance(each, DeviceError)]
        if len(failures) == len(asked):
            raise failures[0]
        doors = dict.fromkeys(self.cells, Door.UNKNOWN)
        for (_, own), told in zip(self._cells, asked, strict=True):
            if not isinstance(told, DeviceError):
                doors |= {own[lock]: door for lock, door in told.items() if lock in own}
        return doors

    async def until_closed(self, cell: int, timeout_s: float) -> Door:
        """Wait until the door is closed: CLOSED, OPEN (time is over), or UNKNOWN (board silent or no sensor)."""
        device, own = self._place(cell)
        return await device.until_closed(own, timeout_s)

    def changes(self) -> AsyncIterator[DoorChanged]:
        """Yield door movements of all devices, bounded to the newest 256. One consumer only."""
        return self._changes.items()

    def _place(self, cell: int) -> tuple[Locker, int]:
        place = self._places.get(cell)
        if place is None:
            raise ValueError(f"cell {cell} is not in {self.name}")
        return place

    async def _doors_of(self, device: Locker) -> Mapping[int, Door] | DeviceError:
        try:
            return await device.doors()
        except DeviceError as error:
            log.debug("%s", error)
            return error

    async def _pump(self, device: Locker, own: Mapping[int, int]) -> None:
        async for change in device.changes():
            if change.cell in own:
                self._changes.put(DoorChanged(own[change.cell], change.door, change.commanded))
            else:
                log.info("%s: lock %d moved, which is no cell of the cabinet", device.name, change.cell)
