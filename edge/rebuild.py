"""Facts of our own to the state they tell of: what a terminal lacks that takes another one's place.

The rules (edge/parcels and others) write state and fact together; here the facts are there, from the hub, and the
state follows: no door moves, nothing is decided, nothing is refused. What a fact cannot bring back is on the list of
parcels an operator has to look at. Kinds that change no state have no rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge import cells, events, log, parcels, pickups, prints
from edge.chain import Item
from edge.events import BadFact, Encoded, Fact
from edge.model import BillState, CellState, ParcelState, local_day
from edge.store import Tx

logger = logging.getLogger(__name__)

P = ParcelState
CHECK = "check_parcel"  # the alarm of a parcel that somebody has to look at
NEW_PIN = "new_pin"  # the alarm of a person whose PIN did not come along


@dataclass(slots=True)
class Rebuild:
    """One restoration: codes of open parcels as the hub still knows them, and what could not be restored."""

    codes: Mapping[str, str]
    consents: dict[str, str] = field(default_factory=dict)  # given before the parcel had a row
    to_check: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Case:
    """One fact and where it stands."""

    tx: Tx
    item: Item
    work: Rebuild


def replay(tx: Tx, items: Sequence[tuple[Item, str]], work: Rebuild) -> bool:
    """Put facts at the end of the log as they were, and the state after them. False at one that does not follow."""
    for item, mark in items:
        if not log.adopt(tx, item, mark):
            return False
        try:
            fact = events.decode(Encoded(item.kind, item.body, item.personal))
        except BadFact:
            continue
        rule = RULES.get(type(fact))
        if rule is not None:
            _apply(Case(tx, item, work), fact, rule)
    return True


def finish(tx: Tx, work: Rebuild) -> None:
    """Raise the alarms for what is to be looked at, and move the numbers past those that may be out there."""
    for row in tx.rows(
        "SELECT id FROM parcel WHERE state IN ('in_locker', 'on_shelf', 'releasing', 'exception') AND code IS NULL"
    ):
        # Nobody was told it: the operator gives the parcel out, who looks at it anyway.
        tx.update("parcel", ("id", row["id"]), {"code": parcels.new_code(tx).plain()})
        work.to_check.add(row["id"])
    for parcel in sorted(work.to_check):
        where = tx.row("SELECT coalesce(cell, place, waybill_no) AS named FROM parcel WHERE id = ?", (parcel,))
        if where is not None:
            log.raise_alarm(tx, CHECK, str(where["named"]))
    for person in sorted(work.people):
        log.raise_alarm(tx, NEW_PIN, person)
    prints.pass_over_numbers(tx.execute)
    _set(tx, "restored", 1)


def _apply(case: Case, fact: Fact, rule: Callable[[Case, Any], None]) -> None:
    try:
        with case.tx.attempt():
            rule(case, fact)
    except (ValueError, KeyError) as error:
        logger.warning("a fact could not be brought back: %s: %s", fact.kind, type(error).__name__)
        parcel = getattr(fact, "parcel", None)
        if isinstance(parcel, str) and case.tx.value("SELECT 1 FROM parcel WHERE id = ?", (parcel,)):
            case.work.to_check.add(parcel)


# --- parcels ------------------------------------------------------------------------------------------------------


def _arrived(case: Case, fact: events.ParcelArrived) -> None:
    tx, at = case.tx, case.item.stamp.at
    phone = None if fact.phone is None else fact.phone.plain()
    if not fact.expected:  # the hub may have announced it under an id of its own; what it said is told once more later
        tx.execute(
            "DELETE FROM parcel WHERE waybill_no = ? AND id <> ? AND state = 'expected'", (fact.waybill_no, fact.parcel)
        )
    tx.execute(
        "INSERT INTO parcel (id, waybill_no, carrier, state, phone, consent, size, expected)"
        " VALUES (?, ?, ?, 'expected', ?, ?, 'M', ?) ON CONFLICT (id) DO NOTHING",
        (
            fact.parcel,
            fact.waybill_no,
            fact.carrier,
            phone,
            case.work.consents.get(fact.parcel, "none"),
            int(fact.expected),
        ),
    )
    _parcel(
        case, fact.parcel, state=P.ARRIVED, cell=fact.cell, place=fact.place, arrived_at=at, arrived_day=local_day(at)
    )
    if fact.cell is not None:
        _cell(case, fact.cell, CellState.RESERVED, fact.parcel)
    _take(case, fact.place)


def _place_taken(case: Case, fact: events.PlaceTaken) -> None:
    _leave(case, fact.parcel)
    _parcel(case, fact.parcel, cell=None, place=fact.place)
    _take(case, fact.place)


def _consent(case: Case, fact: events.ConsentRecorded) -> None:
    case.work.consents[fact.parcel] = fact.consent
    case.tx.execute("UPDATE parcel SET consent = ? WHERE id = ?", (fact.consent, fact.parcel))


def _laid(case: Case, fact: events.ParcelShelved | events.ParcelDeposited) -> None:
    """It may be collected. Its code comes from the message to the recipient; the token of its slip is gone."""
    is_cell = isinstance(fact, events.ParcelDeposited)
    if isinstance(fact, events.ParcelDeposited):
        _leave(case, fact.parcel)  # another cell than the reserved one, when that did not open
        _cell(case, fact.cell, CellState.OCCUPIED, fact.parcel)
    code = case.work.codes.get(fact.parcel)
    _parcel(
        case, fact.parcel, state=P.IN_LOCKER if is_cell else P.ON_SHELF, stored_seq=case.item.seq, wrong_tails=0,
        cell=getattr(fact, "cell", None), place=getattr(fact, "place", None), code=code,
        token=case.tx.dice.token(),
    )  # fmt: skip
    _take(case, getattr(fact, "place", None))


def _cancelled(case: Case, fact: events.DepositCancelled) -> None:
    _leave(case, fact.parcel)
    _parcel(case, fact.parcel, state=P.EXPECTED, cell=None, place=None, arrived_at=None, arrived_day=None)


def _unstick(case: Case, parcel: str) -> None:
    cell = case.tx.value("SELECT cell FROM parcel WHERE id = ?", (parcel,))
    log.drop_alarm(case.tx, cells.STUCK, str(cell))


def _picked_up(case: Case, fact: events.ParcelPickedUp) -> None:
    _unstick(case, fact.parcel)
    _leave(case, fact.parcel, left_open=fact.evidence == "left_open")
    gone = {"cell": None, "place": None, "code": None, "token": None, "closed_at": case.item.stamp.at}
    _parcel(case, fact.parcel, state=P.PICKED_UP, **gone)
    log.drop_alarm(case.tx, "parcel_excepted", fact.parcel)
    case.work.to_check.discard(fact.parcel)


def _failed(case: Case, fact: events.PickupFailed) -> None:
    _parcel(case, fact.parcel, state=P.IN_LOCKER)
    if fact.why != pickups.POWER_CUT:
        log.raise_alarm(case.tx, cells.STUCK, str(fact.cell))


def _excepted(case: Case, fact: events.ParcelExcepted) -> None:
    _parcel(case, fact.parcel, state=P.EXCEPTION)
    log.raise_alarm(case.tx, "parcel_excepted", fact.parcel)


def _found(case: Case, fact: events.ParcelFound) -> None:
    _unstick(case, fact.parcel)
    _leave(case, fact.parcel)
    _parcel(case, fact.parcel, state=P.ON_SHELF, cell=None, place=fact.place)
    _take(case, fact.place)
    log.drop_alarm(case.tx, "parcel_excepted", fact.parcel)


def _found_in_cell(case: Case, fact: events.ParcelFoundInCell) -> None:
    _parcel(case, fact.parcel, state=P.IN_LOCKER)
    log.drop_alarm(case.tx, "parcel_excepted", fact.parcel)


def _state(state: ParcelState) -> Callable[[Case, Any], None]:
    return lambda case, fact: _parcel(case, fact.parcel, state=state)


# --- doors and cells ------------------------------------------------------------------------------------------------


def _authorised(case: Case, fact: events.DoorAuthorised) -> None:
    if fact.parcel is not None and case.tx.value("SELECT 1 FROM parcel WHERE id = ?", (fact.parcel,)) is None:
        raise ValueError("a parcel that did not come back")
    row = {"id": fact.opening, "cell": fact.cell, "purpose": fact.purpose, "parcel": fact.parcel}
    case.tx.insert("opening", row | {"seq": case.item.seq})


def _opened(case: Case, fact: events.DoorOpened) -> None:
    case.tx.update("opening", ("id", fact.opening), {"outcome": "open"})
    log.drop_alarm(case.tx, cells.STUCK, str(fact.cell))


def _not_opened(case: Case, fact: events.DoorNotOpened) -> None:
    case.tx.update("opening", ("id", fact.opening), {"outcome": fact.why, "closed": 1})


def _closed(case: Case, fact: events.DoorClosed) -> None:
    case.tx.update("opening", ("id", fact.opening), {"closed": 1})
    case.tx.execute(
        "UPDATE cell SET state = 'free', why = NULL WHERE cell = ? AND parcel IS NULL AND why = 'door_left_open'",
        (fact.cell,),
    )


def _out(case: Case, fact: events.CellFaulted | events.CellWithdrawn) -> None:
    why = fact.why if isinstance(fact, events.CellFaulted) else fact.reason
    case.tx.execute("UPDATE cell SET state = 'out_of_service', why = ? WHERE cell = ?", (why, fact.cell))
    if isinstance(fact, events.CellFaulted):
        log.raise_alarm(case.tx, "cell_faulted", str(fact.cell))


def _back(case: Case, fact: events.CellRestored) -> None:
    case.tx.execute("UPDATE cell SET state = 'free', why = NULL WHERE cell = ? AND parcel IS NULL", (fact.cell,))
    for code in ("cell_faulted", "forced_door", "door_left_open", "wrong_door"):
        log.drop_alarm(case.tx, code, str(fact.cell))


# --- the counter ----------------------------------------------------------------------------------------------------


def _accepted(case: Case, fact: events.BillAccepted) -> None:
    """Cash was taken. The hub's answer to it (posted, refused) is applied again after the facts."""
    changes = {"state": BillState.ACCEPTED, "slip": fact.slip, "operator": fact.operator, "slip_shown": 0}
    at = {"accepted_at": case.item.stamp.at, "accepted_seq": case.item.seq}
    _number(case.tx, "slip", fact.slip)
    case.tx.update("bill", ("id", fact.bill), changes | at)


