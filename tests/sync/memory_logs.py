"""Both ends of one direction in memory: a log that sends and a log that receives. The pipe is the test's.

The decisions are those of sync.relay; only the keeping is simple enough here to be rolled back by a copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count

from edge.chain import GENESIS, Item, Linked, Position, event_id, link
from edge.model import LogId, Seq, Stamp
from sync.relay import Move, Receiver, Sender, Verdict, ladder
from sync.wire import Ack, Batch

KEY = bytes(range(32))
STAMP = Stamp(1_760_000_000_000, "0a1b2c3d", 5_000, True)


@dataclass
class Disk:
    """What survives a restart at the sending end."""

    log_id: LogId
    items: list[Item] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    cursor: Position = field(default_factory=lambda: Position(LogId("a"), Seq(0), GENESIS))

    def append(self, body: str, kind: str = "thing_happened.1") -> None:
        item = Item(Seq(len(self.items) + 1), kind, body, STAMP)
        self.marks.append(link(KEY, self.mark_at(len(self.items)), item))
        self.items.append(item)

    def mark_at(self, seq: int) -> str | None:
        if seq == 0:
            return GENESIS
        return self.marks[seq - 1] if 0 < seq <= len(self.marks) else None

    def head(self) -> Position:
        return Position(self.log_id, Seq(len(self.items)), self.mark_at(len(self.items)))

    def events(self) -> list[str]:
        return [event_id(mark) for mark in self.marks]


class SendingEnd:
    """A terminal's up side: a disk, a sender, and the caller's duties around it."""

    def __init__(self, facts_per_batch: int = 3, *, looks_at_marks: bool = True) -> None:
        self.disk = Disk(LogId("a"))
        self.looks_at_marks = looks_at_marks
        self.new_names = (LogId(f"n{i}") for i in count())
        self.facts_per_batch = facts_per_batch
        self.troubles: list[str] = []
        self.forks = 0
        self.restart()

    def restart(self) -> None:
        self.sender = Sender(self.disk.cursor)

    def copy_disk(self) -> Disk:
        return deepcopy(self.disk)

    def put_back(self, disk: Disk) -> None:
        self.disk = deepcopy(disk)
        self.restart()

    def outgoing(self) -> list[Batch]:
        batches: list[Batch] = []
        if self.sender.must_ask and not self.sender.waits:
            batches.append(self.sender.question())
        while self.sender.has_room and self.sender.tip < len(self.disk.items):
            tip = self.sender.tip
            items = self.disk.items[tip : tip + self.facts_per_batch]
            batches.append(self.sender.batch(items, self.disk.mark_at(items[-1].seq)))
        return batches

    def on_ack(self, ack: Ack) -> None:
        own = {seq: self.disk.mark_at(seq) for seq in self.sender.needs(ack)}
        if not self.looks_at_marks and own.get(ack.position.upto):
            ack = replace(ack, position=replace(ack.position, mark=own[ack.position.upto]))
        step = self.sender.on_ack(ack, own)
        if step.move is Move.CONFIRM:
            self.sender.widen()
            assert self.disk.mark_at(step.position.upto) == step.position.mark
            self.disk.cursor = step.position
        elif step.move is Move.FORK:
            self.forks += 1
            self.disk.log_id = next(self.new_names)
            self.disk.cursor = replace(self.disk.cursor, log_id=self.disk.log_id)
            self.disk.append(f'{{"forked":{self.forks}}}', "log_forked.1")
            self.sender.moved(self.disk.cursor)
        elif step.move is Move.TROUBLE:
            self.troubles.append(step.trouble)


@dataclass
class Kept:
    """What survives a restart at the receiving end."""

    heads: dict[LogId, Position] = field(default_factory=dict)
    marks: set[tuple[int, str]] = field(default_factory=set)
    facts: set[str] = field(default_factory=set)
    applied: list[str] = field(default_factory=list)
    newest: Position | None = None


class ReceivingEnd:
    """A hub's up side for one site."""

    def __init__(self, receiver: Receiver, *, by_event_id: bool = True) -> None:
        self.kept = Kept()
        self.receiver = receiver
        self.by_event_id = by_event_id

    def on_batch(self, batch: Batch) -> Ack:
        kept = self.kept
        knows = (batch.first - 1, batch.prev) in kept.marks
        verdict = self.receiver.judge(batch, kept.heads.get(batch.log_id), knows_prev=knows)
        for mark, item in zip(verdict.marks, verdict.items, strict=True):
            event = event_id(mark)
            if event in kept.facts and self.by_event_id:
                continue
            kept.facts.add(event)
            kept.applied.append(event)
            kept.marks.add((item.seq, mark))
        if verdict.items:
            kept.heads[batch.log_id] = kept.newest = verdict.position
        return verdict.answer(self.known() if verdict.lost_track else ())

    def known(self) -> list[tuple[Seq, str]]:
        if self.kept.newest is None:
            return [(Seq(0), GENESIS)]
        rungs = set(ladder(self.kept.newest.upto)) | {at.upto for at in self.kept.heads.values()}
        held = [(Seq(seq), mark) for seq, mark in self.kept.marks if seq in rungs]
        return [*sorted(held, reverse=True), (Seq(0), GENESIS)]


