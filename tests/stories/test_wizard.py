"""The commissioning wizard through desk and runner, on simulated devices: good news, jams, silence, unplugging."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.wire.lock import Polarity
from edge import commissioning, events, guard, log
from edge.commissioning_plan import steps_of
from edge.commissioning_record import Record, code_of, digest_of
from edge.config import DEVICE_KINDS
from edge.model import CellNo, OperatorId, Role
from edge.steps import Intent, Login, Logout, Refusal
from edge.steps import wizard as z
from edge.workbench import Fittings as Bench
from edge.workbench import WizardKit
from tests.stories.counter_point import CounterPoint
from tests.stories.patient_loop import run_patiently
from tests.stories.point import KEYS, Point

TECHNICIAN = OperatorId("t-1")
PIN = "918273"
KINDS = {"locker": "lock_8a80", "display": "onbon", "scanner": "serial_scanner", "printer": "escpos",
         "price": "led8", "scale": "yaohua_a9"}  # fmt: skip
STEPS = ("scan:scanner", "door:locker", "line:display", "price:price", "weigh:scale", "print:printer", "touch", "hub")
pytestmark = pytest.mark.logs("locker", "printer", "scale", "price", "display")


class Wizard:
    """A technician before the wizard of a point."""

    def __init__(self, point: CounterPoint) -> None:
        self.point = point
        self.online = True

    def fit(self) -> None:
        """Set the bench up with the wizard of these devices."""
        point = self.point
        devices = {device.name: device for device in point._devices()}
        kinds = [(DEVICE_KINDS[KINDS[name]][0], (name,)) for name in devices]
        board = ("locker", point.locker._polarity.value)
        point.site.code = "QJ-0001"
        point.house._devices = tuple((KINDS[name], device) for name, device in devices.items())
        kit = WizardKit(
            steps_of(kinds, has_hub=True), "0.1.0", "7KQ2-M0XD", devices, point.dice, lambda _cell: board,
            lambda: self.online, point.house.checkup_board, self.save,
        )  # fmt: skip
        point.desk.fit(Bench((), point.dice, kit.board_of, nobody, point.posted.append, kit))

    async def log_in(self) -> None:
        """Make a technician and log in; the wizard opens by itself."""
        self.fit()
        point = self.point
        if not await point.store.run(guard.operators):
            await point.store.run(guard.add_operator, TECHNICIAN, Role.TECHNICIAN, guard.hash_pin(PIN, KEYS.device))
        point.runner.submit(Login(PIN))
        await self.until(lambda: point.desk.counter.session is not None)

    async def save(self, _head: object, record: Record) -> str:
        self.kept = record
        return "saved"

    async def until(self, test: Callable[[], Any], seconds: float = 200.0) -> None:
        async with asyncio.timeout(seconds):
            while not test():
                await asyncio.sleep(0.05)

    def seen(self, kind: type) -> list[Any]:
        return [step for step in self.point.posted if isinstance(step, kind)]

    async def ask(self, intent: Intent, kind: type = z.WizardTold, seconds: float = 200.0) -> Any:
        """Submit an intent and wait for the next step of a kind."""
        before = len(self.seen(kind))
        self.point.runner.submit(intent)
        await self.until(lambda: len(self.seen(kind)) > before, seconds)
        return self.seen(kind)[before]

    async def stage(self, step: str, stage: str) -> z.WizardNow:
        """Put a step on trial and wait until it stands at this stage."""
        here = len(self.point.posted)
        self.point.runner.submit(z.TryStep(step))
        await self.until(lambda: any(getattr(s, "stage", "") == stage for s in self.point.posted[here:]))
        return [s for s in self.point.posted[here:] if isinstance(s, z.WizardNow) and s.stage == stage][-1]

    # -- the steps, done well

    async def scan(self, text: str = "") -> z.WizardTold:
        now = await self.stage("scan:scanner", "scan")
        self.point.scan("]C1" + (text or now.code))
        return await self.next_told()

    async def door(self, *, is_open: bool = True, shuts: bool = True) -> z.WizardTold:
        now = await self.stage("door:locker", "cell")
        assert now.cell is not None
        await self.ask(z.TryDoor("door:locker", now.cell, PIN), z.WizardNow)
        await self.until(lambda: self.last_stage() in ("eyes", "told"))
        if self.last_stage() == "eyes":
            self.point.runner.submit(z.SayStep("door:locker", "yes" if is_open else "no"))
            await self.until(lambda: self.last_stage() == "shut" or self.told)
            if shuts:
                self.point.shut(int(now.cell))
        return await self.next_told()

    async def choose(self, step: str, read: Callable[[], str]) -> z.WizardTold:
        """Read the number off the device itself and say it."""
        now = await self.stage(step, "choose")
        number = read()
        assert number in now.choices, (number, now.choices)
        return await self.ask(z.SayStep(step, number))

    def on_display(self) -> str:
        return "".join(sign for sign in " ".join(self.point.led.shown()) if sign.isdigit())

    def on_price(self) -> str:
        return self.point.price.shown()[0]

    def on_paper(self) -> str:
        lines = [line.removeprefix("[big] ").strip() for line in self.point.paper.slips[-1]]
        return next(line for line in lines if line.isdigit() and len(line) == 3)

    async def weigh(self, grams: int = 2350) -> z.WizardTold:
        await self.stage("weigh:scale", "weigh")
        self.point.pan.put(grams)
        await self.until(lambda: any(s.grams == grams and s.is_stable for s in self.seen(z.WizardNow)))
        return await self.ask(z.SayStep("weigh:scale", "right"))

    async def touch(self, *misses: tuple[int, int]) -> z.WizardTold:
        return await self.ask(z.TouchTold("touch", 5, misses or ((3, 5), (-2, 8), (-12, 4), (0, 0), (5, 5))))

    async def hub(self, *, answers: bool = True) -> z.WizardTold:
        await self.stage("hub", "hub")
        if answers:
            await asyncio.sleep(1)
            await confirm(self.point)
        return await self.next_told()

    # -- what came

    def last_stage(self) -> str:
        steps = [s for s in self.point.posted if isinstance(s, z.WizardNow | z.WizardTold)]
        return steps[-1].stage if isinstance(steps[-1], z.WizardNow) else "told"

    @property
    def told(self) -> list[z.WizardTold]:
        return self.seen(z.WizardTold)

    async def next_told(self) -> z.WizardTold:
        steps = [s for s in self.point.posted if isinstance(s, z.WizardNow | z.WizardTold)]
        if isinstance(steps[-1], z.WizardTold):
            return steps[-1]
        before = len(self.told)
        await self.until(lambda: len(self.told) > before)
        return self.told[-1]

    async def record(self, *, ended: bool = False) -> Record:
        record = await self.point.store.run(commissioning.newest, "QJ-0001", ended=ended)
        assert record is not None
        return record

    async def results(self) -> dict[str, str]:
        return {step: row.result for step, row in (await self.record()).results.items()}


async def nobody(_code: str, seconds: float) -> None:
    await asyncio.sleep(seconds)


@pytest.fixture
def point(tmp_path: Path) -> CounterPoint:
    return CounterPoint(tmp_path / "data")


async def confirm(point: Point) -> None:
    """The hub answers: it has all of the log."""
    await point.store.run(lambda tx: log.confirm(tx, log.head(tx)))


async def all_done(wizard: Wizard) -> None:
    """Go through every step, all well."""
    for told in (
        await wizard.scan(),
        await wizard.door(),
        await wizard.choose("line:display", wizard.on_display),
        await wizard.choose("price:price", wizard.on_price),
        await wizard.weigh(),
        await wizard.choose("print:printer", wizard.on_paper),
        await wizard.touch(),
        await wizard.hub(),
    ):
        assert told.line.result == "done", told


async def test_the_wizard_opens_by_itself_on_a_new_point_with_the_steps_of_its_settings(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await wizard.until(lambda: wizard.seen(z.WizardBoard))
    board = wizard.seen(z.WizardBoard)[0]

    assert [line.step for line in board.lines] == list(STEPS)
    assert board.next_step == "scan:scanner"
    assert await point.store.run(commissioning.newest, "QJ-0001") is None, "looking begins nothing"


async def test_a_whole_run_is_written_down_and_its_digest_is_made_of_what_is_there(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await all_done(wizard)
    board = await wizard.ask(z.EndWizard(), z.RecordBoard)
    record = await wizard.record(ended=True)

    assert (board.verdict, board.confirmation, board.device) == ("whole", "waits", "7KQ2-M0XD")
    assert [row.step for row in board.rows] == list(STEPS)
    assert record.digest == digest_of(record.run, record.rows) == board.digest
    kinds = await point.kinds()
    assert kinds.count("commissioning_step_done") == len(STEPS)
    assert kinds.count("commissioning_begun") == kinds.count("point_commissioned") == 1
    trial = [fact for fact in await point.facts() if isinstance(fact, events.DoorTrialAsked)]
    assert [(fact.reason, fact.operator) for fact in trial] == [("commissioning", TECHNICIAN)]


async def test_the_hubs_word_is_taken_when_its_code_is_made_with_our_key(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await all_done(wizard)
    await wizard.ask(z.EndWizard(), z.RecordBoard)
    record = await wizard.record(ended=True)
    run, digest = record.run.run, record.digest
    said = []
    for digest_told, code in (
        (digest, "0000-0000"),
        ("f" * 64, code_of(KEYS.link, run, "f" * 64)),
        (digest, code_of(KEYS.link, run, digest)),
    ):
        await point.store.run(commissioning.confirmed, events.CommissioningConfirmed(run, digest_told, code))
        said.append((await wizard.record(ended=True)).confirmation)

    assert said == ["forged", "differs", "agrees"]


@pytest.mark.parametrize(("handle", "code", "result"), [
    ("silent", "L11", "failed"), ("jam", "L24", "failed"), ("inverted", "L71", "failed"),
    ("eyes say no", "L73", "failed"),
    ("left open", "L75", "failed"), ("well", "", "done"),
])  # fmt: skip
async def test_a_door_that_is_not_as_it_should_be_is_told_with_its_code(
    point: CounterPoint, handle: str, code: str, result: str
) -> None:
    wizard = Wizard(point)
    match handle:
        case "jam":
            point.board.jam(1)
        case "inverted":
            point.locker._polarity = Polarity.SHORT_WHEN_OPEN
    await wizard.log_in()
    if handle == "silent":
        point.board.line.mute()
    told = await wizard.door(is_open=handle not in ("jam", "eyes say no"), shuts=handle != "left open")

    assert (told.line.result, told.line.code) == (result, code), told
    if handle == "inverted":
        assert told.lines == ("[devices.locker]", 'polarity = "short_when_locked"')


async def test_scans_of_the_wizard_go_nowhere_else_and_a_second_read_is_noticed(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    now = await wizard.stage("scan:scanner", "scan")
    point.scan("]C1" + now.code)
    await asyncio.sleep(0.2)
    point.scan("]C1" + now.code)
    told = await wizard.next_told()

    assert (told.line.result, told.line.code, told.key) == ("done", "G73", "eyes_scan_double")
    assert wizard.seen(Refusal) == []
    point.scan("]C1SF1300000000001")  # the step is over
    await wizard.until(lambda: wizard.seen(Refusal))


async def test_a_gun_that_is_silent_or_unplugged_fails_with_the_doctors_code(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await wizard.stage("scan:scanner", "scan")
    silent = await wizard.next_told()
    await wizard.stage("scan:scanner", "scan")
    point.gun_plug.unplug()
    unplugged = await wizard.next_told()

    assert (silent.line.result, silent.line.code, silent.key) == ("failed", "G71", "eyes_scan_none")
    assert (unplugged.line.result, unplugged.line.code) == ("failed", "G01")
    assert (await wizard.results()) == {"scan:scanner": "failed"}


@pytest.mark.parametrize(("step", "harm", "code"), [
    ("line:display", "mute", "D11"), ("line:display", "unplug", "D01"), ("print:printer", "paper", "P61"),
    ("print:printer", "unplug", "P04"), ("price:price", "unplug", "C01"),
])  # fmt: skip
async def test_a_device_that_fails_during_its_step_is_named_by_the_doctor(
    point: CounterPoint, step: str, harm: str, code: str
) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    plug = {"line": point.led_plug, "print": point.paper_plug, "price": point.price_plug}[step.partition(":")[0]]
    match harm:
        case "mute":
            point.led.line.mute()
        case "paper":
            point.paper.lines_left = 0
        case "unplug":
            plug.unplug()
    await wizard.ask(z.TryStep(step), z.WizardNow)
    await wizard.until(lambda: wizard.last_stage() in ("choose", "told"))
    if wizard.last_stage() == "choose":
        await asyncio.sleep(15)  # people look for a while, and a silent card is asked three times
        point.runner.submit(z.SayStep(step, "none"))
    told = await wizard.next_told()

    assert (told.line.result, told.line.code) == ("failed", code)


async def test_another_number_than_the_one_shown_proves_that_nobody_looked(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    now = await wizard.stage("line:display", "choose")
    wrong = next(each for each in now.choices if each != wizard.on_display())
    told = await wizard.ask(z.SayStep("line:display", wrong))
    await asyncio.sleep(2)

    assert (told.line.result, told.line.code) == ("failed", "D72")
    assert point.led.shown() == [], "the display is calm again"


async def test_a_weight_is_right_only_at_rest_and_a_silent_scale_is_told(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await wizard.stage("weigh:scale", "weigh")
    point.runner.submit(z.SayStep("weigh:scale", "right"))  # the pan is empty
    await asyncio.sleep(2)
    assert wizard.told == []
    point.pan_plug.unplug()
    await asyncio.sleep(3)
    told = await wizard.ask(z.SayStep("weigh:scale", "none"))

    assert (told.line.result, told.line.code) == ("failed", "W01")


async def test_touches_that_miss_or_never_come_fail(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()

    far = await wizard.touch((0, 0), (0, 0), (40, 50), (0, 0), (0, 0))
    dead = await wizard.touch((0, 0), (3, 4))
    assert (far.line.code, far.line.detail) == ("K72", "5/5, 6.4 mm")
    assert (dead.line.code, dead.line.detail) == ("K71", "2/5, 0.5 mm")


async def test_without_a_line_the_fact_is_written_and_told_as_sent_later(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    wizard.online = False
    later = await wizard.hub(answers=False)
    wizard.online = True
    silent = await wizard.hub(answers=False)

    assert later.line.result == "later"
    assert (silent.line.result, silent.line.code) == ("failed", "N71")
    assert (await point.kinds()).count("line_tried") == 2


async def test_a_step_is_left_out_with_a_reason_and_the_record_says_so(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    for step in STEPS[1:]:
        await wizard.ask(z.SkipStep(step, "no_time"), z.WizardBoard)
    refused = await wizard.ask(z.EndWizard(), Refusal)
    await wizard.scan()
    board = await wizard.ask(z.EndWizard(), z.RecordBoard)

    assert refused == Refusal("steps_left", {"n": 1})
    assert board.verdict == "gaps"
    assert {row.reason for row in board.rows[1:]} == {"no_time"}


async def test_a_reason_or_a_step_that_nobody_knows_is_refused(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()

    assert (await wizard.ask(z.SkipStep("touch", "lazy"), Refusal)).code == "not_allowed"
    assert (await wizard.ask(z.SkipStep("scan:nobody", "no_time"), Refusal)).code == "wizard_over"
    assert (await wizard.ask(z.TryStep("line:locker"), Refusal)).code == "wizard_over"
    assert "commissioning_step_done" not in await point.kinds()


async def test_a_door_needs_the_pin_of_a_technician_anew(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    refused = await wizard.ask(z.TryDoor("door:locker", CellNo(1), "000111"), Refusal)

    assert refused.code == "wrong_pin"
    assert "door_authorised" not in await point.kinds()


async def test_a_cell_with_a_parcel_is_not_offered_and_not_opened(point: CounterPoint) -> None:
    parcel = await point.deposited()
    wizard = Wizard(point)
    await wizard.log_in()
    now = await wizard.stage("door:locker", "cell")
    refused = await wizard.ask(z.TryDoor("door:locker", CellNo(int(parcel.cell or 0)), PIN), Refusal)

    assert parcel.cell not in now.cells
    assert refused.code == "cell_not_empty"


async def test_a_technician_who_goes_away_in_the_middle_leaves_no_result_and_an_open_door_is_waited_for(
    point: CounterPoint,
) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await wizard.stage("door:locker", "cell")
    point.runner.submit(z.TryDoor("door:locker", CellNo(1), PIN))
    await wizard.until(lambda: wizard.last_stage() == "eyes")
    point.runner.submit(Logout())
    await asyncio.sleep(1)
    point.shut(1)
    await wizard.until(lambda: not point.runner.busy)

    assert wizard.told == []
    assert (await point.kinds()).count("door_closed") == 1
    assert "commissioning_step_done" not in await point.kinds()


async def test_only_a_technician_goes_through(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    point.desk.counter.log_in(OperatorId("op-1"), Role.OPERATOR)

    assert (await wizard.ask(z.TryStep("touch"), Refusal)).code == "not_allowed"
    assert (await wizard.ask(z.EndWizard(), Refusal)).code == "not_allowed"


async def test_the_record_is_printed(point: CounterPoint) -> None:
    wizard = Wizard(point)
    await wizard.log_in()
    await all_done(wizard)
    await wizard.ask(z.EndWizard(), z.RecordBoard)
    slips = len(point.paper.slips)
    point.runner.submit(z.PrintRecord())
    await wizard.until(lambda: len(point.paper.slips) > slips)
    text = "\n".join(point.paper.slips[-1])

    assert "开通记录" in text
    assert "7KQ2-M0XD" in text
    assert "2.350 kg" in text


def test_after_a_restart_the_run_goes_on_where_it_was(tmp_path: Path) -> None:
    async def first() -> None:
        point = CounterPoint(tmp_path / "data")
        async with point.running():
            wizard = Wizard(point)
            await wizard.log_in()
            await wizard.scan()
            await wizard.door()

    async def second() -> None:
        point = CounterPoint(tmp_path / "data", seed=2)
        point.clock.boot = "b0070002"
        async with point.running():
            wizard = Wizard(point)
            await wizard.log_in()
            await wizard.until(lambda: wizard.seen(z.WizardBoard))
            board = wizard.seen(z.WizardBoard)[0]
            assert board.next_step == "line:display"
            assert [line.result for line in board.lines[:2]] == ["done", "done"]
            await wizard.choose("line:display", wizard.on_display)
            assert (await point.kinds()).count("commissioning_begun") == 1

    run_patiently(first())
    run_patiently(second())


def test_other_devices_in_the_settings_change_the_open_run_and_keep_what_is_done(tmp_path: Path) -> None:
    async def first() -> None:
        point = CounterPoint(tmp_path / "data")
        async with point.running():
            wizard = Wizard(point)
            await wizard.log_in()
            await wizard.scan()

    async def second() -> None:
        point = CounterPoint(tmp_path / "data", seed=2)
        async with point.running():
            wizard = Wizard(point)
            await wizard.log_in()
            kit = point.desk.bench.wizard._kit  # type: ignore[union-attr]
            fewer = tuple(step for step in kit.steps if not step.startswith("price"))
            object.__setattr__(kit, "steps", fewer)
            board = await wizard.ask(z.OpenWizard(), z.WizardBoard)
            assert [line.step for line in board.lines] == list(fewer)
            assert board.next_step == "door:locker"
            for step in board.lines[1:]:
                await wizard.ask(z.SkipStep(step.step, "not_used"), z.WizardBoard)
            record = await wizard.ask(z.EndWizard(), z.RecordBoard)
            assert [row.step for row in record.rows] == list(fewer)
            assert (await point.kinds()).count("commissioning_begun") == 2

    run_patiently(first())
    run_patiently(second())


# --- the first people ---------------------------------------------------------------------------------------------


async def test_a_point_without_people_gets_a_technician_and_an_operator_and_then_nobody(point: CounterPoint) -> None:
    wizard = Wizard(point)
    wizard.fit()
    assert await point.desk.setup_due() == z.SetupDue("people")

    refused = [
        (await wizard.ask(z.FirstPin(role, pin), Refusal)).code
        for role, pin in (("operator", "246813"), ("technician", "123456"), ("technician", "1"))
    ]
    first = await wizard.ask(z.FirstPin("technician", PIN), z.PinTaken)
    same = (await wizard.ask(z.FirstPin("operator", PIN), Refusal)).code
    second = await wizard.ask(z.FirstPin("operator", "246813"), z.PinTaken)
    more = [(await wizard.ask(z.FirstPin(role, "735102"), Refusal)).code for role in ("technician", "operator")]

    assert refused == ["not_allowed", "weak_pin", "weak_pin"]
    assert (first, same, second) == (z.PinTaken("operator"), "pin_taken", z.PinTaken(""))
    assert more == ["not_allowed", "not_allowed"]
    people = [(who, role.value) for who, role, _ in await point.store.run(guard.operators)]
    assert people == [("op1", "operator"), ("tech1", "technician")]
    assert wizard.seen(z.SetupDue)[-1] == z.SetupDue("commission")


async def test_a_point_whose_people_came_from_elsewhere_gives_no_pin_on_its_screen(point: CounterPoint) -> None:
    await point.with_operator()
    wizard = Wizard(point)
    wizard.fit()

    for role in ("technician", "operator"):
        assert (await wizard.ask(z.FirstPin(role, "735102"), Refusal)).code == "not_allowed"
    assert await point.desk.setup_due() == z.SetupDue("commission")
