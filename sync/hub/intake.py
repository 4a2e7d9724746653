"""Batches from sites become rows, several in one transaction: who waits while a commit runs goes into the next one.

Store first, understand later: a fact that fits the chain is kept and acknowledged even if its kind is unknown or its
projection fails; the site is told by `FactRefused`, and the next facts go on. Only a batch that fits no chain is not
taken. A batch that came before is recognised by its bytes and answered from the position alone. How facts are kept is
in sync/hub/keeping.py, what they mean in sync/hub/projections.py.
"""

from __future__ import annotations

import gc
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b

from edge.model import LogId, Seq, SiteCode
from sync.hub.heads import Heads, read_heads
from sync.hub.keeping import Keeping, Understood, raise_alarm, understood
from sync.hub.store import HubStore, StoreFault, Tx
from sync.strict import BadBatch
from sync.wire import Ack, Batch, Why, decode_batch, end_of_batch

GROUP = 24  # batches in one transaction: 4,800 facts, some 0.1 s; more would touch hardly more pages of the indexes
REMEMBERED = 4096  # batches whose bytes are recognised: every one in flight of a thousand points

log = logging.getLogger(__name__)
Arrival = tuple[SiteCode, bytes]
End = tuple[LogId, Seq, str]  # log, last fact, its hash


class Intake:
    """Takes batches for one hub process. Keeps nothing but what it needs to know a batch again."""

    def __init__(self, store: HubStore) -> None:
        self._store = store
        self._seen: OrderedDict[bytes, End] = OrderedDict()
        self._afresh: set[SiteCode] = set()  # sites whose last batch was new: the next one will be, too

    def accept(self, arrivals: Sequence[Arrival]) -> list[Ack]:
        """Take what sites sent, in order; return the answers, in the same. Errors: StoreFault: nothing was taken."""
        names = [_name(arrival) for arrival in arrivals]
        ends = [self._end(arrival, name) for arrival, name in zip(arrivals, names, strict=True)]
        read = [None if end else self._read(arrival) for arrival, end in zip(arrivals, ends, strict=True)]
        try:
            with self._store.transaction() as tx:
                answers = self._take_all(tx, arrivals, ends, read)
        except (StoreFault, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  the top of a task: a village must not wait for ever for one bad fact
            log.info("%s batches are taken again, fact by fact: %s", len(arrivals), type(error).__name__)
            answers = [self._take_alone(*arrival) for arrival in arrivals]
        self._remember(arrivals, names, read, answers)
        return answers

    def _end(self, arrival: Arrival, name: bytes) -> End | None:
        """Where a batch ends that may be a repetition; None for one that must be read whole."""
        end = self._seen.get(name)
        if end is None and arrival[0] not in self._afresh:
            with suppress(BadBatch):
                return end_of_batch(arrival[1])
        return end

    def _take_all(
        self, tx: Tx, arrivals: Sequence[Arrival], ends: Sequence[End | None], read: list[Understood | str | None]
    ) -> list[Ack]:
        """Fill `read` where a batch turns out to be new, and take all."""
        keeping = Keeping(tx, sorted({site for site, _ in arrivals}))
        held: list[Ack | None] = []
        for at, (site, _) in enumerate(arrivals):
            seen = read[at]
            end = _end_of(seen.batch) if isinstance(seen, Understood) else ends[at]
            answer = _if_held(tx, keeping.heads[site], end)
            held.append(None if answer is None else keeping.answered(site, answer))
            if held[at] is None and seen is None:
                read[at] = self._read(arrivals[at])
        new = [
            (site, seen)
            for (site, _), seen, answer in zip(arrivals, read, held, strict=True)
            if answer is None and isinstance(seen, Understood)
        ]
        keeping.open_book(seen for _, seen in new)
        keeping.read_ahead([(site, seen.facts) for site, seen in new])
        answers: list[Ack] = []
        for (site, _), seen, answer in zip(arrivals, read, held, strict=True):
            answers.append(answer or _take(tx, keeping, site, seen))
        keeping.flush()
        return answers

    def _take_alone(self, site: SiteCode, payload: bytes) -> Ack:
        """A batch that cannot be kept is its own site's trouble, which rests and asks again; the others go on."""
        try:
            return self._take_carefully(site, payload)
        except (StoreFault, MemoryError):
            raise
        except Exception as error:
            log.exception("a batch of site %s could not be kept: %s", site, type(error).__name__)
        with self._store.transaction() as tx:
            raise_alarm(tx, site, "unkept", "batch")
            return Ack(read_heads(tx, [site])[site].newest, Why.BAD)

    def _take_carefully(self, site: SiteCode, payload: bytes) -> Ack:
        seen = self._read((site, payload))
        with self._store.transaction() as tx:
            keeping = Keeping(tx, [site], careful=True)
            if isinstance(seen, Understood):
                keeping.open_book([seen])
            answer = _take(tx, keeping, site, seen)
            keeping.flush()
        return answer

    def _read(self, arrival: Arrival) -> Understood | str:
        """The batch, or what is wrong with it."""
        try:
            return understood(decode_batch(arrival[1]), self._store.keys[arrival[0]])
        except BadBatch as error:
            return str(error)

    def _remember(
        self, arrivals: Sequence[Arrival], names: Sequence[bytes], read: Sequence[Understood | str | None],
        answers: Sequence[Ack],
    ) -> None:  # fmt: skip
        for (site, _), name, seen, answer in zip(arrivals, names, read, answers, strict=True):
            end = _end_of(seen.batch) if isinstance(seen, Understood) else None
            if end is None or answer.why is not None:
                self._afresh.discard(site)
                continue
            self._afresh.add(site)
            self._seen[name] = end
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def collect_rarely() -> None:
    """For the root of a process that takes batches: let Python's collector look for circles less often.

    A group makes some 100,000 objects that live to its commit and form no circles; at the usual threshold they were
    looked through again and again, up to a third of a worker's time (measured).
    """
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)


def accept(store: HubStore, site: SiteCode, payload: bytes) -> Ack:
    """Take one batch by a process that has seen none. Errors: StoreFault, and then nothing was taken."""
    return Intake(store).accept([(site, payload)])[0]


def _take(tx: Tx, keeping: Keeping, site: SiteCode, seen: Understood | str | None) -> Ack:
    if isinstance(seen, Understood):
        return keeping.take_advance(site, seen) if seen.batch.advance else keeping.take(site, seen)
    log.warning("site %s sent a batch that cannot be read: %s", site, seen)
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


def _end_of(batch: Batch) -> End | None:
    return (batch.log_id, batch.last, batch.mark) if batch.items else None


def _name(arrival: Arrival) -> bytes:
    site, payload = arrival
    return blake2b(payload, digest_size=16, key=site.encode()[:64]).digest()
