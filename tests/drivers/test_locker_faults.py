"""A bad cable: whatever it does, a command is at most one pulse, and no other door is ever called the right one."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from drivers.base import NotThere, Opening, WrongDoor
from drivers.locker import BoardLocker, Cabinet
from drivers.sim import lock_board
from drivers.sim.lock_board import LockBoard, Reply
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import Board8A80
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole

COMMANDS = 1500


async def one_command(locker: BoardLocker, board: LockBoard, cell: int) -> str:
    """Open one door and compare what is told with what the coils got."""
    pulses_before, asked_before = board.pulses.copy(), board.asked.total()
    was_open = cell in board.open_doors
    moved: tuple[int, ...] = ()
    try:
        outcome = (await locker.open(cell)).value
    except NotThere:
        outcome = "not_there"
    except WrongDoor as error:
        outcome, moved = "wrong_door", error.moved
    pulsed = set(board.pulses - pulses_before)

    assert board.asked.total() - asked_before <= 1, "a command became two pulses"
    if outcome == "not_there":
        assert not pulsed, "a coil moved although it was said that none did"
    if outcome == Opening.OPEN.value:
        assert was_open or cell in board.open_doors, "a closed door was called open"
        assert pulsed <= {cell}, "another door opened and nobody was told"
    if outcome == Opening.STAYED_CLOSED.value:
        assert cell not in board.open_doors, "an open door was called closed"
    if outcome == "wrong_door":
        assert cell not in moved
    for door in list(board.open_doors):
        board.close_door(door)
    return outcome


def faulted(board: LockBoard, shape: Shape, commands: int, sabotage: bool = False) -> Counter[str]:
    """Play commands on virtual time; returns how often each outcome was told."""
    pipe = Pipe(board, shape)
    wired = Cabinet(board.cabinet.cells, board.cabinet.polarity)

    async def main() -> Counter[str]:
        locker = BoardLocker(pipe.link("locker"), Board8A80(board.cabinet.ways), wired, LoopClock())
        await locker.start()
        await asyncio.sleep(1)
        outcomes: Counter[str] = Counter()
        for turn in range(commands):
            outcomes[await one_command(locker, board, 1 + turn % board.cabinet.cells)] += 1
        await locker.stop()
        return outcomes

    if sabotage:
        sent_once = Board8A80.open
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Board8A80, "open", lambda self, *place: sent_once(self, *place) * 2)
            return run_instantly(main())
    return run_instantly(main())


@pytest.mark.parametrize("reply", list(Reply))
def test_a_garbling_cable_never_makes_a_second_pulse(reply: Reply) -> None:
    board = LockBoard(lock_board.Cabinet(cells=30, ways=24, reply=reply))
    board.line.garble(0.12, seed=20261122)

    outcomes = faulted(board, whole, COMMANDS // 3)

    assert board.line.faults > 500
    assert board.pulses.total() <= COMMANDS // 3
    assert outcomes[Opening.OPEN.value] > COMMANDS // 3 * 0.6


@pytest.mark.parametrize("polarity", list(Polarity))
def test_lost_answers_never_make_a_second_pulse(polarity: Polarity) -> None:
    board = LockBoard(lock_board.Cabinet(polarity=polarity))

    outcomes = faulted(board, lossy(7, 0.3), 300)

    assert board.pulses.total() == 300 - outcomes["not_there"]
    assert outcomes[Opening.OPEN.value] > 200


@pytest.mark.parametrize("shape", [whole, byte_by_byte, glued])
def test_however_the_bytes_arrive_every_door_opens_once(shape: Shape) -> None:
    board = LockBoard()
    board.line.delay_ms = 120

    outcomes = faulted(board, shape, 48)

    assert outcomes == {Opening.OPEN.value: 48}
    assert set(board.pulses.values()) == {2}


def test_a_driver_that_repeats_its_pulse_would_be_caught() -> None:
    with pytest.raises(AssertionError, match="two pulses"):
        faulted(LockBoard(), whole, 5, sabotage=True)
