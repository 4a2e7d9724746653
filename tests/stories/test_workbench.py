"""The technician at the workbench, through the desk and the runner, on simulated devices: scans, doors, polarity."""

from __future__ import annotations

import asyncio

import pytest

from drivers.base import Door
from drivers.wire.lock import Polarity
from edge import guard
from edge.model import CellNo, OperatorId, Rejected, Role
from edge.steps import Intent, Login, Logout, Refusal, Step
from edge.steps import workbench as w
from edge.workbench import Fittings as Bench
from edge.workbench.bench import Part
from edge.workbench.doors import verdict
from tests.stories.point import KEYS, PIN, Point

TECHNICIAN = OperatorId("t-1")
TECHNICIAN_PIN = "918273"
pytestmark = pytest.mark.logs("locker")


async def nobody(_code: str, seconds: float) -> None:
    await asyncio.sleep(seconds)


async def at_bench(point: Point, role: Role = Role.TECHNICIAN) -> None:
    """Set the bench up and log a technician in."""
    parts = (
        Part("lock_8a80", "dev/locker", point.locker),
        Part("onbon", "dev/led", point.display),
        Part("serial_scanner", "dev/gun", point.scanner),
    )
    board = ("locker", point.locker._polarity.value)
    point.desk.fit(Bench(parts, point.dice, lambda _cell: board, nobody, point.posted.append))
    await point.store.run(guard.add_operator, TECHNICIAN, role, guard.hash_pin(TECHNICIAN_PIN, KEYS.device))
    await point.with_operator()
    point.runner.submit(Login(TECHNICIAN_PIN if role is Role.TECHNICIAN else PIN))
    await until(point, lambda: point.desk.counter.session is not None)
    point.posted.clear()


async def until(point: Point, test: object, seconds: float = 200.0) -> None:
    """Wait for something. Errors: TimeoutError."""
    assert callable(test)
    async with asyncio.timeout(seconds):
        while not test():
            await asyncio.sleep(0.1)


def shown(point: Point, kind: type) -> list[Step]:
    return [step for step in point.posted if isinstance(step, kind)]


async def ask(point: Point, intent: Intent, kind: type, seconds: float = 200.0) -> Step:
    """Submit an intent and wait for the next step of a kind."""
    before = len(shown(point, kind))
    point.runner.submit(intent)
    await until(point, lambda: len(shown(point, kind)) > before, seconds)
    return shown(point, kind)[before]


def openings(cell: int, tool: str = "doors", reason: str = "repair", pin: str = TECHNICIAN_PIN) -> w.OpenCell:
    return w.OpenCell(CellNo(cell), tool, reason, pin)


async def test_a_door_is_tried_with_pin_and_reason_and_every_part_is_a_fact(point: Point) -> None:
    await at_bench(point)
    point.runner.submit(openings(3))
    await until(point, lambda: any(getattr(s, "stage", "") == "open" for s in point.posted))
    point.shut(3)
    await until(point, lambda: bool(shown(point, w.DoorsSeen)))

    facts = [fact for fact in await point.facts() if type(fact).__name__.startswith("Door")]
    stages = [s.stage for s in point.posted if isinstance(s, w.CellTried)]
    assert stages == ["opening", "open", "shut"]
    assert [type(fact).__name__ for fact in facts] == ["DoorAuthorised", "DoorTrialAsked", "DoorOpened", "DoorClosed"]
    assert (facts[0].purpose, facts[0].cell, facts[0].operator) == ("test", 3, TECHNICIAN)  # type: ignore[attr-defined]
    assert (facts[1].reason, facts[1].operator) == ("repair", TECHNICIAN)  # type: ignore[attr-defined]


async def test_a_door_left_open_is_written_down_and_alarms(point: Point) -> None:
    await at_bench(point)
    await ask(point, openings(3), w.DoorsSeen)

    assert [s.stage for s in point.posted if isinstance(s, w.CellTried)][-1] == "left_open"
    assert "door_left_open:3" in await point.alarms()


async def test_a_cell_with_a_parcel_is_refused_and_nothing_moves(point: Point) -> None:
    parcel = await point.deposited()
    await at_bench(point)
    pulses = len(point.board.sent)
    refusal = await ask(point, openings(int(parcel.cell or 0)), Refusal)

    assert refusal == Refusal("cell_not_empty", {"cell": parcel.cell})
    assert len(point.board.sent) == pulses


