"""Intake at the counter: what a scan may be, what has to be asked first, and lists out of a gun's memory.

No devices, no SQL, no screens here; the taking in itself is `edge.flows.intake`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from edge import batch_lists, boards, learning, parcels
from edge import steps as s
from edge.codes import Decision, Recognition
from edge.counter import Counter
from edge.flows import batch, intake
from edge.flows.batch import waybills
from edge.flows.site import Site
from edge.model import Consent, OperatorId, Rejected, WaybillNo
from edge.parcels import Arrival
from edge.steps import Step

ASK_CARRIERS = 8  # buttons on one screen
OTHER = "OTHER"
BOTH_SHELF_AND_LOCKER = Consent.LOCKER


class IntakeDesk:
    """Takes scans, answers and lists of whoever is logged in at the counter. Errors of all: Rejected, StoreFault."""

    def __init__(self, site: Site, counter: Counter) -> None:
        self._site = site
        self._counter = counter

    async def scanned(self, seen: Recognition, scanner: str) -> AsyncIterator[Step]:
        operator = self._counter.operator()
        numbers = waybills(seen)
        known = await self._site.store.run(batch_lists.known, numbers)
        if known is not None:
            self._counter.asked = None
            arrival = Arrival(known.waybill_no, known.carrier, operator, self._counter.target)
            async for step in self._take_in(arrival):
                yield step
            return
        if self._counter.same_label(seen, scanner):
            return  # the gun caught a second code of the label it has just read
        if not numbers:
            raise Rejected("unknown_code")
        carriers = tuple(dict.fromkeys(c.carrier for c in seen.candidates if c.carrier))
        arrival = Arrival(numbers[0], carriers[0] if carriers else OTHER, operator, self._counter.target)
        if seen.decision is not Decision.ACCEPT:
            self._counter.asked = arrival
            yield s.AskCarrier(str(numbers[0]), (*carriers[: ASK_CARRIERS - 1], OTHER))
            return
        async for step in self._take_in(arrival):
            yield step

    async def _take_in(self, arrival: Arrival) -> AsyncIterator[Step]:
        try:
            async for step in intake.take_in(self._site, arrival):
                yield step
        except Rejected as refusal:
            question = await self._question(arrival, refusal)
            if question is None:
                raise
            self._counter.asked = arrival
            yield question

    async def _question(self, arrival: Arrival, refusal: Rejected) -> Step | None:
        if refusal.code == "unknown_parcel":
            return s.AskPhone(str(arrival.waybill_no), arrival.carrier)
        if refusal.code == "no_consent" and arrival.phone is None:
            return s.NeedConsent(await self._site.store.run(boards.line, refusal.facts["parcel"]))
        return None

    async def answered(self, intent: s.GivePhone | s.ChooseCarrier | s.RecordConsent) -> AsyncIterator[Step]:
        """Go on with the parcel that was asked about. Errors: also Rejected scan_again, another was scanned since."""
        operator = self._counter.operator()
        arrival = self._counter.asked
        if arrival is None or arrival.waybill_no != await self._about(intent):
            raise Rejected("scan_again")
        self._counter.asked = None
        match intent:
            case s.ChooseCarrier():
                await self._site.store.run(learning.learn, arrival.waybill_no, intent.carrier)
                self._counter.learnt = await self._site.store.run(learning.learnt)
                arrival = replace(arrival, carrier=intent.carrier)
            case s.GivePhone():
                consent = BOTH_SHELF_AND_LOCKER if intent.consented else Consent.NONE
                arrival = replace(arrival, phone=intent.phone, consent=consent)
            case s.RecordConsent():
                consent = Consent(intent.consent)
                await self._site.store.run(parcels.record_consent, intent.parcel, consent, operator)
        async for step in self._take_in(arrival):
            yield step

    async def _about(self, intent: s.GivePhone | s.ChooseCarrier | s.RecordConsent) -> str:
        if isinstance(intent, s.RecordConsent):
            return (await self._site.store.run(parcels.load, intent.parcel)).waybill_no
        return intent.waybill_no

    async def from_batch(self, intent: s.BatchIntent) -> AsyncIterator[Step]:
        operator = self._counter.operator()
        match intent:
            case s.TakeBatch():
                steps = batch.take_proposed(self._site, intent.batch, operator)
            case s.TakeCode():
                steps = self._take_code(WaybillNo(intent.number), operator)
            case s.CloseBatch():
                steps = batch.close(self._site, intent.batch, operator)
        async for step in steps:
            yield step

    async def _take_code(self, number: WaybillNo, operator: OperatorId) -> AsyncIterator[Step]:
        """Take in one code of a list, as if it had been scanned now. Errors: Rejected not_here."""
        carriers = await self._site.store.run(batch_lists.carriers_of, number)
        known = await self._site.store.run(batch_lists.known, (number,))
        carrier = known.carrier if known is not None else next(iter(carriers), OTHER)
        arrival = Arrival(number, carrier, operator, self._counter.target, quality="upload")
        if known is None and len(carriers) != 1:
            self._counter.asked = arrival
            yield s.AskCarrier(str(number), (*carriers[: ASK_CARRIERS - 1], OTHER))
            return
        self._counter.asked = None
        async for step in self._take_in(arrival):
            yield step