class NoGapRule(Receiver):
    """Seeded bug: takes what comes, also after a gap."""

    def judge(
        self, batch: Batch, have: Position | None, *, knows_prev: bool = False, marks: Sequence[str] | None = None
    ) -> Verdict:
        if have is None or batch.first > have.upto + 1:
            have = Position(batch.log_id, Seq(batch.first - 1), batch.prev)
        return super().judge(batch, have, knows_prev=knows_prev, marks=marks)


class NoMarkCheck(Receiver):
    """Seeded bug: looks at numbers only, never at the history behind them."""

    def is_fork(self, theirs: str, have: Position) -> bool:  # noqa: ARG002
        return False


class MemoryPort:
    """The log of a terminal behind the port that sync.link uses, without a database."""

    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk or Disk(LogId("a"))
        self.names = (LogId(f"n{i}") for i in count())
        self.down = Position(LogId(""), Seq(0), GENESIS)
        self.applied: dict[str, Item] = {}
        self.times_applied: list[str] = []
        self.news = asyncio.Event()

    def append(self, body: str, kind: str = "thing_happened.1") -> None:
        self.disk.append(body, kind)
        self.news.set()

    async def up_position(self) -> Position:
        return self.disk.cursor

    async def head(self) -> Position:
        return self.disk.head()

    async def mark_at(self, seq: Seq) -> str | None:
        return self.disk.mark_at(seq)

    async def read_after(self, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
        taken: list[Item] = []
        for item in self.disk.items[seq : seq + limit]:
            max_bytes -= len(item.body)
            if taken and max_bytes < 0:
                break
            taken.append(item)
        return tuple(taken)

    async def confirm(self, position: Position) -> None:
        assert position.log_id == self.disk.log_id
        assert self.disk.mark_at(position.upto) == position.mark
        self.disk.cursor = position

    async def fork(self, seen: Position) -> Position:
        self.disk.log_id = next(self.names)
        self.disk.cursor = replace(self.disk.cursor, log_id=self.disk.log_id)
        self.append(f'{{"at":{seen.upto}}}', "log_forked.1")
        return self.disk.cursor

    async def down_position(self) -> Position:
        return self.down

    async def apply_down(self, log_id: LogId, items: Sequence[Item], marks: Sequence[str]) -> Position:
        if log_id != self.down.log_id:
            assert items[0].seq == 1, "a log under another name starts at its first fact"
        for item, mark in zip(items, marks, strict=True):
            self.times_applied += [event_id(mark)] if event_id(mark) not in self.applied else []
            self.applied[event_id(mark)] = item
            self.down = Position(log_id, item.seq, mark)
        return self.down

    async def newest_of(self, kinds: Sequence[str], after: Seq, limit: int) -> tuple[Linked, ...]:
        marks = [self.disk.mark_at(seq) for seq in range(len(self.disk.items) + 1)]
        found = [Linked(marks[i.seq - 1], i, marks[i.seq]) for i in self.disk.items[after:] if i.kind in kinds]
        return tuple(found[-limit:])

    async def apply_advance(self, linked: Linked) -> None:
        event = event_id(linked.mark)
        self.times_applied += [event] if event not in self.applied else []
        self.applied[event] = linked.item

    async def wait_for_more(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.news.wait()
                self.news.clear()