def _slip_issued(case: Case, fact: events.SlipIssued) -> None:
    case.tx.update("bill", ("id", fact.bill), {"slip_shown": 1})


def _refunded(case: Case, fact: events.BillRefunded) -> None:
    case.tx.update("bill", ("id", fact.bill), {"state": BillState.REVERSED})
    log.drop_alarm(case.tx, "refund", fact.bill)


def _weighed(case: Case, fact: events.GoodsWeighed) -> None:
    names = ("ticket", "net_g", "tare_g", "fen_per_kg", "fen", "operator", "reweigh")
    _number(case.tx, "ticket", fact.ticket.lstrip("W"))
    row = {name: getattr(fact, name) for name in names}
    case.tx.insert("weighing", row | {"at": case.item.stamp.at, "seq": case.item.seq})


def _print_started(case: Case, fact: events.PrintStarted) -> None:
    case.tx.insert("print", {"seq": case.item.seq, "slip": fact.slip, "copy": fact.copy})


def _print_ended(case: Case, fact: events.PrintEnded) -> None:
    case.tx.execute(
        "UPDATE print SET outcome = ? WHERE slip = ? AND copy = ? AND outcome IS NULL",
        (fact.outcome, fact.slip, fact.copy),
    )


def _person(case: Case, fact: events.OperatorAdded) -> None:
    """Added, or with a new PIN, after the copy was made: the PIN itself is in no fact."""
    case.work.people.add(fact.operator)


