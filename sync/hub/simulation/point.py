"""One light terminal: the real sender, receiver and chain over facts that are computed, without a disk.

It says what to publish and hears answers; the connection it shares with others is in sync/hub/simulation/carrier.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from edge.chain import GENESIS, Item, Position, event_id, link
from edge.model import EventId, LogId, Seq, SiteCode
from sync.hub.simulation.life import Life
from sync.relay import Move, Receiver, Sender, digest, same_log
from sync.rhythm import Rhythm, Timing
from sync.strict import BadBatch
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Ack, Batch, Why, decode_ack, decode_batch, encode_ack, encode_batch

NOTHING = Position(LogId("none"), Seq(0), GENESIS)
REFUSED = "fact_refused."


class SimulatedPoint:
    """The two logs of one point. `head` is the number of its last fact; raise it and there is more to send."""

    def __init__(self, site: SiteCode, key: bytes, run: str, dice: Callable[[], float], timing: Timing) -> None:
        self.site = site
        self.head = 0
        self.down = NOTHING
        self.down_facts = 0
        self.refused = 0  # facts that the hub could not apply, and batches that it did not take
        self.rhythm = Rhythm(dice, timing)
        self._key = key
        self._life = Life(site, run)
        self._marks: list[bytes] = []  # of all facts made so far, 32 bytes each
        self._sender = Sender(Position(LogId(f"sim-{run}"), Seq(0), GENESIS))
        self._receiver = Receiver(key)
        self._sent: deque[tuple[Seq, int]] = deque()  # last fact of a batch, and when it went out first

    @property
    def confirmed(self) -> int:
        """How far the hub has our log."""
        return self._sender.cursor.upto

    @property
    def pending(self) -> int:
        """Facts that the hub has not confirmed."""
        return self.head - self.confirmed

    def begin(self) -> None:
        """The line is new: whatever was on its way is gone."""
        self._sender.on_timeout()
        self.rhythm.begin()

    def outgoing(self, now_ms: int) -> bytes | None:
        """The next thing to publish on `up`; None when there is nothing now."""
        if self._sender.waits and self.rhythm.is_overdue(now_ms):
            self._sender.on_timeout()
            self.rhythm.rest(now_ms)
        if self.rhythm.rests(now_ms):
            return None
        batch = self._next_batch(now_ms)
        if batch is None:
            return None
        self.rhythm.sent(now_ms, int(bool(batch.items)))
        return encode_batch(batch, self._sender.dictionary)

    def ask(self) -> None:
        """Put a question, as a terminal does on an idle line."""
        self._sender.ask()

    def on_ack(self, payload: bytes, now_ms: int) -> list[int]:
        """The hub answered; return how many milliseconds each batch took that is confirmed by it. Errors: BadBatch."""
        ack = decode_ack(payload)
        own = {seq: self._mark_at(seq) for seq in self._sender.needs(ack)}
        step = self._sender.on_ack(ack, own)
        if not step.alive:
            return []
        is_well = step.move in (Move.CONFIRM, Move.NOTHING)
        self.refused += 0 if is_well else 1
        if step.move is Move.CONFIRM:
            self._sender.keep_pace(self.rhythm.pace(now_ms, self._sender.in_flight))
        self.rhythm.answered(now_ms, more=self._sender.waits, well=is_well)
        if not is_well:  # a simulation has no second history: nothing to repair, only to tell
            self.rhythm.rest(now_ms)
        took: list[int] = []
        while self._sent and self._sent[0][0] <= self.confirmed:
            took.append(now_ms - self._sent.popleft()[1])
        return took

    def on_down(self, payload: bytes) -> bytes:
        """A batch of the hub's log came; return the answer."""
        try:
            batch = decode_batch(payload)
        except BadBatch:
            self.refused += 1
            return encode_ack(Ack(self.down, Why.BAD, advance=None))
        verdict = self._receiver.judge(batch, same_log(self.down, batch.log_id))
        if verdict.items:
            self.down = verdict.position
            self.down_facts += len(verdict.items)
            self.refused += sum(item.kind.startswith(REFUSED) for item in verdict.items)
        answer = verdict.answer([(Seq(0), GENESIS)] if verdict.lost_track else ())
        return encode_ack(replace(answer, advance=None))  # nothing is urgent to somebody who does not exist

    def digest(self) -> str:
        """One hash over the ids of all facts, as the hub computes it."""
        return digest(EventId(event_id(mark.hex())) for mark in self._marks)

    def _next_batch(self, now_ms: int) -> Batch | None:
        sender = self._sender
        if sender.must_ask:
            return None if sender.waits else sender.question()
        if not sender.has_room or sender.tip >= self.head:
            return None
        items = self._read_after(sender.tip)
        batch = sender.batch(items, self._marks[items[-1].seq - 1].hex())
        if not self._sent or self._sent[-1][0] < batch.last:
            self._sent.append((batch.last, now_ms))
        return batch

    def _read_after(self, seq: Seq) -> list[Item]:
        items: list[Item] = []
        room = MAX_BATCH_BYTES
        for number in range(seq + 1, min(self.head, seq + MAX_FACTS) + 1):
            item = self._life.item(Seq(number))
            room -= len(item.body)
            if items and room < 0:
                break
            if number > len(self._marks):
                before = GENESIS if number == 1 else self._marks[-1].hex()
                self._marks.append(bytes.fromhex(link(self._key, before, item)))
            items.append(item)
        return items

    def _mark_at(self, seq: Seq) -> str | None:
        if seq == 0:
            return GENESIS
        return self._marks[seq - 1].hex() if seq <= len(self._marks) else None
