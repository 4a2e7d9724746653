"""The keyed hash chain of a log: one column that shows tampering, finds forks and names each fact. Pure; no I/O.

The key is shared by one site and the hub. `hash(n) = HMAC-SHA256(key, hash(n-1) | seq | kind | body | stamp)`, and the
event id is its first half: the same content after the same history is the same fact, anything else is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from edge.model import EventId, LogId, Seq, Stamp

GENESIS = "0" * 64
BLOCK_BYTES = 64  # RFC 2104 with SHA-256
KEYS_READY = 1_024  # sites whose keys a hub has prepared; one more costs a microsecond
_EMPTY = sha256()  # copied: a new one asks the library for its algorithm again, which takes longer than the hash
_INNER, _OUTER = (bytes(sign ^ pad for sign in range(256)) for pad in (0x36, 0x5C))
NOTHING_PERSONAL: Mapping[str, tuple[str, str]] = {}


class Item(NamedTuple):
    """One fact as it rests in a log and travels in a batch. A tuple: a hub makes tens of thousands a second.

    Shape: `body` canonical JSON (never parsed for hashing), `personal` field -> (salt hex, value), empty once erased.
    """

    seq: Seq
    kind: str
    body: str
    stamp: Stamp
    personal: Mapping[str, tuple[str, str]] = NOTHING_PERSONAL

    def __repr__(self) -> str:  # personal values never enter a log or a trace
        return f"Item(seq={self.seq}, kind={self.kind!r}, body={self.body!r}, stamp={self.stamp!r})"


class Linked(NamedTuple):
    """A fact between the hash before it and its own: enough to prove it without the facts before."""

    prev: str
    item: Item
    mark: str


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log has come: the log's name, the last sequence number (0 = nothing), and the hash there."""

    log_id: LogId
    upto: Seq
    mark: str


def link(key: bytes, previous: str, item: Item) -> str:
    """Return the hash of a fact as 64 hex digits. `previous` is the hash before it (GENESIS before the first)."""
    return walk(key, previous, (item,))[0]


def walk(key: bytes, previous: str, items: Iterable[Item]) -> list[str]:
    """Return the hash after each item, starting from `previous`."""
    inner, outer = _prepared(key)
    marks: list[str] = []
    for seq, kind, body, (at, boot, ms, synced), _ in items:
        inside, outside = inner.copy(), outer.copy()
        inside.update(f"{previous}\n{seq}\n{kind}\n{at} {boot} {ms} {synced:d}\n{body}".encode())
        outside.update(inside.digest())
        previous = outside.hexdigest()
        marks.append(previous)
    return marks


@lru_cache(KEYS_READY)
def _prepared(key: bytes) -> tuple[Any, Any]:
    """HMAC's two hashes with the key already in them: copied, they take half of the time of `hmac.digest`."""
    return _keyed(key)


def _keyed(key: bytes) -> tuple[Any, Any]:
    """The two hashes of an HMAC with the key in them (RFC 2104)."""
    padded = (sha256(key).digest() if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")
    inner, outer = _EMPTY.copy(), _EMPTY.copy()
    inner.update(padded.translate(_INNER))
    outer.update(padded.translate(_OUTER))
    return inner, outer


def event_id(mark: str) -> EventId:
    """Return the id of the fact whose hash is `mark`."""
    return EventId(mark[:32])


def field_digest(salt: bytes, value: str) -> str:
    """Digest of a personal field, 32 hex digits. Without the salt (erased with the value) it tells nothing."""
    inner, outer = _keyed(salt)
    inner.update(value.encode())
    outer.update(inner.digest())
    return str(outer.hexdigest()[:32])
