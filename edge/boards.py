"""What the screens list: read-only projections of the tables into `edge.steps` values. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge import batches, log
from edge.model import (
    AccountNo,
    BillId,
    Fen,
    Name,
    Parcel,
    ParcelId,
    PickupCode,
    Rejected,
    WaybillNo,
    local_day,
)
from edge.parcels import ACTIVE, HERE
from edge.pickups import is_stuck
from edge.steps import BillLine, BillsBoard, DayBoard, ParcelLine, ParcelsBoard
from edge.store import Tx

OVERDUE_MS = 48 * 3_600_000  # overdue_hours of the policy table
DAY_MS = 24 * 3_600_000
PAGE = 60  # rows a search returns; the rest is counted
NOTHING: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """Who took a bill's cash and when; `check` is the check code of the slip."""

    operator: str
    at: int
    check: str


def line(tx: Tx, parcel: ParcelId) -> ParcelLine:
    return lines(tx, (parcel,))[0]


def lines(tx: Tx, parcels: tuple[ParcelId, ...]) -> tuple[ParcelLine, ...]:
    """Return parcels as list lines, in the order asked."""
    marks = ", ".join("?" * len(parcels))
    rows = {row["id"]: row for row in tx.rows(f"SELECT * FROM parcel WHERE id IN ({marks})", parcels)}  # noqa: S608
    if len(rows) != len(set(parcels)):
        raise Rejected("not_here")
    return tuple(_line(tx, rows[parcel]) for parcel in parcels)


def _line(tx: Tx, row: dict[str, Any]) -> ParcelLine:
    parcel = Parcel.from_row(row)
    age = 0 if parcel.arrived_at is None else max(0, tx.stamp.at - parcel.arrived_at)
    return ParcelLine(
        id=parcel.id,
        waybill_no=parcel.waybill_no,
        carrier=parcel.carrier,
        recipient=parcel.recipient,
        phone=parcel.phone,
        place=parcel.place,
        cell=parcel.cell,
        state=parcel.state,
        notified=parcel.notified,
        days_here=age // DAY_MS,
        overdue=age > OVERDUE_MS,
        stuck=is_stuck(tx, parcel),
    )


def code_of(tx: Tx, parcel: ParcelId) -> PickupCode | None:
    found = tx.value("SELECT code FROM parcel WHERE id = ?", (parcel,))
    return None if found is None else PickupCode(found)


def arrived_today(tx: Tx) -> int:
    today = local_day(tx.stamp.at)
    here = tx.value(f"SELECT count(*) FROM {HERE} AND arrived_day = ?", (today,))  # noqa: S608 constant
    gone = "SELECT count(*) FROM parcel WHERE closed_at >= ? AND arrived_day = ?"
    return int(here + tx.value(gone, (_midnight(tx), today)))


def day(tx: Tx) -> DayBoard:
    """Return the operator's figures of today and what waits for a hand."""
    by_state = f"SELECT state, count(*) AS n FROM {HERE} GROUP BY state"  # noqa: S608 constant
    states = {row["state"]: row["n"] for row in tx.rows(by_state)}
    active = int(tx.value(f"SELECT count(*) FROM parcel WHERE {ACTIVE}"))  # noqa: S608 constant
    midnight = _midnight(tx)
    bills = tx.row(
        "SELECT count(*) AS n, coalesce(sum(state = 'accepted'), 0) AS open,"
        " coalesce(sum(CASE WHEN state <> 'reversed' THEN fen END), 0) AS fen FROM bill"
        " WHERE accepted_seq IS NOT NULL AND (accepted_at >= ? OR state = 'accepted')",
        (midnight,),
    ) or {"n": 0, "open": 0, "fen": 0}
    free = tx.value("SELECT count(*) FROM cell WHERE state = 'free'")
    out = tx.value("SELECT count(*) FROM cell WHERE state = 'out_of_service' AND down = 0")
    waiting = tx.rows(f"SELECT * FROM {HERE} AND state = 'arrived' ORDER BY +id LIMIT 10")  # noqa: S608
    return DayBoard(
        arrived=arrived_today(tx),
        picked_up=int(tx.value("SELECT count(*) FROM parcel WHERE closed_at >= ?", (midnight,))),
        in_locker=states.get("in_locker", 0),
        on_shelf=states.get("on_shelf", 0),
        expected=active - sum(states.values()),
        overdue=int(
            tx.value(f"SELECT count(*) FROM {HERE} AND arrived_at < ?", (tx.stamp.at - OVERDUE_MS,))  # noqa: S608
        ),
        exceptions=states.get("exception", 0),
        bills_accepted=bills["n"],
        bills_unposted=bills["open"],
        cash_fen=Fen(bills["fen"]),
        cells_free=free,
        cells_out=out,
        alarms=alarms(tx),
        refunds=int(tx.value("SELECT count(*) FROM bill WHERE accepted_seq IS NOT NULL AND state = 'refused'")),
        pending_deposits=tuple(_line(tx, row) for row in waiting),
        codes=batches.waiting(tx),
    )


