"""At start: bring every operation that a power cut left half done to a known state. Never pulses a door or prints."""

from __future__ import annotations

from drivers.base import Door
from edge import bills, cells, log, pickups, prints
from edge.cells import Unfinished
from edge.flows.doors import FINAL, Outcome, state_of_doors
from edge.flows.site import Site
from edge.model import CellNo, Parcel, ParcelState
from edge.store import Tx


async def reconcile(site: Site) -> None:
    """Settle openings and parcels from what the boards say now.

    Deposits (ARRIVED) stay: the operator goes on or cancels. Pick-ups: see `_settle_pickup`.
    """
    doors = await state_of_doors(site)
    await site.store.run(_settle, doors)
    site.settled.set()


def _settle(tx: Tx, doors: dict[int, Door]) -> None:
    tx.bookkeeping = True
    openings = {opening.parcel: opening for opening in cells.unfinished(tx) if opening.purpose == "pickup"}
    for parcel in pickups.releasing(tx):
        _settle_pickup(tx, parcel, openings.pop(parcel.id, None), doors)
    for opening in cells.unfinished(tx):
        _settle_opening(tx, opening, doors)
    _settle_forced(tx, doors)
    for slip in prints.cut_off(tx):
        bills.show_again(tx, slip)


def _settle_pickup(tx: Tx, parcel: Parcel, opening: Unfinished | None, doors: dict[int, Door]) -> None:
    """RELEASING at start: on a shelf, back; otherwise what the audit rows and the door say together."""
    if parcel.cell is None:
        pickups.pickup_left(tx, parcel.id)
        return
    door = doors.get(parcel.cell, Door.UNKNOWN)
    outcome = cells.last_outcome(tx, parcel.id, "pickup") if opening is None else None
    if outcome is not None:
        _settle_pulsed(tx, parcel, outcome, door)
    elif door is Door.UNKNOWN:
        pickups.excepted(tx, parcel.id, pickups.POWER_CUT)
        if opening is not None and opening.outcome is None:
            cells.settle(tx, opening, pickups.POWER_CUT)  # one that was seen open ends when its door is seen shut
    elif door is Door.OPEN:  # the pick-up ends when somebody shuts the door (`doors.moved`)
        if opening is not None and opening.outcome is None:
            cells.opened(tx, opening.id)
        log.raise_alarm(tx, "door_left_open", str(parcel.cell))
    elif opening is not None and opening.outcome == "open":
        cells.closed(tx, opening.id)
        pickups.picked_up(tx, parcel.id, "self", "reconciled")
    else:
        _put_back(tx, parcel, opening)


def _settle_pulsed(tx: Tx, parcel: Parcel, outcome: str, door: Door) -> None:
    """What came of the pulse was written down, what that means for the parcel was not: as the pick-up would have."""
    if door is not Door.OPEN and outcome in (*FINAL, Outcome.STAYED_CLOSED):
        pickups.pickup_failed(tx, parcel.id, outcome)
    else:
        pickups.excepted(tx, parcel.id, outcome)


def _put_back(tx: Tx, parcel: Parcel, opening: Unfinished | None) -> None:
    """The door is shut and was never seen open. The code stays valid; if a pulse may have gone out, somebody looks."""
    if opening is not None:
        cells.settle(tx, opening, pickups.POWER_CUT)
        log.raise_alarm(tx, "check_cell", str(parcel.cell))
    pickups.pickup_failed(tx, parcel.id, pickups.POWER_CUT)


def _settle_opening(tx: Tx, opening: Unfinished, doors: dict[int, Door]) -> None:
    """Openings of deposits, services and doors left open. What stays open stays unfinished until it is shut."""
    door = doors.get(opening.cell, Door.UNKNOWN)
    if opening.parcel is not None and pickups.state_of(tx, opening.parcel) is ParcelState.RELEASING:
        return
    if door is Door.OPEN:
        if opening.outcome is None:  # the pulse had gone out
            cells.opened(tx, opening.id)
        log.raise_alarm(tx, "door_left_open", str(opening.cell))
    elif opening.outcome is None:
        cells.settle(tx, opening, pickups.POWER_CUT)
    elif door is Door.CLOSED:
        cells.shut_later(tx, CellNo(opening.cell))


def _settle_forced(tx: Tx, doors: dict[int, Door]) -> None:
    """A parcel waits behind an open door, and no opening says why: it was forced while the power was off.

    Where every door says open the contacts are wired or set the other way round: the doctor tells of that.
    """
    if len(doors) > 1 and set(doors.values()) == {Door.OPEN}:
        return
    explained = {opening.cell for opening in cells.unfinished(tx)}
    for cell in cells.full(tx):
        if doors.get(cell) is Door.OPEN and cell not in explained and not cells.rings(tx, cell):
            cells.forced(tx, cell, Door.OPEN.value)
