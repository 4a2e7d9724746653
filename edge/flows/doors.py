"""One door, from authorisation to the shut door: audit before pulse, one pulse, the outcome written at once."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from drivers.base import DeviceError, Door, DoorChanged, Locker, NoAnswer, NotThere, Opening, Refused, WrongDoor
from edge import cells, log, pickups
from edge.flows.site import Site
from edge.model import CellNo, ParcelState
from edge.store import Tx
from edge.unsteady import Movements

FINAL = ("not_there", "refused")  # certain: no door has moved


class Outcome(StrEnum):
    """What became of an authorised opening; the values are the words of DoorNotOpened and CallStaff."""

    OPEN = "open"
    STAYED_CLOSED = "stayed_closed"
    UNKNOWN = "unknown"
    NOT_THERE = "not_there"
    REFUSED = "refused"
    WRONG_DOOR = "wrong_door"


async def pulse(site: Site, opening: str, cell: CellNo) -> Outcome:
    """Open the door of an authorised opening, once, and commit what is known of it."""
    if site.locker is None or cell not in site.locker.cells:  # the cabinet was made smaller around a parcel
        await site.store.run(cells.not_opened, opening, Outcome.NOT_THERE)
        return Outcome.NOT_THERE
    while not site.shut.empty():  # said of a door before this one
        site.shut.get_nowait()
    try:
        outcome = _OUTCOMES[await site.locker.open(cell)]
    except WrongDoor as error:
        ours = [number for number in error.moved if number in site.locker.cells]  # a damaged answer names any lock
        await site.store.run(cells.wrong_door, opening, ours)
        return Outcome.WRONG_DOOR
    except NotThere:
        outcome = Outcome.NOT_THERE
    except Refused:
        outcome = Outcome.REFUSED
    except DeviceError:
        outcome = Outcome.UNKNOWN  # asked and not understood: the door may have moved
    if outcome is Outcome.OPEN:
        await site.store.run(cells.opened, opening)
    else:
        await site.store.run(cells.not_opened, opening, outcome)
    return outcome


_OUTCOMES = {
    Opening.OPEN: Outcome.OPEN,
    Opening.STAYED_CLOSED: Outcome.STAYED_CLOSED,
    Opening.UNKNOWN: Outcome.UNKNOWN,
}


async def wait_shut(site: Site, cell: CellNo, seconds: float) -> tuple[Door, str]:
    """Wait for the shut door. Return what is known and by which evidence (sensor or confirmed)."""
    locker = site.locker
    if locker is None or cell not in locker.cells:
        return Door.UNKNOWN, ""
    if locker.senses(cell):
        return await locker.until_closed(cell, seconds), "sensor"
    return await _confirmed(site, cell, seconds), "confirmed"


async def shut_or_given_up(site: Site, cell: CellNo, seconds: float) -> tuple[Door, str] | None:
    """As `wait_shut`, but None as soon as the operator gives the deposit up."""
    shut = asyncio.create_task(wait_shut(site, cell, seconds))
    given_up = asyncio.create_task(site.gave_up.wait())
    try:
        await asyncio.wait({shut, given_up}, return_when=asyncio.FIRST_COMPLETED)
        return shut.result() if shut.done() else None
    finally:
        shut.cancel()
        given_up.cancel()
        await asyncio.gather(shut, given_up, return_exceptions=True)


async def _confirmed(site: Site, cell: CellNo, seconds: float) -> Door:
    try:
        async with asyncio.timeout(seconds):
            while await site.shut.get() != cell:
                pass
    except TimeoutError:
        return Door.UNKNOWN
    return Door.CLOSED


async def state_of_doors(site: Site) -> dict[int, Door]:
    """Return the doors as far as the boards can tell; empty when none answers or none can."""
    if site.locker is None or not _seen(site.locker):
        return {}
    try:
        return dict(await site.locker.doors())
    except (NotThere, NoAnswer, DeviceError):
        return {}


async def unshut(site: Site) -> frozenset[int]:
    """Return the cells whose sensors do not say that the door is shut; a cell without a sensor is none of them."""
    if site.locker is None:
        return frozenset()
    doors = await state_of_doors(site)
    return frozenset(cell for cell in _seen(site.locker) if doors.get(cell) is not Door.CLOSED)


def _seen(locker: Locker) -> list[int]:
    return [cell for cell in locker.cells if locker.senses(cell)]


async def moved(site: Site, change: DoorChanged) -> None:
    """A door moved. Wait for an opening in progress to write its own end, then see whether anything is left to tell."""
    async with site.door:
        if change.door is Door.CLOSED:
            await site.store.run(_shut, CellNo(change.cell))
        elif change.door is Door.OPEN and not change.commanded:
            left_out = site.forced.setdefault(change.cell, Movements()).seen(site.clock.ms())
            if left_out is None:
                await site.store.run(cells.forced_again, CellNo(change.cell))
            else:
                await site.store.run(cells.forced, CellNo(change.cell), change.door.value, left_out)


def _shut(tx: Tx, cell: CellNo) -> None:
    """A door that had been left open was shut: end the opening, and the pick-up that waited for it."""
    opening = cells.shut_later(tx, cell)
    if opening is None:
        return
    parcel = cells.parcel_of(tx, opening)
    if parcel is not None and pickups.state_of(tx, parcel) is ParcelState.RELEASING:
        pickups.picked_up(tx, parcel, "self", "reconciled")
        log.drop_alarm(tx, "door_left_open", str(cell))
