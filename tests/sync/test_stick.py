"""Sticks and the line in any order, with cards and backups put back: nothing lost, nothing doubled, both ends agree.

The point's store and the hub's are the real ones on files; the line of this test carries bytes by hand.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from stockroom import KEYS, MEMORY, Clock, Dice, new_store

from edge import events, log
from edge.chain import event_id
from edge.model import Seq, SiteCode
from edge.port import StoreLog
from sync.hub import report
from sync.hub.down import DownLog
from sync.hub.intake import Intake
from sync.hub.line import DownLine
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.stick import HubStick
from sync.hub.stick import Taken as FromPoint
from sync.hub.store import HubStore
from sync.relay import Move, Receiver, Sender, digest, same_log
from sync.rhythm import Timing
from sync.stick import PointStick, Taken
from sync.stick_file import BadStick, names
from sync.wire import MAX_BATCH_BYTES, decode_batch, encode_ack, encode_batch

SITE, OTHER = SiteCode("QJ-0001"), SiteCode("QJ-0002")
FEW = 3  # facts in a batch of the line
STICKS = ("red", "blue")


async def here(function: object, *arguments: object) -> object:
    """Run what belongs aside, here: a test has no screen that waits."""
    return function(*arguments)  # type: ignore[operator]


@contextmanager
def may_refuse(*words: str) -> Iterator[None]:
    """A stick may be refused for one of these reasons."""
    try:
        yield
    except BadStick as refused:
        if refused.word not in words:
            raise


class Point:
    """A point's store on a folder, its end of the line and of the sticks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.dice = Dice()
        self.open()

    def open(self) -> None:
        self.store = new_store(self.folder, self.clock, self.dice)
        self.store.open()
        self.store.run_now(log.begin)
        self.port = StoreLog(self.store)
        self.sender = Sender(self.store.run_now(log.cursor, log.UP))

    def happened(self, how_many: int) -> None:
        for _ in range(how_many):
            self.clock.advance(1000)
            self.store.run_now(log.append, events.HelpCalled("home"))

    def events(self) -> list[str]:
        return self.store.run_now(lambda tx: [event_id(mark) for _, mark in log.items(tx)])

    def applied(self) -> list[str]:
        return self.store.run_now(lambda tx: [row["event"].hex() for row in tx.rows("SELECT event FROM applied")])

    def pending(self) -> int:
        return self.store.run_now(log.pending)

    def write(self, stick: Path) -> int:
        return asyncio.run(PointStick(stick, KEYS.link, here).write(self.port)).facts

    def read(self, stick: Path) -> Taken:
        return asyncio.run(PointStick(stick, KEYS.link, here).read(self.port))

    def copy(self, to: Path) -> None:
        self.store.close()
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to)
        self.open()

    def put_back(self, copy: Path) -> None:
        self.store.close()
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)
        self.open()


