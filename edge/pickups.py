"""Rules of parcels on their way out: who may collect, giving out, what went wrong.

Each function runs inside one transaction and appends the facts of what it changed. The allowance of tries is in
`edge.guard`, intake in `edge.parcels`, doors in `edge.cells`.
"""

from __future__ import annotations

from typing import Any

from edge import cells, events, log, shelves
from edge.events import Fact, name_of
from edge.model import OperatorId, Parcel, ParcelId, ParcelState, Phone, PickupCode, PickupToken, Rejected, moved
from edge.parcels import HERE, load
from edge.store import Tx

BY_KEY = "opened_by_key"
POWER_CUT = "power_cut"  # why a pick-up ended of whose door nobody saw anything
MAX_WRONG_TAILS = 3  # then the parcel needs the operator (reference/reliability.md 3.3)


def identify(tx: Tx, code: PickupCode, last4: str) -> Parcel | None:
    """Return the parcel that code and phone tail name, or None; the failure is written down either way.

    The caller has taken a try off the allowance and committed that before. Errors: Rejected ask_staff.
    """
    row = tx.row("SELECT * FROM parcel WHERE code = ?", (code.plain(),))
    if row is None:
        log.append(tx, events.PickupRefused("wrong_code", None))
        return None
    if row["phone"] is not None and Phone(row["phone"]).last4 != last4:
        tx.update("parcel", ("id", row["id"]), {"wrong_tails": row["wrong_tails"] + 1})
        log.append(tx, events.PickupRefused("wrong_code", row["id"]))
        return None
    if row["phone"] is None or row["wrong_tails"] >= MAX_WRONG_TAILS:
        raise Rejected("ask_staff")  # six digits alone are too few, and a guesser is not told that the code was right
    return Parcel.from_row(row)


def by_token(tx: Tx, token: PickupToken) -> Parcel | None:
    """Return the parcel whose random token was scanned. Guessing is hopeless, so no allowance is needed.

    It is looked for among the few parcels that are here: an index of random tokens costs every intake a page.
    """
    row = tx.row(f"SELECT * FROM {HERE} AND token = ?", (token.plain(),))  # noqa: S608 constant
    return None if row is None else Parcel.from_row(row)


def of_same_person(tx: Tx, parcel: Parcel) -> tuple[Parcel, ...]:
    """Return every parcel that this person can collect now, the named one first."""
    if parcel.phone is None:
        return (parcel,)
    rows = tx.rows(
        "SELECT * FROM parcel WHERE phone = ? AND state IN ('in_locker', 'on_shelf') ORDER BY id <> ?, cell, place",
        (parcel.phone.plain(), parcel.id),
    )
    return tuple(Parcel.from_row(row) for row in rows)


def begin_pickup(tx: Tx, parcel: ParcelId, by: str) -> Parcel:
    """Start giving a parcel out. Errors: Rejected not_here when it is not in stock any more."""
    here = load(tx, parcel)
    if here.state not in {ParcelState.IN_LOCKER, ParcelState.ON_SHELF}:
        raise Rejected("not_here", parcel=parcel)
    _move(tx, here, events.PickupStarted(parcel, by))
    return here


def pickup_failed(tx: Tx, parcel: ParcelId, why: str) -> None:
    """The door stayed shut: back into the locker, the code stays valid. From then on the key is another way out.

    Not after a power cut: nobody saw the door stay shut.
    """
    here = load(tx, parcel)
    if here.cell is None:
        raise AssertionError(f"parcel {parcel} does not lie in a cell")
    _move(tx, here, events.PickupFailed(parcel, here.cell, why))
    if why != POWER_CUT:
        log.raise_alarm(tx, cells.STUCK, str(here.cell))


def is_stuck(tx: Tx, parcel: Parcel) -> bool:
    """Tell whether the door of a parcel's cell was asked to open for it and stayed shut."""
    return parcel.state is ParcelState.IN_LOCKER and bool(
        tx.value("SELECT 1 FROM alarm WHERE code = ? AND subject = ?", (cells.STUCK, str(parcel.cell)))
    )


def pickup_left(tx: Tx, parcel: ParcelId) -> None:
    """Nobody handed the parcel out in time: back on the shelf, the code stays valid."""
    here = load(tx, parcel)
    if here.place is None:
        raise AssertionError(f"parcel {parcel} does not lie on a shelf")
    _move(tx, here, events.PickupLeftOnShelf(parcel))