RULES: dict[type[Fact], Callable[[Case, Any], None]] = {
    events.ParcelArrived: _arrived,
    events.PlaceTaken: _place_taken,
    events.ConsentRecorded: _consent,
    events.ParcelShelved: _laid,
    events.ParcelDeposited: _laid,
    events.DepositCancelled: _cancelled,
    events.PickupStarted: _state(P.RELEASING),
    events.PickupFailed: _failed,
    events.PickupLeftOnShelf: _state(P.ON_SHELF),
    events.ParcelPickedUp: _picked_up,
    events.ParcelExcepted: _excepted,
    events.ParcelFound: _found,
    events.ParcelFoundInCell: _found_in_cell,
    events.DoorAuthorised: _authorised,
    events.DoorOpened: _opened,
    events.DoorNotOpened: _not_opened,
    events.DoorClosed: _closed,
    events.CellFaulted: _out,
    events.CellWithdrawn: _out,
    events.CellRestored: _back,
    events.BillAccepted: _accepted,
    events.SlipIssued: _slip_issued,
    events.BillRefunded: _refunded,
    events.GoodsWeighed: _weighed,
    events.PrintStarted: _print_started,
    events.PrintEnded: _print_ended,
    events.OperatorAdded: _person,
}

# --- rows -----------------------------------------------------------------------------------------------------------