class District:
    """The hub's store on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open()

    def open(self) -> None:
        keys = {SITE: KEYS.link, OTHER: bytes(32)}
        self.store = HubStore(SqliteDatabase(self.folder, durable=False), Clock(), Dice(int.from_bytes(b"hub")), keys)
        self.store.open()
        self.intake = Intake(self.store)
        self.line = DownLine(self.store, SITE, lambda: 0.0, Timing())

    def tells(self, text: str) -> None:
        with self.store.transaction() as tx:
            tx.hold(SITE)
            DownLog(tx, SITE).append(events.NoticePublished(text, text, "2030-01-01"))

    def events(self, table: str) -> list[str]:
        with self.store.reading() as tx:
            return [row["event"] for row in tx.rows(f"SELECT event FROM {table} WHERE site = ? ORDER BY seq", (SITE,))]

    def read(self, stick: Path) -> list[FromPoint]:
        return list(HubStick(self.store, stick).read())

    def write(self, stick: Path) -> int:
        return HubStick(self.store, stick).write(SITE).facts

    def copy(self, to: Path) -> None:
        self.store.close()
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.folder, to)
        self.open()

    def put_back(self, copy: Path) -> None:
        self.store.close()
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)
        self.open()


async def line_up(point: Point, hub: District, arrives: Iterator[bool]) -> None:
    """One exchange upwards as the link does it; what does not arrive is lost."""
    sender, port = point.sender, point.port
    sender.on_timeout()
    batches = [sender.question()]
    while len(batches) < 4 and (items := await port.read_after(sender.tip, FEW, MAX_BATCH_BYTES)):
        batches.append(sender.batch(items, await port.mark_at(items[-1].seq) or ""))
    for batch in batches:
        if not next(arrives):
            continue
        [ack] = hub.intake.accept([(SITE, encode_batch(batch))])
        if not next(arrives):
            continue
        step = sender.on_ack(ack, {seq: await port.mark_at(seq) for seq in sender.needs(ack)})
        if step.move is Move.CONFIRM:
            await port.confirm(step.position)
        elif step.move is Move.FORK:
            sender.moved(await port.fork(step.position))


async def line_down(point: Point, hub: District, arrives: Iterator[bool], now: int) -> None:
    """One exchange downwards."""
    hub.line.peer_left()
    hub.line.peer_came()
    for turn in range(2):
        for packed in hub.line.outgoing(now + turn):
            batch = decode_batch(packed)
            have = await point.port.down_position()
            verdict = Receiver(KEYS.link).judge(batch, same_log(have, batch.log_id))
            if verdict.items and next(arrives):
                await point.port.apply_down(batch.log_id, verdict.items, verdict.marks)
            elif verdict.items:
                continue
            if next(arrives):
                lost = [(Seq(0), "0" * 64)] if verdict.lost_track else ()
                hub.line.on_ack(encode_ack(verdict.answer(lost)), now + turn)


class Mixed(RuleBasedStateMachine):
    """People with sticks, a bad line, restored cards and backups."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY, prefix="vp-stick-"))
        self.numbers = count(1)
        self.now = 0
        for name in (*STICKS, "drawer"):
            (self.folder / name).mkdir()
        self.point = Point(self.folder / "point")
        self.hub = District(self.folder / "hub")
        self.ever_told: set[str] = set()
        self.point_lost = self.hub_lost = False

    def stick(self, name: str) -> Path:
        return self.folder / name

    @rule(how_many=st.integers(1, 8))
    def facts_happen(self, how_many: int) -> None:
        self.point.happened(how_many)

    @rule()
    def the_district_tells_something(self) -> None:
        self.hub.tells(f"N{next(self.numbers)}")
        self.ever_told |= set(self.hub.events("down"))

    @rule(arrives=st.lists(st.booleans(), min_size=16, max_size=16))
    def the_line_is_there_for_a_moment(self, arrives: Sequence[bool]) -> None:
        fates = (fate for _ in count() for fate in (*arrives, True))
        self.now += 700_000
        asyncio.run(line_up(self.point, self.hub, fates))
        asyncio.run(line_down(self.point, self.hub, fates, self.now))

    @rule(name=st.sampled_from(STICKS))
    def the_point_writes(self, name: str) -> None:
        self.point.write(self.stick(name))

    @rule(name=st.sampled_from(STICKS))
    def the_hub_reads(self, name: str) -> None:
        with may_refuse("nothing", "own"):
            self.hub.read(self.stick(name))

    @rule(name=st.sampled_from(STICKS))
    def the_hub_writes(self, name: str) -> None:
        self.hub.write(self.stick(name))

    @rule(name=st.sampled_from(STICKS))
    def the_point_reads(self, name: str) -> None:
        with may_refuse("nothing", "own"):
            assert self.point.read(self.stick(name)).trouble in {None, "hub_fork", "hub_gap"}

    @rule(name=st.sampled_from(STICKS))
    def a_stick_goes_into_the_drawer(self, name: str) -> None:
        self._replace("drawer", name)

    @rule(name=st.sampled_from(STICKS))
    def the_old_stick_comes_out_again(self, name: str) -> None:
        self._replace(name, "drawer")

    @rule(name=st.sampled_from(STICKS), part=st.integers(0, 70_000))
    def a_file_is_cut(self, name: str, part: int) -> None:
        for file in names(self.stick(name)):
            whole = file.read_bytes()
            file.write_bytes(whole[: part % len(whole)])
        for read in (self.point.read, lambda stick: [self._refused(each) for each in self.hub.read(stick)]):
            with may_refuse("cut_off", "altered", "nothing", "own"):
                read(self.stick(name))
        self._empty(name)

    def _refused(self, taken: FromPoint) -> None:
        assert taken.refused in {"cut_off", "altered"}

    @rule()
    def the_card_is_copied(self) -> None:
        self.point.copy(self.folder / "card")

    @rule()
    def the_card_is_put_back(self) -> None:
        if (self.folder / "card").exists():
            self.point.put_back(self.folder / "card")
            self.point_lost = True

    @rule()
    def the_hub_is_backed_up(self) -> None:
        self.hub.copy(self.folder / "backup")

    @rule()
    def the_hub_is_restored(self) -> None:
        if (self.folder / "backup").exists():
            self.hub.put_back(self.folder / "backup")
            self.hub_lost = True

    @invariant()
    def nothing_is_doubled(self) -> None:
        kept = self.hub.events("fact")
        assert len(kept) == len(set(kept))
        assert set(self.point.applied()) <= self.ever_told

    def _replace(self, name: str, by: str) -> None:
        shutil.rmtree(self.stick(name))
        shutil.copytree(self.stick(by), self.stick(name))

    def _empty(self, name: str) -> None:
        shutil.rmtree(self.stick(name))
        self.stick(name).mkdir()

    def teardown(self) -> None:
        try:
            trips = self._carry_until_both_agree()
            assert trips <= 4, "a stick that goes there and back four times brings everything"
            self._look()
        finally:
            self.point.store.close()
            self.hub.store.close()
            shutil.rmtree(self.folder)

    def _carry_until_both_agree(self) -> int:
        self._empty("red")
        for trip in range(1, 9):
            self.point.write(self.stick("red"))
            self.hub.read(self.stick("red"))
            self.hub.write(self.stick("red"))
            self.point.read(self.stick("red"))
            told = set(self.hub.events("down"))
            if not self.point.pending() and told <= set(self.point.applied()):
                return trip
        raise AssertionError("the two never agree")

    def _look(self) -> None:
        here, there = self.point.events(), self.hub.events("fact")
        assert set(here) <= set(there)
        if not self.point_lost:
            assert there == here
            status = report.status(self.hub.store)["sites"][0]
            assert status["digest"] == digest(here)
        if not self.point_lost and not self.hub_lost:
            assert sorted(self.point.applied()) == sorted(self.hub.events("down"))


MIXED = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_line_and_sticks_in_any_order_end_with_both_sides_agreeing() -> None:
    run_state_machine_as_test(Mixed, settings=MIXED)


@pytest.mark.soak
def test_a_thousand_histories_of_line_and_sticks_end_with_both_sides_agreeing() -> None:
    run_state_machine_as_test(Mixed, settings=settings(MIXED, max_examples=1_000, stateful_step_count=50))
