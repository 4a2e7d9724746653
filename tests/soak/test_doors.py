"""Door commands under every fault of line and board, on virtual time: none wrong, none double, none unaudited."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.wire.lock_8a80 import Board8A80
from edge.flows import doors, intake
from edge.flows.doors import Outcome
from edge.model import CellNo
from tests.soak.ledger import Ledger
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, Point

PER_POINT = 400  # then a new database: the witness counts the openings of a cell at each pulse
FAULTS = (
    "none", "garble", "mute", "mute after the pulse", "jam", "wrong wire", "slow", "no plug", "plug pulled", "echo"
)  # fmt: skip


def arm(point: Point, fault: str, cell: int, dice: random.Random) -> None:
    board = point.board
    match fault:
        case "garble":
            board.line.garble(dice.uniform(0.05, 0.4), dice.getrandbits(32))
        case "mute":
            board.line.mute()
        case "mute after the pulse":
            board.line.mute(after_moves=1)
        case "jam":
            board.jam(cell)
        case "wrong wire":
            board.wrong_door(cell, dice.randint(1, board.cabinet.cells))
        case "slow":
            board.line.delay_ms = dice.randint(50, 400)
        case "no plug":
            point.board_plug.unplug()
        case "plug pulled":
            point.later(dice.uniform(0, 0.5), point.board_plug.unplug)
        case "echo":
            board.line.echoes = True


def heal(point: Point) -> None:
    board = point.board
    board.line.garble(0, 0)
    board.line.unmute()
    board.line.delay_ms = 0
    board.line.echoes = False
    for cell in range(1, board.cabinet.cells + 1):
        board.jam(cell, is_jammed=False)
        board.wrong_door(cell, cell)
    point.board_plug.replug()


def shut_all(point: Point) -> None:
    for cell in list(point.board.open_doors):
        point.shut(cell)


async def commanded(point: Point, cell: int) -> tuple[Outcome, list[str]]:
    """Open one door and return what is wrong with what happened."""
    board = point.board
    sent, pulsed = board.sent.copy(), board.pulses.copy()
    unaudited = len(board.unaudited)
    point.later(4, shut_all, point)
    outcome = await intake.service(point.site, CellNo(cell), OPERATOR)
    sent, pulsed = board.sent - sent, board.pulses - pulsed
    bad = []
    if sent.total() > 1 or pulsed.total() > 1:
        bad.append("double")
    if set(sent) - {cell}:
        bad.append("wrong")
    if len(board.unaudited) > unaudited:
        bad.append("unaudited")
    if outcome is Outcome.NOT_THERE and sent:
        bad.append("pulsed and denied")
    if outcome is Outcome.OPEN and not pulsed[cell]:
        bad.append("called open")
    if set(pulsed) - {cell} and outcome in (Outcome.OPEN, Outcome.STAYED_CLOSED):
        bad.append("stranger moved untold")
    return outcome, bad


async def shift(point: Point, commands: int, dice: random.Random, seen: Counter[str], bad: Counter[str]) -> int:
    """Many commands at one point. Return how many were disturbed."""
    faults = 0
    async with point.running():
        for _ in range(commands):
            fault, cell = dice.choice(FAULTS), dice.randint(1, point.board.cabinet.cells)
            arm(point, fault, cell, dice)
            faults += fault != "none"
            outcome, wrong = await commanded(point, cell)
            seen[outcome.value] += 1
            bad.update(f"{each} ({fault})" for each in wrong)
            heal(point)
            shut_all(point)
            await asyncio.sleep(5)  # longer than the hand that shuts doors, so that it never reaches the next command
        await point.sound()
    return faults


def played(folder: Path, commands: int, seed: int) -> tuple[int, Counter[str], Counter[str]]:
    dice = random.Random(seed)
    seen: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    faults = 0
    for part in range(-(-commands // PER_POINT)):
        point = Point(folder / f"point-{part}", seed=seed + part)
        faults += run_patiently(shift(point, min(PER_POINT, commands - part * PER_POINT), dice, seen, bad))
    return faults, seen, bad


def test_no_fault_makes_a_door_open_wrongly_twice_or_unwritten(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    commands = count(250, 100_000)

    faults, seen, bad = played(fast_path, commands, seed=11)

    ledger.note("R7", "door commands", faults, bad.total(), door_commands=commands, opened=seen["open"])
    ledger.note("R9", "door commands", faults, sum(n for what, n in bad.items() if what.startswith("double")),
                unknown_outcomes=seen["unknown"])  # fmt: skip
    ledger.note("R8", "witness at the board", faults, sum(n for what, n in bad.items() if "unaudited" in what),
                pulses_witnessed=commands - seen["not_there"])  # fmt: skip
    assert bad == {}
    assert seen.total() == commands
    assert set(seen) == {outcome.value for outcome in Outcome} - {"refused"}


async def careless_pulse(site: object, opening: str, cell: CellNo) -> Outcome:
    """Seeded bug: when nobody knows, pulse again."""
    locker = site.locker  # type: ignore[attr-defined]
    first = await locker.open(cell)
    if first.value == "unknown":
        first = await locker.open(cell)
    await site.store.run(doors.cells.not_opened, opening, "unknown")  # type: ignore[attr-defined]
    return Outcome(first.value)


@pytest.mark.parametrize("fault", ["repeats", "twice on the wire", "next door"])
def test_a_careless_driver_or_flow_would_be_caught(
    fast_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    frame = Board8A80.open
    if fault == "repeats":
        monkeypatch.setattr(intake, "pulse", careless_pulse)
    elif fault == "twice on the wire":
        monkeypatch.setattr(Board8A80, "open", lambda self, board, lock: frame(self, board, lock) * 2)
    else:
        monkeypatch.setattr(Board8A80, "open", lambda self, board, lock: frame(self, board, lock % 4 + 1))

    async def story(point: Point) -> list[str]:
        async with point.running():
            if fault == "repeats":
                point.board.line.mute(after_moves=1)
                point.later(2, point.board.line.unmute)
            _, bad = await commanded(point, 2)
            return bad

    assert run_patiently(story(Point(fast_path / "data"))) != []