def _parcel(case: Case, parcel: str, **changes: Any) -> None:
    case.tx.update("parcel", ("id", parcel), changes)


def _cell(case: Case, cell: int, state: CellState, parcel: str | None) -> None:
    case.tx.execute(  # perhaps one that the settings do not name any more: whatever its size was
        "INSERT INTO cell (cell, size, state, parcel) VALUES (?, 'L', ?, ?)"
        " ON CONFLICT (cell) DO UPDATE SET state = excluded.state, parcel = excluded.parcel, why = NULL"
        " WHERE state <> 'out_of_service' OR excluded.state <> 'occupied'",
        (cell, state, parcel),
    )
    case.tx.execute("UPDATE cell SET parcel = ? WHERE cell = ?", (parcel, cell))  # one out of service stays so


def _leave(case: Case, parcel: str, *, left_open: bool = False) -> None:
    """Whatever cell or place this parcel had is free again."""
    tx = case.tx
    tx.execute(
        "UPDATE cell SET state = CASE WHEN ? THEN 'out_of_service' WHEN state = 'out_of_service' THEN state"
        " ELSE 'free' END, why = CASE WHEN ? AND state <> 'out_of_service' THEN 'door_left_open' ELSE why END,"
        " parcel = NULL WHERE parcel = ?",
        (left_open, left_open, parcel),
    )
    tx.execute(
        "UPDATE place SET taken = 0, free_seq = ?, free_at = ? WHERE place = (SELECT place FROM parcel WHERE id = ?)",
        (case.item.seq, case.item.stamp.at, parcel),
    )


def _take(case: Case, place: str | None) -> None:
    if place is not None:  # perhaps of a shelf that the settings do not name any more
        case.tx.execute(
            "INSERT INTO place (place, shelf, free_seq, free_at, taken) VALUES (?, ?, 0, 0, 1)"
            " ON CONFLICT (place) DO UPDATE SET taken = 1",
            (place, place.partition("-")[0]),
        )


def _number(tx: Tx, key: str, number: str) -> None:
    last = int(tx.value("SELECT value FROM meta WHERE key = ?", (key,)) or 0)
    if number.isdecimal() and int(number) > last:
        _set(tx, key, int(number))


def _set(tx: Tx, key: str, value: int) -> None:
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, str(value)))
