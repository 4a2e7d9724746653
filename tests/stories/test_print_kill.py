"""The crash table of printing: killed at every commit, step and piece of a slip, started again, printed once or asked.

Nothing is printed by itself at a start; what may have come out is told as unknown, and the next print is a copy.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.sim.host import Host, Terminal
from drivers.sim.printer import Receipts
from edge.flows import money
from edge.model import BillId, BillState
from edge.steps import PrintAgain
from tests.stories.counter_point import CounterPoint
from tests.stories.killing import MOST, SIGKILL, Nursery, nursery
from tests.stories.patient_loop import run_patiently
from tests.stories.victim import STEPS

KINDS = ("before_commit", "after_commit", "at_step", "before_bytes", "after_bytes")
BILL = BillId("bill-0001")


@dataclass(frozen=True, slots=True)
class Corpse:
    """What is left: the disk, the steps that were shown, and what lies in the printer's tray."""

    place: str
    folder: Path
    shown: tuple[str, ...]
    whole_slips: int
    lines_begun: int
    died: bool


async def killed(nurses: Nursery, template: Path, kind: str, number: int) -> Corpse:
    folder = template.with_name(f"{template.name}-{kind}-{number}")
    shutil.copytree(template, folder)
    paper = Receipts()
    host = Host([Terminal("printer", paper, folder / "port")], None)
    await host.start()
    order: dict[str, Any] = {
        "folder": str(folder), "port": str(folder / "port"), "kind": kind, "number": number, "bill": BILL, "fen": 4280,
    }  # fmt: skip
    try:
        signal = await nurses.victim(order)
        await asyncio.sleep(0.05)  # what the victim had written still arrives
    finally:
        await host.stop()
    shown = (folder / STEPS).read_text().split() if (folder / STEPS).exists() else []
    place = f"{kind} {number}"
    return Corpse(place, folder, tuple(shown), len(paper.slips), len(paper.on_paper), signal == SIGKILL)


async def all_corpses(template: Path) -> list[Corpse]:
    corpses: list[Corpse] = []
    async with nursery("tests.stories.print_victim") as nurses:
        for kind in KINDS:
            for number in range(1, MOST):
                corpses.append(await killed(nurses, template, kind, number))
                if not corpses[-1].died:
                    break
            else:
                raise AssertionError(f"{kind}: no end after {MOST} places")
    return corpses


def judged(corpse: Corpse) -> None:
    """Start a corpse again with a printer that works."""
    point = CounterPoint(corpse.folder, seed=2)
    point.clock.boot = "b0070002"

    async def story() -> None:
        async with point.running():
            kinds = await point.kinds()
            last_start = len(kinds) - 1 - kinds[::-1].index("terminal_started")
            before = kinds[:last_start]
            shown = await point.play(money.show_unseen(point.site))
            await asyncio.sleep(60)
            assert point.paper.slips == [], "a start printed by itself"
            if "bill_accepted" not in before:
                assert (await point.bill(BILL)).state is BillState.UNPAID
                assert corpse.whole_slips == corpse.lines_begun == 0
                return
            assert (await point.bill(BILL)).state is BillState.ACCEPTED
            ended = "print_ended" in before
            if "print_started" in before and not ended:
                assert [(step.slip, step.printed) for step in shown] == [("000001", "unknown")]
            elif "slip_issued" not in before:
                assert [(step.slip, step.printed) for step in shown] == [("000001", "never")]
                assert corpse.whole_slips == corpse.lines_begun == 0
            else:
                assert shown == []
                assert ended
            await reprinted(point, is_copy="print_started" in before)
            await point.sound()

    run_patiently(story())


async def reprinted(point: CounterPoint, is_copy: bool) -> None:
    await point.wants(PrintAgain("000001"))
    await asyncio.sleep(60)
    [slip] = point.paper.slips
    assert slip[-1] == "[128 000001]"
    assert any("补打" in line for line in slip) is is_copy
    assert (await point.kinds()).count("bill_accepted") == 1


def test_a_bill_killed_at_every_step_of_its_printing_is_printed_once_or_asked_about(tmp_path: Path) -> None:
    point = CounterPoint(tmp_path / "before")

    async def prepare() -> None:
        async with point.running():
            await point.billed()

    run_patiently(prepare())

    corpses = asyncio.run(all_corpses(point.folder))

    assert len([corpse for corpse in corpses if corpse.died]) >= 15
    for corpse in corpses:
        assert corpse.whole_slips <= 1, corpse.place
        try:
            judged(corpse)
        except AssertionError as error:
            raise AssertionError(f"killed {corpse.place}: {error}") from error
