"""Slips to the printer, one after another, beside everything else: nobody at the counter waits for paper.

A slip is written down as begun in the commit before it, printed, and its outcome written down. No outcome changes
anything about the money or the weighing; nothing is printed twice unless somebody asks for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from drivers.base import NoAnswer, NotThere, Refused
from drivers.paper import Cover, Line, Paper, Printed, Printer
from edge import bills, boards, commissioning, outages, prints, record_slip, slips, weighings
from edge.flows.site import Site
from edge.model import BillId, BillState, Rejected
from edge.prints import Run
from edge.slips import Letterhead
from edge.steps import Closed, Printing, SlipShown, Step
from edge.store import StoreFault, Tx

logger = logging.getLogger(__name__)


def can_print(site: Site) -> bool:
    """Whether a slip may be begun now: there is a printer, and it is not far behind."""
    return site.counter.printer is not None and not site.prints.full()


def send(site: Site, run: Run) -> None:
    """Hand a begun print over. Never waits; `can_print` was asked before it was begun."""
    site.prints.put_nowait(run)


async def again(site: Site, slip: str, operator: str) -> None:
    """Print a slip again, with the number it has.

    Errors: Rejected no_printer, unknown_slip, busy (it is being printed), login_first (too often for no operator).
    """
    if site.counter.printer is None:
        raise Rejected("no_printer")
    if site.prints.full():
        raise Rejected("busy")
    send(site, await site.store.run(_begin, slip, operator))


def _begin(tx: Tx, slip: str, operator: str) -> Run:
    if weighings.is_ticket(slip):
        weighings.load_ticket(tx, slip)
    else:
        bills.by_slip(tx, slip)
    return prints.begin(tx, slip, operator)


async def work(site: Site, post: Callable[[Step], None]) -> None:
    """Print what is sent here, for the life of the program. A slip that cannot be set ends its print, not the task."""
    while True:
        run = await site.prints.get()
        try:
            async for step in play(site, run):
                post(step)
        except StoreFault as fault:
            logger.critical("store: %s", fault)
            post(Closed(fault.code))
        except Exception:  # the top of a print: a bug in one slip must not take the next ones along
            logger.exception("slip %s was not printed", run.slip)
            with contextlib.suppress(StoreFault):
                await site.store.run(prints.ended, run, prints.UNKNOWN)
            post(Printing(run.slip, prints.UNKNOWN, run.copy))


async def play(site: Site, run: Run) -> AsyncIterator[Step]:
    """Print one begun slip and write down what became of it."""
    yield Printing(run.slip, "printing", run.copy)
    lines = await site.store.run(_set, site.letterhead, site.code, run)
    outcome = await _printed(site, lines)
    await site.store.run(prints.ended, run, outcome)
    yield Printing(run.slip, outcome, run.copy)


def _set(tx: Tx, head: Letterhead, code: str, run: Run) -> Sequence[Line]:
    """Set the slip from what the tables say now: a bill may have been posted since."""
    if outages.is_sheet(run.slip):
        sheet = outages.newest(tx, code)
        assert sheet is not None, "the print of a sheet that is not there was begun"
        return slips.sheet_slip(head, sheet)
    if commissioning.is_record(run.slip):
        record = commissioning.newest(tx, code, ended=True)
        assert record is not None, "the print of a record that is not there was begun"
        return record_slip.record_slip(head, record)
    if weighings.is_ticket(run.slip):
        return slips.weighing_slip(head, weighings.load_ticket(tx, run.slip), run.copy)
    return slips.bill_slip(head, slip_of(tx, bills.by_slip(tx, run.slip)), run.copy)


def slip_of(tx: Tx, bill: BillId) -> SlipShown:
    """The slip of a bill whose cash was taken, for screen and paper."""
    here = bills.load(tx, bill)
    taken = boards.taken(tx, bill)
    return SlipShown(
        bill=boards.bill_line(tx, bill),
        slip=here.slip or "",
        operator=taken.operator,
        at=taken.at,
        posted=here.state is BillState.POSTED,
        check=taken.check,
    )


async def _printed(site: Site, lines: Sequence[Line]) -> str:
    printer = site.counter.printer
    if printer is None:
        raise AssertionError("a slip was begun without a printer")
    try:
        async with asyncio.timeout(site.times.print_s):
            return _OUTCOMES[await printer.print(lines)]
    except TimeoutError:
        return prints.UNKNOWN  # the driver has its own, shorter limits; after ours nobody knows what came out
    except NotThere:
        return prints.AWAY
    except NoAnswer:
        return prints.SILENT
    except Refused:
        return _why(printer)


def _why(printer: Printer) -> str:
    """Why it refused, as far as it told."""
    status = printer.status()
    if status.cover is Cover.OPEN:
        return prints.COVER
    return prints.PAPER if status.paper is Paper.OUT else prints.FAULT


_OUTCOMES = {Printed.DONE: prints.DONE, Printed.SENT: prints.SENT, Printed.UNKNOWN: prints.UNKNOWN}
