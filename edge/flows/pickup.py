"""Operation B: a villager collects, by code and phone tail, by token, or over the counter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.base import Door
from edge import boards, cells, guard, parcels, pickups
from edge.flows.doors import FINAL, Outcome, pulse, wait_shut
from edge.flows.site import Site
from edge.model import OperatorId, Parcel, ParcelId, ParcelState, PickupCode, PickupToken, Rejected, Role
from edge.steps import (
    CallStaff,
    Checking,
    DoorStillOpen,
    FetchFromShelf,
    OpeningDoor,
    Refusal,
    Remind,
    Step,
    TakeParcel,
    Thanks,
)
from edge.store import Tx


@dataclass(frozen=True, slots=True)
class Hands:
    """Who takes a parcel, self or proxy, and the operator who checked them; None when a code or token did."""

    by: str = "self"
    operator: OperatorId | None = None


BY_CODE = Hands()
Ask = Callable[[], Awaitable[tuple[OperatorId, Role]]]  # whose PIN it is


async def identify(site: Site, code: PickupCode, last4: str) -> tuple[Parcel, ...]:
    """Return what the person with this code may collect, the named parcel first.

    The try is committed before anything is compared. Errors: Rejected locked_out, wrong_code, ask_staff.
    """
    await site.store.run(guard.take_try)
    return _known(await site.store.run(_identified, code, last4))


def _identified(tx: Tx, code: PickupCode, last4: str) -> tuple[Parcel, ...] | None:
    parcel = pickups.identify(tx, code, last4)
    if parcel is None:
        return None
    guard.give_back_try(tx)
    return pickups.of_same_person(tx, parcel)


async def identify_token(site: Site, token: PickupToken) -> tuple[Parcel, ...]:
    """The same for a scanned token. Errors: Rejected wrong_code, ask_staff."""

    def look(tx: Tx) -> tuple[Parcel, ...] | None:
        parcel = pickups.by_token(tx, token)
        return None if parcel is None else pickups.of_same_person(tx, parcel)

    return _known(await site.store.run(look))


def _known(found: tuple[Parcel, ...] | None) -> tuple[Parcel, ...]:
    """What can be given to a person; one whose parcel is in doubt knew the right code."""
    if found is None:
        raise Rejected("wrong_code")
    if not found:
        raise Rejected("ask_staff")
    return found


async def collect(site: Site, wanted: Sequence[Parcel], by: str) -> AsyncIterator[Step]:
    """Give out these parcels: door after door, then what lies on the shelf."""
    yield Checking()
    taken = 0
    in_cells = [parcel for parcel in wanted if parcel.cell is not None]
    for number, parcel in enumerate(in_cells):
        async with site.door:
            async for step in _from_cell(site, parcel, by, len(wanted) - number - 1):
                taken += isinstance(step, _Taken)
                if not isinstance(step, _Taken):
                    yield step
                if isinstance(step, CallStaff):
                    return
    on_shelf = [parcel for parcel in wanted if parcel.cell is None]
    if on_shelf:
        async for step in _from_shelf(site, on_shelf, by):
            taken += isinstance(step, _Taken)
            if not isinstance(step, _Taken):
                yield step
    if taken:
        yield Thanks(taken)


class _Taken:
    """Inside this file only: one parcel has left."""


async def _from_cell(
    site: Site, parcel: Parcel, by: str, left: int, hands: Hands = BY_CODE
) -> AsyncIterator[Step | _Taken]:
    cell = parcel.cell
    if cell is None:
        raise AssertionError("not in a cell")
    opening = await site.store.run(_begin, parcel.id, by, hands.operator)
    yield OpeningDoor(cell)
    outcome = await pulse(site, opening, cell)
    if outcome is not Outcome.OPEN:
        await site.store.run(_not_given, parcel.id, outcome)
        yield CallStaff(cell, outcome)
        return
    half = site.times.take_s / 2
    yield TakeParcel(cell, int(site.times.take_s), left)
    door, evidence = await wait_shut(site, cell, half)
    if door is not Door.CLOSED:
        yield Remind(cell)
        door, evidence = await wait_shut(site, cell, half)
    await site.store.run(_given, parcel.id, opening, evidence if door is Door.CLOSED else "left_open", hands)
    if door is not Door.CLOSED:
        yield DoorStillOpen(cell)
    yield _Taken()


def _begin(tx: Tx, parcel: ParcelId, by: str, operator: OperatorId | None = None) -> str:
    here = pickups.begin_pickup(tx, parcel, by)
    if here.cell is None:
        raise AssertionError("not in a cell")
    return cells.authorise(tx, here.cell, "pickup", parcel, operator)


def _not_given(tx: Tx, parcel: ParcelId, outcome: Outcome) -> None:
    if outcome in FINAL or outcome is Outcome.STAYED_CLOSED:
        pickups.pickup_failed(tx, parcel, outcome)
    else:  # the door may have moved: only eyes can tell
        pickups.excepted(tx, parcel, outcome)


def _given(tx: Tx, parcel: ParcelId, opening: str, evidence: str, hands: Hands) -> None:
    if evidence == "left_open":
        cells.left_open(tx, opening)
    else:
        cells.closed(tx, opening)
    pickups.picked_up(tx, parcel, hands.by, evidence, hands.operator)


async def _from_shelf(site: Site, wanted: Sequence[Parcel], by: str) -> AsyncIterator[Step | _Taken]:
    """The operator fetches and scans each parcel: right one, gone; wrong one, said at once and written down."""
    waiting = {parcel.waybill_no: parcel for parcel in wanted}
    await site.store.run(_begin_all, tuple(waiting.values()), by)
    _drain(site)
    try:
        async with asyncio.timeout(site.times.fetch_s):
            while waiting:
                lines = await site.store.run(boards.lines, tuple(p.id for p in waiting.values()))
                yield FetchFromShelf(lines)
                scanned = await site.scans.get()
                parcel = waiting.get(scanned)
                if parcel is not None:  # scanned is handed over, also when "back" is pressed at the same moment
                    await asyncio.shield(site.store.run(pickups.picked_up, parcel.id, "self", "handed_over"))
                    del waiting[scanned]
                    yield _Taken()
                else:
                    await site.store.run(pickups.mismatch, next(iter(waiting.values())).id, str(scanned))
                    yield Refusal("wrong_parcel")
                    await asyncio.sleep(site.times.wrong_parcel_s)
    except TimeoutError:
        pass
    finally:
        if waiting:
            await asyncio.shield(site.store.run(_leave_all, tuple(waiting.values())))


def _begin_all(tx: Tx, wanted: tuple[Parcel, ...], by: str) -> None:
    for parcel in wanted:
        pickups.begin_pickup(tx, parcel.id, by)


def _leave_all(tx: Tx, waiting: tuple[Parcel, ...]) -> None:
    for parcel in waiting:
        if pickups.state_of(tx, parcel.id) is ParcelState.RELEASING:
            pickups.pickup_left(tx, parcel.id)


def _drain(site: Site) -> None:
    while not site.scans.empty():
        site.scans.get_nowait()


async def give_out(site: Site, parcel: ParcelId, hands: Hands, ask: Ask) -> AsyncIterator[Step]:
    """The operator has checked the person: from the shelf, or out of a cell under a PIN that `ask` asks anew.

    A session left open opens no door. Errors: Rejected not_here, not_allowed, and those of `ask`.
    """
    here = await site.store.run(parcels.load, parcel)
    if here.cell is None:
        await hand_over(site, parcel, hands)
        yield Thanks(1)
        return
    operator, role = await ask()
    if role is not Role.OPERATOR:
        raise Rejected("not_allowed")
    async with site.door:
        async for step in _from_cell(site, here, "operator", 0, Hands(hands.by, operator)):
            yield Thanks(1) if isinstance(step, _Taken) else step


async def hand_over(site: Site, parcel: ParcelId, hands: Hands) -> None:
    """Give a parcel out from the shelf. Errors: Rejected not_here, not_allowed for one in a cell."""

    def give(tx: Tx) -> None:
        here = pickups.begin_pickup(tx, parcel, "operator")
        if here.cell is not None:
            raise Rejected("not_allowed", cell=here.cell)
        pickups.picked_up(tx, parcel, hands.by, "handed_over", hands.operator)

    await site.store.run(give)
