"""What facts mean at the hub: parcels, doors, devices, points, and the messages to recipients.

One function per kind of fact, found by PROJECTIONS; a kind without one is kept and means nothing here. A projection
follows what the point says has happened and refuses only what it cannot know. All of it runs in the transaction that
stores the fact. Bills are in sync/hub/biller.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edge import events as ev
from edge.events import Fact
from edge.model import ParcelState as P
from edge.model import Phone, PickupCode
from sync.hub import biller
from sync.hub.case import Case
from sync.hub.store import Tx

STATES: Mapping[type[Fact], P] = {
    ev.ParcelArrived: P.ARRIVED,
    ev.ParcelShelved: P.ON_SHELF,
    ev.ParcelDeposited: P.IN_LOCKER,
    ev.DepositCancelled: P.EXPECTED,
    ev.PickupStarted: P.RELEASING,
    ev.ParcelPickedUp: P.PICKED_UP,
    ev.PickupFailed: P.IN_LOCKER,
    ev.PickupLeftOnShelf: P.ON_SHELF,
    ev.ParcelExcepted: P.EXCEPTION,
    ev.ParcelFound: P.ON_SHELF,
    ev.ParcelFoundInCell: P.IN_LOCKER,
}
DOOR_STATES: Mapping[type[Fact], str] = {
    ev.DoorAuthorised: "authorised",
    ev.DoorOpened: "open",
    ev.DoorNotOpened: "not_opened",
    ev.DoorClosed: "closed",
    ev.DoorLeftOpen: "left_open",
    ev.DoorForced: "forced",
}


def parcel_moved(tx: Tx, case: Case, fact: Any) -> None:
    """Note the state of a parcel, whether the hub expected it or not."""
    tx.execute(
        "INSERT INTO parcel (site, parcel, state, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT (site, parcel) "
        "DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at",
        (case.site, fact.parcel, STATES[type(fact)], case.at),
    )


def parcel_arrived(tx: Tx, case: Case, fact: ev.ParcelArrived) -> None:
    """A parcel is at the point; an unexpected one brings its own waybill number and phone."""
    parcel_moved(tx, case, fact)
    tx.execute(
        "UPDATE parcel SET waybill_no = coalesce(waybill_no, ?), carrier = coalesce(carrier, ?), "
        "phone = coalesce(phone, ?), cell = ?, place = ? WHERE site = ? AND parcel = ?",
        (fact.waybill_no, fact.carrier, _plain(fact.phone), fact.cell, fact.place, case.site, fact.parcel),
    )
    if not fact.expected:
        _join_announcement(tx, case, fact)


def _join_announcement(tx: Tx, case: Case, fact: ev.ParcelArrived) -> None:
    """The manifest was on its way when the parcel came unannounced: both rows are one parcel, under the point's id.

    The point completes its own in the same way when the announcement reaches it (`edge.parcels.expected`).
    """
    twin = tx.row(
        "SELECT * FROM parcel WHERE site = ? AND waybill_no = ? AND state = ? AND size IS NOT NULL AND parcel <> ?",
        (case.site, fact.waybill_no, P.EXPECTED, fact.parcel),
    )
    if twin is None:
        return
    tx.execute("DELETE FROM parcel WHERE site = ? AND parcel = ?", (case.site, twin["parcel"]))
    tx.execute(
        "UPDATE parcel SET carrier = ?, recipient = coalesce(?, recipient), phone = coalesce(?, phone), "
        "address = coalesce(?, address), consent = coalesce(consent, ?), size = ? WHERE site = ? AND parcel = ?",
        (*(twin[name] for name in ("carrier", "recipient", "phone", "address", "consent", "size")), case.site,
         fact.parcel),
    )  # fmt: skip


def parcel_laid(tx: Tx, case: Case, fact: ev.ParcelShelved | ev.ParcelDeposited) -> None:
    """A parcel waits for its recipient: note where, and write the message in the same transaction."""
    parcel_moved(tx, case, fact)
    in_locker = isinstance(fact, ev.ParcelDeposited)
    cell = fact.cell if isinstance(fact, ev.ParcelDeposited) else None
    place = None if isinstance(fact, ev.ParcelDeposited) else fact.place
    tx.execute(
        "UPDATE parcel SET cell = ?, place = ? WHERE site = ? AND parcel = ?", (cell, place, case.site, fact.parcel)
    )
    where = str(cell) if in_locker else place
    _write_message(tx, case, fact.parcel, ("locker" if in_locker else "shelf", fact.code, where))


def parcel_taken(tx: Tx, case: Case, fact: ev.ParcelPickedUp) -> None:
    """A parcel is gone: its code is of no use to anyone any more."""
    parcel_moved(tx, case, fact)
    tx.execute("UPDATE sms SET code = NULL WHERE site = ? AND parcel = ?", (case.site, fact.parcel))
    tx.execute("UPDATE parcel SET cell = NULL, place = NULL WHERE site = ? AND parcel = ?", (case.site, fact.parcel))


def parcel_found(tx: Tx, case: Case, fact: ev.ParcelFound | ev.ParcelFoundInCell) -> None:
    """A parcel that was in doubt lies here."""
    parcel_moved(tx, case, fact)
    cell = fact.cell if isinstance(fact, ev.ParcelFoundInCell) else None
    place = fact.place if isinstance(fact, ev.ParcelFound) else None
    tx.execute(
        "UPDATE parcel SET cell = ?, place = ? WHERE site = ? AND parcel = ?", (cell, place, case.site, fact.parcel)
    )


def consent_recorded(tx: Tx, case: Case, fact: ev.ConsentRecorded) -> None:
    """The recipient agreed to shelf or locker at the point; of an unannounced parcel this is the first we hear."""
    tx.execute(
        "INSERT INTO parcel (site, parcel, state, consent, changed_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (site, parcel) DO UPDATE SET consent = excluded.consent",
        (case.site, fact.parcel, P.EXPECTED, fact.consent, case.at),
    )


def door_moved(tx: Tx, case: Case, fact: Any) -> None:
    """Note the last thing known of a door."""
    tx.execute(
        "INSERT INTO door (site, cell, opening, state, changed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (site, cell) DO "
        "UPDATE SET opening = excluded.opening, state = excluded.state, changed_at = excluded.changed_at",
        (case.site, fact.cell, getattr(fact, "opening", None), DOOR_STATES[type(fact)], case.at),
    )


def cell_judged(tx: Tx, case: Case, fact: ev.CellFaulted | ev.CellWithdrawn | ev.CellRestored) -> None:
    """A cell was taken out of service or put back."""
    match fact:
        case ev.CellFaulted():
            fault: str | None = fact.why
        case ev.CellWithdrawn():
            fault = fact.reason
        case _:
            fault = None
    tx.execute(
        "INSERT INTO door (site, cell, state, fault, changed_at) VALUES (?, ?, 'unknown', ?, ?) "
        "ON CONFLICT (site, cell) DO UPDATE SET fault = excluded.fault, changed_at = excluded.changed_at",
        (case.site, fact.cell, fault, case.at),
    )


def device_judged(tx: Tx, case: Case, fact: ev.DeviceFaulted | ev.DeviceRecovered) -> None:
    """A device failed or came back."""
    failed = isinstance(fact, ev.DeviceFaulted)
    what = fact.what if isinstance(fact, ev.DeviceFaulted) else None
    tx.execute(
        "INSERT INTO device (site, device, state, what, changed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (site, device) "
        "DO UPDATE SET state = excluded.state, what = excluded.what, changed_at = excluded.changed_at",
        (case.site, fact.device, "failed" if failed else "works", what, case.at),
    )


def terminal_started(tx: Tx, case: Case, fact: ev.TerminalStarted) -> None:
    """A point came up with this release."""
    tx.execute("UPDATE site SET version = ?, started_at = ? WHERE code = ?", (fact.version, case.at, case.site))


def _write_message(tx: Tx, case: Case, parcel: str, what: tuple[str, PickupCode | None, str | None]) -> None:
    """Hand a message to the gateway, at most one for each event, and tell the point.

    The reference hub's gateway is this table: a row is a message sent. A real one reads it and tells the point itself.
    """
    template, code, place = what
    phone = tx.value("SELECT phone FROM parcel WHERE site = ? AND parcel = ?", (case.site, parcel))
    if phone is None:
        return  # the operator calls: the point still shows "not told"
    tx.execute(
        "INSERT INTO sms (site, event, parcel, template, phone, code, place, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (case.site, case.event, parcel, template, phone, None if code is None else code.plain(), place, tx.stamp.at),
    )
    tx.execute("UPDATE parcel SET notified_at = ? WHERE site = ? AND parcel = ?", (tx.stamp.at, case.site, parcel))
    case.down.append(ev.NoticeSent(parcel, "sms"))


def _plain(phone: Phone | None) -> str | None:
    return None if phone is None else phone.plain()


PROJECTIONS: dict[type[Fact], Callable[[Tx, Case, Any], None]] = {
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
}