def alarms(tx: Tx) -> tuple[str, ...]:
    """Return alarms as "code:subject", the newest first. Only cells and devices are named; ids tell people nothing."""
    rows = tx.rows("SELECT code, subject FROM alarm ORDER BY seq DESC LIMIT 20")
    named = (f"{row['code']}:{row['subject']}" if _speaks(row["code"]) else row["code"] for row in rows)
    return tuple(dict.fromkeys(named))


def _speaks(code: str) -> bool:
    return code not in {
        "fork", "log_broken", "disk_low", "backup_old", "parcel_excepted", "refund", "fact_refused", "restored"
    }  # fmt: skip


def _midnight(tx: Tx) -> int:
    return tx.stamp.at - (tx.stamp.at + 8 * 3_600_000) % DAY_MS


def search(tx: Tx, text: str) -> ParcelsBoard:
    """Find open parcels by tail of waybill or phone, by place, cell or surname; with no text, all by age."""
    text = text.strip()[:40]
    if not text:
        where, values = "1 = 1", NOTHING
    elif text.isascii() and text.isdigit():
        where = "(waybill_no LIKE ? OR replace(phone, '-', '') LIKE ? OR cell = ? OR place LIKE ?)"
        values = (f"%{text}", f"%{text}", int(text[:6]), f"%-{text}")
    else:
        where = "(place LIKE ? OR recipient LIKE ? OR waybill_no LIKE ?)"
        values = (f"{text}%", f"{text}%", f"%{text}%")
    sql = f"SELECT * FROM {HERE} AND {where} ORDER BY arrived_at, id LIMIT ?"  # noqa: S608 constants
    rows = tx.rows(sql, (*values, PAGE))
    total = tx.value(f"SELECT count(*) FROM {HERE} AND {where}", values)  # noqa: S608 constants
    return ParcelsBoard(text, tuple(_line(tx, row) for row in rows), int(total) - len(rows))


def find_line(tx: Tx, waybill_no: WaybillNo) -> ParcelLine | None:
    row = tx.row(f"SELECT * FROM parcel WHERE waybill_no = ? AND {ACTIVE} AND arrived_day IS NOT NULL", (waybill_no,))  # noqa: S608 constant
    return None if row is None else _line(tx, row)


# --- bills --------------------------------------------------------------------------------------------------------


def bill_line(tx: Tx, bill: BillId) -> BillLine:
    return bill_lines(tx, (bill,))[0]


def bill_lines(tx: Tx, bills: tuple[BillId, ...]) -> tuple[BillLine, ...]:
    marks = ", ".join("?" * len(bills))
    rows = {row["id"]: row for row in tx.rows(f"SELECT * FROM bill WHERE id IN ({marks})", bills)}  # noqa: S608
    return tuple(_bill(rows[bill]) for bill in bills)


def _bill(row: dict[str, Any]) -> BillLine:
    return BillLine(
        id=BillId(row["id"]),
        biller=row["biller"],
        kind=row["kind"],
        account_no=AccountNo(row["account_no"]),
        name=Name(row["name"]),
        period=row["period"],
        fen=Fen(row["fen"]),
        state=row["state"],
        slip=row["slip"],
        at=row["accepted_at"],
        reason=row["reason"],
    )


def taken(tx: Tx, bill: BillId) -> Taken:
    row = tx.row(
        "SELECT b.operator, b.accepted_at, f.hash FROM bill b JOIN fact f ON f.seq = b.accepted_seq WHERE b.id = ?",
        (bill,),
    )
    if row is None:
        raise Rejected("unknown_bill")
    return Taken(row["operator"], row["accepted_at"], row["hash"][:8])


def bills_taken(tx: Tx) -> BillsBoard:
    """Return the bills taken here, the newest first, refused ones on top, with the money in the drawer."""
    rows = tx.rows(
        "SELECT * FROM bill WHERE accepted_seq IS NOT NULL ORDER BY state = 'refused' DESC, accepted_seq DESC LIMIT ?",
        (PAGE,),
    )
    taken_sum = "SELECT coalesce(sum(fen), 0) FROM bill WHERE accepted_seq IS NOT NULL AND state "
    total = tx.value(taken_sum + "IN ('accepted', 'posted', 'refused')")
    unposted = tx.value(taken_sum + "= 'accepted'")
    return BillsBoard(tuple(_bill(row) for row in rows), Fen(total), Fen(unposted))


# --- the line -----------------------------------------------------------------------------------------------------


def refusals(tx: Tx) -> tuple[str, ...]:
    return tuple(row["reason"] for row in tx.rows("SELECT reason FROM refused ORDER BY event LIMIT 20"))


def notices(tx: Tx) -> tuple[str, ...]:
    today = local_day(tx.stamp.at)
    return tuple(
        row["text"] for row in tx.rows("SELECT text FROM notice WHERE valid_until >= ? ORDER BY id LIMIT 10", (today,))
    )


def forked(tx: Tx) -> bool:
    return bool(tx.value("SELECT 1 FROM alarm WHERE code = 'fork'"))


def pending(tx: Tx) -> int:
    return log.pending(tx)
