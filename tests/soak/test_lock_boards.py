"""Every make of lock board under every fault of line and board, and in noise for a day, on virtual time.

One command is one pulse at most, no door is called open that is shut, nothing moves untold, nothing grows.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from drivers.base import DeviceError, Door, NotThere, Opening, Refused, WrongDoor
from drivers.wire.frame_hunt import HuntingParser
from drivers.wire.lock import LockParser
from drivers.wire.lock_8a80 import Parser8A80
from tests.links import byte_by_byte, glued, run_instantly, whole
from tests.lock_makes import BASE, MAKES, Bench, Make
from tests.soak.ledger import Ledger

FAULTS = (
    "none", "garble", "mute", "mute after the pulse", "jam", "wrong wire", "slow", "no plug", "plug pulled", "echo",
    "other hand",
)  # fmt: skip
SHAPES = (whole, byte_by_byte, glued)
PULL_S, HEAL_S = 2.0, 3.0  # the slowest make needs 1.4 s to look at its doors once
PER_BENCH = 500  # then a new bench, with the bytes in another shape
DAY_S = 86_400
POOL, BLOCK = 64, 65_536  # 4 MB of noise, taken in any order
TRACED = 200_000  # bytes; watching memory makes it ten times slower


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No log: a hundred thousand faults would be kept in memory by whoever captures it."""
    talkers = [logging.getLogger(name) for name in ("drivers.link", "drivers.locker")]
    for each in talkers:
        each.disabled = True
    yield
    for each in talkers:
        each.disabled = False


def arm(bench: Bench, fault: str, cell: int, dice: random.Random) -> None:
    board = bench.board
    loop = asyncio.get_running_loop()
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
            board.wrong_door(cell, dice.randint(1, board.walls.cells))
        case "slow":
            board.line.delay_ms = dice.randint(50, 400)
        case "no plug":
            bench.pipe.unplug()
        case "plug pulled":
            loop.call_later(dice.uniform(0, PULL_S), bench.pipe.unplug)
        case "echo":
            board.line.echoes = True
        case "other hand":
            board.open_by_hand(dice.randint(1, board.walls.cells))


def heal(bench: Bench) -> None:
    board = bench.board
    board.line.garble(0, 0)
    board.line.unmute()
    board.line.delay_ms = 0
    board.line.echoes = False
    for cell in range(1, board.walls.cells + 1):
        board.jam(cell, is_jammed=False)
        board.wrong_door(cell, cell)
        board.close_door(cell)
    bench.pipe.replug()


async def commanded(bench: Bench, cell: int) -> tuple[str, list[str]]:
    """Open one door; returns what was told, and what is wrong with it."""
    board = bench.board
    asked, pulsed, before = board.asked.copy(), board.pulses.copy(), set(board.open_doors)
    try:
        told = (await bench.locker.open(cell)).value
    except NotThere:
        told = "not_there"
    except Refused:
        told = "refused"
    except WrongDoor as error:
        told = "wrong_door"
        if cell in error.moved:
            return told, ["called itself wrong"]
    asked, pulsed = board.asked - asked, board.pulses - pulsed
    strangers = (board.open_doors - before) - {cell}
    wrong = {
        "double": asked.total() > 1 or pulsed.total() > 1,
        "pulsed and denied": told == "not_there" and bool(asked),
        "moved and refused": told == "refused" and bool(board.open_doors - before),
        "called open": told == Opening.OPEN.value and cell not in board.open_doors,
        "called shut": told == Opening.STAYED_CLOSED.value and cell in board.open_doors,
        "stranger moved untold": told in ("open", "stayed_closed", "refused") and bool(strangers),
    }
    return told, [what for what, is_so in wrong.items() if is_so]


async def shift(bench: Bench, commands: int, dice: random.Random, seen: Counter[str], bad: Counter[str]) -> int:
    """Many commands at one locker; returns how many were disturbed."""
    faults = 0
    await bench.locker.start()
    await asyncio.sleep(3)
    for _ in range(commands):
        fault, cell = dice.choice(FAULTS), dice.randint(1, bench.board.walls.cells)
        arm(bench, fault, cell, dice)
        faults += fault != "none"
        told, wrong = await commanded(bench, cell)
        seen[told] += 1
        bad.update(f"{what} ({fault})" for what in wrong)
        await asyncio.sleep(PULL_S)  # a plug that is pulled late is pulled
        heal(bench)
        await asyncio.sleep(HEAL_S)
        bench.pipe.tick()
    await bench.locker.stop()
    return faults