def picked_up(tx: Tx, parcel: ParcelId, by: str, evidence: str, operator: OperatorId | None = None) -> None:
    """The parcel has left. Code and token are forgotten with the same commit; cell and place are free again.

    `evidence` left_open: the door still stands open, so the cell is not given out until it is shut.
    """
    here = load(tx, parcel)
    fact = events.ParcelPickedUp(parcel, by, evidence, operator)
    gone = {"cell": None, "place": None, "code": None, "token": None, "closed_at": tx.stamp.at}
    _move(tx, here, fact, gone)
    log.drop_alarm(tx, "check_parcel", str(here.cell or here.place))
    log.drop_alarm(tx, cells.STUCK, str(here.cell))
    if here.cell is not None and cells.holds(tx, here.cell, parcel):
        cells.release(tx, here.cell, left_open=evidence == "left_open")
    if here.place is not None:
        shelves.give_back(tx, here.place)
    _forget_code(tx, parcel)


def excepted(tx: Tx, parcel: ParcelId, why: str) -> None:
    """Nobody can say where the parcel is: the operator must look."""
    _move(tx, load(tx, parcel), events.ParcelExcepted(parcel, why))
    log.raise_alarm(tx, "parcel_excepted", parcel)


def resolve(tx: Tx, parcel: ParcelId, found: str, operator: OperatorId) -> Parcel:
    """The operator looked: the parcel is `gone`, still `in_cell`, or was put `on_shelf`.

    One behind a stuck door may have been taken out with the key: `gone` or `on_shelf`. Its cell is given out no more.
    Errors: Rejected not_here when nobody is looking for it, no_free_place.
    """
    here = load(tx, parcel)
    if found != "in_cell" and is_stuck(tx, here):
        here = _taken_with_the_key(tx, here)
    if here.state is not ParcelState.EXCEPTION:
        raise Rejected("not_here", parcel=parcel)  # somebody else was quicker
    log.drop_alarm(tx, "parcel_excepted", parcel)
    if found == "gone":
        picked_up(tx, parcel, "operator", "operator", operator)
    elif found == "in_cell" and here.cell is not None:
        _move(tx, here, events.ParcelFoundInCell(parcel, here.cell, operator))
        cells.occupy(tx, here.cell, parcel)
        _give_code(tx, parcel)
    else:
        place = here.place or shelves.take(tx)
        if place is None:
            raise Rejected("no_free_place", parcel=parcel)
        _move(tx, here, events.ParcelFound(parcel, place, operator), {"place": place, "cell": None})
        log.drop_alarm(tx, cells.STUCK, str(here.cell))
        if here.cell is not None and cells.holds(tx, here.cell, parcel):
            cells.release(tx, here.cell)
        _give_code(tx, parcel)
    return load(tx, parcel)


def releasing(tx: Tx) -> tuple[Parcel, ...]:
    """Return the parcels whose pick-up has begun and not ended."""
    sql = f"SELECT * FROM {HERE} AND state = 'releasing' ORDER BY +id"  # noqa: S608 constant
    return tuple(Parcel.from_row(row) for row in tx.rows(sql))


def state_of(tx: Tx, parcel: ParcelId) -> ParcelState:
    return ParcelState(tx.value("SELECT state FROM parcel WHERE id = ?", (parcel,)))


def mismatch(tx: Tx, parcel: ParcelId | None, scanned: str) -> None:
    """The wrong parcel was about to be handed out: nothing changes but the record."""
    log.append(tx, events.PickupMismatch(parcel, scanned))


# --- private ------------------------------------------------------------------------------------------------------


def _move(tx: Tx, here: Parcel, fact: Fact, changes: dict[str, Any] | None = None) -> None:
    state = moved(here.state, name_of(fact))
    tx.update("parcel", ("id", here.id), {"state": state, **(changes or {})})
    log.append(tx, fact)


def _taken_with_the_key(tx: Tx, here: Parcel) -> Parcel:
    """No door moved for it that we know of, so the log says how the parcel came out of its cell."""
    if here.cell is None:
        raise AssertionError(f"parcel {here.id} does not lie in a cell")
    cells.fault(tx, here.cell, BY_KEY)
    _move(tx, here, events.ParcelExcepted(here.id, BY_KEY))
    return load(tx, here.id)


def _give_code(tx: Tx, parcel: ParcelId) -> None:
    """A parcel that came back from an exception keeps its code if it still has one."""
    if tx.value("SELECT code FROM parcel WHERE id = ?", (parcel,)) is None:
        raise AssertionError(f"parcel {parcel} lost its code")
    tx.update("parcel", ("id", parcel), {"wrong_tails": 0})


def _forget_code(tx: Tx, parcel: ParcelId) -> None:
    """Erase a used code, or note that it is owed: the hub must still get the fact that carries it."""
    seq = tx.value("SELECT stored_seq FROM parcel WHERE id = ?", (parcel,))
    if seq is None:
        return
    if seq <= log.cursor(tx, log.UP).upto:
        log.erase(tx, seq, "code")
        log.erase(tx, seq, "token")
    else:
        tx.execute("INSERT OR IGNORE INTO owed (seq) VALUES (?)", (seq,))
