"""Operation A from a gun's memory: an upload becomes a list, and the operator takes it in deliberately.

Nothing is beeped, opened, printed or announced for a code of an upload. A parcel that needs a cell, and every question,
is worked one by one like a scan at the counter (edge/intake_desk.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping

from drivers.base import Batch
from edge import batch_lists, batches, codes
from edge.batch_lists import Code, Upload
from edge.codes import Decision, Kind, Recognition
from edge.flows.site import Site
from edge.model import OperatorId, Rejected, WaybillNo
from edge.steps import CodesWait, Step

log = logging.getLogger(__name__)

_NUMBERS = (Kind.WAYBILL, Kind.S10, Kind.UNKNOWN, Kind.GTIN)
# A code nobody knows may be a waybill of a courier we do not know: capitals, digits and dashes, six digits at least.
# Anything else is a text, and a text of a label holds names, telephones and addresses.
_FORM = re.compile(r"(?=(?:[^0-9]*[0-9]){6})[0-9A-Z-]{6,32}")
_PHONE = re.compile(r"(?<![0-9])(?:86|0086)?1[3-9][0-9]{9}(?![0-9])|(?<![0-9])0[1-9][0-9]{8,10}(?![0-9])")


async def received(site: Site, batch: Batch, learnt: Mapping[tuple[int, str], str]) -> Step:
    """Keep an upload as a list and tell how many codes wait. Secrets among the codes are counted and forgotten."""
    seen = [codes.recognise(read.text, learnt=learnt) for read in batch.reads if read.flaw is None]
    known = tuple(code for code in map(_code, seen) if code is not None)
    upload = Upload(batch.scanner, known, len(batch.reads) - len(known), batch.is_whole)
    waiting = await site.store.run(batch_lists.receive, upload)
    log.info("%s: an upload of %d codes, %d wait for the operator", batch.scanner, len(batch.reads), waiting)
    return CodesWait(waiting)


def _code(seen: Recognition) -> Code | None:
    if seen.decision in {Decision.SECRET, Decision.REJECT}:
        return None
    numbers = waybills(seen)
    carriers = tuple(dict.fromkeys(c.carrier for c in seen.candidates if c.carrier))
    sure = seen.decision is Decision.ACCEPT
    return Code(numbers, carriers[:1] if sure else carriers, not sure and _may_be_personal(seen)) if numbers else None


def _may_be_personal(seen: Recognition) -> bool:
    """Whether a code that is no sure waybill may be somebody's telephone, or hold one."""
    return seen.is_sensitive or any(_PHONE.search(c.value.replace("-", "")) for c in seen.candidates)


def waybills(seen: Recognition) -> tuple[WaybillNo, ...]:
    """Return the waybill numbers that a code may be, the best first; none for a text."""
    found = (c for c in seen.candidates if c.kind in _NUMBERS and c.value)
    return tuple(dict.fromkeys(WaybillNo(c.value) for c in found if c.kind is not Kind.UNKNOWN or _is_number(c.value)))


def _is_number(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


async def take_proposed(site: Site, batch: str, operator: OperatorId) -> AsyncIterator[Step]:
    """Put what is proposed on the shelf, one commit each. Errors: Rejected no_free_place, after the board."""
    full: Rejected | None = None
    for number in await site.store.run(batch_lists.proposed, batch):
        try:
            await site.store.run(batch_lists.take, number, operator)
        except Rejected as refusal:
            full = refusal
            break
    yield await site.store.run(batch_lists.board)
    if full is not None:
        raise full


async def close(site: Site, batch: str, operator: OperatorId) -> AsyncIterator[Step]:
    """Done with a list: show the next one."""
    await site.store.run(batches.close, batch, operator)
    yield await site.store.run(batch_lists.board)
