"""The point's end of a stick: the same sender and receiver as on the line, a file instead of a broker.

Up go our answer about the hub's log, a question, and every fact after the confirmed position; down come the hub's
answers, then its log. The cursor moves only when the hub's answer comes back with a stick or over the line. Nothing
here knows in which order sticks and lines carry what: the rules of sync/relay.py sort that out. File work runs aside,
since a stick can take seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge.chain import GENESIS, Item, Position
from edge.model import LogId, Seq
from sync.port import LogPort
from sync.relay import HoleInLog, Move, Receiver, Sender, same_log
from sync.sealed import Way
from sync.stick_file import BadStick, Frame, Kind, Writing, files_for, frames, is_unfinished, remove
from sync.strict import BadBatch
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Ack, Batch, Why, decode_ack, decode_batch, encode_ack, encode_batch

Aside = Callable[..., Awaitable[Any]]  # runs a function elsewhere, as asyncio.to_thread does


class OwnLog(Protocol):
    """What a stick needs to be written: reads only, so that a command can write one beside a running kiosk."""

    async def up_position(self) -> Position: ...

    async def mark_at(self, seq: Seq) -> str | None: ...

    async def read_after(self, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]: ...

    async def down_position(self) -> Position: ...


# What the hub's log says of itself when it does not follow ours: our next stick tells the hub.
TROUBLES = {Why.BAD: "bad", Why.FORK: "hub_fork", Why.GAP: "hub_gap"}


@dataclass(frozen=True, slots=True)
class Written:
    """A file that lies on a stick. `first` to `last`: facts inside; `more`: some did not fit."""

    file: Path
    facts: int
    first: Seq
    last: Seq
    more: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stick brought. `figures`: the hub's side of a sheet, as it stands in the file; b"" without one.

    Shape: `confirmed` facts more than before are known to be at the hub (negative: the hub has lost some), `applied`
           facts of the hub are new here; `trouble` bad | pruned | hub_fork | hub_gap, None when all is well.
    """

    confirmed: int = 0
    applied: int = 0
    forked: bool = False
    trouble: str | None = None
    figures: bytes = b""