def played(make: Make, commands: int, seed: int) -> tuple[int, Counter[str], Counter[str]]:
    dice = random.Random(seed)
    seen: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    faults = 0
    for part in range(-(-commands // PER_BENCH)):
        bench = Bench(make, shape=SHAPES[part % len(SHAPES)])
        faults += run_instantly(shift(bench, min(PER_BENCH, commands - part * PER_BENCH), dice, seen, bad))
    return faults, seen, bad


@pytest.mark.parametrize("name", MAKES)
def test_no_fault_makes_a_door_open_wrongly_or_twice(
    name: str, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    commands = count(30, 100_000 if name in BASE else 10_000)

    faults, seen, bad = played(MAKES[name], commands, seed=len(name))

    ledger.note("R7", "lock boards", faults, bad.total(), board_commands=commands)
    ledger.note("R9", "lock boards", faults, sum(n for what, n in bad.items() if what.startswith("double")),
                board_unknowns=seen["unknown"])  # fmt: skip
    assert bad == {}
    assert seen.total() == commands
    assert seen["open"] > commands * 0.3


@pytest.mark.parametrize("name", BASE)
def test_a_driver_that_pulses_twice_or_next_door_would_be_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = BASE[name]
    frame = type(make.wire).open
    monkeypatch.setattr(type(make.wire), "open", lambda self, board, lock: frame(self, board, lock) * 2)
    assert "double (none)" in played(make, 40, seed=1)[2]

    monkeypatch.setattr(type(make.wire), "open", lambda self, board, lock: frame(self, board, lock % make.ways + 1))
    assert played(make, 20, seed=1)[1]["open"] == 0


def noise(make: Make, dice: random.Random, size: int) -> bytes:
    """Random bytes, and between them what comes close to a frame: the board's own words, cut and with flipped bits."""
    pieces: list[bytes] = []
    board = make.sim(make.ways)
    words = [make.wire.looks(1)[0].request, *make.wire.at_start(1)]
    words += [reply for word in list(words) for reply in board.receive(word)]
    while sum(map(len, pieces)) < size:
        word = bytearray(dice.choice(words))
        for _ in range(dice.randint(1, 3)):
            word[dice.randrange(len(word))] ^= 1 << dice.randrange(8)
        pieces.append(bytes(word[: dice.randint(1, len(word))]))
        pieces.append(dice.randbytes(dice.randint(0, 30)))
    return b"".join(pieces)[:size]


@pytest.mark.parametrize("name", MAKES)
def test_a_day_of_noise_on_the_wire_grows_nothing_and_crashes_nothing(
    name: str, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    make, dice = MAKES[name], random.Random(7)
    total = count(20_000, make.baud // 10 * DAY_S if name in BASE else 5_000_000)
    pool = [noise(make, dice, min(BLOCK, total)) for _ in range(min(POOL, -(-total // BLOCK)))]
    parser = make.wire.parser()
    assert isinstance(parser, HuntingParser | Parser8A80)
    said = babbled(make, parser, dice, pool, min(total, TRACED))
    tracemalloc.start()
    said += babbled(make, parser, dice, pool, min(total, TRACED))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    said += babbled(make, parser, dice, pool, total - 2 * min(total, TRACED))

    ledger.note("R18", "lock board noise", parser.rejected, 0, board_noise_bytes=total, chance_frames=said)
    assert parser.rejected > total * 0.5
    assert grown < 50_000, "memory grows with noise"
    assert len(parser._buffer) < 64


def babbled(make: Make, parser: LockParser, dice: random.Random, pool: list[bytes], size: int) -> int:
    """Feed noise as it comes from a wire, a question now and then; returns how many frames came of it by chance."""
    said = 0
    asked = make.wire.looks(1)[0].request
    while size > 0:
        block = dice.choice(pool)
        at = dice.randrange(len(block))
        for start in range(at, len(block), 512):
            parser.expect(asked)
            said += len(parser.feed(block[start : start + 256])) + len(parser.feed(block[start + 256 : start + 512]))
        size -= len(block) - at
    return said


async def a_day(bench: Bench, seconds: int, dice: random.Random) -> Counter[str]:
    """A cabinet that nobody touches, on a wire that babbles; returns what was told of its doors."""
    told: Counter[str] = Counter()
    changes = bench.locker.changes()
    loop = asyncio.get_running_loop()

    async def listen() -> None:
        async for change in changes:
            told[f"changed to {change.door.value}"] += 1

    listening = asyncio.create_task(listen())
    await bench.locker.start()
    end = loop.time() + seconds
    while loop.time() < end:
        await asyncio.sleep(dice.uniform(0, 2))
        if bench.pipe._port is not None:
            bench.pipe._port.deliver([noise(bench.make, dice, dice.randint(1, 60))])
        if dice.random() < 1 / 60:
            told["looks"] += 1
            told.update(f"seen {door.value}" for door in set((await seen(bench)).values()))
        if dice.random() < 1 / 600:
            bench.board.jam(cell := dice.randint(1, bench.board.walls.cells))
            outcome, wrong = await commanded(bench, cell)
            told.update([f"opening {outcome}", *(f"open: {what}" for what in wrong)])
    await bench.locker.stop()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return told


async def seen(bench: Bench) -> dict[int, Door]:
    try:
        return dict(await bench.locker.doors())
    except DeviceError:
        return {}


@pytest.mark.parametrize("name", BASE)
def test_a_day_of_noise_at_a_shut_cabinet_never_shows_an_open_door(
    name: str, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    seconds = count(600, DAY_S)
    bench = Bench(BASE[name])
    for cell in range(1, bench.board.walls.cells + 1):
        bench.board.jam(cell)
    bench.board.line.garble(0.1, seed=5)

    told = run_instantly(a_day(bench, seconds, random.Random(9)))

    false_open = sum(n for what, n in told.items() if what.endswith(" open") or what.startswith("open:"))
    ledger.note("R18", "lock board noise", bench.board.line.faults, false_open, shut_cabinet_hours=seconds / 3600)
    assert false_open == 0, told
    assert told["seen closed"] > 0
