"""A batch from a site becomes rows: facts, their projections and the site's position, in one transaction.

Store first, understand later: a fact that fits the chain is kept and acknowledged even if its kind is unknown or its
projection fails; the site is told by `FactRefused`, and the next facts go on. Only a batch that fits no chain is not
taken. What a fact means is in sync/hub/projections.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from edge import events
from edge.chain import GENESIS, Item, Position, event_id
from edge.events import BadFact, Encoded, Fact, FactRefused, UnknownFact
from edge.model import EventId, LogId, PickupCode, PickupToken, Seq, SiteCode
from sync.hub.case import Case, NotApplicable
from sync.hub.down import DownLog, personal_text
from sync.hub.projections import PROJECTIONS
from sync.hub.store import HubStore, StoreFault, Tx
from sync.relay import Receiver, Verdict, ladder
from sync.strict import BadBatch
from sync.wire import Ack, Batch, Why, decode_batch

MAX_LOGS_OFFERED = 8  # newest names of a site whose ends go into a ladder
INSERT = (
    "INSERT INTO fact (site, event, log_id, seq, kind, body, at, boot, ms, synced, hash, personal, received_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (site, event) DO NOTHING"
)
ENDS = "SELECT upto, mark FROM head WHERE site = ? ORDER BY nth DESC LIMIT ?"
AT = "SELECT hash FROM fact WHERE site = ? AND seq = ? ORDER BY received_at DESC LIMIT 1"

log = logging.getLogger(__name__)


def accept(store: HubStore, site: SiteCode, payload: bytes) -> Ack:
    """Take what a site sent and return the answer to give it. Errors: StoreFault, and then nothing was taken."""
    try:
        batch = decode_batch(payload)
    except BadBatch as error:
        log.warning("site %s sent a batch that cannot be read: %s", site, error)
        with store.transaction() as tx:
            raise_alarm(tx, site, "unreadable", "batch")
            return Ack(newest(tx, site), Why.BAD)
    with store.transaction() as tx:
        return take(tx, site, batch)


def take(tx: Tx, site: SiteCode, batch: Batch) -> Ack:
    """Judge a batch and keep what is new, inside the caller's transaction."""
    tx.hold(site)
    have = _head(tx, site, batch.log_id)
    verdict = Receiver(tx.keys[site]).judge(batch, have, knows_prev=have is None and _holds(tx, site, batch))
    if verdict.why in (Why.BAD, Why.FORK):
        raise_alarm(tx, site, "bad_chain" if verdict.why is Why.BAD else "fork", batch.log_id)
    if verdict.items:
        shares_history = _keep(tx, site, verdict)
        _move(tx, site, verdict, shares_history=shares_history or verdict.base.upto > 0)
    return verdict.answer(_known(tx, site) if verdict.lost_track else ())


def newest(tx: Tx, site: SiteCode) -> Position:
    """Where the newest log of a site stands; nothing yet is position 0 of a log named `none`."""
    row = tx.row("SELECT log_id, upto, mark FROM head WHERE site = ? ORDER BY nth DESC LIMIT 1", (site,))
    if row is None:
        return Position(LogId("none"), Seq(0), GENESIS)
    return Position(LogId(row["log_id"]), Seq(row["upto"]), row["mark"])


def raise_alarm(tx: Tx, site: SiteCode, what: str, subject: str) -> None:
    """Note what a person must look at; the same again only counts."""
    now = tx.stamp.at
    tx.execute(
        "INSERT INTO alarm (site, what, subject, times, first_at, last_at) VALUES (?, ?, ?, 1, ?, ?) "
        "ON CONFLICT (site, what, subject) DO UPDATE SET times = alarm.times + 1, last_at = excluded.last_at",
        (site, what, subject, now, now),
    )


# --- keeping ------------------------------------------------------------------------------------------------------


def _keep(tx: Tx, site: SiteCode, verdict: Verdict) -> bool:
    """Keep what is new. Return whether some of it was known before under another name of the log."""
    down = DownLog(tx, site)
    repeats = False
    for item, mark in zip(verdict.items, verdict.marks, strict=True):
        event = event_id(mark)
        fact = _decoded(item)
        at = item.stamp
        place = (site, event, verdict.base.log_id, item.seq, item.kind, item.body)
        kept = (mark, personal_text(_without_secrets(item, fact)), tx.stamp.at)
        new = tx.execute(INSERT, (*place, at.at, at.boot, at.ms, int(at.synced), *kept)).rowcount
        if new:  # else the same history under another name: known, and applied then
            _project(tx, Case(site, event, at.at, down), fact)
        repeats = repeats or not new
    return repeats


def _decoded(item: Item) -> Fact | str:
    """The fact, or the word that says why there is none."""
    try:
        fact = events.decode(Encoded(item.kind, item.body, item.personal))
    except BadFact:
        return "bad_body"
    return "unknown_kind" if isinstance(fact, UnknownFact) else fact


