"""What travels between a point and the hub: topics, batches, answers and presence, and their codec to bytes and back.

Pure: no I/O, no clock. What to send and what to believe is decided in sync/relay.py; this module only refuses what is
not well formed, within fixed bounds, whatever the bytes.

A batch is lean JSON, deflated with a dictionary of our own facts (sync/packing.py). The envelope is hoisted: event ids
are not sent (they follow from the chain), stamps are differences to the fact before, and boot ids are listed once. The
facts themselves are written and read in sync/facts.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge.chain import Item, Position
from edge.model import LogId, Seq, SiteCode
from sync.facts import BatchRow, read_quickly, read_slowly, write_facts
from sync.packing import NEWEST, pack, unpack
from sync.strict import (
    INT64,
    BadBatch,
    bounded,
    dump,
    is_log_id,
    is_mark,
    list_of,
    load,
    log_id_of,
    mark_of,
    text_of,
    whole,
)

VERSION = 1
MAX_FACTS = 200  # per batch: from 200 on the cost per message no longer matters (measured in the design)
MAX_BATCH_BYTES = 64 * 1024  # of bodies in one batch; a single larger fact travels alone
MAX_PACKED = 256 * 1024  # deflated; a batch as above is about 10 KB
MAX_PLAIN = 1024 * 1024  # inflated; ten times what a full batch needs, far below what hurts a small board
MAX_ANSWER = 8 * 1024  # bytes; an answer with a full ladder is about 4 KB
MAX_LADDER = 48
MAX_BOOTS = MAX_FACTS
NONE_TAKEN = Seq(0)  # no fact out of turn
FACTS, MARK = ',"facts":[', '],"mark":"'  # between the head of a batch, its facts, and its end

_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SITE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}")


class Why(StrEnum):
    """Why an answer is not simply "taken"."""

    GAP = "gap"  # facts before these are missing
    FORK = "fork"  # the sender's history is not the receiver's
    BAD = "bad"  # unreadable, or the chain does not fit its key


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts `first`, `first + 1`, ... of one log. Without facts it is a question: how far are you?

    Shape: `prev` is the hash before the first fact, `mark` the hash after the last (`prev` when there is none);
           `advance`: one fact out of turn (sync/advance.py).
    """

    log_id: LogId
    first: Seq
    prev: str
    items: tuple[Item, ...]
    mark: str
    advance: bool = False

    @property
    def last(self) -> Seq:
        """The last sequence number inside; `first - 1` for a question."""
        return Seq(self.first + len(self.items) - 1)


