"""A point as the hub's tests need it: real facts in a chained log in memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from memory_logs import SendingEnd

from edge import events
from edge.chain import Item, link
from edge.events import Fact
from edge.model import Seq, Stamp
from sync.hub.store import HubStore, StoreFault
from sync.wire import Ack, Batch, encode_batch


class Point(SendingEnd):
    """A sending end whose facts are those of the trade."""

    def __init__(self, key: bytes = bytes(range(32)), facts_per_batch: int = 200) -> None:
        super().__init__(facts_per_batch)
        self.key = key
        self._salts = (f"{n:016d}".encode() for n in count())

    def happened(self, *facts: Fact) -> list[str]:
        """Append facts; return their marks."""
        for fact in facts:
            encoded = events.encode(fact, lambda: next(self._salts))
            self.wrote(encoded.kind, encoded.body, encoded.personal)
        return self.disk.marks[-len(facts) :]

    def wrote(self, kind: str, body: str, personal: dict[str, tuple[str, str]] | None = None) -> None:
        seq = Seq(len(self.disk.items) + 1)
        stamp = Stamp(1_760_000_000_000 + 1000 * seq, "0a1b2c3d", 1000 * seq, True)
        item = Item(seq, kind, body, stamp, personal or {})
        self.disk.marks.append(link(self.key, self.disk.mark_at(seq - 1), item))
        self.disk.items.append(item)


def exchange(point: SendingEnd, answer: Callable[[Batch], Ack], rounds: int = 30) -> None:
    """Carry batches and answers until the point has nothing more to say."""
    for _ in range(rounds):
        batches = point.outgoing()
        if not batches:
            return
        for batch in batches:
            point.on_ack(answer(batch))


def hub_answers(store: HubStore, site: str) -> Callable[[Batch], Ack]:
    """A hub's answers, through the bytes of the wire."""
    from sync.hub.intake import accept

    return lambda batch: accept(store, site, encode_batch(batch))


__all__ = ["Point", "StoreFault", "exchange", "hub_answers"]
