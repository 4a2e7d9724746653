"""kill -9 at every place of the commissioning: what was told is written down, the rest goes on where it was.

Every life is ended before and after each commit, around the pulse of the door and at each step on the screen; then the
point is started again and another technician goes on to the end.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge import commissioning, events
from edge.commissioning_record import digest_of
from edge.model import Rejected
from edge.steps import Step
from edge.steps import wizard as z
from tests.stories.killing import MOST, Corpse, killed, nursery
from tests.stories.patient_loop import run_patiently
from tests.stories.point import Point
from tests.stories.wizard_victim import ASKED, PLAN, wizard_of

KINDS = ("before_commit", "after_commit", "after_pulse", "at_step")
SITE = "QJ-0001"
pytestmark = [pytest.mark.logs("locker"), pytest.mark.timeout(300)]


async def corpses(template: Path) -> list[Corpse]:
    found: list[Corpse] = []
    async with nursery("tests.stories.wizard_victim") as nurses:
        for kind in KINDS:
            for number in range(1, MOST):
                found.append(await killed(nurses, template, (kind, number), {}))
                if not found[-1].died:
                    break
            else:
                raise AssertionError(f"{kind}: no end after {MOST} places")
    return found


def test_killed_anywhere_it_goes_on_and_ends_once(tmp_path: Path) -> None:
    before = Point(tmp_path / "before")

    async def empty() -> None:
        async with before.running():
            pass

    run_patiently(empty())
    found = asyncio.run(corpses(before.folder))
    died = [corpse for corpse in found if corpse.died]

    assert len(died) >= 30, [corpse.place for corpse in died]
    assert all(corpse.unaudited == () for corpse in found)
    for corpse in found:
        run_patiently(judged(corpse))


async def judged(corpse: Corpse) -> None:
    """Start it again and look, then go on to the end."""
    point = Point(corpse.folder, seed=2)
    point.clock.boot = "b0070002"
    point.board.asked, point.board.sent = corpse.asked.copy(), corpse.asked.copy()
    async with point.running():
        point.site.code = SITE
        told = corpse.shown.count("WizardTold")
        await _is_consistent(point, corpse, told)
        await _goes_on(point)
        record = await point.store.run(commissioning.newest, SITE, ended=True)
        facts = await point.facts()
        ends = [fact for fact in facts if isinstance(fact, events.PointCommissioned)]
        assert record is not None, corpse.place
        assert len(ends) == 1, corpse.place
        assert ends[0].digest == record.digest == digest_of(record.run, record.rows), corpse.place
        assert [row.step for row in record.rows] == list(PLAN), corpse.place
        await point.sound()


async def _is_consistent(point: Point, corpse: Corpse, told: int) -> None:
    """Each row has its fact and each fact its row; what a person was told is on the disk."""
    record = await point.store.run(commissioning.newest, SITE)
    facts = [fact for fact in await point.facts() if isinstance(fact, events.CommissioningStepDone)]
    rows = {} if record is None else record.results
    assert {fact.step: fact.result for fact in facts} == {step: row.result for step, row in rows.items()}, corpse.place
    assert len(facts) >= told, corpse.place


async def _goes_on(point: Point) -> None:
    """Another life: the first step without a result comes next, until the run has ended."""
    wizard = wizard_of(point.site)
    if await point.store.run(commissioning.newest, SITE, ended=True) is not None:
        assert await wizard.due() is None
        return
    board = (await steps(wizard, z.OpenWizard()))[-1]
    assert isinstance(board, z.WizardBoard)
    done = [line.step for line in board.lines if line.result]
    assert done == list(PLAN[: len(done)]), "what was done stays done, in order"
    for step in PLAN[len(done) :]:
        await steps(wizard, z.SkipStep(step, "no_time"))
    await steps(wizard, z.EndWizard())
    with pytest.raises(Rejected):
        await steps(wizard, z.EndWizard())


async def steps(wizard: object, intent: z.WizardIntent) -> list[Step]:
    return [step async for step in wizard.handle(intent)]  # type: ignore[attr-defined]


def test_the_life_that_is_killed_asks_for_every_step() -> None:
    assert {getattr(intent, "step", "") for intent in ASKED} == {"", *PLAN}
