"""Guessing across power cuts, wrong clocks, noise into every parser, and what the logs give away."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.wire.lock_8a80 import Board8A80, sealed
from edge import codes, events, guard, log
from edge.events import BadFact, Encoded
from edge.flows import intake, money
from edge.logs import MaskingFormatter
from edge.model import Fen, PickupCode, Rejected, SiteCode
from edge.steps import PickUp, Scanned, SlipShown, Thanks
from edge.store import Store
from sync.hub.intake import accept
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.strict import BadBatch
from sync.wire import Ack, Batch, decode_ack, decode_batch, decode_presence, encode_batch
from tests.soak.ledger import Ledger
from tests.stories.patient_loop import run_patiently
from tests.stories.point import KEYS, NAME, OPERATOR, PHONE, PIN, Point, PointClock, SeededDice, arrival, told

# --- guessing -----------------------------------------------------------------------------------------------------


class Board:
    """The one clock of a terminal that loses power: monotonic time begins anew with each boot."""

    def __init__(self) -> None:
        self.real_ms = 0
        self.boot_ms = 0
        self.boots = 0

    def cut(self, off_ms: int) -> None:
        self.real_ms += off_ms
        self.boots += 1
        self.boot_ms = self.real_ms


def guesses(folder: Path, cuts: int, seed: int) -> tuple[int, float, list[str]]:
    """A guesser who may pull the plug at any moment. Returns compared guesses, hours, and what went wrong."""
    dice = random.Random(seed)
    board, clock = Board(), PointClock()
    clock.now = lambda: (board.real_ms - board.boot_ms) / 1000
    bad: list[str] = []
    compared = done = 0
    before = None
    while done < cuts:
        clock.boot = f"b{board.boots:07x}"
        clock.wall_ms = dice.randrange(0, 4_000_000_000_000)  # the wall clock counts for nothing
        store = Store(folder, clock, SeededDice(seed + board.boots), KEYS, strict=True)
        store.open()
        store.run_now(log.begin)
        row = store.run_now(lambda tx: tx.row("SELECT credit, fails FROM attempt"))
        if before is not None and row != before:
            bad.append(f"counter changed over a power cut: {before} {row}")
        for _ in range(dice.randint(0, 4)):
            board.real_ms += dice.choice((200, 5_000, 60_000, 400_000))
            with contextlib.suppress(Rejected):
                store.run_now(guard.take_try)
                compared += 1  # the plug may be pulled here: the try is gone all the same
        before = store.run_now(lambda tx: tx.row("SELECT credit, fails FROM attempt"))
        store.close()
        board.cut(dice.choice((500, 20_000)))
        done += 1
        if compared > guard.FREE_TRIES + board.real_ms / guard.TRY_MS:
            bad.append(f"{compared} guesses in {board.real_ms / 1000} s")
    return compared, board.real_ms / 3_600_000, bad


def test_pulling_the_plug_gives_no_further_guesses(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    cuts = count(60, 3000)

    compared, hours, bad = guesses(fast_path / "data", cuts, 22)

    ledger.note(
        "R22", "guesser with the plug in hand", cuts, len(bad), guesses_compared=compared, hours=round(hours, 1)
    )
    assert bad == []
    assert compared > 5


def test_a_counter_in_memory_would_be_caught(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credit: dict[str, int] = {}
    monkeypatch.setattr(guard, "_credit", lambda tx: credit.get(tx.stamp.boot, guard.FREE_TRIES * guard.TRY_MS))
    monkeypatch.setattr(guard, "_save", lambda tx, _scope, left, _fails: credit.update({tx.stamp.boot: left}))

    assert guesses(fast_path / "data", 60, 22)[2] != []


# --- clocks -------------------------------------------------------------------------------------------------------

LINES = 400  # of a library, for each story
YEARS_10 = 315_360_000_000
CLOCKS = {"right": 0, "ten years back": -YEARS_10, "ten years on": YEARS_10, "at zero": -1_795_350_600_000}


@pytest.mark.parametrize("jumps", [False, True], ids=["steady", "jumping"])
@pytest.mark.parametrize("wrong", CLOCKS)
def test_a_wrong_clock_opens_pays_unlocks_and_blocks_nothing(
    fast_path: Path, ledger: Ledger, wrong: str, jumps: bool
) -> None:
    point = Point(fast_path / "data")
    dice = random.Random(17)
    moved = 0

    def jump() -> None:
        nonlocal moved
        moved += 1
        point.clock.synced = not point.clock.synced
        if jumps:
            point.clock.wall_ms += dice.choice((-1, 1)) * dice.choice((1000, 86_400_000, YEARS_10))

    async def story() -> None:
        point.clock.wall_ms += CLOCKS[wrong]
        async with point.running():
            await point.with_operator()
            jump()
            parcel = await point.deposited()
            bill = await point.billed()
            jump()
            assert isinstance((await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR)))[-1], SlipShown)
            code = await point.code(parcel.id)
            for _ in range(5):
                jump()
                with pytest.raises(Rejected, match="wrong_code"):
                    await point.wants(PickUp(PickupCode("000000"), "0000"))
            jump()
            with pytest.raises(Rejected, match="locked_out"):  # a clock that jumps a day gives no try back
                await point.wants(PickUp(code, PHONE[-4:]))
            await asyncio.sleep(310)
            jump()
            assert (await point.wants(PickUp(code, PHONE[-4:])))[-1] == Thanks(1)
            await point.sound()

    violations = 1
    try:
        run_patiently(story())
        violations = 0
    finally:
        ledger.note("R17", "stories under wrong clocks", 1 + moved, violations, clocks=1)


# --- noise --------------------------------------------------------------------------------------------------------


def noise(dice: random.Random, seeds: list[bytes]) -> bytes:
    """Something between plain noise and a valid message with a few bytes changed."""
    if dice.random() < 0.3:
        return dice.randbytes(dice.randrange(0, 64))
    raw = bytearray(dice.choice(seeds))
    for _ in range(dice.randrange(1, 4)):
        match dice.randrange(3):
            case 0 if raw:
                raw[dice.randrange(len(raw))] = dice.randrange(256)
            case 1 if raw:
                del raw[dice.randrange(len(raw)) :]
            case _:
                at = dice.randrange(len(raw) + 1)
                raw[at:at] = dice.randbytes(dice.randrange(1, 8))
    return bytes(raw)


def test_no_frame_crashes_the_driver_or_makes_it_move(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    frames = count(3000, 100_000)
    wire = Board8A80()
    seeds = [wire.open(1, 3), wire.read_all(1), sealed(bytes((0x80, 1, 0, 0, 0, 0x33))), sealed(b"\x8a\x01\x03\x11")]
    point = Point(fast_path / "data")
    dice = random.Random(18)

    async def story() -> None:
        async with point.running():
            port = point.board_plug._port
            assert port is not None
            for turn in range(frames):
                port.deliver([noise(dice, seeds)])
                if turn % 40 == 0:
                    await asyncio.sleep(0.5)
            await asyncio.sleep(30)
            assert point.board.sent == {}
            await point.deposited()  # and it works as before
            assert point.board.sent.total() <= 2

    run_patiently(story())
    ledger.note("R18", "noise on the bus", frames, 0, frames=frames)


def test_no_scan_crashes_or_moves_anything(fast_path: Path, count: Callable[[int, int], int], ledger: Ledger) -> None:
    scans = count(800, 50_000)
    seeds = [text.encode() for text in (
        "SF1300000000001", "]C1SF1300000000001\x1d", "VP1:AAAAAAAAAAAAAAAAAAAAAAAAAA", "6901234567892", "\x1b[A",
        "134567890123456789", "https://pay.example/x?a=1", "11010119900307123X", "\x03\x04FNC3", "(01)06901234567892",
    )]  # fmt: skip
    point = Point(fast_path / "data")
    dice = random.Random(19)

    async def story() -> Counter[str]:
        seen: Counter[str] = Counter()
        async with point.running():
            await point.deposited()
            sent = point.board.sent.total()
            for _ in range(scans):
                text = noise(dice, seeds).decode("utf-8", "replace")[: dice.choice((64, 4000))]
                codes.recognise(text)
                try:
                    for step in await point.wants(Scanned(text, dice.choice(("standby", "intake", "pickup", "bill")))):
                        seen[type(step).__name__] += 1
                except Rejected as refusal:
                    seen[refusal.code] += 1
            assert point.board.sent.total() == sent
            assert set(seen) & {"SlipShown", "Thanks", "Stored", "OpeningDoor"} == set()
            await point.sound()
        return seen

    run_patiently(story())
    ledger.note("R18", "noise into the scanner", scans, 0, scans=scans)


def test_no_payload_crashes_the_hub_or_the_point(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    payloads = count(3000, 300_000)
    point = Point(fast_path / "data")
    hub = HubStore(
        SqliteDatabase(fast_path / "hub", durable=False), PointClock(), SeededDice(5), {SiteCode("YN-01"): KEYS.link}
    )
    hub.open()
    dice = random.Random(20)

    async def batch() -> bytes:
        async with point.running():
            await point.deposited()
            at = await point.store.run(log.cursor, log.UP)
            items = await point.store.run(log.read_after, at.upto, 50, 65536)
            mark = await point.store.run(log.mark_at, items[-1].seq)
            return encode_batch(Batch(at.log_id, items[0].seq, at.mark, items, mark))

    whole = run_patiently(batch())
    seeds = [whole, b'{"v":1,"log":"a","upto":3,"mark":"' + b"0" * 64 + b'","why":null}', b'{"v":1,"online":true}']
    taken = 0
    for turn in range(payloads):
        payload = noise(dice, seeds)
        if payload == whole:
            continue  # noise that changed nothing
        for read in (decode_batch, decode_ack, decode_presence):
            with contextlib.suppress(BadBatch):
                read(payload)
        with contextlib.suppress(BadFact):
            events.decode(Encoded("bill_accepted.1", payload.decode("utf-8", "replace"), {}))
        if turn % 20 == 0:
            answer = accept(hub, SiteCode("YN-01"), payload)
            taken += isinstance(answer, Ack) and answer.position.upto > 0
    assert taken == 0
    with hub.reading() as tx:
        assert tx.value("SELECT count(*) FROM fact") == 0
    hub.close()
    ledger.note("R18", "noise into the wire", payloads, 0, payloads=payloads)


# --- logs ---------------------------------------------------------------------------------------------------------


def test_no_personal_value_is_in_any_log_line(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    rounds = count(3, 60)
    told_lines = io.StringIO()
    handler = logging.StreamHandler(told_lines)
    handler.setFormatter(MaskingFormatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    secrets: set[str] = {NAME, NAME[1:], PHONE, PIN, PHONE[3:], f"{PHONE[:3]} {PHONE[3:7]}"}
    try:
        for turn in range(rounds):
            point = Point(fast_path / f"data-{turn % 4}-{turn}", seed=turn)
            run_patiently(_noisy_day(point, turn, secrets))
            shutil.rmtree(point.folder)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = told_lines.getvalue()
    lines = text.count("\n")
    leaks = sum(text.count(secret) for secret in secrets)

    ledger.note("R21", "stories at DEBUG", lines, leaks, log_lines=lines, values_looked_for=len(secrets))
    assert leaks == 0
    assert lines > 20 * rounds


def _fails(number: int) -> None:
    """As libraries fail: with the values in the text, in one shape or another."""
    match number % 4:
        case 0:
            raise ValueError(f"Duplicate entry {PHONE} for {NAME}")
        case 1:
            raise KeyError(PHONE)
        case 2:
            raise ValueError(f"phone {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}, PIN {PIN}")
        case _:
            raise ValueError(f"UNIQUE constraint failed: ({NAME}, '+86-{PHONE}')")


async def _noisy_day(point: Point, turn: int, secrets: set[str]) -> None:
    """A day with faults in it, and with what a library might do: exceptions that carry values."""
    async with point.running():
        await point.with_operator()
        point.board.line.garble(0.1, turn)
        parcel = await point.expected()
        with contextlib.suppress(Rejected):
            await point.play(intake.take_in(point.site, arrival()))
        point.board.line.garble(0, 0)
        here = await point.parcel(parcel)
        code = await point.code(parcel)
        if code is not None:
            secrets.add(code.plain())
            point.runner.submit(PickUp(code, PHONE[-4:]))
            point.later(4, point.shut, 1)
            await asyncio.sleep(60)
        logging.getLogger("edge.test").info("parcel %s of %s, code %s", here, here.recipient, code)
        library = logging.getLogger("library")
        for number in range(LINES):
            try:
                _fails(number)
            except (ValueError, KeyError):
                library.exception("a library tells all: %s", json.dumps({"phone": PHONE, "name": NAME}))
        await point.store.run(told, events.NoticeSent("p-0001", "sms"))
        point.board_plug.unplug()
        await asyncio.sleep(5)


def test_a_log_without_the_filter_would_be_caught() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logger = logging.getLogger("unmasked")
    logger.addHandler(handler)
    logger.warning("phone %s", PHONE)
    logger.removeHandler(handler)

    assert PHONE in out.getvalue()
