"""Rules of cells and doors: which cell fits, who may open what, and what became of every opening.

An opening is authorised in a committed fact *before* the pulse; it names one cell, is used once, and ends with an
outcome. No device and no clock here: `edge.flows` moves doors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edge import events, log
from edge.model import SIZES, CellNo, CellState, OperatorId, ParcelId, ParcelState, Rejected
from edge.store import Tx

Purpose = Literal["deposit", "pickup", "service", "found", "test"]
STUCK = "door_stuck"  # alarm of a cell: its door stayed shut before a person
# The one state in which the parcel of a cell gives a reason to open it.
OPENED_IN = {"deposit": ParcelState.ARRIVED, "pickup": ParcelState.RELEASING, "found": ParcelState.EXCEPTION}


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An opening without an end, as found at start. `outcome` None: nobody knows whether the pulse was sent."""

    id: str
    cell: CellNo
    purpose: str
    parcel: ParcelId | None
    outcome: str | None


def lay_out(tx: Tx, sizes: Sequence[str]) -> None:
    """Make a row for each cell of the cabinet (cell 1 first). One that is no more goes: now, or with its parcel.

    Unless it was out of service: in a cabinet made whole again it still is.
    """
    tx.bookkeeping = True
    for number, size in enumerate(sizes, 1):
        tx.execute(
            "INSERT INTO cell (cell, size, state) VALUES (?, ?, 'free')"
            " ON CONFLICT (cell) DO UPDATE SET size = excluded.size",
            (number, size),
        )
    count = len(sizes)
    tx.execute("DELETE FROM cell WHERE cell > ? AND parcel IS NULL AND state <> 'out_of_service'", (count,))
    tx.execute("UPDATE cell SET down = cell > ?1 WHERE down <> (cell > ?1)", (count,))


def smallest_free(tx: Tx, size: str) -> CellNo | None:
    """Return the smallest free cell that takes a parcel of this size, or None."""
    for fitting in SIZES[SIZES.index(size) :]:
        found = tx.value("SELECT min(cell) FROM cell WHERE state = 'free' AND down = 0 AND size = ?", (fitting,))
        if found is not None:
            return CellNo(found)
    return None


def reserve(tx: Tx, cell: CellNo, parcel: ParcelId) -> None:
    _change(tx, cell, CellState.FREE, CellState.RESERVED, parcel)


def occupy(tx: Tx, cell: CellNo, parcel: ParcelId) -> None:
    """The parcel lies in its cell. A cell that went out of service meanwhile stays so."""
    if not holds(tx, cell, parcel):
        raise AssertionError(f"cell {cell} is not that of parcel {parcel}")
    if usable(tx, cell):
        tx.update("cell", ("cell", cell), {"state": CellState.OCCUPIED})


def release(tx: Tx, cell: CellNo, *, left_open: bool = False) -> None:
    """The parcel has left. A cell out of service, or whose door is not known to be shut, is not given out again."""
    changes: dict[str, Any]
    if not usable(tx, cell):
        changes = {"parcel": None}
    elif left_open:
        changes = {"state": CellState.OUT_OF_SERVICE, "parcel": None, "why": "door_left_open"}
    else:
        changes = {"state": CellState.FREE, "parcel": None, "why": None}
    tx.update("cell", ("cell", cell), changes)
    _clear_away(tx, cell)
    log.drop_alarm(tx, "check_cell", str(cell))


def fault(tx: Tx, cell: CellNo, why: str) -> None:
    """Take a cell out of service because its door or board failed; a parcel inside stays recorded.

    One that the cabinet does not have any more cannot fail: nobody could put it back into use.
    """
    log.append(tx, events.CellFaulted(cell, why))
    if is_down(tx, cell):
        _clear_away(tx, cell)
        return
    tx.update("cell", ("cell", cell), {"state": CellState.OUT_OF_SERVICE, "why": why})
    log.raise_alarm(tx, "cell_faulted", str(cell))


def to_service(tx: Tx, cell: CellNo, in_service: bool, reason: str, operator: OperatorId) -> None:
    """Put a cell in or out of service by hand. Errors: Rejected not_allowed for one with a parcel, or that is gone."""
    row = tx.row("SELECT * FROM cell WHERE cell = ?", (cell,))
    if row is None or row["parcel"] is not None or row["down"]:
        raise Rejected("not_allowed", cell=cell)
    if in_service:
        tx.update("cell", ("cell", cell), {"state": CellState.FREE, "why": None})
        log.append(tx, events.CellRestored(cell, operator, reason))
        for code in ("cell_faulted", "forced_door", "door_left_open", STUCK, "wrong_door"):
            log.drop_alarm(tx, code, str(cell))
    else:
        tx.update("cell", ("cell", cell), {"state": CellState.OUT_OF_SERVICE, "why": reason})
        log.append(tx, events.CellWithdrawn(cell, operator, reason))


