"""Rules of parcels on their way in: expected, arrived, on shelf or in a cell. No device, clock or thread here.

Each function runs inside one transaction and appends the facts of what it changed. Collection is in
`edge.pickups`, doors are in `edge.cells`, lists for screens in `edge.boards`.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import ne
from typing import Any

from edge import batches, cells, events, log, shelves
from edge.events import Fact, name_of
from edge.model import (
    CellNo,
    Consent,
    OperatorId,
    Parcel,
    ParcelId,
    ParcelState,
    Phone,
    PickupCode,
    PickupToken,
    Place,
    Rejected,
    WaybillNo,
    local_day,
    moved,
)
from edge.store import Tx
from edge.typed_json import changed

# The live codes with the same first or the same last three digits: of 600 codes one or two. Whoever differs from a code
# in one digit is among them. Parameters: first and last code of the first kind, the last three digits.
_LIKE = "SELECT code FROM parcel WHERE code BETWEEN ? AND ? UNION ALL SELECT code FROM code_tail WHERE tail = ?"
NEW_CODE_TRIES = 1000  # 600 parcels and their one-digit neighbours take 3.3 % of a million codes

ACTIVE = "closed_at IS NULL"  # the words of the index `parcel_active_waybill`
_ACTIVE_ONE = f"SELECT {', '.join(Parcel.COLUMNS)} FROM parcel WHERE waybill_no = ? AND {ACTIVE}"  # noqa: S608 constants
_STRANGER = "SELECT 1 FROM parcel WHERE waybill_no = ? AND expected = 0 AND closed_at IS NOT NULL"
# What lies here. The index is named because SQLite would else read every parcel there ever was.
HERE = "parcel INDEXED BY parcel_here WHERE arrived_day IS NOT NULL AND closed_at IS NULL"

Changes = dict[str, Any]  # of one row: column to value


@dataclass(frozen=True, slots=True)
class Arrival:
    """What intake knows of a parcel before it is taken in. `phone` only when the hub does not expect it."""

    waybill_no: WaybillNo
    carrier: str
    operator: OperatorId
    target: str = "auto"  # auto | locker | shelf
    phone: Phone | None = None
    consent: Consent = Consent.NONE
    quality: str = "live"  # upload: taken from the list of a gun's memory


def load(tx: Tx, parcel: ParcelId) -> Parcel:
    """Return a parcel. Errors: Rejected not_here."""
    row = tx.row("SELECT * FROM parcel WHERE id = ?", (parcel,))
    if row is None:
        raise Rejected("not_here")
    return Parcel.from_row(row)


def find_active(tx: Tx, waybill_no: WaybillNo) -> Parcel | None:
    row = tx.execute(_ACTIVE_ONE, (waybill_no,)).fetchone()
    return None if row is None else Parcel.of(row)


# --- from the hub -------------------------------------------------------------------------------------------------


def expected(tx: Tx, fact: events.ParcelExpected) -> None:
    """Note a parcel that is on its way. What is known of one that came unannounced is completed.

    The same announcement again corrects the person. Errors: Rejected for another parcel with a waybill that is here.
    """
    personal = {
        "recipient": fact.recipient.plain() if fact.recipient else None,
        "phone": fact.phone.plain() if fact.phone else None,
        "address": fact.address.plain() if fact.address else None,
    }
    here = find_active(tx, WaybillNo(fact.waybill_no))
    if here is not None:
        if here.id != fact.parcel and tx.value("SELECT expected FROM parcel WHERE id = ?", (here.id,)):
            raise Rejected("already_in_stock")  # a doubled row of a manifest, perhaps with another person's phone
        known = {name: value for name, value in personal.items() if value}
        if here.consent is Consent.NONE:
            known["consent"] = Consent(fact.consent)
        if known:
            tx.update("parcel", ("id", here.id), known)
        return
    if tx.value("SELECT 1 FROM parcel WHERE id = ?", (fact.parcel,)):
        return  # the same announcement again, after the parcel has left
    if tx.value(_STRANGER, (fact.waybill_no,)):
        return  # it came before its announcement, and has left: nobody waits for it, and nobody is to be remembered
    tx.insert(
        "parcel",
        {
            "id": fact.parcel,
            "waybill_no": fact.waybill_no,
            "carrier": fact.carrier,
            "state": ParcelState.EXPECTED,
            "consent": Consent(fact.consent),
            "size": fact.size,
            "expected": 1,
            **personal,
        },
    )


def notified(tx: Tx, fact: events.NoticeSent) -> None:
    tx.execute("UPDATE parcel SET notified_at = ? WHERE id = ? AND notified_at IS NULL", (tx.stamp.at, fact.parcel))


# --- intake -------------------------------------------------------------------------------------------------------


def take_in(tx: Tx, arrival: Arrival) -> Parcel:
    """Take a parcel in; one for the shelf is stored at once, one left in mid-deposit by a power cut goes on.

    Errors: as `arrive`.
    """
    here = find_active(tx, arrival.waybill_no)
    if here is not None and here.state is ParcelState.ARRIVED:
        return here
    parcel, changes = _arrive(tx, here, arrival)
    if parcel.cell is None:
        parcel, more = _shelve(tx, parcel)
        changes |= more  # one change of the row: each rewrites its pages and those of its indexes
    tx.update("parcel", ("id", parcel.id), changes)
    return parcel


def arrive(tx: Tx, arrival: Arrival) -> Parcel:
    """Reserve a cell or a shelf place for a parcel.

    Errors: Rejected already_in_stock (cell, place), unknown_parcel, no_consent (parcel), no_free_place.
    """
    parcel, changes = _arrive(tx, find_active(tx, arrival.waybill_no), arrival)
    tx.update("parcel", ("id", parcel.id), changes)
    return parcel


def _arrive(tx: Tx, parcel: Parcel | None, arrival: Arrival) -> tuple[Parcel, Changes]:
    """Write the fact; return the parcel as it is then, with the changes of its row, which the caller makes."""
    if parcel is None:
        parcel = _unannounced(tx, arrival)
    elif parcel.state is not ParcelState.EXPECTED:
        raise Rejected("already_in_stock", place=parcel.place, cell=parcel.cell)
    if parcel.consent is Consent.NONE:
        raise Rejected("no_consent", parcel=parcel.id)
    state = moved(parcel.state, "parcel_arrived")
    cell, place = _room(tx, parcel, arrival.target)
    changes: Changes = {
        "state": state,
        "cell": cell,
        "place": place,
        "arrived_at": tx.stamp.at,
        "arrived_day": local_day(tx.stamp.at),
    }
    if cell is not None:
        cells.reserve(tx, cell, parcel.id)
    fact = events.ParcelArrived(
        parcel.id,
        parcel.waybill_no,
        parcel.carrier,
        arrival.phone is None,
        arrival.operator,
        cell,
        place,
        arrival.phone,
    )
    log.append(tx, fact)
    batches.settle(tx, parcel.waybill_no, parcel.id, arrival.quality)
    return changed(parcel, state=state, cell=cell, place=place, arrived_at=tx.stamp.at), changes


def _unannounced(tx: Tx, arrival: Arrival) -> Parcel:
    if arrival.phone is None:
        raise Rejected("unknown_parcel", waybill_no=arrival.waybill_no, carrier=arrival.carrier)
    parcel = ParcelId(tx.dice.ident())
    tx.insert(
        "parcel",
        {
            "id": parcel,
            "waybill_no": arrival.waybill_no,
            "carrier": arrival.carrier,
            "state": ParcelState.EXPECTED,
            "phone": arrival.phone.plain(),
            "consent": arrival.consent,
            "size": "M",
            "expected": 0,
        },
    )
    if arrival.consent is not Consent.NONE:
        log.append(tx, events.ConsentRecorded(parcel, arrival.consent, "phone_call", arrival.operator))
    return load(tx, parcel)


def _room(tx: Tx, parcel: Parcel, target: str) -> tuple[CellNo | None, Place | None]:
    if target != "shelf" and parcel.consent is Consent.LOCKER:
        cell = cells.smallest_free(tx, parcel.size)
        if cell is not None:
            return cell, None
    if target == "locker":
        raise Rejected("no_free_cell", parcel=parcel.id)
    place = shelves.take(tx)
    if place is None:
        raise Rejected("no_free_place", parcel=parcel.id)
    return None, place


def record_consent(tx: Tx, parcel: ParcelId, consent: Consent, operator: OperatorId) -> None:
    tx.update("parcel", ("id", parcel), {"consent": consent})
    log.append(tx, events.ConsentRecorded(parcel, consent, "phone_call", operator))


def shelved(tx: Tx, parcel: ParcelId) -> Parcel:
    """The parcel lies on its reserved place and may be collected."""
    here, changes = _shelve(tx, load(tx, parcel))
    tx.update("parcel", ("id", parcel), changes)
    return here


def _shelve(tx: Tx, here: Parcel) -> tuple[Parcel, Changes]:
    if here.place is None:
        raise AssertionError(f"parcel {here.id} has no place")
    code, token = new_code(tx), PickupToken(tx.dice.token())
    return _stored(tx, here, events.ParcelShelved(here.id, here.place, code, token), code, token)


def deposited(tx: Tx, parcel: ParcelId, evidence: str) -> Parcel:
    """The parcel lies in its reserved cell and the door is shut (`evidence`: sensor, confirmed, reconciled)."""
    here = load(tx, parcel)
    if here.cell is None:
        raise AssertionError(f"parcel {parcel} has no cell")
    cells.occupy(tx, here.cell, parcel)
    code, token = new_code(tx), PickupToken(tx.dice.token())
    fact = events.ParcelDeposited(parcel, here.cell, evidence, code, token)
    here, changes = _stored(tx, here, fact, code, token)
    tx.update("parcel", ("id", parcel), changes)
    return here


def _stored(tx: Tx, here: Parcel, fact: Fact, code: PickupCode, token: PickupToken) -> tuple[Parcel, Changes]:
    """Write the fact; return the parcel as it is then, with the changes of its row, which the caller makes."""
    state = moved(here.state, name_of(fact))
    seq = log.append(tx, fact).seq
    changes: Changes = {
        "state": state,
        "code": code.plain(),
        "token": token.plain(),
        "stored_seq": seq,
        "wrong_tails": 0,
    }
    return changed(here, state=state), changes


def cancel_deposit(tx: Tx, parcel: ParcelId, reason: str) -> None:
    """Intake came to nothing: the parcel is expected again, its cell or place is free."""
    here = load(tx, parcel)
    state = moved(here.state, "deposit_cancelled")
    changes = {"state": state, "cell": None, "place": None, "arrived_at": None, "arrived_day": None}
    tx.update("parcel", ("id", parcel), changes)
    if here.cell is not None and cells.holds(tx, here.cell, parcel):
        cells.release(tx, here.cell)
    if here.place is not None:
        shelves.give_back(tx, here.place)
    log.append(tx, events.DepositCancelled(parcel, here.cell, here.place, reason))
    batches.reopen(tx, here.waybill_no)


def cell_failed(tx: Tx, parcel: ParcelId, why: str) -> Parcel:
    """The reserved cell does not work: out of service with it, and the next room for the parcel.

    Errors: Rejected no_free_place; nothing is changed then, the caller gives the deposit up.
    """
    here = load(tx, parcel)
    if here.cell is None:
        raise AssertionError(f"parcel {parcel} has no cell")
    tx.update("cell", ("cell", here.cell), {"parcel": None})
    cells.fault(tx, here.cell, why)
    tx.update("parcel", ("id", parcel), {"cell": None})
    cell, place = _room(tx, here, "auto")
    tx.update("parcel", ("id", parcel), {"cell": cell, "place": place})
    if cell is not None:
        cells.reserve(tx, cell, parcel)
    return load(tx, parcel)


def to_shelf(tx: Tx, parcel: ParcelId) -> Parcel:
    """No door would open for it: free the cell that was reserved last and take a place on the shelf.

    Errors: Rejected no_free_place.
    """
    here = load(tx, parcel)
    if here.cell is not None:
        cells.release(tx, here.cell)
    place = shelves.take(tx)
    if place is None:
        raise Rejected("no_free_place", parcel=parcel)
    tx.update("parcel", ("id", parcel), {"cell": None, "place": place})
    log.append(tx, events.PlaceTaken(parcel, place))
    return load(tx, parcel)


def new_code(tx: Tx) -> PickupCode:
    """Draw a code that is neither a live one nor one digit away from it."""
    for _ in range(NEW_CODE_TRIES):
        code = tx.dice.code()
        for (other,) in tx.execute(_LIKE, (code[:3] + "000", code[:3] + "999", code[3:])):
            if _is_near(code, other):
                break
        else:
            return PickupCode(code)
    raise AssertionError("no free pickup code in a thousand draws")


# --- private ------------------------------------------------------------------------------------------------------


def _is_near(code: str, other: str) -> bool:
    """Tell whether they are the same or differ in one digit."""
    return tuple(map(ne, code, other)).count(True) <= 1
