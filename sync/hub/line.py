"""The hub's sending side for one site: what to publish on `down` now, and what an answer means.

No network and no thread: bytes out, bytes in, the time as a parameter. The running hub carries them over MQTT
(sync/hub/app.py); a simulation carries them by hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.model import SiteCode
from sync.advance import DOWN, NEWEST, Advances
from sync.hub import down
from sync.hub.keeping import raise_alarm
from sync.hub.store import HubStore, Tx
from sync.relay import Move, Sender, Step
from sync.rhythm import Rhythm, Timing
from sync.strict import BadBatch
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Ack, Batch, decode_ack, encode_batch

log = logging.getLogger(__name__)


class DownLine:
    """One site's down log on its way. Errors of every method: StoreFault."""

    def __init__(self, store: HubStore, site: SiteCode, dice: Callable[[], float], timing: Timing) -> None:
        self._store = store
        self._site = site
        self._timing = timing
        self._rhythm = Rhythm(dice, timing)
        self._advances = Advances(window=1, look_back=None)  # an order and its withdrawal must not change places
        self._forked_at: int | None = None
        self._is_there = False
        self._in_trouble = False
        with store.reading() as tx:
            self._sender = Sender(down.cursor(tx, site))

    @property
    def is_there(self) -> bool:
        """Whether the site passes for being on the line."""
        return self._is_there

    def peer_came(self) -> None:
        """The site has (again) said that it is there: ask how far it is before sending, it may be a restored card."""
        if not self._is_there:
            self._sender.on_timeout()
            self._advances.begin()
            self._rhythm.begin()
        self._is_there = True
        self._sender.ask()

    def peer_left(self) -> None:
        """The site is away and gets nothing: the broker would throw it away, and its line costs money."""
        self._is_there = False

    def outgoing(self, now_ms: int) -> list[bytes]:
        """What to publish now, in this order."""
        if not self._is_there:
            return []
        if self._sender.waits and self._rhythm.is_overdue(now_ms):
            self._sender.on_timeout()
            self._advances.begin()
            self._rhythm.rest(now_ms)
        if self._rhythm.rests(now_ms):
            return []
        packed: list[bytes] = []
        on_their_way = self._sender.in_flight
        if self._sender.must_ask:
            if not self._sender.waits:
                packed.append(encode_batch(self._sender.question(), self._sender.dictionary))
        else:
            try:
                packed = self._batches()
            except BadBatch as error:
                self._too_large(error, now_ms)
        if packed:
            self._rhythm.sent(now_ms, self._sender.in_flight - on_their_way)
        return packed

    def on_ack(self, payload: bytes, now_ms: int) -> None:
        """The site answered."""
        try:
            ack = decode_ack(payload)
        except BadBatch as error:
            log.warning("site %s sent an answer that cannot be read: %s", self._site, error)
            return
        with self._store.reading() as tx:
            stored = down.cursor(tx, self._site)
            if stored.log_id != self._sender.cursor.log_id:  # a stick was read by another program: the log is renamed
                self._sender.moved(stored)
            own = {seq: down.mark_at(tx, self._site, seq) for seq in self._sender.needs(ack)}
        step = self._sender.on_ack(ack, own)
        if not step.alive:
            return
        self._advances.answered(ack.advance, self._sender.cursor.upto)
        self._is_there = True
        if step.move is Move.CONFIRM:
            self._sender.keep_pace(self._rhythm.pace(now_ms, self._sender.in_flight))
        self._in_trouble = step.move is Move.TROUBLE or (self._in_trouble and step.move is not Move.CONFIRM)
        self._rhythm.answered(now_ms, more=self._sender.waits, well=not self._in_trouble)
        self._act(step, ack, now_ms)

    def next_s(self, now_ms: int) -> float | None:
        """Seconds until `outgoing` can change by time alone; None when only news can change it."""
        if not self._is_there or not (self._sender.waits or self._rhythm.rests(now_ms)):
            return None
        return self._rhythm.next_s(now_ms)

    def _batches(self) -> list[bytes]:
        packed: list[bytes] = []
        with self._store.reading() as tx:
            packed += [encode_batch(notice, self._sender.dictionary) for notice in self._notices(tx)]
            while self._sender.has_room:
                items = down.read_after(tx, self._site, self._sender.tip, MAX_FACTS, MAX_BATCH_BYTES)
                if not items:
                    break
                mark = down.mark_at(tx, self._site, items[-1].seq)
                assert mark is not None  # read in the same transaction
                packed.append(encode_batch(self._sender.batch(items, mark), self._sender.dictionary))
        return packed

    def _too_large(self, error: BadBatch, now_ms: int) -> None:
        """What this site is to get cannot travel: a person must act, and the other sites go on."""
        if not self._in_trouble:
            log.error("site %s gets nothing more: %s", self._site, error)
        self._in_trouble = True
        self._sender.on_timeout()
        self._rhythm.rest(now_ms)
        with self._store.transaction() as tx:
            raise_alarm(tx, self._site, "down_too_large", self._sender.cursor.log_id)

    def _notices(self, tx: Tx) -> list[Batch]:
        """What overtakes a manifest on its way."""
        at = self._sender.cursor
        head = down.head(tx, self._site).upto
        after = self._advances.look_after(at.upto, head)
        if after is not None:
            found = down.next_of(tx, self._site, DOWN, after, NEWEST)
            self._advances.found(found, found[-1].item.seq if len(found) == NEWEST else head)
        return self._advances.outgoing(at.log_id, at.upto)

    def _act(self, step: Step, ack: Ack, now_ms: int) -> None:
        match step.move:
            case Move.CONFIRM:
                with self._store.transaction() as tx:
                    down.confirm(tx, self._site, step.position)
            case Move.FORK:
                self._fork(now_ms)
            case Move.TROUBLE:
                with self._store.transaction() as tx:
                    raise_alarm(tx, self._site, f"down_{step.trouble}", ack.position.log_id)
                self._rhythm.rest(now_ms)
            case Move.NOTHING:
                pass

    def _fork(self, now_ms: int) -> None:
        """We were restored from a backup, and the site has facts of ours that we have lost: a person must know."""
        rest_ms = 1000 * self._timing.fork_rest_s
        if self._forked_at is not None and now_ms - self._forked_at < rest_ms:
            self._rhythm.rest(now_ms)
            return
        self._forked_at = now_ms
        with self._store.transaction() as tx:
            renamed = down.fork(tx, self._site)
            raise_alarm(tx, self._site, "hub_restored", renamed.log_id)
        self._sender.moved(renamed)
