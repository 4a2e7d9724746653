"""What one transaction takes in: facts, what they mean, and positions, gathered in memory and written together.

A fact is kept whether it is understood or not. Applied normally, one unexpected error of a projection gives up the
whole transaction, and sync/hub/intake.py comes again *carefully*: each fact behind a savepoint of its own, so that only
the poisonous one is set aside.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from edge import events
from edge.chain import GENESIS, Item, Position, event_id, walk
from edge.events import (
    BadFact,
    BillAccepted,
    BillRefunded,
    Encoded,
    Fact,
    FactRefused,
    ParcelArrived,
    UnknownFact,
)
from edge.model import EventId, PickupCode, PickupToken, Seq, SiteCode
from sync.hub.advances import BOOKED, DONE, SHOWN, read_advances
from sync.hub.biller import BOOK
from sync.hub.case import Case, NotApplicable
from sync.hub.database import StoreFault, Table, Values
from sync.hub.down import DownLog, personal_text, read_ends
from sync.hub.heads import read_heads, write_heads
from sync.hub.projections import PROJECTIONS, READS, Projection, without_overtaken
from sync.hub.rows import Rows
from sync.hub.schema import DOWN, EVENT, FACT, PARCEL, PARCEL_BY_WAYBILL, REFUSAL, REFUSAL_BY_SLIP, UNPROJECTED
from sync.hub.store import Tx
from sync.relay import Receiver, Verdict
from sync.wire import Ack, Batch, Why

SECRET = (PickupCode, PickupToken)

log = logging.getLogger(__name__)


class Understood(NamedTuple):
    """A batch, its facts, and the hash after each.

    A word stands where there is no fact, and says why; None where the fact needs no more than to be kept.
    """

    batch: Batch
    facts: Sequence[Fact | str | None]
    marks: Sequence[str]


def understood(batch: Batch, key: bytes) -> Understood:
    """What can be found out of a batch without the database, so while others write."""
    facts = without_overtaken(list(map(_decoded, batch.items)))
    return Understood(batch, facts, walk(key, batch.prev, batch.items))


class Keeping:
    """One transaction that holds its sites. Call `flush` at the end, before the commit."""

    def __init__(self, tx: Tx, sites: Sequence[SiteCode], *, careful: bool = False) -> None:
        tx.hold(*sites)
        self._tx = tx
        self._careful = careful
        self._rows = Rows(tx)
        self._facts: list[Values] = []
        self._told: list[Values] = []
        ends = read_ends(tx, sites)
        self._downs = {site: DownLog(tx, site, self._told, ends[site]) for site in sites}
        self._has_book = False
        self._advances = read_advances(tx, sites)
        self.heads = read_heads(tx, sites)

    def open_book(self, batches: Iterable[Understood]) -> None:
        """Where money was taken, be alone with the book. To be called before anything is read ahead."""
        if not self._has_book and any(type(fact) is BillAccepted for each in batches for fact in each.facts):
            self._has_book = True
            self._tx.hold(BOOK)

    def read_ahead(self, facts: Sequence[tuple[SiteCode, Sequence[Fact | str | None]]]) -> None:
        """Read the rows that these facts will change, table by table."""
        wanted: defaultdict[Table, dict[Values, None]] = defaultdict(dict)
        for site, each in facts:
            for fact in each:
                for table, name in READS.get(type(fact), ()):
                    value = getattr(fact, name)
                    wanted[table][(site, value) if len(table.key) > 1 else (value,)] = None
        for table, keys in wanted.items():
            self._rows.load(table, keys)
        unannounced = {
            (site, fact.waybill_no): None
            for site, each in facts
            for fact in each
            if isinstance(fact, ParcelArrived) and not fact.expected
        }
        self._rows.find(PARCEL_BY_WAYBILL, PARCEL, unannounced)
        refunds = [
            (site, fact.slip, fact.bill) for site, each in facts for fact in each if isinstance(fact, BillRefunded)
        ]
        self._rows.find(REFUSAL_BY_SLIP, REFUSAL, dict.fromkeys(refunds))

    def take_advance(self, site: SiteCode, understood: Understood) -> Ack:
        """Act on a fact ahead of its place, once. No position moves."""
        batch, (fact,), _ = understood
        heads, advances = self.heads[site], self._advances[site]
        have = heads.of(batch.log_id) or Position(batch.log_id, Seq(0), GENESIS)
        event = event_id(batch.mark)
        if not Receiver(self._tx.keys[site]).proves(batch):
            raise_alarm(self._tx, site, "bad_advance", batch.log_id)
            return self.answered(site, Ack(have))
        if (
            batch.last > have.upto
            and not advances.holds(event)
            and not self._known_events(site, batch.last, [batch.mark])
        ):
            case = Case(site, event, batch.items[0].stamp.at, self._downs[site])
            is_done = isinstance(fact, BOOKED) and self._reason(case, fact, PROJECTIONS[type(fact)]) is None
            advances.keep(self._rows, batch, _plain(batch.items[0].body), DONE if is_done else SHOWN)
        return Ack(have, advance=batch.last)

    def answered(self, site: SiteCode, ack: Ack) -> Ack:
        """The answer, with what of its log came ahead."""
        upto = self._advances[site].upto(ack.position.log_id)
        return replace(ack, advance=upto) if upto else ack

    def take(self, site: SiteCode, understood: Understood) -> Ack:
        """Judge a batch and keep what is new."""
        batch, facts, marks = understood
        heads = self.heads[site]
        have = heads.of(batch.log_id)
        knows = have is None and heads.count > 0 and self._knows(site, batch)
        verdict = Receiver(self._tx.keys[site]).judge(batch, have, knows_prev=knows, marks=marks)
        if verdict.why in (Why.BAD, Why.FORK):
            raise_alarm(self._tx, site, "bad_chain" if verdict.why is Why.BAD else "fork", batch.log_id)
        if verdict.items:
            self._keep(site, verdict, facts[len(facts) - len(verdict.items) :])
        if not verdict.lost_track:
            return self.answered(site, verdict.answer())
        self.flush()
        return self.answered(site, verdict.answer(heads.ladder(self._tx)))

    def flush(self) -> None:
        """Write everything that was taken. Errors: StoreFault."""
        session = self._tx.session
        write_heads(self._tx, self.heads.values())
        self._rows.flush()
        for table, rows in ((FACT, self._facts), (DOWN, self._told)):
            if rows:
                session.append(table, rows)
                rows.clear()

    def _knows(self, site: SiteCode, batch: Batch) -> bool:
        self.flush()
        return self.heads[site].knows(self._tx, Seq(batch.first - 1), batch.prev)

    def _keep(self, site: SiteCode, verdict: Verdict, facts: Sequence[Fact | str | None]) -> None:
        heads = self.heads[site]
        others = heads.count - (0 if verdict.opens else 1)
        known = self._known_events(site, verdict.items[0].seq, verdict.marks) if others else set()
        now = self._tx.stamp.at
        log_id, down, kept, ahead = verdict.base.log_id, self._downs[site], self._facts, self._advances[site]
        for item, mark, fact in zip(verdict.items, verdict.marks, facts, strict=True):
            event = event_id(mark)
            if event in known:  # the same history under another name: applied then
                continue
            seq, kind, body, (at, boot, ms, synced), personal = item
            held = personal_text(_without_secrets(item, fact)) if personal else None
            if "\0" in body or "\0" in boot:
                body, boot = _plain(body), _plain(boot)
            kept.append((site, event, log_id, seq, kind, body, at, boot, ms, int(synced), mark, held, now))
            if isinstance(fact, str):
                self._set_aside(Case(site, event, at, down), seq, fact)
            elif fact is not None and (projection := PROJECTIONS.get(type(fact))) is not None:
                case = Case(site, event, at, down)
                if not (ahead and ahead.was_done(event)) and (reason := self._reason(case, fact, projection)):
                    self._set_aside(case, seq, reason)
        if ahead and ahead.reached(self._rows, verdict.items[0].seq, verdict.marks):
            raise_alarm(self._tx, site, "advance_differs", log_id)
        self._watch_for_clones(site, verdict, shares_history=bool(known) or verdict.base.upto > 0)
        heads.move(verdict)

    def _known_events(self, site: SiteCode, first: Seq, marks: Sequence[str]) -> set[EventId]:
        self.flush()
        found = self._tx.session.fetch(EVENT, [(site, seq, event_id(mark)) for seq, mark in enumerate(marks, first)])
        return {EventId(row[0]) for row in found}

    def _watch_for_clones(self, site: SiteCode, verdict: Verdict, *, shares_history: bool) -> None:
        heads, name = self.heads[site], verdict.base.log_id
        if verdict.opens and heads.count > 0:  # a card was restored, copied or replaced
            raise_alarm(self._tx, site, "fork" if shares_history else "new_card", name)
        if not verdict.opens and heads.newest.log_id != name:  # a log that was replaced goes on: two cards are alive
            raise_alarm(self._tx, site, "clone", name)

    def _set_aside(self, case: Case, seq: Seq, reason: str) -> None:
        self._rows.add(UNPROJECTED, (case.site, case.event), seq=seq, reason=reason, at=self._tx.stamp.at)
        case.down.append(FactRefused(case.event, reason))

    def _reason(self, case: Case, fact: Fact, projection: Projection) -> str | None:
        """Apply one fact. Return why it could not be applied, None if it was."""
        if self._careful:
            return self._failure_alone(case, fact, projection)
        rows, down = self._rows, case.down
        end, mark = down.end, rows.mark()
        try:
            projection(rows, case, fact)
        except NotApplicable as refusal:
            rows.back_to(mark)
            down.back_to(end)
            return refusal.reason
        return None

    def _failure_alone(self, case: Case, fact: Fact, projection: Projection) -> str | None:
        """Apply one fact behind a savepoint. Return why it could not be applied, None if it was.

        This is the top of a task: a bug in one projection must not stop a village for ever, so everything but the
        database's own faults ends here, undone, told to the site and logged with its trace.
        """
        end = case.down.end
        self._rows.flush()
        try:
            with self._tx.attempt():
                projection(self._rows, case, fact)
                self._rows.flush()
        except NotApplicable as refusal:
            reason = refusal.reason
        except (StoreFault, MemoryError):
            raise
        except Exception:
            log.exception("fact %s of site %s could not be applied", case.event, case.site)
            reason = "failed"
        else:
            return None
        self._rows = Rows(self._tx)
        case.down.back_to(end)
        return reason


def raise_alarm(tx: Tx, site: SiteCode, what: str, subject: str) -> None:
    """Note what a person must look at; the same again only counts."""
    now = tx.stamp.at
    tx.execute(
        "INSERT INTO alarm (site, what, subject, times, first_at, last_at) VALUES (?, ?, ?, 1, ?, ?) "
        "ON CONFLICT (site, what, subject) DO UPDATE SET times = alarm.times + 1, last_at = excluded.last_at",
        (site, what, subject, now, now),
    )


def _decoded(item: Item) -> Fact | str:
    _, kind, text, _, personal = item
    try:
        fact = events.decode(Encoded(kind, text, personal))
    except BadFact:
        return "bad_body"
    if isinstance(fact, UnknownFact):
        return "unknown_kind"
    if ("\\u" in text and not _is_storable(fact)) or (personal and _holds_zero(personal)):
        log.warning("a %s could not be applied: it holds a text that no database keeps", kind)
        return "failed"
    return fact


def _holds_zero(personal: Mapping[str, tuple[str, str]]) -> bool:
    return any("\0" in value for _, value in personal.values())


def _is_storable(fact: Fact) -> bool:
    """Tell whether both databases keep its texts: JSON may smuggle in half a character or a zero byte."""
    for name in fact.__struct_fields__:
        text = getattr(fact, name)
        if isinstance(text, str) and ("\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text)):
            return False
    return True


def _without_secrets(item: Item, fact: Fact | str | None) -> Mapping[str, tuple[str, str]]:
    """Codes and tokens open doors: the message to the recipient needs them once, the log never."""
    secret = _secrets(type(fact).kind) if isinstance(fact, Fact) else frozenset()
    return (
        item.personal
        if secret.isdisjoint(item.personal)
        else {name: pair for name, pair in item.personal.items() if name not in secret}
    )


@cache
def _secrets(kind: str) -> frozenset[str]:
    return frozenset(name for name, held in events.personal_of(events.KINDS[kind]) if held in SECRET)


def _plain(text: str) -> str:
    """PostgreSQL keeps no zero byte. A body with one is no JSON and a boot id with one no boot id: shown, not kept."""
    return text.replace("\0", "\u2400")