@pytest.mark.parametrize("pin", [PIN, "000111"])
async def test_the_pin_is_asked_anew_and_must_be_a_technicians(point: Point, pin: str) -> None:
    await at_bench(point)
    refusal = await ask(point, openings(3, pin=pin), Refusal)

    assert isinstance(refusal, Refusal)
    assert refusal.code == ("not_allowed" if pin == PIN else "wrong_pin")
    assert "door_authorised" not in await point.kinds()


async def test_an_operator_gets_no_tool(point: Point) -> None:
    await at_bench(point)
    point.desk.counter.log_in(OperatorId("op-1"), Role.OPERATOR)

    assert await ask(point, w.OpenTool("raw"), Refusal) == Refusal("not_allowed")
    point.desk.counter.log_out()
    with pytest.raises(Rejected, match="login_first"):
        await point.wants(w.OpenTool("doors"))


async def test_the_doors_are_shown_as_the_board_says_them(point: Point) -> None:
    parcel = await point.deposited()
    await at_bench(point)
    point.board.open_by_hand(2)
    seen = await ask(point, w.OpenTool("doors"), w.DoorsSeen)

    assert isinstance(seen, w.DoorsSeen)
    assert [(c.cell, c.door, c.is_held) for c in seen.cells] == [
        (cell, "open" if cell == 2 else "closed", cell == parcel.cell) for cell in range(1, 5)
    ]


# --- polarity -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after", "is_open", "told"), [
    (Door.CLOSED, Door.OPEN, True, "right"), (Door.OPEN, Door.CLOSED, True, "inverted"),
    (Door.CLOSED, Door.CLOSED, True, "stuck"), (Door.OPEN, Door.OPEN, True, "stuck"),
    (Door.CLOSED, Door.OPEN, False, "other"), (Door.OPEN, Door.CLOSED, False, "other"),
    (Door.CLOSED, Door.CLOSED, False, "not_opened"), (Door.OPEN, Door.OPEN, False, "not_opened"),
    (Door.UNKNOWN, Door.OPEN, True, "blind"), (Door.CLOSED, Door.UNKNOWN, False, "blind"),
])  # fmt: skip
async def test_what_the_board_said_is_held_against_the_eyes(
    before: Door, after: Door, is_open: bool, told: str
) -> None:
    assert verdict(before, after, is_open) == told


async def proven(point: Point, is_open: bool) -> w.PolarityTold:
    await at_bench(point)
    asked = await ask(point, openings(2, "polarity", "commissioning"), w.PolarityAsk)
    assert asked == w.PolarityAsk(CellNo(2))
    told = await ask(point, w.SawDoor(CellNo(2), is_open), w.PolarityTold)
    assert isinstance(told, w.PolarityTold)
    point.shut(2)
    await until(point, lambda: not point.runner.busy)
    return told


async def test_a_right_polarity_is_confirmed_by_eyes(point: Point) -> None:
    told = await proven(point, is_open=True)

    assert (told.verdict, told.lines) == ("right", ("[devices.locker]", 'polarity = "short_when_locked"'))
    assert [fact for fact in await point.facts() if type(fact).__name__ == "PolarityProven"]


async def test_a_wrong_polarity_is_found_and_the_line_for_the_settings_is_told(point: Point) -> None:
    point.locker._polarity = Polarity.SHORT_WHEN_OPEN  # as wrong settings would have it
    told = await proven(point, is_open=True)

    assert (told.verdict, told.lines) == ("inverted", ("[devices.locker]", 'polarity = "short_when_locked"'))


async def test_nobody_answers_and_nothing_is_proven(point: Point) -> None:
    await at_bench(point)
    await ask(point, openings(2, "polarity", "commissioning"), w.PolarityAsk)
    await until(point, lambda: not point.runner.busy, 400)

    assert shown(point, w.PolarityTold) == []
    assert "polarity_proven" not in await point.kinds()


async def test_a_technician_who_is_logged_out_keeps_nobody_waiting_at_an_unanswered_question(point: Point) -> None:
    await at_bench(point)
    await ask(point, openings(2, "polarity", "commissioning"), w.PolarityAsk)
    point.shut(2)
    point.runner.submit(Logout())
    await until(point, lambda: not point.runner.busy, 5)

    assert "polarity_proven" not in await point.kinds()