def holds(tx: Tx, cell: CellNo, parcel: ParcelId) -> bool:
    """Tell whether the cell is recorded as holding this parcel."""
    return bool(tx.value("SELECT 1 FROM cell WHERE cell = ? AND parcel = ?", (cell, parcel)))


def full(tx: Tx) -> tuple[CellNo, ...]:
    """Return the cells in which a parcel waits for its person."""
    sql = "SELECT c.cell FROM cell c JOIN parcel p ON p.id = c.parcel WHERE p.state = 'in_locker' ORDER BY c.cell"
    return tuple(CellNo(row["cell"]) for row in tx.rows(sql))


def usable(tx: Tx, cell: CellNo) -> bool:
    return bool(tx.value("SELECT state <> 'out_of_service' FROM cell WHERE cell = ?", (cell,)))


def _clear_away(tx: Tx, cell: CellNo) -> None:
    """Forget an empty cell that is no more; one out of service is remembered, the cabinet may be made whole again."""
    tx.execute("DELETE FROM cell WHERE cell = ? AND down = 1 AND parcel IS NULL AND state <> 'out_of_service'", (cell,))


def is_down(tx: Tx, cell: CellNo) -> bool:
    """Tell whether the cell is one that the cabinet does not have any more."""
    return bool(tx.value("SELECT down FROM cell WHERE cell = ?", (cell,)))


# --- openings -----------------------------------------------------------------------------------------------------


def authorise(tx: Tx, cell: CellNo, purpose: Purpose, parcel: ParcelId | None, operator: OperatorId | None) -> str:
    """Write down that this one cell may be opened once, now. Return the opening's id.

    Errors: Rejected not_allowed when the cell does not belong to that parcel, or the parcel is not in that state.
    """
    row = tx.row("SELECT c.parcel, p.state FROM cell c LEFT JOIN parcel p ON p.id = c.parcel WHERE c.cell = ?", (cell,))
    if row is None or not _may_open(row, purpose, parcel):
        raise Rejected("not_allowed", cell=cell)
    opening = tx.dice.ident()
    logged = log.append(tx, events.DoorAuthorised(opening, cell, purpose, parcel, operator))
    tx.insert("opening", {"id": opening, "cell": cell, "purpose": purpose, "parcel": parcel, "seq": logged.seq})
    return opening


def authorise_trial(tx: Tx, cell: CellNo, reason: str, operator: OperatorId) -> str:
    """As `authorise`, for a technician who tries the door of an empty cell; the reason is a fact beside it.

    Errors: Rejected cell_not_empty while something lies in the cell or is on its way into it.
    """
    if tx.value("SELECT parcel FROM cell WHERE cell = ?", (cell,)) is not None:
        raise Rejected("cell_not_empty", cell=cell)
    opening = authorise(tx, cell, "test", None, operator)
    log.append(tx, events.DoorTrialAsked(opening, cell, reason, operator))
    return opening


def _may_open(row: dict[str, Any], purpose: Purpose, parcel: ParcelId | None) -> bool:
    if purpose in ("service", "test"):
        return bool(row["parcel"] is None)
    return parcel is not None and bool(row["parcel"] == parcel) and bool(row["state"] == OPENED_IN[purpose])


def opened(tx: Tx, opening: str) -> None:
    cell = _end(tx, opening, "open", closed=False)
    log.append(tx, events.DoorOpened(opening, cell))
    log.drop_alarm(tx, STUCK, str(cell))


def not_opened(tx: Tx, opening: str, why: str) -> None:
    """The opening came to nothing, or to nothing we can know. It is over: a further try needs a new one."""
    cell = _end(tx, opening, why, closed=True)
    log.append(tx, events.DoorNotOpened(opening, cell, why))


def closed(tx: Tx, opening: str) -> None:
    tx.update("opening", ("id", opening), {"closed": 1})
    cell = _cell_of(tx, opening)
    log.append(tx, events.DoorClosed(opening, cell))
    log.drop_alarm(tx, "door_left_open", str(cell))


def left_open(tx: Tx, opening: str) -> None:
    """The time to shut the door is over. The opening stays unfinished until somebody shuts it."""
    cell = _cell_of(tx, opening)
    log.append(tx, events.DoorLeftOpen(opening, cell))
    log.raise_alarm(tx, "door_left_open", str(cell))