def _without_secrets(item: Item, fact: Fact | str) -> Mapping[str, tuple[str, str]]:
    """Codes and tokens open doors: the message to the recipient needs them once, the log never."""
    if isinstance(fact, str):
        return item.personal
    secret = [name for name in item.personal if isinstance(getattr(fact, name, None), PickupCode | PickupToken)]
    return {name: pair for name, pair in item.personal.items() if name not in secret}


def _project(tx: Tx, case: Case, fact: Fact | str) -> None:
    reason = fact if isinstance(fact, str) else _failure(tx, case, fact)
    if reason is None:
        return
    tx.execute(
        "INSERT INTO unprojected (site, event, reason, at) VALUES (?, ?, ?, ?)",
        (case.site, case.event, reason, tx.stamp.at),
    )
    case.down.append(FactRefused(case.event, reason))


def _failure(tx: Tx, case: Case, fact: Fact) -> str | None:
    """Apply one fact. Return why it could not be applied, None if it was.

    This is the top of a task: a bug in one projection must not stop a village for ever, so everything but the disk's
    own faults ends here, undone, told to the site and logged with its trace.
    """
    projection = PROJECTIONS.get(type(fact))
    if projection is None:
        return None
    end = case.down.end
    try:
        with tx.attempt():
            projection(tx, case, fact)
    except NotApplicable as refusal:
        case.down.back_to(end)
        return refusal.reason
    except (StoreFault, MemoryError):
        raise
    except Exception:
        log.exception("fact %s of site %s could not be applied", case.event, case.site)
        case.down.back_to(end)
        return "failed"
    return None


# --- positions ----------------------------------------------------------------------------------------------------


def _head(tx: Tx, site: SiteCode, log_id: LogId) -> Position | None:
    row = tx.row("SELECT upto, mark FROM head WHERE site = ? AND log_id = ?", (site, log_id))
    return None if row is None else Position(log_id, Seq(row["upto"]), row["mark"])


def _holds(tx: Tx, site: SiteCode, batch: Batch) -> bool:
    event = EventId(batch.prev[:32])
    found = tx.row("SELECT seq, hash FROM fact WHERE site = ? AND event = ?", (site, event))
    return found is not None and found["seq"] == batch.first - 1 and found["hash"] == batch.prev


def _move(tx: Tx, site: SiteCode, verdict: Verdict, *, shares_history: bool) -> None:
    """Move the head of the log by compare-and-set, in the transaction of the facts."""
    base, to, now = verdict.base, verdict.position, tx.stamp.at
    if verdict.opens:
        if _open(tx, site, verdict) > 1:  # a card was restored, copied or replaced
            raise_alarm(tx, site, "fork" if shares_history else "new_card", base.log_id)
        return
    moved = tx.execute(
        "UPDATE head SET upto = ?, mark = ?, heard_at = ? WHERE site = ? AND log_id = ? AND upto = ? AND mark = ?",
        (to.upto, to.mark, now, site, base.log_id, base.upto, base.mark),
    )
    if moved.rowcount != 1:
        raise AssertionError("the head moved inside our transaction")
    if newest(tx, site).log_id != base.log_id:  # a log that was replaced goes on: two cards are alive
        raise_alarm(tx, site, "clone", base.log_id)


def _open(tx: Tx, site: SiteCode, verdict: Verdict) -> int:
    """Begin a log under a new name. Return which one of the site it is."""
    base, to, now = verdict.base, verdict.position, tx.stamp.at
    nth = 1 + int(tx.value("SELECT coalesce(max(nth), 0) FROM head WHERE site = ?", (site,)))
    tx.execute(
        "INSERT INTO head (site, log_id, nth, began_at, upto, mark, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (site, base.log_id, nth, base.upto, to.upto, to.mark, now),
    )
    return nth


def _known(tx: Tx, site: SiteCode) -> list[tuple[Seq, str]]:
    """Hashes a sender that lost track may go on from: ends of the newest logs, steps back from the last, zero."""
    ends = list(
        tx.rows("SELECT upto, mark FROM head WHERE site = ? ORDER BY nth DESC LIMIT ?", (site, MAX_LOGS_OFFERED))
    )
    known = {(Seq(end["upto"]), str(end["mark"])) for end in ends}
    for seq in ladder(Seq(ends[0]["upto"]))[1:-1] if ends else []:
        found = tx.rows(
            "SELECT hash FROM fact WHERE site = ? AND seq = ? ORDER BY received_at DESC LIMIT 1", (site, seq)
        )
        known.update((seq, row["hash"]) for row in found)
    return [*sorted(known, reverse=True), (Seq(0), GENESIS)]