async def test_what_is_said_of_another_door_proves_nothing(point: Point) -> None:
    await at_bench(point)
    await ask(point, openings(2, "polarity", "commissioning"), w.PolarityAsk)
    point.runner.submit(w.SawDoor(CellNo(3), False))
    await asyncio.sleep(2)

    assert shown(point, w.PolarityTold) == []
    told = await ask(point, w.SawDoor(CellNo(2), True), w.PolarityTold)
    assert isinstance(told, w.PolarityTold)
    assert told.verdict == "right"


# --- scans --------------------------------------------------------------------------------------------------------


async def test_scans_of_the_raw_view_go_nowhere_else(point: Point) -> None:
    await at_bench(point)
    await ask(point, w.OpenTool("raw"), w.ToolShown)
    before = await point.kinds()
    point.scan("]C1SF1300000000001")
    await until(point, lambda: bool(shown(point, w.RawRead)))

    raw = shown(point, w.RawRead)[0]
    assert isinstance(raw, w.RawRead)
    assert (raw.text, raw.symbology, raw.ended, raw.scanner) == ("]C1SF1300000000001", "C1", "\r", "scanner")
    assert raw.guesses[0].kind == "waybill"
    assert not point.runner.busy
    assert await point.kinds() == before


async def test_scans_work_again_after_the_tool_was_put_down(point: Point) -> None:
    await at_bench(point)
    await ask(point, w.OpenTool("raw"), w.ToolShown)
    point.runner.submit(w.CloseTool())
    await asyncio.sleep(0.5)
    point.scan("]C1SF1300000000001")
    await until(point, lambda: bool(shown(point, Refusal)))

    assert shown(point, w.RawRead) == []


async def test_scans_work_again_when_the_technician_logs_out(point: Point) -> None:
    await at_bench(point)
    await ask(point, w.OpenTool("raw"), w.ToolShown)
    point.runner.submit(Logout())
    await asyncio.sleep(0.5)
    point.scan("]C1SF1300000000001")
    await until(point, lambda: bool(shown(point, Refusal)))

    assert shown(point, w.RawRead) == []


async def test_the_gun_that_reads_the_code_is_named(point: Point) -> None:
    await at_bench(point)
    code = await ask(point, w.OpenTool("enrol"), w.EnrolShown)
    assert isinstance(code, w.EnrolShown)
    point.scan("]C0" + code.code)
    await until(point, lambda: bool(shown(point, w.GunFound)))

    found = shown(point, w.GunFound)[0]
    assert isinstance(found, w.GunFound)
    assert (found.known, found.path, found.has_aim, found.keeps_case) == ("scanner", "dev/gun", True, True)


async def test_nobody_scans_the_code_and_the_search_ends_by_itself(point: Point) -> None:
    await at_bench(point)
    over = await ask(point, w.OpenTool("enrol"), w.EnrolOver)

    assert over == w.EnrolOver("late")


async def test_a_display_shows_the_trial_and_is_calm_afterwards(point: Point) -> None:
    await at_bench(point)
    done = await ask(point, w.TryDisplay("display", "lines"), w.DisplayTried)
    during = point.led.shown()
    await ask(point, w.OpenTool("display"), w.ToolShown)
    point.runner.submit(w.CloseTool())
    await asyncio.sleep(2)

    assert isinstance(done, w.DisplayTried)
    assert done.health == "ok"
    assert (done.finding.key, done.finding.code) == ("device_ok", "")
    assert "0123456789 ABC" in " ".join(during)
    assert point.led.shown() == []


async def test_brightness_is_held_by_hand_and_given_back(point: Point) -> None:
    await at_bench(point)
    await ask(point, w.OpenTool("display"), w.ToolShown)
    await ask(point, w.TryDisplay("display", "light_0"), w.DisplayTried)
    dark = point.led.is_on
    await ask(point, w.TryDisplay("display", "light_100"), w.DisplayTried)
    full = (point.led.is_on, point.led.brightness)
    point.runner.submit(w.CloseTool())
    await asyncio.sleep(2)

    assert dark is False
    assert full == (True, 15)
    assert (point.led.is_on, point.led.brightness) == (True, 8)