class PointStick:
    """One folder of a mounted stick. Errors of both methods: BadStick; those of the store travel up."""

    def __init__(self, folder: Path, link_key: bytes, aside: Aside) -> None:
        self._folder = folder
        self._key = link_key
        self._aside = aside
        self._receiver = Receiver(link_key)

    async def write(self, port: OwnLog) -> Written:
        """Write what the hub has not confirmed, and our answers; it replaces what we wrote before."""
        answers = await self._answers(port)
        old = await self._aside(files_for, self._folder, self._key, Way.UP)
        writing = Writing(self._folder, self._key, Way.UP)
        await self._aside(writing.__enter__)
        try:
            for ack in answers:
                await self._aside(writing.add, Kind.ACK, encode_ack(ack))
            begun = await port.up_position()
            last, more = await self._facts(port, begun, writing)
            file = await self._aside(writing.finish)
        finally:
            await self._aside(writing.__exit__, None, None, None)
        await self._aside(remove, old)
        return Written(file, last - begun.upto, Seq(begun.upto + 1), last, more)

    async def read(self, port: LogPort) -> Taken:
        """Take what the hub wrote for us: answers and its log; nothing of a file that is not whole and unaltered."""
        files = await self._aside(files_for, self._folder, self._key, Way.DOWN)
        if not files:
            raise BadStick(await self._why_nothing())
        reading = _Reading(port, self._receiver, Sender(await port.up_position()))
        before = reading.sender.cursor.upto
        for file in files:
            inside = frames(file, self._key, Way.DOWN)
            while (frame := await self._aside(next, inside, None)) is not None:
                await reading.take(frame)
        after = reading.sender.cursor.upto
        return Taken(after - before, reading.applied, reading.forked, reading.trouble, reading.figures)

    async def _facts(self, port: OwnLog, begun: Position, writing: Writing) -> tuple[Seq, bool]:
        """Write the question and all batches; the last fact inside, and whether more are left."""
        sender = Sender(begun)
        await self._aside(writing.add, Kind.BATCH, encode_batch(sender.question()))
        try:
            while items := await port.read_after(sender.tip, MAX_FACTS, MAX_BATCH_BYTES):
                if not writing.has_room:
                    return sender.tip, True
                mark = await port.mark_at(items[-1].seq)
                assert mark is not None, "a fact that was just read"
                await self._aside(writing.add, Kind.BATCH, encode_batch(sender.batch(items, mark)))
        except HoleInLog as error:
            raise BadStick("hole") from error
        except BadBatch as error:
            raise BadStick("too_large") from error
        return sender.tip, False

    async def _answers(self, port: OwnLog) -> list[Ack]:
        """How far we have the hub's log, and what we say to the question in the hub's file, if that lies here.

        A plain position never moves the hub back; the answer to its question does, when our card was put back.
        """
        have = await port.down_position()
        answers = [Ack(have if have.log_id else Position(LogId("none"), Seq(0), GENESIS))]
        for file in await self._aside(files_for, self._folder, self._key, Way.DOWN):
            try:
                question = await self._aside(first_question, file, self._key, Way.DOWN)
            except BadStick:
                continue  # what cannot be read is told when it is to be read
            if question is not None:
                verdict = self._receiver.judge(question, same_log(have, question.log_id))
                answers.append(verdict.answer([(Seq(0), GENESIS)] if verdict.lost_track else ()))
        return answers

    async def _why_nothing(self) -> str:
        if await self._aside(is_unfinished, self._folder):
            return "unfinished"
        return "own" if await self._aside(files_for, self._folder, self._key, Way.UP) else "nothing"


class _Reading:
    """Frames of the hub, one after another, each in a transaction of its own."""

    def __init__(self, port: LogPort, receiver: Receiver, sender: Sender) -> None:
        self.sender = sender
        self.applied = 0
        self.forked = False
        self.trouble: str | None = None
        self.figures = b""
        self._port = port
        self._receiver = receiver

    async def take(self, frame: Frame) -> None:
        """Take one frame. Errors: BadStick version for one that this release cannot read."""
        try:
            match frame.kind:
                case Kind.ACK:
                    await self._on_ack(decode_ack(frame.payload))
                case Kind.BATCH:
                    await self._on_down(decode_batch(frame.payload))
                case Kind.FIGURES:
                    self.figures = frame.payload
        except BadBatch as error:
            raise BadStick("version") from error

    async def _on_ack(self, ack: Ack) -> None:
        own = {seq: await self._port.mark_at(seq) for seq in self.sender.needs(ack)}
        step = self.sender.on_ack(ack, own)
        match step.move:
            case Move.CONFIRM:
                await self._port.confirm(step.position)
            case Move.FORK:
                self.sender.moved(await self._port.fork(step.position))
                self.forked = True
            case Move.TROUBLE:
                self.trouble = step.trouble
            case Move.NOTHING:
                pass

    async def _on_down(self, batch: Batch) -> None:
        have = await self._port.down_position()
        verdict = self._receiver.judge(batch, same_log(have, batch.log_id))
        if verdict.items:
            await self._port.apply_down(batch.log_id, verdict.items, verdict.marks)
            self.applied += len(verdict.items)
        if verdict.why is not None:
            self.trouble = TROUBLES[verdict.why]


def first_question(file: Path, link_key: bytes, way: Way) -> Batch | None:
    """The question a file opens with, None without one. Errors: BadStick."""
    for frame in frames(file, link_key, way):
        if frame.kind == Kind.BATCH:
            try:
                return decode_batch(frame.payload)
            except BadBatch as error:
                raise BadStick("version") from error
    return None
