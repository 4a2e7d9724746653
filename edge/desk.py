"""Turns each intent of a person into a flow of steps. One method per intent; no devices, no SQL, no screens here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

from edge import batch_lists, bills, boards, cells, codes, events, guard, learning, log, parcels, pickups
from edge import steps as s
from edge.codes import Decision, Kind, Recognition
from edge.counter import Counter
from edge.flows import intake, money, people, pickup, printing, weigh
from edge.flows.batch import waybills
from edge.flows.pickup import Hands
from edge.flows.site import Site
from edge.flows.sticks import Sticks
from edge.intake_desk import IntakeDesk
from edge.model import AccountNo, OperatorId, Parcel, PickupToken, Rejected, Role, WaybillNo
from edge.steps import Intent, Step
from edge.steps import wizard as z
from edge.steps import workbench as w
from edge.steps.stick import StickIntent
from edge.store import Tx
from edge.workbench import Fittings, Workbench


class Boards(Protocol):
    """The boards that are not in the store."""

    def devices_board(self) -> Step: ...

    async def sync_board(self) -> Step: ...

    async def checkup_board(self) -> Step: ...

    def shift_ended(self) -> None:
        """An operator has logged out: the best moment for a copy of the day's work."""


class Desk:
    """The counter at work. `boards_of` knows the devices and the line."""

    def __init__(self, site: Site, device_key: bytes, help_phone: str, boards_of: Boards) -> None:
        self._site = site
        self._key = device_key
        self._help_phone = help_phone
        self._boards_of = boards_of
        self.counter = Counter(site.clock)
        self._asking: set[asyncio.Task[Any] | None] = set()  # whose PIN is being compared
        self._let_in: WeakSet[asyncio.Task[Any]] = WeakSet()  # whose PIN was right
        self._intake = IntakeDesk(site, self.counter)
        self.bench: Workbench | None = None
        self.sticks: Sticks | None = None  # without a hub there is nobody to carry them to

    def fit(self, fittings: Fittings) -> Workbench:
        """Set up the technician's workbench; without it nobody uses a tool."""
        self.bench = Workbench(self._site, self.counter, self._who, fittings)
        return self.bench

    async def start(self) -> None:
        """Recall what the operators of this point have taught."""
        self.counter.learnt = await self._site.store.run(learning.learnt)

    async def setup_due(self) -> Step:
        """What the standby page has to offer on a new point."""
        if await self._site.store.run(guard.next_first) is not None:
            return z.SetupDue("people")
        is_led = self.bench is not None and await self.bench.due() is not None
        return z.SetupDue("commission" if is_led else "")

    def waybills(self, text: str) -> tuple[WaybillNo, ...]:
        """Return the numbers that a scanned text may be, for a flow that waits for one; none for anything else."""
        seen = codes.recognise(text, learnt=self.counter.learnt)
        return () if seen.decision in {Decision.SECRET, Decision.REJECT} else waybills(seen)

    def handle(self, intent: Intent) -> AsyncIterator[Step]:
        """Return the steps of an intent. Errors while iterating: Rejected, StoreFault."""
        match intent:
            case s.Scanned():
                return self._scanned(intent)
            case s.PickUp():
                return self._pick_up(intent)
            case s.TakeParcels():
                return self._take(intent)
            case s.FindBill():
                return money.find(self._site, intent.kind, intent.account_no)
            case s.AcceptBill():
                return self._accept(intent)
            case s.PrintAgain() | s.ShowAmount() | s.Weigh() | s.SetTare():
                return self._counter(intent)
            case s.TakeBatch() | s.TakeCode() | s.CloseBatch():
                return self._intake.from_batch(intent)
            case s.Login():
                return self._login(intent)
            case _ if isinstance(intent, w.WorkbenchIntent | z.WizardIntent):
                return self._at_bench(intent)
            case _ if self.sticks is not None and isinstance(intent, StickIntent):
                return self.sticks.handle(intent, self.counter.operator)
            case s.GivePhone() | s.ChooseCarrier() | s.RecordConsent():
                return self._intake.answered(intent)
            case _:
                return self._small(intent)

    # -- collection

    async def _pick_up(self, intent: s.PickUp) -> AsyncIterator[Step]:
        yield s.Checking()
        found = await pickup.identify(self._site, intent.code, intent.last4)
        async for step in self._offer(found, "code"):
            yield step

    async def _offer(self, found: tuple[Parcel, ...], by: str) -> AsyncIterator[Step]:
        if len(found) == 1:
            async for step in pickup.collect(self._site, found, by):
                yield step
            return
        lines, ident = await self._site.store.run(_lines_and_ident, found)
        lasts = int(self._site.times.grant_s * 1000)
        yield s.ParcelsFound(lines, self.counter.grant(ident, found, by, lasts))

    async def _take(self, intent: s.TakeParcels) -> AsyncIterator[Step]:
        chosen, by = self.counter.redeem(intent.grant, intent.parcels)
        async for step in pickup.collect(self._site, chosen, by):
            yield step

    # -- scans

    async def _scanned(self, intent: s.Scanned) -> AsyncIterator[Step]:
        seen = codes.recognise(intent.text, learnt=self.counter.learnt)
        best = seen.candidates[0]
        if best.kind is Kind.PICKUP_TOKEN:
            found = await pickup.identify_token(self._site, PickupToken(best.value.removeprefix("VP1:")))
            async for step in self._offer(found, "token"):
                yield step
        elif intent.screen.startswith("bill"):
            async for step in self._bill_of(seen):
                yield step
        elif seen.decision is Decision.SECRET:
            raise Rejected("secret_code")
        elif seen.decision is Decision.REJECT:
            raise Rejected("unreadable")
        elif intent.screen.startswith("intake"):
            async for step in self._intake.scanned(seen, intent.scanner):
                yield step
        else:
            yield await self._looked_up(seen)

    async def _bill_of(self, seen: Recognition) -> AsyncIterator[Step]:
        """A bill's number may look like a payment code: a known account wins, anything else stays a secret."""
        try:
            async for step in money.find(self._site, "", AccountNo(seen.candidates[0].value)):
                yield step
        except Rejected as refusal:
            if refusal.code == "unknown_bill" and seen.decision is Decision.SECRET:
                raise Rejected("secret_code") from refusal
            raise

    async def _looked_up(self, seen: Recognition) -> Step:
        """A parcel scanned outside intake: the operator wants to hand it out."""
        self.counter.operator()
        for number in waybills(seen):
            line = await self._site.store.run(boards.find_line, number)
            if line is not None:
                return s.HandOverAsk(line)
        raise Rejected("not_here")

    # -- money

    async def _accept(self, intent: s.AcceptBill) -> AsyncIterator[Step]:
        operator, role = await self._who(intent.pin)
        if role is not Role.OPERATOR:
            raise Rejected("not_allowed")
        async for step in money.accept(self._site, intent.bill, intent.fen, operator):
            yield step

    # -- printer, price display, scale

    async def _counter(self, intent: s.CounterIntent) -> AsyncIterator[Step]:
        match intent:
            case s.ShowAmount():
                self._site.price_board.amount(intent.fen, intent.what)
            case s.PrintAgain():
                operator = self.counter.operator() if self.counter.session is not None else ""
                await printing.again(self._site, intent.slip, operator)
            case s.Weigh():
                flow = weigh.weigh(self._site, intent.fen_per_kg, self.counter.operator(), intent.again)
                async for step in flow:
                    yield step
            case s.SetTare():
                self.counter.operator()
                async for step in weigh.tare(self._site):
                    yield step

    async def _at_bench(self, intent: w.WorkbenchIntent | z.WizardIntent) -> AsyncIterator[Step]:
        if self.bench is None:
            raise Rejected("not_allowed")
        first = people.first_pin(self._site, self._key, intent) if isinstance(intent, z.FirstPin) else None
        async for step in first or self.bench.handle(intent):
            yield step
        if first is not None:
            yield await self.setup_due()

    # -- people

    async def _login(self, intent: s.Login) -> AsyncIterator[Step]:
        yield s.Checking()
        operator, role = await self._who(intent.pin)
        self.counter.log_in(operator, role)
        yield s.LoggedIn(operator, role)
        if role is Role.OPERATOR:
            yield await self._site.store.run(boards.day)
            if self.sticks is not None and (sheet := await self.sticks.due()) is not None:
                yield sheet
        elif self.bench is not None and (led := await self.bench.due()) is not None:
            yield led

    async def _who(self, pin: str) -> tuple[OperatorId, Role]:
        """Return whose PIN it is; the try is committed before comparing. Errors: Rejected wrong_pin, locked_out."""
        asker = asyncio.current_task()
        self._asking.add(asker)
        try:
            await self._site.store.run(guard.take_pin_try)
            everybody = await self._site.store.run(guard.operators)
            person = await asyncio.get_running_loop().run_in_executor(None, guard.whose, everybody, pin, self._key)
            if person is None:
                raise Rejected("wrong_pin")
            await self._site.store.run(guard.logged_in, *person)
            if asker is not None:
                self._let_in.add(asker)
            return person
        finally:
            self._asking.discard(asker)

    def is_asking(self, flow: asyncio.Task[None], intent: Intent | None) -> bool:
        """Whether this flow waits for a PIN to be compared, or will: nothing has moved for it, it may be given up."""
        by_pin = isinstance(intent, s.AcceptBill | s.HandOver) and bool(intent.pin)
        return flow in self._asking or (by_pin and flow not in self._let_in)

    # -- the rest: one short answer each

    async def _small(self, intent: Intent) -> AsyncIterator[Step]:
        store = self._site.store
        match intent:
            case s.Logout():
                self._end_of_shift()
                yield s.LoggedOut()
            case s.CallHelp():
                await store.run(log.append, events.HelpCalled(intent.screen))
                self._site.announce("led.help")
                yield s.HelpCalled(self._help_phone)
            case s.SetIntakeTarget():
                self.counter.target = intent.target
            case s.ShowBoard():
                yield await self._board(intent.board)
            case s.Search():
                self.counter.operator()
                yield await store.run(boards.search, intent.text)
            case _:
                async for step in self._by_operator(intent, self.counter.operator()):
                    yield step

    def _end_of_shift(self) -> None:
        session = self.counter.session
        self.counter.log_out()
        if self.bench is not None:
            self.bench.put_down()
        if session is not None and session.role is Role.OPERATOR:
            self._boards_of.shift_ended()

    async def _by_operator(self, intent: Intent, operator: OperatorId) -> AsyncIterator[Step]:
        store = self._site.store
        match intent:
            case s.HandOver():
                hands, ask = Hands(intent.by, operator), partial(self._who, intent.pin)
                async for step in pickup.give_out(self._site, intent.parcel, hands, ask):
                    yield step
            case s.CancelDeposit():
                await intake.cancel(self._site, await store.run(parcels.load, intent.parcel))
                yield await store.run(boards.day)
            case s.ResolveException():
                await store.run(pickups.resolve, intent.parcel, intent.found, operator)
                yield await store.run(boards.search, "")
            case s.CellToService():
                await store.run(cells.to_service, intent.cell, intent.in_service, intent.reason, operator)
                yield await store.run(boards.day)
            case s.RefundBill():
                await store.run(bills.refunded, intent.bill, operator)
                yield await store.run(boards.bills_taken)
            case _:
                raise AssertionError(f"no flow for {type(intent).__name__}")

    async def _board(self, board: str) -> Step:
        self.counter.operator()
        match board:
            case "devices":
                return self._boards_of.devices_board()
            case "sync":
                return await self._boards_of.sync_board()
            case "checkup":
                return await self._boards_of.checkup_board()
            case "day":
                return await self._site.store.run(boards.day)
            case "parcels":
                return await self._site.store.run(boards.search, "")
            case "batch":
                return await self._site.store.run(batch_lists.board)
            case "bills":
                return await self._site.store.run(boards.bills_taken)
            case "weigh":
                return await weigh.board(self._site)
            case _:
                raise AssertionError(f"no board {board}")


def _lines_and_ident(tx: Tx, found: tuple[Parcel, ...]) -> tuple[tuple[s.ParcelLine, ...], str]:
    return boards.lines(tx, tuple(parcel.id for parcel in found)), tx.dice.ident()
