"""What facts mean at the hub: parcels, doors, devices, points, and the messages to recipients.

One function per kind of fact, found by PROJECTIONS; a kind without one is kept and means nothing here. A projection
follows what the point says has happened and refuses only what it cannot know. All of it runs in the transaction that
stores the fact. Bills are in sync/hub/biller.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from edge import events as ev
from edge.events import Fact
from edge.model import ParcelState as P
from edge.model import Phone
from sync.hub import biller, commissioning, rollouts, sheets
from sync.hub.case import Case
from sync.hub.database import Table
from sync.hub.rows import Rows
from sync.hub.schema import BILL, DEVICE, DOOR, PARCEL, PARCEL_BY_WAYBILL, POSTING, SMS

STATES: Mapping[type[Fact], str] = {
    ev.ParcelArrived: P.ARRIVED.value,
    ev.ParcelShelved: P.ON_SHELF.value,
    ev.ParcelDeposited: P.IN_LOCKER.value,
    ev.DepositCancelled: P.EXPECTED.value,
    ev.PickupStarted: P.RELEASING.value,
    ev.ParcelPickedUp: P.PICKED_UP.value,
    ev.PickupFailed: P.IN_LOCKER.value,
    ev.PickupLeftOnShelf: P.ON_SHELF.value,
    ev.ParcelExcepted: P.EXCEPTION.value,
    ev.ParcelFound: P.ON_SHELF.value,
    ev.ParcelFoundInCell: P.IN_LOCKER.value,
}
DOOR_STATES: Mapping[type[Fact], str] = {
    ev.DoorAuthorised: "authorised",
    ev.DoorOpened: "open",
    ev.DoorNotOpened: "not_opened",
    ev.DoorClosed: "closed",
    ev.DoorLeftOpen: "left_open",
    ev.DoorForced: "forced",
}


def without_overtaken(facts: Sequence[Fact | str]) -> list[Fact | str | None]:
    """Leave out what a later fact of the same batch makes vain: of the doors only the last state of each is kept.

    None stands in its place. It is in the log all the same; the row of its door would be written over at once.
    """
    left: list[Fact | str | None] = list(facts)
    last: set[int] = set()
    for at in range(len(left) - 1, -1, -1):
        fact: Any = left[at]
        if type(fact) in DOOR_STATES:
            if fact.cell in last:
                left[at] = None
            last.add(fact.cell)
    return left


def parcel_moved(rows: Rows, case: Case, fact: Any) -> None:
    """Note the state of a parcel, whether the hub expected it or not."""
    _move_parcel(rows, case, fact)


def _move_parcel(rows: Rows, case: Case, fact: Any, **values: Any) -> None:
    rows.put(PARCEL, (case.site, fact.parcel), state=STATES[type(fact)], changed_at=case.at, **values)


def parcel_arrived(rows: Rows, case: Case, fact: ev.ParcelArrived) -> None:
    """A parcel is at the point; an unexpected one brings its own waybill number and phone."""
    row = rows.get(PARCEL, (case.site, fact.parcel)) or {}
    brought = {"waybill_no": fact.waybill_no, "carrier": fact.carrier, "phone": _plain(fact.phone)}
    missing = {name: value for name, value in brought.items() if row.get(name) is None}
    _move_parcel(rows, case, fact, cell=fact.cell, place=fact.place, **missing)
    if not fact.expected:
        _join_announcement(rows, case, fact)


def _join_announcement(rows: Rows, case: Case, fact: ev.ParcelArrived) -> None:
    """The manifest was on its way when the parcel came unannounced: both rows are one parcel, under the point's id.

    The point completes its own in the same way when the announcement reaches it (`edge.parcels.expected`).
    """
    found = rows.find(PARCEL_BY_WAYBILL, PARCEL, [(case.site, fact.waybill_no)])
    twins = (row for row in found if row["state"] == P.EXPECTED.value and row["size"] is not None)
    twin = min((row for row in twins if row["parcel"] != fact.parcel), key=itemgetter("parcel"), default=None)
    if twin is None:
        return
    key = (case.site, fact.parcel)
    own = rows.get(PARCEL, key) or {}
    rows.drop(PARCEL, (case.site, twin["parcel"]))
    better = {name: twin[name] for name in ("recipient", "phone", "address") if twin[name] is not None}
    consent = twin["consent"] if own.get("consent") is None else own["consent"]
    rows.put(PARCEL, key, carrier=twin["carrier"], size=twin["size"], consent=consent, **better)


def parcel_laid(rows: Rows, case: Case, fact: ev.ParcelShelved | ev.ParcelDeposited) -> None:
    """A parcel waits for its recipient: note where, and write the message in the same transaction."""
    in_locker = isinstance(fact, ev.ParcelDeposited)
    cell = fact.cell if isinstance(fact, ev.ParcelDeposited) else None
    place = None if isinstance(fact, ev.ParcelDeposited) else fact.place
    told = _write_message(rows, case, fact, ("locker" if in_locker else "shelf", str(cell) if in_locker else place))
    _move_parcel(rows, case, fact, cell=cell, place=place, **told)


def parcel_taken(rows: Rows, case: Case, fact: ev.ParcelPickedUp) -> None:
    """A parcel is gone: its code is of no use to anyone any more."""
    _move_parcel(rows, case, fact, cell=None, place=None)
    rows.blank(SMS, (case.site, fact.parcel), "code")


def parcel_found(rows: Rows, case: Case, fact: ev.ParcelFound | ev.ParcelFoundInCell) -> None:
    """A parcel that was in doubt lies here."""
    cell = fact.cell if isinstance(fact, ev.ParcelFoundInCell) else None
    place = fact.place if isinstance(fact, ev.ParcelFound) else None
    _move_parcel(rows, case, fact, cell=cell, place=place)


def consent_recorded(rows: Rows, case: Case, fact: ev.ConsentRecorded) -> None:
    """The recipient agreed to shelf or locker at the point; of an unannounced parcel this is the first we hear."""
    key = (case.site, fact.parcel)
    if not rows.change(PARCEL, key, consent=fact.consent):
        rows.put(PARCEL, key, state=P.EXPECTED.value, consent=fact.consent, changed_at=case.at)


def door_moved(rows: Rows, case: Case, fact: Any) -> None:
    """Note the last thing known of a door."""
    opening = getattr(fact, "opening", None)
    rows.put(DOOR, (case.site, fact.cell), opening=opening, state=DOOR_STATES[type(fact)], changed_at=case.at)


def cell_judged(rows: Rows, case: Case, fact: ev.CellFaulted | ev.CellWithdrawn | ev.CellRestored) -> None:
    """A cell was taken out of service or put back."""
    match fact:
        case ev.CellFaulted():
            fault: str | None = fact.why
        case ev.CellWithdrawn():
            fault = fact.reason
        case _:
            fault = None
    key = (case.site, fact.cell)
    if not rows.change(DOOR, key, fault=fault, changed_at=case.at):
        rows.put(DOOR, key, state="unknown", fault=fault, changed_at=case.at)


def device_judged(rows: Rows, case: Case, fact: ev.DeviceFaulted | ev.DeviceRecovered) -> None:
    """A device failed or came back."""
    failed = isinstance(fact, ev.DeviceFaulted)
    what = fact.what if isinstance(fact, ev.DeviceFaulted) else None
    state = "failed" if failed else "works"
    rows.put(DEVICE, (case.site, fact.device), state=state, what=what, changed_at=case.at)


def terminal_started(rows: Rows, case: Case, fact: ev.TerminalStarted) -> None:
    """A point came up with this release."""
    rows.tx.execute("UPDATE site SET version = ?, started_at = ? WHERE code = ?", (fact.version, case.at, case.site))


def _write_message(
    rows: Rows, case: Case, fact: ev.ParcelShelved | ev.ParcelDeposited, what: tuple[str, str | None]
) -> dict[str, int]:
    """Hand a message to the gateway, at most one for each event, and tell the point; return what the parcel notes.

    The reference hub's gateway is this table: a row is a message sent. A real one reads it and tells the point itself.
    """
    template, place = what
    row = rows.get(PARCEL, (case.site, fact.parcel)) or {}
    phone = row.get("phone")
    if phone is None:
        return {}  # the operator calls: the point still shows "not told"
    at, code = rows.tx.stamp.at, None if fact.code is None else fact.code.plain()
    message = {"parcel": fact.parcel, "template": template, "phone": phone, "code": code, "place": place, "at": at}
    rows.add(SMS, (case.site, case.event), **message)
    case.down.append(ev.NoticeSent(fact.parcel, "sms"))
    return {"notified_at": at}


def _plain(phone: Phone | None) -> str | None:
    return None if phone is None else phone.plain()


Projection = Callable[[Rows, Case, Any], None]
PROJECTIONS: dict[type[Fact], Projection] = {
    **dict.fromkeys(STATES, parcel_moved),
    **dict.fromkeys(DOOR_STATES, door_moved),
    ev.ParcelArrived: parcel_arrived,
    ev.ParcelShelved: parcel_laid,
    ev.ParcelDeposited: parcel_laid,
    ev.ParcelPickedUp: parcel_taken,
    ev.ParcelFound: parcel_found,
    ev.ParcelFoundInCell: parcel_found,
    ev.ConsentRecorded: consent_recorded,
    ev.CellFaulted: cell_judged,
    ev.CellWithdrawn: cell_judged,
    ev.CellRestored: cell_judged,
    ev.DeviceFaulted: device_judged,
    ev.DeviceRecovered: device_judged,
    ev.TerminalStarted: terminal_started,
    ev.BillAccepted: biller.bill_accepted,
    ev.BillRefunded: biller.bill_refunded,
    ev.OutageEnded: sheets.outage_ended,
    **dict.fromkeys(rollouts.STATES, rollouts.update_moved),
    ev.CommissioningBegun: commissioning.begun,
    ev.CommissioningStepDone: commissioning.step_done,
    ev.PointCommissioned: commissioning.ended,
}

# What a projection will look at, for reading ahead: tables and the field that is the last part of the key.
READS: dict[type[Any], tuple[tuple[Table, str], ...]] = {
    **dict.fromkeys([*STATES, ev.ParcelShelved, ev.ParcelDeposited, ev.ConsentRecorded], ((PARCEL, "parcel"),)),
    **dict.fromkeys([*DOOR_STATES, ev.CellFaulted, ev.CellWithdrawn, ev.CellRestored], ((DOOR, "cell"),)),
    **dict.fromkeys([ev.DeviceFaulted, ev.DeviceRecovered], ((DEVICE, "device"),)),
    **dict.fromkeys([ev.BillAccepted, ev.BillRefunded], ((BILL, "bill"), (POSTING, "bill"))),
}
