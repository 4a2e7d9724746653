"""Batches from sites become rows, several in one transaction: who waits while a commit runs goes into the next one.

Store first, understand later: a fact that fits the chain is kept and acknowledged even if its kind is unknown or its
projection fails; the site is told by `FactRefused`, and the next facts go on. Only a batch that fits no chain is not
taken. A batch that came before is recognised by its bytes and answered from the position alone. How facts are kept is
in sync/hub/keeping.py, what they mean in sync/hub/projections.py.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from edge.events import Fact
from edge.model import LogId, Seq, SiteCode
from sync.hub.heads import Heads
from sync.hub.keeping import Keeping, raise_alarm
from sync.hub.store import HubStore, StoreFault, Tx
from sync.strict import BadBatch
from sync.wire import Ack, Batch, Why, decode_batch

GROUP = 16  # batches in one transaction: 3,200 facts, some 0.1 s
REMEMBERED = 4096  # batches whose bytes are recognised: every one in flight of a thousand points

log = logging.getLogger(__name__)
Arrival = tuple[SiteCode, bytes]
End = tuple[LogId, Seq, str]  # log, last fact, its hash


class Intake:
    """Takes batches for one hub process. Keeps nothing but what it needs to know a batch again."""

    def __init__(self, store: HubStore) -> None:
        self._store = store
        self._seen: OrderedDict[bytes, End] = OrderedDict()

    def accept(self, arrivals: Sequence[Arrival]) -> list[Ack]:
        """Take what sites sent, in order; return the answers, in the same. Errors: StoreFault: nothing was taken."""
        names = [_name(arrival) for arrival in arrivals]
        batches = [None if name in self._seen else _readable(at) for name, at in zip(names, arrivals, strict=True)]
        try:
            with self._store.transaction() as tx:
                answers = self._take_all(tx, arrivals, batches, names)
        except (StoreFault, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  the top of a task: a village must not wait for ever for one bad fact
            log.info("%s batches are taken again, fact by fact: %s", len(arrivals), type(error).__name__)
            answers = [self._take_carefully(*arrival) for arrival in arrivals]
        self._remember(names, batches, answers)
        return answers

    def _take_all(
        self, tx: Tx, arrivals: Sequence[Arrival], batches: list[Batch | str | None], names: Sequence[bytes]
    ) -> list[Ack]:
        keeping = Keeping(tx, sorted({site for site, _ in arrivals}))
        known: list[Ack | None] = []
        for at, (arrival, name) in enumerate(zip(arrivals, names, strict=True)):
            answer = _if_held(tx, keeping.heads[arrival[0]], _end_of(batches[at], self._seen.get(name)))
            known.append(answer)
            if answer is None and batches[at] is None:  # seen before, but the database was restored since
                batches[at] = _readable(arrival)
        facts = [
            keeping.understood(batch) if answer is None and isinstance(batch, Batch) else []
            for batch, answer in zip(batches, known, strict=True)
        ]
        keeping.read_ahead([(site, each) for (site, _), each in zip(arrivals, facts, strict=True)])
        answers: list[Ack] = []
        for (site, _), batch, held, understood in zip(arrivals, batches, known, facts, strict=True):
            answers.append(held or _take(tx, keeping, site, batch, understood))
        keeping.flush()
        return answers

    def _take_carefully(self, site: SiteCode, payload: bytes) -> Ack:
        batch = _readable((site, payload))
        with self._store.transaction() as tx:
            keeping = Keeping(tx, [site], careful=True)
            facts = keeping.understood(batch) if isinstance(batch, Batch) else []
            answer = _take(tx, keeping, site, batch, facts)
            keeping.flush()
        return answer

    def _remember(self, names: Sequence[bytes], batches: Sequence[Batch | str | None], answers: Sequence[Ack]) -> None:
        for name, batch, answer in zip(names, batches, answers, strict=True):
            if isinstance(batch, Batch) and batch.items and answer.why is None:
                self._seen[name] = (batch.log_id, batch.last, batch.mark)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def accept(store: HubStore, site: SiteCode, payload: bytes) -> Ack:
    """Take one batch by a process that has seen none. Errors: StoreFault, and then nothing was taken."""
    return Intake(store).accept([(site, payload)])[0]


def _take(tx: Tx, keeping: Keeping, site: SiteCode, batch: Batch | str | None, facts: Sequence[Fact | str]) -> Ack:
    if isinstance(batch, Batch):
        return keeping.take(site, batch, facts)
    log.warning("site %s sent a batch that cannot be read: %s", site, batch)
    raise_alarm(tx, site, "unreadable", "batch")
    return Ack(keeping.heads[site].newest, Why.BAD)


def _if_held(tx: Tx, heads: Heads, end: End | None) -> Ack | None:
    """The answer to a batch of which everything is here, None when it must be judged.

    Its last hash is keyed and covers all before it: if that is ours at this place, there is nothing in it for us.
    """
    if end is None:
        return None
    have = heads.of(end[0])
    if have is None or have.upto < end[1]:
        return None
    held = have.mark == end[2] if have.upto == end[1] else heads.knows(tx, end[1], end[2])
    return Ack(have) if held else None


def _end_of(batch: Batch | str | None, seen: End | None) -> End | None:
    if isinstance(batch, Batch):
        return (batch.log_id, batch.last, batch.mark) if batch.items else None
    return seen


def _name(arrival: Arrival) -> bytes:
    site, payload = arrival
    return blake2b(payload, digest_size=16, key=site.encode()[:64]).digest()


def _readable(arrival: Arrival) -> Batch | str:
    """The batch, or what is wrong with it."""
    try:
        return decode_batch(arrival[1])
    except BadBatch as error:
        return str(error)
