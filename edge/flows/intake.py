"""Operation A: a parcel comes in, into a cell or onto a shelf."""

from __future__ import annotations

from collections.abc import AsyncIterator

from drivers.base import Door
from edge import boards, cells, parcels
from edge.flows.doors import Outcome, pulse, shut_or_given_up, unshut, wait_shut
from edge.flows.site import Site
from edge.model import CellNo, OperatorId, Parcel, ParcelState, PickupCode, Rejected
from edge.parcels import Arrival
from edge.steps import CallStaff, Checking, DoorStillOpen, ParcelLine, PutIn, Remind, Step, Stored
from edge.store import Tx

MAX_CELLS = 4  # doors tried for one parcel before the shelf must do


async def take_in(site: Site, arrival: Arrival) -> AsyncIterator[Step]:
    """Take one parcel in. Errors: Rejected as `parcels.arrive`."""
    yield Checking()
    parcel = await site.store.run(parcels.take_in, arrival)
    for _ in range(MAX_CELLS):
        if parcel.cell is None:
            break
        opening = await site.store.run(cells.authorise, parcel.cell, "deposit", parcel.id, arrival.operator)
        async with site.door:
            outcome = await pulse(site, opening, parcel.cell)
            if outcome is Outcome.OPEN:
                async for step in _put_in(site, parcel, opening):
                    yield step
                return
        yield CallStaff(parcel.cell, outcome)
        parcel = await _next_room(site, parcel, outcome)
        if outcome is Outcome.WRONG_DOOR and parcel.cell is not None:
            return  # a stranger's cell may stand open: no further door moves before the operator goes on
    if parcel.cell is not None:
        parcel = await site.store.run(parcels.to_shelf, parcel.id)
    if parcel.state is ParcelState.ARRIVED:
        parcel = await site.store.run(parcels.shelved, parcel.id)
    yield await _stored(site, parcel)


async def _next_room(site: Site, parcel: Parcel, outcome: Outcome) -> Parcel:
    """Give up a cell for the next room. Errors: Rejected no_free_place, with the fault kept and the parcel expected."""
    try:
        return await site.store.run(parcels.cell_failed, parcel.id, outcome.value)
    except Rejected:
        await site.store.run(_no_room, parcel, outcome)
        raise


def _no_room(tx: Tx, parcel: Parcel, outcome: Outcome) -> None:
    if parcel.cell is not None:
        cells.fault(tx, parcel.cell, outcome.value)
    parcels.cancel_deposit(tx, parcel.id, "no_room")


async def _put_in(site: Site, parcel: Parcel, opening: str) -> AsyncIterator[Step]:
    cell = parcel.cell
    if cell is None:
        raise AssertionError("a deposit without a cell")
    site.gave_up.clear()
    line = await site.store.run(boards.line, parcel.id)
    half = site.times.put_s / 2
    yield PutIn(line, cell, int(site.times.put_s))
    seen = await shut_or_given_up(site, cell, half)
    if seen is not None and seen[0] is not Door.CLOSED:
        yield Remind(cell)
        seen = await shut_or_given_up(site, cell, half)
    if seen is None:
        await cancel(site, parcel)
        yield CallStaff(cell, "left_open")
        return
    door, evidence = seen
    if door is Door.CLOSED:
        done = await site.store.run(_deposited, parcel, opening, evidence)
        yield await _stored(site, done)
        return
    await site.store.run(cells.left_open, opening)  # the operator goes on or cancels: the parcel stays ARRIVED
    yield DoorStillOpen(cell)
    yield CallStaff(cell, "left_open" if door is Door.OPEN else "unknown")


def _deposited(tx: Tx, parcel: Parcel, opening: str, evidence: str) -> Parcel:
    cells.closed(tx, opening)
    return parcels.deposited(tx, parcel.id, evidence)


async def _stored(site: Site, parcel: Parcel) -> Step:
    line, today, code = await site.store.run(_summary, parcel)
    where = str(parcel.cell) if parcel.cell is not None else str(parcel.place)
    name = parcel.recipient.masked() if parcel.recipient else "*"
    site.announce("led.arrived", name=name, where=where)
    return Stored(line, today, code)


def _summary(tx: Tx, parcel: Parcel) -> tuple[ParcelLine, int, PickupCode | None]:
    return boards.line(tx, parcel.id), boards.arrived_today(tx), boards.code_of(tx, parcel.id)


async def cancel(site: Site, parcel: Parcel) -> None:
    """The operator gives up a deposit that had not ended. Errors: Rejected not_allowed for one that has."""
    if parcel.state is not ParcelState.ARRIVED:
        raise Rejected("not_allowed")
    await site.store.run(_cancel, parcel, await unshut(site))


def _cancel(tx: Tx, parcel: Parcel, unshut_doors: frozenset[int]) -> None:
    """A door that is not seen shut keeps its opening, and its cell waits for it."""
    stands_open = False
    for opening in cells.unfinished(tx):
        if opening.parcel != parcel.id:
            continue
        if opening.outcome is not None and opening.cell in unshut_doors:
            stands_open = True
        else:
            cells.settle(tx, opening, "cancelled")
    parcels.cancel_deposit(tx, parcel.id, "operator")
    if stands_open and parcel.cell is not None:
        cells.release(tx, parcel.cell, left_open=True)


async def service(site: Site, cell: CellNo, operator: OperatorId) -> Outcome:
    """A technician opens an empty cell, with an audit row like any other opening."""
    opening = await site.store.run(cells.authorise, cell, "service", None, operator)
    async with site.door:
        outcome = await pulse(site, opening, cell)
        if outcome is Outcome.OPEN:
            door, _ = await wait_shut(site, cell, site.times.put_s)
            await site.store.run(cells.closed if door is Door.CLOSED else cells.left_open, opening)
    return outcome
