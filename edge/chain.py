"""The keyed hash chain of a log: one column that shows tampering, finds forks and names each fact. Pure; no I/O.

The key is shared by one site and the hub. `hash(n) = HMAC-SHA256(key, hash(n-1) | seq | kind | body | stamp)`, and the
event id is its first half: the same content after the same history is the same fact, anything else is not.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from edge.model import EventId, LogId, Seq, Stamp

GENESIS = "0" * 64
KEYS_AT_HAND = 512  # a terminal has two, a hub one for each site it is busy with


@dataclass(frozen=True, slots=True)
class Item:
    """One fact as it rests in a log and travels in a batch.

    Shape: `body` canonical JSON (never parsed for hashing), `personal` field -> (salt hex, value), empty once erased.
    """

    seq: Seq
    kind: str
    body: str
    stamp: Stamp
    personal: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log has come: the log's name, the last sequence number (0 = nothing), and the hash there."""

    log_id: LogId
    upto: Seq
    mark: str


def link(key: bytes, previous: str, item: Item) -> str:
    """Return the hash of a fact as 64 hex digits. `previous` is the hash before it (GENESIS before the first)."""
    at = item.stamp
    keyed = _keyed(key).copy()
    text = f"{previous}\n{item.seq}\n{item.kind}\n{at.at} {at.boot} {at.ms} {int(at.synced)}\n{item.body}"
    keyed.update(text.encode())
    return keyed.hexdigest()


@lru_cache(KEYS_AT_HAND)
def _keyed(key: bytes) -> hmac.HMAC:
    """The start of every hash under this key: to key anew costs as much as the hash."""
    return hmac.new(key, digestmod="sha256")


def walk(key: bytes, previous: str, items: Iterable[Item]) -> list[str]:
    """Return the hash after each item, starting from `previous`."""
    marks: list[str] = []
    for item in items:
        previous = link(key, previous, item)
        marks.append(previous)
    return marks


def event_id(mark: str) -> EventId:
    """Return the id of the fact whose hash is `mark`."""
    return EventId(mark[:32])


def field_digest(salt: bytes, value: str) -> str:
    """Digest of a personal field, 32 hex digits. Without the salt (erased with the value) it tells nothing."""
    return hmac.digest(salt, value.encode(), "sha256").hex()[:32]
