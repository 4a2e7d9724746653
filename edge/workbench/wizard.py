"""The commissioning wizard: which step is on trial, what its end is written down as, and who may go through it.

One trial at a time. A result is a row and a fact in one transaction (edge/commissioning.py), so whatever interrupts,
the next technician goes on where it was. What each step does is in edge/workbench/wizard_trials.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from drivers.base import Device, Read
from edge import commissioning, prints
from edge.clock import Dice
from edge.commissioning_plan import code_of, doctor_knows_better
from edge.commissioning_record import REASONS, Record, Run, StepResult
from edge.flows import printing
from edge.flows.site import Site
from edge.model import OperatorId, Rejected
from edge.prints import Run as Print
from edge.slips import Letterhead
from edge.steps import CheckupBoard, Finding, Step
from edge.steps import wizard as z
from edge.store import Tx
from edge.workbench import wizard_door, wizard_trials
from edge.workbench.wizard_trials import Came, Hands, Trial


@dataclass(frozen=True, slots=True)
class WizardKit:
    """What the wizard is given of the point: its steps, its names, its devices, and who looks at them.

    Shape: `board_of(cell)` names the lock device of a cell and the polarity it runs with; `is_online` tells of the
           line; `checkup` is the doctor's look at everything; `save` puts a record on a stick and tells how it went.
    """

    steps: tuple[str, ...]
    version: str
    device: str
    devices: dict[str, Device]
    dice: Dice
    board_of: Callable[[int], tuple[str, str]]
    is_online: Callable[[], bool]
    checkup: Callable[[], Awaitable[CheckupBoard]]
    save: Callable[[Letterhead, Record], Awaitable[str]]


class Wizard:
    """Owned by the io thread. `technician` tells who is logged in, or refuses; `who` whose PIN it is."""

    def __init__(
        self,
        site: Site,
        kit: WizardKit,
        technician: Callable[[], OperatorId],
        door_pin: Callable[[str], Awaitable[OperatorId]],
    ) -> None:
        self._site = site
        self._kit = kit
        self._technician = technician
        self._door_pin = door_pin
        self._hands: Hands | None = None
        self._step = ""
        self._turn = 0  # counts trials begun: an earlier one ends without a result

    # -- ways in

    def take(self, read: Read) -> bool:
        """Take a scan if a step waits for one. True: nobody else may act on it."""
        hands = self._hands
        if hands is None:
            return False
        if self._step.startswith("scan:") and not hands.reads.full():
            hands.reads.put_nowait(read)
        return True

    def put_down(self) -> None:
        """Nobody looks any more: the trial ends, scans work again."""
        self._turn += 1
        self._hands = None
        self._step = ""

    async def due(self) -> z.WizardBoard | None:
        """The wizard's first page, when a technician who has just logged in should be led through."""
        if not self._kit.steps or not await self._site.store.run(commissioning.is_due):
            return None
        return await self._board()

    async def handle(self, intent: z.WizardIntent) -> AsyncIterator[Step]:
        """Yield the steps of a request. Errors: Rejected, StoreFault."""
        if isinstance(intent, z.LeaveWizard):
            self.put_down()
            return
        operator = self._technician()
        match intent:
            case z.OpenWizard():
                self.put_down()
                yield await self._board()
            case z.TryStep() | z.TryDoor():
                async for step in self._tried(intent, operator):
                    yield step
            case z.SayStep():
                self._said(intent)
            case z.TouchTold():
                came = wizard_trials.touched(intent.targets, intent.misses)
                yield await self._settled(await self._run(operator), intent.step, came, operator)
            case z.SkipStep():
                yield await self._skipped(intent, operator)
            case z.EndWizard():
                self.put_down()
                await self._site.store.run(commissioning.finish, self._site.code, self._kit.version, operator)
                yield z.SetupDue("")
                yield await self._record()
            case z.ShowRecord():
                yield await self._record()
            case z.PrintRecord():
                await self._print(operator)
            case z.SaveRecord():
                yield await self._save()

    # -- a step

    async def _tried(self, intent: z.TryStep | z.TryDoor, operator: OperatorId) -> AsyncIterator[Step]:
        if intent.step not in self._kit.steps:
            raise Rejected("wizard_over")
        if isinstance(intent, z.TryDoor):
            operator = await self._door_pin(intent.pin)
        self.put_down()
        turn, self._step = self._turn, intent.step
        run = await self._run(operator)
        hands = Hands(
            self._site, self._kit.dice, operator, run, lambda: turn == self._turn and self._is_here(),
            self._kit.is_online,
        )  # fmt: skip
        self._hands = hands
        async for told in self._trial(intent, hands):
            if turn != self._turn and not isinstance(intent, z.TryDoor):
                return  # of an earlier trial; a door that moved is told to its end
            if not isinstance(told, Came):
                yield told
                continue
            if turn == self._turn:
                self.put_down()
            yield await self._settled(run, intent.step, told, operator)
            return

    def _trial(self, intent: z.TryStep | z.TryDoor, hands: Hands) -> Trial:
        what, name = z.parts_of(intent.step)
        now = z.WizardNow(intent.step, "busy")
        trials = {
            "line": wizard_trials.line,
            "price": wizard_trials.price,
            "print": wizard_trials.print_slip,
            "weigh": wizard_trials.weigh,
            "sound": wizard_trials.sound,
        }
        match what:
            case "door" if isinstance(intent, z.TryDoor):
                return wizard_door.opened(hands, intent.cell, name, self._kit.board_of)
            case "door":
                return wizard_door.proposed(hands, name, self._kit.board_of, now)
            case "scan":
                return wizard_trials.scan(hands, name, now)
            case "hub":
                return wizard_trials.hub(hands, now)
            case "touch":
                return wizard_door.nothing(now)
        return trials[what](hands, self._kit.devices[name], now)

    def _said(self, intent: z.SayStep) -> None:
        """The newest answer counts; one for another step is dropped."""
        hands = self._hands
        if hands is None or intent.step != self._step:
            return
        while not hands.answers.empty():
            hands.answers.get_nowait()
        hands.answers.put_nowait(intent.answer)

    async def _skipped(self, intent: z.SkipStep, operator: OperatorId) -> Step:
        if intent.reason not in REASONS:
            raise Rejected("not_allowed")
        self.put_down()
        run = await self._run(operator)
        result = StepResult(intent.step, "skipped", "", intent.reason, "", operator)
        await self._site.store.run(commissioning.settle, run, result)
        return await self._board()

    async def _settled(self, run: str, step: str, came: Came, operator: OperatorId) -> z.WizardTold:
        """Write down what a step came to, under the doctor's code where the doctor sees why."""
        what, name = z.parts_of(step)
        code, key, slots = "", "", came.slots
        if came.found:
            code, key = code_of(what, came.found), f"eyes_{what}_{came.found}"
        if doctor_knows_better(what, came.found) and (finding := await self._finding(what, name)) is not None:
            code, key, slots = finding.code, finding.key, finding.slots
        result = StepResult(step, came.result, code, "", came.detail, operator)
        await self._site.store.run(commissioning.settle, run, result)
        return z.WizardTold(_line(result), key, slots, came.lines)

    async def _finding(self, what: str, name: str) -> Finding | None:
        """What the doctor says of the step's device, when it is ill."""
        for each in (await self._kit.checkup()).findings:
            is_ours = each.what == "link" if what == "hub" else bool(name) and each.subject == name.partition("/")[0]
            if is_ours and each.code and each.level in ("fault", "warn"):
                return each
        return None

    # -- the run and its record

    async def _run(self, operator: OperatorId) -> str:
        kit = self._kit
        run = Run(self._site.code, "", kit.version, kit.device, kit.steps)
        return await self._site.store.run(commissioning.begin, run, operator)

    async def _board(self) -> z.WizardBoard:
        """The open run; before one is begun, the steps that are to come, or how the last one ended."""
        record = await self._site.store.run(commissioning.newest, self._site.code)
        if record is None or record.ended_at is not None:
            return z.WizardBoard("", tuple(z.WizardLine(step) for step in self._kit.steps), record is not None)
        results = record.results
        lines = [_line(came) if (came := results.get(step)) else z.WizardLine(step) for step in self._kit.steps]
        return z.WizardBoard(record.run.run, tuple(lines))

    async def _record(self) -> z.RecordBoard:
        record = await self._site.store.run(_ended, self._site.code)
        return z.RecordBoard() if record is None else record_board(record)

    async def _print(self, operator: OperatorId) -> None:
        if not printing.can_print(self._site):
            raise Rejected("busy" if self._site.counter.printer is not None else "no_printer")
        printing.send(self._site, await self._site.store.run(_begin_print, self._site.code, operator))

    async def _save(self) -> Step:
        record = await self._site.store.run(_ended, self._site.code)
        if record is None:
            raise Rejected("unknown_slip")
        return z.RecordSaved(await self._kit.save(self._site.letterhead, record))

    def _is_here(self) -> bool:
        try:
            self._technician()
        except Rejected:
            return False
        return True


def record_board(record: Record) -> z.RecordBoard:
    """A record as the screen shows it."""
    return z.RecordBoard(
        verdict=record.verdict,
        confirmation=record.confirmation,
        is_sent=record.is_sent,
        site=record.run.site,
        device=record.run.device,
        version=record.run.version,
        operator=record.operator,
        run=record.run.run,
        at=record.ended_at or record.begun_at,
        digest=record.digest,
        code=record.code if record.is_genuine else "",
        rows=tuple(map(_line, record.rows)),
    )


def _line(came: StepResult) -> z.WizardLine:
    return z.WizardLine(came.step, came.result, came.code, came.reason, came.detail)


def _ended(tx: Tx, site: str) -> Record | None:
    return commissioning.newest(tx, site, ended=True)


def _begin_print(tx: Tx, site: str, operator: str) -> Print:
    record = _ended(tx, site)
    if record is None:
        raise Rejected("unknown_slip")
    return prints.begin(tx, commissioning.slip_of(record), operator)
