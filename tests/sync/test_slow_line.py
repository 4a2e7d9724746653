"""Flow control on lines from 4.8 kbit/s up: simulated bytes and seconds, the real sender, receiver and rhythm."""

from __future__ import annotations

import heapq
import random
from itertools import count

import pytest
from memory_logs import KEY, ReceivingEnd, SendingEnd

from sync.relay import Move, Receiver, Sender
from sync.rhythm import Rhythm, Timing
from sync.wire import Ack, Batch

FACTS = 4_000
FACT_BYTES, FRAME_BYTES = 40, 200
GIVE_UP_S = 20_000.0


class Terminal(SendingEnd):
    """A sending end with the rhythm of the link, and with its rules of what a quick answer shows."""

    def __init__(self, seed: int) -> None:
        super().__init__(facts_per_batch=200)
        self.rhythm = Rhythm(random.Random(seed).random, Timing())
        self.sender.narrow()

    def speaks(self, now_ms: int) -> list[Batch]:
        if self.sender.waits and self.rhythm.is_overdue(now_ms):
            self.sender.on_timeout()
            self.rhythm.rest(now_ms)
        if self.rhythm.rests(now_ms):
            return []
        batches = self.outgoing()
        if batches:
            self.rhythm.sent(now_ms, sum(bool(batch.items) for batch in batches))
        return batches

    def hears(self, ack: Ack, now_ms: int) -> None:
        step = self.sender.on_ack(ack, {seq: self.disk.mark_at(seq) for seq in self.sender.needs(ack)})
        if step.move is Move.CONFIRM:
            self.disk.cursor = step.position
            self.sender.keep_pace(self.rhythm.pace(now_ms, self.sender.in_flight))
        self.rhythm.answered(now_ms, more=self.sender.waits, well=True)


def carried(bytes_per_s: float, latency_s: float) -> tuple[float, int]:
    """Seconds and bytes until the hub has all and the terminal knows it."""
    terminal, hub, number = Terminal(1), ReceivingEnd(Receiver(KEY)), count()
    for n in range(FACTS):
        terminal.disk.append(f'{{"n":{n}}}')
    now = free_at = 0.0
    sent = 0
    on_the_way: list[tuple[float, int, Batch | Ack]] = []
    while terminal.disk.cursor.upto < FACTS and now < GIVE_UP_S:
        for batch in terminal.speaks(round(1000 * now)):
            size = FRAME_BYTES + FACT_BYTES * len(batch.items)
            sent, free_at = sent + size, max(free_at, now) + size / bytes_per_s
            heapq.heappush(on_the_way, (free_at + latency_s, next(number), batch))
        due = now + terminal.rhythm.next_s(round(1000 * now))
        if not on_the_way or on_the_way[0][0] > due:
            now = due
            continue
        now, _, what = heapq.heappop(on_the_way)
        if isinstance(what, Batch):
            heapq.heappush(on_the_way, (now + latency_s, next(number), hub.on_batch(what)))
        else:
            terminal.hears(what, round(1000 * now))
    return now, sent


@pytest.mark.parametrize("bytes_per_s", [600, 1_200, 2_400, 30_000, 250_000])
@pytest.mark.parametrize("latency_s", [0.05, 1.0, 2.0])
def test_no_line_is_so_slow_that_facts_are_sent_again_and_again(bytes_per_s: float, latency_s: float) -> None:
    least = FACTS * FACT_BYTES + FACTS / 200 * FRAME_BYTES

    seconds, sent = carried(bytes_per_s, latency_s)

    assert sent < 1.2 * least
    assert seconds < 1.2 * least / bytes_per_s + 2 * latency_s * (FACTS / 200 + 3) + 60


def test_a_fixed_window_and_patience_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.rhythm.PATIENCE", 1)
    monkeypatch.setattr(Sender, "narrow", lambda _self: None)

    _, sent = carried(600, 2.0)

    assert sent > 5 * FACTS * FACT_BYTES
