"""Doors opened for a trial: an empty cell, a fresh PIN, a reason, one pulse, and every part of it a fact.

The polarity is proven by eyes: the person says whether the door is open, and that is held against the contact.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from drivers.base import Door, Locker
from edge import cells, events, log
from edge.flows.doors import Outcome, pulse, state_of_doors, wait_shut
from edge.flows.site import Site
from edge.model import CellNo, OperatorId, Rejected
from edge.steps import Step
from edge.steps.workbench import CellSeen, CellTried, DoorsSeen, PolarityAsk, PolarityTold
from edge.store import Tx

SHUT_S = 60.0  # to look at a lock and push its door shut
ANSWER_S = 120.0  # to walk to a cell at the far end of the cabinet and back
REASONS = ("new_lock", "repair", "complaint", "routine")
OTHERWISE = {"short_when_locked": "short_when_open", "short_when_open": "short_when_locked"}


@dataclass(frozen=True, slots=True)
class Saw:
    """What the person says of a door; both None: nobody is there any more to say it."""

    cell: CellNo | None
    is_open: bool | None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who proves the polarity of which lock device, what it runs with, and where the answers of the eyes come in."""

    operator: OperatorId
    answers: asyncio.Queue[Saw]
    board: str
    polarity: str


async def look(site: Site) -> DoorsSeen:
    """Tell every cell: its door as the board says it, whether something lies in it. Errors: Rejected no_locker."""
    locker = _locker(site)
    doors = await state_of_doors(site)
    rows = await site.store.run(_rows)
    seen = tuple(
        CellSeen(
            CellNo(cell), doors.get(cell, Door.UNKNOWN).value, rows.get(cell, (False, False))[0],
            rows.get(cell, (False, False))[1],
        )
        for cell in locker.cells
        if cell in rows
    )  # fmt: skip
    return DoorsSeen(seen, any(locker.senses(cell) for cell in locker.cells))


async def try_door(site: Site, cell: CellNo, reason: str, operator: OperatorId) -> AsyncIterator[Step]:
    """Open one empty cell and wait until it is shut again. Errors: Rejected cell_not_empty, no_locker."""
    locker = _locker(site)
    if cell not in locker.cells:
        raise Rejected("no_such_device")
    async with site.door:
        opening = await site.store.run(cells.authorise_trial, cell, reason, operator)
        yield CellTried(cell, "opening", locker.senses(cell))
        outcome = await pulse(site, opening, cell)
        yield CellTried(cell, outcome.value, locker.senses(cell))
        if outcome is Outcome.OPEN:
            yield await _until_shut(site, opening, cell)
    yield await look(site)


async def prove_polarity(site: Site, cell: CellNo, asking: Asking) -> AsyncIterator[Step]:
    """Open one empty cell, ask the person, and tell what the settings should say. Errors: as `try_door`."""
    senses = _locker(site).senses(cell)
    async with site.door:
        while not asking.answers.empty():  # said of a door before this one
            asking.answers.get_nowait()
        before = (await state_of_doors(site)).get(cell, Door.UNKNOWN)
        opening = await site.store.run(cells.authorise_trial, cell, "commissioning", asking.operator)
        yield CellTried(cell, "opening", senses)
        outcome = await pulse(site, opening, cell)
        if outcome in (Outcome.NOT_THERE, Outcome.REFUSED, Outcome.WRONG_DOOR):
            yield CellTried(cell, outcome.value, senses)
            return
        after = (await state_of_doors(site)).get(cell, Door.UNKNOWN)
        yield PolarityAsk(cell)
        is_open = await _answer(asking.answers, cell)
        if is_open is None:
            yield CellTried(cell, "unanswered", senses)
        else:
            told = verdict(before, after, is_open)
            wanted = {"right": asking.polarity, "inverted": OTHERWISE.get(asking.polarity, "")}.get(told, "")
            await site.store.run(_proven, cell, told, wanted, asking.operator)
            yield PolarityTold(cell, told, (f"[devices.{asking.board}]", f'polarity = "{wanted}"') if wanted else ())
        if outcome is Outcome.OPEN:
            yield await _until_shut(site, opening, cell)


def verdict(before: Door, after: Door, is_open: bool) -> str:
    """Hold what the board said before and after the pulse against what the person sees.

    right: it said closed, then open, and it is. inverted: it said the contrary. stuck: the contact did not move with
    the door. other: the contact moved and the door did not, so it is another door's. not_opened: nothing moved, nothing
    is proven. blind: the board cannot tell.
    """
    if Door.UNKNOWN in (before, after):
        return "blind"
    if before is after:
        return "stuck" if is_open else "not_opened"
    if not is_open:
        return "other"
    return "right" if after is Door.OPEN else "inverted"


async def _until_shut(site: Site, opening: str, cell: CellNo) -> CellTried:
    """Write down how the opened door ended."""
    door, _ = await wait_shut(site, cell, SHUT_S)
    is_shut = door is Door.CLOSED
    await site.store.run(cells.closed if is_shut else cells.left_open, opening)
    return CellTried(cell, "shut" if is_shut else "left_open", _locker(site).senses(cell))


async def _answer(answers: asyncio.Queue[Saw], cell: CellNo) -> bool | None:
    """What the person says of this door; None when nobody says it."""
    try:
        async with asyncio.timeout(ANSWER_S):
            while True:
                saw = await answers.get()
                if saw.cell in (cell, None):
                    return saw.is_open
    except TimeoutError:
        return None


def _locker(site: Site) -> Locker:
    if site.locker is None:
        raise Rejected("no_locker")
    return site.locker


def _rows(tx: Tx) -> dict[int, tuple[bool, bool]]:
    rows = tx.rows("SELECT cell, parcel, state FROM cell")
    return {row["cell"]: (row["parcel"] is not None, row["state"] == "out_of_service") for row in rows}


def _proven(tx: Tx, cell: CellNo, told: str, polarity: str, operator: OperatorId) -> None:
    log.append(tx, events.PolarityProven(cell, told, polarity, operator))
