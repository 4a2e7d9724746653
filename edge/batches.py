"""Codes from the memories of guns: which still wait for the operator, and which are settled. No parcel is judged here.

Every code of an upload is remembered with what became of it, so that the same memory sent again, also after a restart,
asks nothing twice. Whether a parcel is to be taken in is decided by the operator (edge/batch_lists.py).
"""

from __future__ import annotations

from edge import events, log
from edge.model import OperatorId, ParcelId, WaybillNo
from edge.store import Tx

MAX_CODES = 20_000  # remembered; two full memories of 8192 and a year of small ones
KEEP_MS = 30 * 24 * 3_600_000  # a gun that keeps its memory longer than a month is not emptied at all


def waiting(tx: Tx) -> int:
    """Return how many codes wait for the operator."""
    return int(tx.value("SELECT count(*) FROM batch_code WHERE state = 'waiting'"))


def settle(tx: Tx, number: WaybillNo, parcel: ParcelId, quality: str) -> None:
    """The parcel with this number has arrived: its code asks nothing more. `quality`: live, or upload from the list."""
    row = tx.row("SELECT batch FROM batch_code WHERE number = ? AND state = 'waiting'", (number,))
    if row is None:
        return
    tx.update("batch_code", ("number", number), {"state": "taken"})
    if quality == "upload":
        log.append(tx, events.ParcelFromBatch(parcel, row["batch"], quality))


def reopen(tx: Tx, number: WaybillNo) -> None:
    """The parcel was not taken in after all: its code waits again."""
    tx.execute("UPDATE batch_code SET state = 'waiting' WHERE number = ? AND state = 'taken' AND seen = 0", (number,))


def close(tx: Tx, batch: str, operator: OperatorId) -> None:
    """The operator has done with a list: what still waits in it is left out. A closed list stays as it is."""
    rows = tx.rows("SELECT state, count(*) AS n FROM batch_code WHERE batch = ? AND seen = 0 GROUP BY state", (batch,))
    count = {row["state"]: row["n"] for row in rows}
    if not count:
        return
    tx.execute("UPDATE batch_code SET state = 'left' WHERE batch = ? AND state = 'waiting'", (batch,))
    tx.execute("UPDATE batch_code SET seen = 1 WHERE batch = ?", (batch,))
    log.append(tx, events.BatchClosed(batch, count.get("taken", 0), count.get("waiting", 0), operator))


def forget(tx: Tx, before: int) -> None:
    """Forget lists that came before `before` (UTC ms), whatever became of them."""
    tx.bookkeeping = True
    tx.execute("DELETE FROM batch_code WHERE batch IN (SELECT id FROM batch WHERE at < ?)", (before,))
    tx.execute("DELETE FROM batch WHERE at < ?", (before,))
