"""What a gun's memory holds, as a list for the operator: what is proposed, what is a question, what is taken in.

Each function is one transaction. A whole list is never taken in at once: one code, one commit, so that a power cut
leaves the rest waiting and nothing doubled. No door is opened from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge import batches, cells, events, log, parcels
from edge.model import Consent, OperatorId, Parcel, ParcelState, Rejected, WaybillNo
from edge.parcels import Arrival
from edge.steps import BatchBoard, BatchLine
from edge.store import Tx

SHOWN = 200  # lines; what is further down shows when these are done
ORDER = ("shelf", "cell", "consent", "carrier", "unknown", "here", "taken")


@dataclass(frozen=True, slots=True)
class Code:
    """One code of an upload: the numbers it may be, and carriers; one carrier is sure, several are a question.

    `is_doubtful`: it may be a person's number, so it is kept only when a parcel of this point has it.
    """

    numbers: tuple[WaybillNo, ...]
    carriers: tuple[str, ...]
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """What came from a gun. `useless`: codes that are no waybills; they are counted and not kept."""

    scanner: str
    codes: tuple[Code, ...]
    useless: int
    is_whole: bool


def receive(tx: Tx, upload: Upload) -> int:
    """Keep the codes that are new as a list for the operator. Return how many codes wait in all lists."""
    batch = tx.dice.ident()
    room = max(0, batches.MAX_CODES - int(tx.value("SELECT count(*) FROM batch_code")))
    kept = [code for code in upload.codes if not code.is_doubtful or known(tx, code.numbers) is not None]
    new = _insert(tx, batch, kept[:room])
    useless = upload.useless + len(upload.codes) - len(kept[:room])
    again = len(kept[:room]) - new
    seq = log.append(tx, events.CodesUploaded(batch, upload.scanner, new, again, useless, upload.is_whole)).seq
    row = {"id": batch, "scanner": upload.scanner, "at": tx.stamp.at, "useless": useless, "whole": upload.is_whole}
    tx.insert("batch", row | {"seq": seq})
    return batches.waiting(tx)


def known(tx: Tx, numbers: Sequence[WaybillNo]) -> Parcel | None:
    """Return the parcel that is expected or here under the first of these numbers that any has."""
    return next((p for p in (parcels.find_active(tx, number) for number in numbers) if p is not None), None)


def _insert(tx: Tx, batch: str, codes: Sequence[Code]) -> int:
    new = 0
    for nr, code in enumerate(codes):
        parcel = known(tx, code.numbers)
        number = code.numbers[0] if parcel is None else parcel.waybill_no
        is_here = parcel is not None and parcel.state is not ParcelState.EXPECTED
        added = tx.execute(
            "INSERT OR IGNORE INTO batch_code (number, batch, nr, carriers, state, seen) VALUES (?, ?, ?, ?, ?, ?)",
            (number, batch, nr, " ".join(code.carriers), "here" if is_here else "waiting", int(is_here)),
        )
        new += added.rowcount == 1 and not is_here
    return new


def board(tx: Tx) -> BatchBoard:
    """Return the oldest list that the operator has not done with."""
    sql = "SELECT * FROM batch WHERE id IN (SELECT batch FROM batch_code WHERE seen = 0) ORDER BY seq"
    lists = tx.rows(sql)
    if not lists:
        return BatchBoard()
    head = lists[0]
    rows = tx.rows("SELECT * FROM batch_code WHERE batch = ? AND seen = 0 ORDER BY nr", (head["id"],))
    lines = sorted((_line(tx, row) for row in rows), key=lambda line: ORDER.index(line.kind))
    return BatchBoard(
        batch=head["id"],
        scanner=head["scanner"],
        at=head["at"],
        lines=tuple(lines[:SHOWN]),
        more=max(0, len(lines) - SHOWN),
        proposed=sum(line.kind == "shelf" for line in lines),
        waiting=sum(row["state"] == "waiting" for row in rows),
        useless=head["useless"],
        whole=bool(head["whole"]),
        further=len(lists) - 1,
    )


def _line(tx: Tx, row: dict[str, object]) -> BatchLine:
    number, carriers = WaybillNo(str(row["number"])), str(row["carriers"]).split()
    parcel = parcels.find_active(tx, number)
    if parcel is None:
        gone = row["state"] == "taken"  # and collected meanwhile
        kind = "taken" if gone else "unknown" if len(carriers) == 1 else "carrier"
        return BatchLine(str(number), carriers[0] if carriers else "", kind)
    place = str(parcel.cell) if parcel.cell is not None else str(parcel.place or "")
    kind = "taken" if row["state"] == "taken" else _kind(tx, parcel)
    return BatchLine(str(number), parcel.carrier, kind, parcel.recipient, place)


def _kind(tx: Tx, parcel: Parcel) -> str:
    if parcel.state is not ParcelState.EXPECTED:
        return "here"
    if parcel.consent is Consent.NONE:
        return "consent"
    wants_cell = parcel.consent is Consent.LOCKER and cells.smallest_free(tx, parcel.size) is not None
    return "cell" if wants_cell else "shelf"


def proposed(tx: Tx, batch: str) -> tuple[WaybillNo, ...]:
    """Return the numbers of a list that may go to the shelf without a question, in the order of scanning."""
    rows = tx.rows("SELECT * FROM batch_code WHERE batch = ? AND state = 'waiting' ORDER BY nr", (batch,))
    return tuple(WaybillNo(row["number"]) for row in rows if _line(tx, row).kind == "shelf")


def take(tx: Tx, number: WaybillNo, operator: OperatorId) -> bool:
    """Put one proposed parcel on the shelf; False when it is no longer proposed. Errors: Rejected no_free_place."""
    row = tx.row("SELECT * FROM batch_code WHERE number = ? AND state = 'waiting'", (number,))
    if row is None or (line := _line(tx, row)).kind != "shelf":
        return False
    parcels.take_in(tx, Arrival(number, line.carrier, operator, "shelf", quality="upload"))
    return True


def carriers_of(tx: Tx, number: WaybillNo) -> tuple[str, ...]:
    """Return the carriers a waiting code may be of, the best first. Errors: Rejected not_here when it does not wait."""
    row = tx.row("SELECT carriers FROM batch_code WHERE number = ? AND state = 'waiting'", (number,))
    if row is None:
        raise Rejected("not_here")
    return tuple(row["carriers"].split())
