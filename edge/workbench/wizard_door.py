"""The wizard's door: one empty cell of a lock, opened under a fresh PIN, and what the eyes saw against the contact.

Opening, audit and verdict are those of the technician's other trials (edge/workbench/doors.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from edge.model import CellNo, Rejected
from edge.steps.wizard import WizardNow
from edge.steps.workbench import CellTried, PolarityAsk, PolarityTold
from edge.store import Tx
from edge.workbench import doors
from edge.workbench.wizard_trials import Came, Hands, Trial

MOST_CELLS = 24  # offered on one page
BoardOf = Callable[[int], tuple[str, str]]


async def nothing(now: WizardNow) -> Trial:
    """A step whose trial is on the screen alone."""
    yield replace(now, stage="touch")


async def proposed(hands: Hands, lock: str, board_of: BoardOf, now: WizardNow) -> Trial:
    """Offer the empty cells of this lock."""
    empty = await hands.site.store.run(_empty)
    cells = tuple(CellNo(cell) for cell in empty if board_of(cell)[0] == lock)[:MOST_CELLS]
    yield replace(now, stage="cell", cells=cells, cell=cells[0] if cells else None)


async def opened(hands: Hands, cell: CellNo, lock: str, board_of: BoardOf) -> Trial:
    """Open the cell, ask the eyes, wait until it is shut. Errors: Rejected cell_not_empty, no_locker, not_allowed.

    A technician who goes away before answering leaves no result; the door is waited for all the same.
    """
    board, polarity = board_of(cell)
    if board != lock:
        raise Rejected("not_allowed", cell=cell)
    eyes = Eyes(hands, cell)
    asking = doors.Asking(hands.operator, eyes.answers, board, polarity)
    now = WizardNow(f"door:{lock}", "opening", cell=cell)
    came: Came | None = None
    async with eyes:
        async for step in doors.prove_polarity(hands.site, cell, asking):
            match step:
                case CellTried(stage="opening"):
                    yield replace(now, has_sensor=step.has_sensor)
                case PolarityAsk():
                    yield replace(now, stage="eyes")
                case PolarityTold():
                    came = _judged(step, _senses(hands, cell), eyes.saw)
                    yield replace(now, stage="shut", has_sensor=_senses(hands, cell))
                case CellTried(stage="left_open") if came is not None and came.result == "done":
                    came = _failed("left_open", cell)
                case CellTried(stage="not_there" | "refused" | "wrong_door" as stage):
                    came = _failed("other" if stage == "wrong_door" else "not_opened", cell)
                case CellTried(stage="unanswered") if hands.is_wanted():
                    came = _failed("unanswered", cell)
    if came is not None:
        yield came


def _judged(told: PolarityTold, has_sensor: bool, saw: bool) -> Came:
    """A contact that agrees with the eyes is right; where there is none the eyes alone decide."""
    found = told.verdict
    if found == "blind":
        found = "stuck" if has_sensor else "right" if saw else "not_opened"
    if found == "right":
        return Came("done", detail=str(told.cell))
    return replace(_failed(found, told.cell), lines=told.lines if found == "inverted" else ())


def _failed(found: str, cell: CellNo) -> Came:
    return Came("failed", found, str(cell), slots=(("n", int(cell)),))


class Eyes:
    """Hands what the person says of a door to whoever waits for it. `saw`: whether it was open, once said."""

    def __init__(self, hands: Hands, cell: CellNo) -> None:
        self._hands = hands
        self._cell = cell
        self._task: asyncio.Task[None] | None = None
        self.answers: asyncio.Queue[doors.Saw] = asyncio.Queue(1)
        self.saw = False

    async def __aenter__(self) -> Eyes:
        self._task = asyncio.create_task(self._listen(), name="eyes at a door")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            said = await self._hands.answer()
            if said in ("yes", "no"):
                self.saw = said == "yes"
                await self.answers.put(doors.Saw(self._cell, self.saw))
            elif not said:  # nobody is there any more
                await self.answers.put(doors.Saw(None, None))
                return


def _senses(hands: Hands, cell: int) -> bool:
    locker = hands.site.locker
    return locker is not None and locker.senses(cell)


def _empty(tx: Tx) -> list[int]:
    rows = tx.rows("SELECT cell FROM cell WHERE parcel IS NULL AND state <> 'out_of_service' ORDER BY cell")
    return [int(row["cell"]) for row in rows]
