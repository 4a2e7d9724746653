"""Operation C: a bill is paid in cash, with or without a line. The slip follows its commit, never the other way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from edge import bills, boards, prints
from edge.flows import printing
from edge.flows.site import Site
from edge.model import AccountNo, BillId, Fen, OperatorId
from edge.prints import Run
from edge.steps import BillsFound, Checking, SlipShown, Step
from edge.store import Tx


async def find(site: Site, kind: str, account_no: AccountNo) -> AsyncIterator[Step]:
    """Look a bill up in the local mirror. Errors: Rejected unknown_bill, already_accepted."""
    yield Checking()
    found = await site.store.run(bills.find, kind, account_no)
    yield BillsFound(await site.store.run(boards.bill_lines, tuple(bill.id for bill in found)))


async def accept(site: Site, bill: BillId, fen: Fen, operator: OperatorId) -> AsyncIterator[Step]:
    """Take the cash; its slip is printed beside the flow. Errors: Rejected already_accepted, wrong_amount, disk_low."""
    yield Checking()
    accepted, _ = await site.store.run(bills.accept, bill, fen, operator)
    shown = await site.store.run(slip, accepted.id)
    prints_now = printing.can_print(site)
    yield replace(shown, printed="printing" if prints_now else _unprinted(site))
    run = await site.store.run(_shown, shown, prints_now)
    if run is not None:
        printing.send(site, run)


async def show_unseen(site: Site) -> AsyncIterator[Step]:
    """At start: show every slip that a power cut kept from its payer, with the same number.

    Nothing is printed by it: the screen says what is known of the paper, and offers to print.
    """
    for bill in await site.store.run(bills.unshown):
        shown = await site.store.run(slip, bill.id)
        known = "" if site.counter.printer is None else await site.store.run(prints.last, shown.slip)
        yield replace(shown, printed=known)
        await site.store.run(_shown, shown, False)


def slip(tx: Tx, bill: BillId) -> SlipShown:
    return printing.slip_of(tx, bill)


def _unprinted(site: Site) -> str:
    return "" if site.counter.printer is None else prints.NEVER


def _shown(tx: Tx, shown: SlipShown, prints_now: bool) -> Run | None:
    """The slip stands before the payer; in the same commit its print is begun."""
    bills.slip_shown(tx, shown.bill.id)
    return prints.begin(tx, shown.slip, shown.operator) if prints_now else None
