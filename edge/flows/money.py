"""Operation C: a bill is paid in cash, with or without a line. The slip follows its commit, never the other way."""

from __future__ import annotations

from collections.abc import AsyncIterator

from edge import bills, boards
from edge.flows.site import Site
from edge.model import AccountNo, Bill, BillId, BillState, Fen, OperatorId
from edge.steps import BillsFound, Checking, SlipShown, Step
from edge.store import Tx


async def find(site: Site, kind: str, account_no: AccountNo) -> AsyncIterator[Step]:
    """Look a bill up in the local mirror. Errors: Rejected unknown_bill, already_accepted."""
    yield Checking()
    found = await site.store.run(bills.find, kind, account_no)
    yield BillsFound(await site.store.run(boards.bill_lines, tuple(bill.id for bill in found)))


async def accept(site: Site, bill: BillId, fen: Fen, operator: OperatorId) -> AsyncIterator[Step]:
    """Take the cash. Errors: Rejected already_accepted, wrong_amount, disk_low."""
    yield Checking()
    accepted, _ = await site.store.run(bills.accept, bill, fen, operator)
    yield await site.store.run(slip, accepted.id)
    await site.store.run(bills.slip_shown, accepted.id)


async def show_unseen(site: Site) -> AsyncIterator[Step]:
    """At start: show every slip that a power cut kept from its payer, with the same number."""
    for bill in await site.store.run(bills.unshown):
        yield await site.store.run(slip, bill.id)
        await site.store.run(bills.slip_shown, bill.id)


def slip(tx: Tx, bill: BillId) -> SlipShown:
    here: Bill = bills.load(tx, bill)
    taken = boards.taken(tx, bill)
    return SlipShown(
        bill=boards.bill_line(tx, bill),
        slip=here.slip or "",
        operator=taken.operator,
        at=taken.at,
        posted=here.state is BillState.POSTED,
        check=taken.check,
    )
