"""The reference biller: books each accepted bill once, or says why not. A table of postings stands for its books.

Money is whole fen. A bill is posted at most once in the district, whoever took the cash and however often the fact
arrives: the event id and the bill are both unique keys.
"""

from __future__ import annotations

from edge.events import BillAccepted, BillPosted, BillRefunded, BillRefused
from edge.model import BillState
from sync.hub.case import Case, NotApplicable
from sync.hub.store import Tx


def bill_accepted(tx: Tx, case: Case, fact: BillAccepted) -> None:
    """Cash was taken at the point: post the bill, or refuse so that the point gives the cash back."""
    reason = _objection(tx, case, fact)
    if reason is not None:
        tx.execute(
            "INSERT INTO refusal (site, event, bill, slip, fen, reason, refunded, at) VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
            (case.site, case.event, fact.bill, fact.slip, fact.fen, reason, tx.stamp.at),
        )
        if reason != "already_paid":
            _set_state(tx, case, fact.bill, BillState.REFUSED)
        case.down.append(BillRefused(fact.bill, fact.slip, reason))
        return
    serial = int(tx.value("SELECT coalesce(max(serial), 0) + 1 FROM posting"))
    tx.execute(
        "INSERT INTO posting (site, event, bill, slip, fen, serial, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (case.site, case.event, fact.bill, fact.slip, fact.fen, serial, tx.stamp.at),
    )
    _set_state(tx, case, fact.bill, BillState.POSTED)
    case.down.append(BillPosted(fact.bill, fact.slip, f"{serial:010d}"))


def bill_refunded(tx: Tx, case: Case, fact: BillRefunded) -> None:
    """The cash of a refused bill was given back at the point."""
    found = tx.execute(
        "UPDATE refusal SET refunded = refunded + ? WHERE site = ? AND slip = ? AND bill = ?",
        (fact.fen, case.site, fact.slip, fact.bill),
    )
    if found.rowcount == 0:
        raise NotApplicable("not_refused")
    if tx.value("SELECT 1 FROM posting WHERE bill = ?", (fact.bill,)) is None:
        _set_state(tx, case, fact.bill, BillState.REVERSED)


def _objection(tx: Tx, case: Case, fact: BillAccepted) -> str | None:
    owed = tx.value("SELECT fen FROM bill WHERE site = ? AND bill = ?", (case.site, fact.bill))
    if owed is None:
        return "unknown_bill"
    if owed != fact.fen:
        return "wrong_amount"
    if tx.value("SELECT 1 FROM posting WHERE bill = ?", (fact.bill,)) is not None:
        return "already_paid"
    return None


def _set_state(tx: Tx, case: Case, bill: str, state: BillState) -> None:
    tx.execute(
        "UPDATE bill SET state = ?, changed_at = ? WHERE site = ? AND bill = ?", (state, case.at, case.site, bill)
    )