def forced(tx: Tx, cell: CellNo, door: str, left_out: int = 0) -> None:
    """A door moved that nobody had opened. `left_out`: how often it did since the last such fact without one."""
    log.append(tx, events.DoorForced(cell, door, left_out or None))
    log.raise_alarm(tx, "forced_door", str(cell))


def forced_again(tx: Tx, cell: CellNo) -> None:
    """The same without a fact, of a door that has had too many. What rings is left: a loose wire wears out no card."""
    if not rings(tx, cell):
        tx.bookkeeping = True
        log.raise_alarm(tx, "forced_door", str(cell))


def rings(tx: Tx, cell: CellNo) -> bool:
    """Whether the door is told as forced, and nobody has looked yet."""
    return bool(tx.value("SELECT 1 FROM alarm WHERE code = 'forced_door' AND subject = ?", (str(cell),)))


def wrong_door(tx: Tx, opening: str, moved: Sequence[int]) -> None:
    """Another door than the authorised one moved: every cell concerned goes out of use."""
    cell = _end(tx, opening, "wrong_door", closed=True)
    log.append(tx, events.DoorNotOpened(opening, cell, "wrong_door"))
    for number in dict.fromkeys((cell, *(CellNo(m) for m in moved))):
        if tx.value("SELECT 1 FROM cell WHERE cell = ?", (number,)):  # a board may have more doors than the cabinet
            fault(tx, number, "wrong_door")
        log.raise_alarm(tx, "wrong_door", str(number))


def shut_later(tx: Tx, cell: CellNo) -> str | None:
    """A door that had been left open was shut. Return the newest opening it ends, None if there is none."""
    sql = "SELECT id FROM opening WHERE cell = ? AND closed = 0 AND outcome = 'open' ORDER BY seq"
    ended = [str(row["id"]) for row in tx.rows(sql, (cell,))]  # several when a deposit went on behind an open door
    if not ended:
        return None
    for opening in ended:
        closed(tx, opening)
    state = tx.row("SELECT state, parcel, why FROM cell WHERE cell = ?", (cell,))
    if state is not None and state["why"] == "door_left_open" and state["parcel"] is None:
        tx.update("cell", ("cell", cell), {"state": CellState.FREE, "why": None})
    return ended[-1]


def unfinished(tx: Tx) -> tuple[Unfinished, ...]:
    rows = tx.rows("SELECT * FROM opening WHERE closed = 0 ORDER BY seq")
    return tuple(
        Unfinished(
            row["id"],
            CellNo(row["cell"]),
            row["purpose"],
            ParcelId(row["parcel"]) if row["parcel"] else None,
            row["outcome"],
        )
        for row in rows
    )


def last_outcome(tx: Tx, parcel: ParcelId, purpose: Purpose) -> str | None:
    """Return what came of the newest opening for this parcel; None when nobody knows, or without one."""
    sql = "SELECT outcome FROM opening WHERE parcel = ? AND purpose = ? ORDER BY seq DESC LIMIT 1"
    found: str | None = tx.value(sql, (parcel, purpose))
    return found


def settle(tx: Tx, opening: Unfinished, why: str) -> None:
    """End an opening that a power cut or a cancellation left unfinished."""
    if opening.outcome is None:
        not_opened(tx, opening.id, why)
    else:
        closed(tx, opening.id)


def parcel_of(tx: Tx, opening: str) -> ParcelId | None:
    found = tx.value("SELECT parcel FROM opening WHERE id = ?", (opening,))
    return None if found is None else ParcelId(found)


def _end(tx: Tx, opening: str, outcome: str, *, closed: bool) -> CellNo:
    if tx.value("SELECT outcome FROM opening WHERE id = ?", (opening,)) is not None:
        raise AssertionError(f"opening {opening} already has an outcome")
    tx.update("opening", ("id", opening), {"outcome": outcome, "closed": int(closed)})
    return _cell_of(tx, opening)


def _cell_of(tx: Tx, opening: str) -> CellNo:
    return CellNo(tx.value("SELECT cell FROM opening WHERE id = ?", (opening,)))


def _change(tx: Tx, cell: CellNo, old: CellState, new: CellState, parcel: ParcelId | None) -> None:
    changed = tx.execute("UPDATE cell SET state = ?, parcel = ? WHERE cell = ? AND state = ?", (new, parcel, cell, old))
    if changed.rowcount != 1:
        raise AssertionError(f"cell {cell} is not {old}")
