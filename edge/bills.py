"""Rules of bills: issued by the hub, accepted for cash, posted or refused by the biller, refunded. Knows no parcels.

Cash taken without a line is an *acceptance*, never a payment: the slip says so until the biller has posted it.
"""

from __future__ import annotations

from edge import events, log
from edge.log import Logged
from edge.model import AccountNo, Bill, BillId, BillState, Fen, OperatorId, Rejected, bill_moved
from edge.store import Tx

SLIP_DIGITS = 6  # a million slips per site before the number grows longer


def issued(tx: Tx, fact: events.BillIssued) -> None:
    """Note a bill. One that is known already stays as it is: the hub corrects by a further bill.

    One whose payer the hub has forgotten is settled: nobody finds it, the ledger of a restored terminal needs it.
    """
    tx.execute(
        "INSERT INTO bill (id, biller, kind, account_no, name, address, period, fen, due, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'unpaid') ON CONFLICT (id) DO NOTHING",
        (
            fact.bill,
            fact.biller,
            fact.sort,
            fact.account_no.plain() if fact.account_no else AccountNo("").masked(),
            fact.name.plain() if fact.name else "",
            fact.address.plain() if fact.address else None,
            fact.period,
            fact.fen,
            fact.due,
        ),
    )


def load(tx: Tx, bill: BillId) -> Bill:
    row = tx.row("SELECT * FROM bill WHERE id = ?", (bill,))
    if row is None:
        raise Rejected("unknown_bill")
    return Bill.from_row(row)


def find(tx: Tx, kind: str, account_no: AccountNo) -> tuple[Bill, ...]:
    """Return the open bills of an account, oldest period first. Errors: Rejected unknown_bill, or as `_not_open`."""
    rows = tx.rows(
        "SELECT * FROM bill WHERE account_no = ? AND (? = '' OR kind = ?) ORDER BY period, id",
        (account_no.plain(), kind, kind),
    )
    found = [Bill.from_row(row) for row in rows]
    unpaid = tuple(bill for bill in found if bill.state is BillState.UNPAID)
    if unpaid:
        return unpaid
    if found:
        raise _not_open(next((bill for bill in found if bill.state is BillState.REFUSED), found[-1]))
    raise Rejected("unknown_bill")


def _not_open(bill: Bill) -> Rejected:
    """Why nothing is to be paid: already_accepted; refund_due, refunded where the biller did not book it."""
    code = {BillState.REFUSED: "refund_due", BillState.REVERSED: "refunded"}.get(bill.state, "already_accepted")
    return Rejected(code, slip=bill.slip or "", posted=int(bill.state is BillState.POSTED))


def accept(tx: Tx, bill: BillId, fen: Fen, operator: OperatorId) -> tuple[Bill, Logged]:
    """Take cash of exactly the amount: slip number and fact in one commit, before any slip is shown.

    Errors: Rejected wrong_amount, disk_low, or as `_not_open`.
    """
    here = load(tx, bill)
    if here.state is not BillState.UNPAID:
        raise _not_open(here)
    if fen != here.fen:
        raise Rejected("wrong_amount", fen=int(here.fen))
    if tx.on_reserve:
        raise Rejected("disk_low")
    slip = _next_slip(tx)
    logged = log.append(tx, events.BillAccepted(bill, int(fen), "cash", slip, operator))
    tx.update(
        "bill",
        ("id", bill),
        {
            "state": bill_moved(here.state, "bill_accepted"),
            "slip": slip,
            "operator": operator,
            "accepted_at": tx.stamp.at,
            "accepted_seq": logged.seq,
        },
    )
    return load(tx, bill), logged


def slip_shown(tx: Tx, bill: BillId) -> None:
    """The slip stands before the payer: it need not be shown again at the next start."""
    here = load(tx, bill)
    if here.slip is None:
        raise AssertionError(f"bill {bill} has no slip")
    tx.update("bill", ("id", bill), {"slip_shown": 1})
    log.append(tx, events.SlipIssued(bill, here.slip))


def by_slip(tx: Tx, slip: str) -> BillId:
    """Return the bill of a slip number. Errors: Rejected unknown_slip."""
    found = tx.value("SELECT id FROM bill WHERE slip = ?", (slip,))
    if found is None:
        raise Rejected("unknown_slip")
    return BillId(found)


def show_again(tx: Tx, slip: str) -> None:
    """Its print was broken off: the slip is shown at this start, as one that nobody has seen yet.

    A number that is no bill's (a weighing, a reconciliation sheet, a record) is passed over.
    """
    tx.execute("UPDATE bill SET slip_shown = 0 WHERE slip = ?", (slip,))


def unshown(tx: Tx) -> tuple[Bill, ...]:
    """Return accepted bills whose slip nobody has seen yet (power was cut in between)."""
    rows = tx.rows("SELECT * FROM bill WHERE slip IS NOT NULL AND slip_shown = 0 ORDER BY accepted_seq")
    return tuple(Bill.from_row(row) for row in rows)


def posted(tx: Tx, fact: events.BillPosted) -> None:
    """The biller has booked it: the payment receipt bears the same number."""
    here = load(tx, BillId(fact.bill))
    if here.slip != fact.slip or here.state is BillState.POSTED:
        return  # an answer to a slip of another history, or the same answer again
    tx.update("bill", ("id", fact.bill), {"state": bill_moved(here.state, "bill_posted"), "serial": fact.serial})


def refused(tx: Tx, fact: events.BillRefused) -> None:
    """The biller refused: the cash goes back, the bill is on the refund list."""
    here = load(tx, BillId(fact.bill))
    if here.slip != fact.slip or here.state is BillState.REFUSED:
        return
    tx.update("bill", ("id", fact.bill), {"state": bill_moved(here.state, "bill_refused"), "reason": fact.reason})
    log.raise_alarm(tx, "refund", fact.bill)


def refunded(tx: Tx, bill: BillId, operator: OperatorId) -> Bill:
    """The cash was given back. Errors: Rejected not_allowed when the bill was not refused."""
    here = load(tx, bill)
    if here.state is not BillState.REFUSED or here.slip is None:
        raise Rejected("not_allowed")
    tx.update("bill", ("id", bill), {"state": bill_moved(here.state, "bill_refunded")})
    log.append(tx, events.BillRefunded(bill, here.slip, int(here.fen), operator))
    log.drop_alarm(tx, "refund", bill)
    return load(tx, bill)


def _next_slip(tx: Tx) -> str:
    number = int(tx.value("SELECT value FROM meta WHERE key = 'slip'") or 0) + 1
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('slip', ?)", (str(number),))
    return f"{number:0{SLIP_DIGITS}d}"