@dataclass(frozen=True, slots=True)
class Ack:
    """How far the receiver has a log. `known`: marks it could go on from, given only when it does not know the log.

    `dictionary`: the newest one that the receiver can read, 0 for none; releases before it say nothing of it.
    `advance`: the last fact of this log that was taken out of turn, 0 for none; None: a release that cannot.
    """

    position: Position
    why: Why | None = None
    known: tuple[tuple[Seq, str], ...] = ()
    dictionary: int = NEWEST
    advance: Seq | None = NONE_TAKEN


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a point is there and how it does. The broker publishes the offline form as last will."""

    online: bool
    version: str = ""
    pending: int = 0
    health: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topics:
    """The five topics of one point."""

    site: SiteCode

    @property
    def up(self) -> str:
        return f"vp/{self.site}/up"

    @property
    def up_ack(self) -> str:
        return f"vp/{self.site}/up/ack"

    @property
    def down(self) -> str:
        return f"vp/{self.site}/down"

    @property
    def down_ack(self) -> str:
        return f"vp/{self.site}/down/ack"

    @property
    def state(self) -> str:
        return f"vp/{self.site}/state"


def split_topic(topic: str) -> tuple[SiteCode, str] | None:
    """Return the site and the rest (`up`, `down/ack`, ...) of a topic; None for a topic that is not ours."""
    head, _, rest = topic.partition("/")
    site, _, channel = rest.partition("/")
    if head != "vp" or not channel or not _SITE.fullmatch(site):
        return None
    return SiteCode(site), channel


# --- batches ------------------------------------------------------------------------------------------------------


def encode_batch(batch: Batch, dictionary: int = 0) -> bytes:
    """Pack a batch with a dictionary that the other side has told to know. Errors: BadBatch: a fact is too large."""
    plain = plain_batch(batch)
    packed = pack(plain, dictionary)
    if len(plain) > MAX_PLAIN or len(packed) > MAX_PACKED:
        raise BadBatch(f"facts {batch.first} to {batch.last} are too large to travel")
    return packed


def plain_batch(batch: Batch) -> bytes:
    """Write a batch as JSON, before it is packed."""
    boots, facts = write_facts(batch.items)
    top = {"v": VERSION, "log": batch.log_id, "first": batch.first, "prev": batch.prev, "boots": boots}
    if batch.advance:
        top["advance"] = True
    head = _text(top).removesuffix("}")
    return f'{head}{FACTS}{facts}{MARK}{batch.mark}"}}'.encode()


def decode_batch(payload: bytes) -> Batch:
    """Unpack a batch. Hashes are not checked here. Errors: BadBatch."""
    plain = unpack(bounded(payload, MAX_PACKED), MAX_PLAIN)
    batch = _quickly(plain) or _slowly(plain)
    if not batch.items and batch.mark != batch.prev:
        raise BadBatch("a question carries two marks")
    if batch.advance and len(batch.items) != 1:
        raise BadBatch("a notice carries one fact")
    return batch


def _quickly(plain: bytes) -> Batch | None:
    """The batch, if all of it is as it should be."""
    found = read_quickly(plain)
    if found is None or not _fits(found[0]):
        return None
    row, items = found
    return Batch(LogId(row.log), Seq(row.first), row.prev, items, row.mark, row.advance)


def _fits(row: BatchRow) -> bool:
    is_bounded = len(row.facts) <= MAX_FACTS and len(row.boots) <= MAX_BOOTS
    are_names = is_log_id(row.log) and is_mark(row.prev) and is_mark(row.mark)
    return row.v == VERSION and 1 <= row.first < INT64 // 2 and is_bounded and are_names is not None


def _slowly(plain: bytes) -> Batch:
    """The batch part by part. Errors: BadBatch names the part."""
    top = load(plain, VERSION)
    boots, facts = list_of(top, "boots", MAX_BOOTS), list_of(top, "facts", MAX_FACTS)
    first = Seq(whole(top, "first", 1))
    mark, items = mark_of(top.get("mark")), read_slowly(facts, first, boots)
    return Batch(log_id_of(top), first, mark_of(top.get("prev")), items, mark, top.get("advance") is True)


def end_of_batch(payload: bytes) -> tuple[LogId, Seq, str] | None:
    """Read of a batch only where it ends: log, last fact, hash there; None for a question. Errors: BadBatch.

    Half the work of reading it: enough to see that all of it is here already.
    """
    top = load(unpack(bounded(payload, MAX_PACKED), MAX_PLAIN), VERSION)
    first, count = whole(top, "first", 1), len(list_of(top, "facts", MAX_FACTS))
    return (log_id_of(top), Seq(first + count - 1), mark_of(top.get("mark"))) if count else None


# --- answers and presence -----------------------------------------------------------------------------------------


def encode_ack(ack: Ack) -> bytes:
    """Write an answer."""
    at = ack.position
    top: dict[str, Any] = {"v": VERSION, "log": at.log_id, "upto": at.upto, "mark": at.mark, "why": ack.why}
    if ack.dictionary:
        top["dict"] = ack.dictionary
    if ack.advance is not None:
        top["advance"] = ack.advance
    if ack.known:
        top["known"] = [list(rung) for rung in ack.known[:MAX_LADDER]]
    return dump(top)


def decode_ack(payload: bytes) -> Ack:
    """Read an answer. Errors: BadBatch."""
    top = load(bounded(payload, MAX_ANSWER), VERSION)
    position = Position(log_id_of(top), Seq(whole(top, "upto", 0)), mark_of(top.get("mark")))
    why = top.get("why")
    if why is not None and why not in tuple(Why):
        raise BadBatch("why: unknown reason")
    known: list[tuple[Seq, str]] = []
    for rung in list_of(top, "known", MAX_LADDER) if "known" in top else []:
        if not isinstance(rung, list) or len(rung) != 2 or type(rung[0]) is not int or not 0 <= rung[0] < INT64:
            raise BadBatch("known: a rung has another shape")
        known.append((Seq(rung[0]), mark_of(rung[1])))
    dictionary = whole(top, "dict", 0) if "dict" in top else 0
    advance = Seq(whole(top, "advance", 0)) if "advance" in top else None
    return Ack(position, None if why is None else Why(why), tuple(known), dictionary, advance)


def encode_presence(presence: Presence) -> bytes:
    """Write a presence."""
    top = {"v": VERSION, "online": presence.online, "version": presence.version, "pending": presence.pending}
    return dump({**top, "health": dict(presence.health)})


def decode_presence(payload: bytes) -> Presence:
    """Read a presence. Errors: BadBatch."""
    top = load(bounded(payload, MAX_ANSWER), VERSION)
    online, health = top.get("online"), top.get("health", {})
    if not isinstance(online, bool) or not isinstance(health, dict) or len(health) > 64:
        raise BadBatch("presence has another shape")
    plain = {text_of(k, "health", 64): _said(v) for k, v in health.items() if isinstance(v, str | int | bool)}
    version = text_of(top.get("version", ""), "version", 64)
    if "\0" in version:
        raise BadBatch("version: a zero byte, which no database keeps")
    return Presence(online, version, whole(top, "pending", 0), plain)


def _said(value: str | int | bool) -> str | int | bool:
    return text_of(value, "health", MAX_ANSWER) if isinstance(value, str) else value
