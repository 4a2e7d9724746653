"""The reference biller: books each accepted bill once, or says why not. A table of postings stands for its books.

Money is whole fen. A bill is posted at most once in the district, whoever took the cash and however often the fact
arrives: the event id and the bill are both unique keys. Whoever applies an accepted bill holds BOOK first; cash given
back posts nothing, and is a matter of its own site.
"""

from __future__ import annotations

from operator import itemgetter

from edge.events import BillAccepted, BillPosted, BillRefunded, BillRefused
from edge.model import BillState
from sync.hub.case import Case, NotApplicable
from sync.hub.rows import Rows
from sync.hub.schema import BILL, POSTING, REFUSAL, REFUSAL_BY_SLIP

BOOK = "book"  # the name to hold: one worker at a time posts


def bill_accepted(rows: Rows, case: Case, fact: BillAccepted) -> None:
    """Cash was taken at the point: post the bill, or refuse so that the point gives the cash back."""
    now = rows.tx.stamp.at
    reason = _objection(rows, case, fact)
    if reason is not None:
        told = {"bill": fact.bill, "slip": fact.slip, "fen": fact.fen, "reason": reason}
        rows.add(REFUSAL, (case.site, case.event), **told, refunded=0, at=now)
        if reason != "already_paid":
            _set_state(rows, case, fact.bill, BillState.REFUSED)
        case.down.append(BillRefused(fact.bill, fact.slip, reason))
        return
    serial = rows.next_number("serial", lambda: int(rows.tx.value("SELECT coalesce(max(serial), 0) FROM posting")))
    taken = {"event": case.event, "slip": fact.slip, "fen": fact.fen}
    rows.put(POSTING, (fact.bill,), site=case.site, **taken, serial=serial, at=now)
    _set_state(rows, case, fact.bill, BillState.POSTED)
    case.down.append(BillPosted(fact.bill, fact.slip, f"{serial:010d}"))


def bill_refunded(rows: Rows, case: Case, fact: BillRefunded) -> None:
    """The cash of a refused bill was given back at the point."""
    slip = (case.site, fact.slip, fact.bill)
    found = rows.find(REFUSAL_BY_SLIP, REFUSAL, [slip]) + rows.made(REFUSAL, slip)
    refusal = min(found, key=itemgetter("event"), default=None)
    if refusal is None:
        raise NotApplicable("not_refused")
    rows.put(REFUSAL, (case.site, refusal["event"]), refunded=refusal["refunded"] + fact.fen)
    if rows.get(POSTING, (fact.bill,)) is None:
        _set_state(rows, case, fact.bill, BillState.REVERSED)


def _objection(rows: Rows, case: Case, fact: BillAccepted) -> str | None:
    owed = rows.get(BILL, (case.site, fact.bill))
    if owed is None:
        return "unknown_bill"
    if owed["fen"] != fact.fen:
        return "wrong_amount"
    if rows.get(POSTING, (fact.bill,)) is not None:
        return "already_paid"
    return None


def _set_state(rows: Rows, case: Case, bill: str, state: BillState) -> None:
    rows.change(BILL, (case.site, bill), state=state.value, changed_at=case.at)
