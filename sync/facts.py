"""The facts of a batch as JSON text: written, and read back. Pure; the envelope around them is in sync/wire.py.

A fact is `[kind, body, at, ms, boot]`, or with personal values `[kind, body, at, ms, boot, personal]`. A body travels
as a JSON object when writing it again gives the same text, else as that text: the hash is over the text, so the text
must come out byte for byte.

Reading has two ways. What a release writes is read straight into its shape (edge/typed_json.py): a hub spends its day
here. Whatever does not fit goes the slow way, which also finds the words for what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from json.encoder import encode_basestring as _quoted
from typing import Any

from edge.chain import NOTHING_PERSONAL, Item
from edge.events import canonical
from edge.model import Seq, Stamp
from edge.typed_json import REFUSED, Raw, Struct, is_plain_and_sorted, reader
from sync.strict import INT64, BadBatch, no_constant, text_of

MAX_PERSONAL = 16  # fields of one fact
MAX_BOOT = 64
MAX_BODY = 1024 * 1024
MAX_NAME, MAX_SALT, MAX_VALUE = 64, 128, 4096  # of a personal field

Held = dict[str, tuple[str, str]]

_decode = json.JSONDecoder(parse_constant=no_constant).decode
_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_kind_text = lru_cache(256)(_text)
_is_kind = lru_cache(256)(re.compile(r"[0-9A-Za-z_]{1,64}(?:\.[0-9]{1,6})?").fullmatch)
_new_item: Callable[[Any], Item] = partial(tuple.__new__, Item)  # without a step through Python
_new_stamp: Callable[[Any], Stamp] = partial(tuple.__new__, Stamp)


class FactRow(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """A fact as it travels. `at`, `ms`: since the fact before; `boot`: twice the boot's number, 1 more if synced."""

    kind: str
    body: Raw
    at: int
    ms: int
    boot: int
    personal: Held | None = None


class BatchRow(Struct, gc=False):
    """A batch as it travels."""

    v: int
    log: str
    first: int
    prev: str
    boots: list[str]
    facts: list[FactRow]
    mark: str
    advance: bool = False


_batch_row = reader(BatchRow)


def write_facts(items: Sequence[Item]) -> tuple[list[str], str]:
    """Return the boot ids that the facts name by number, and the facts as they stand between the brackets."""
    boots = {boot: number for number, boot in enumerate(dict.fromkeys(item.stamp.boot for item in items))}
    facts: list[str] = []
    at = ms = 0
    for _, kind, body, stamp, personal in items:
        boot = 2 * boots[stamp.boot] + int(stamp.synced)
        more = "," + personal_json(personal) if personal else ""
        facts.append(f"[{_kind_text(kind)},{_outgoing_body(body)},{stamp.at - at},{stamp.ms - ms},{boot}{more}]")
        at, ms = stamp.at, stamp.ms
    return list(boots), ",".join(facts)


def personal_json(personal: Mapping[str, tuple[str, str]]) -> str:
    """Write personal values as a JSON object of pairs."""
    pairs = [f"{_quoted(name)}:[{_quoted(salt)},{_quoted(value)}]" for name, (salt, value) in personal.items()]
    return f"{{{','.join(pairs)}}}"


def read_quickly(plain: bytes) -> tuple[BatchRow, tuple[Item, ...]] | None:
    """Read a batch whose every part fits its shape; None where anything is otherwise. Of the head only types are seen.

    A body that was sent as an object is taken as the text it is: its hash is over that text.
    """
    if b"\\u" in plain:  # an escape may hide half a character
        return None
    try:
        row = _batch_row(plain)
        if not all(map(_is_boot, row.boots)):
            return None
        items = tuple(_items(row))
    except (*REFUSED, _Otherwise):
        return None
    return row, items


def read_slowly(facts: Sequence[object], first: Seq, boots: Sequence[Any]) -> tuple[Item, ...]:
    """Read facts that were parsed as JSON. Errors: BadBatch says what is wrong with which."""
    items: list[Item] = []
    stamp = Stamp(0, "", 0, False)
    for offset, fact in enumerate(facts):
        item = _item(Seq(first + offset), fact, boots, stamp)
        items.append(item)
        stamp = item.stamp
    return tuple(items)


def _outgoing_body(text: str) -> str:
    return text if is_plain_and_sorted(text) or _is_canonical(text) else _text(text)


def _is_canonical(text: str) -> bool:
    """Whether a body may travel as the object it is: what comes out is written from the object again."""
    try:
        body = _decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and canonical(body) == text


class _Otherwise(Exception):
    """Something does not fit."""


def _items(row: BatchRow) -> list[Item]:
    """The facts of a batch. Errors: _Otherwise, UnicodeDecodeError."""
    booted = {2 * number + synced: (boot, bool(synced)) for number, boot in enumerate(row.boots) for synced in (0, 1)}
    items: list[Item] = []
    at = ms = 0
    for seq, fact in enumerate(row.facts, row.first):
        at, ms, body = at + fact.at, ms + fact.ms, bytes(fact.body)
        booting = booted.get(fact.boot)
        is_whole = body.startswith(b"{") and _is_kind(fact.kind) and -INT64 <= at < INT64 and -INT64 <= ms < INT64
        if booting is None or not is_whole or not (fact.personal is None or _fits(fact.personal)):
            raise _Otherwise
        stamp = _new_stamp((at, booting[0], ms, booting[1]))
        items.append(_new_item((seq, fact.kind, body.decode(), stamp, fact.personal or NOTHING_PERSONAL)))
    return items


def _is_boot(boot: str) -> bool:
    return len(boot) <= MAX_BOOT


def _fits(held: Held) -> bool:
    """Whether personal values are within their bounds."""
    return len(held) <= MAX_PERSONAL and all(
        len(name) <= MAX_NAME and len(salt) <= MAX_SALT and len(value) <= MAX_VALUE
        for name, (salt, value) in held.items()
    )


def _item(seq: Seq, fact: object, boots: Sequence[Any], before: Stamp) -> Item:
    if not isinstance(fact, list) or len(fact) not in (5, 6):
        raise BadBatch(f"fact {seq} has another shape")
    kind, body, at, ms, boot = fact[:5]
    if not isinstance(kind, str) or not _is_kind(kind):
        raise BadBatch(f"fact {seq}: kind")
    if type(at) is not int or type(ms) is not int or type(boot) is not int or not 0 <= boot < 2 * len(boots):
        raise BadBatch(f"fact {seq}: stamp")
    at, ms = before.at + at, before.ms + ms
    if not (-INT64 <= at < INT64 and -INT64 <= ms < INT64):
        raise BadBatch(f"fact {seq}: stamp out of range")
    stamp = Stamp(at, text_of(boots[boot // 2], f"fact {seq}: boot", MAX_BOOT), ms, bool(boot % 2))
    personal = _personal(seq, fact[5]) if len(fact) == 6 else NOTHING_PERSONAL
    return Item(seq, kind, _incoming_body(seq, body), stamp, personal)


def _incoming_body(seq: Seq, body: object) -> str:
    if isinstance(body, dict):
        try:
            body = canonical(body)
        except (ValueError, RecursionError):
            raise BadBatch(f"fact {seq}: body") from None
    return text_of(body, f"fact {seq}: body", MAX_BODY)


def _personal(seq: Seq, fields: object) -> dict[str, tuple[str, str]]:
    if not isinstance(fields, dict) or len(fields) > MAX_PERSONAL:
        raise BadBatch(f"fact {seq}: personal fields")
    where = f"fact {seq}: personal field"
    held: dict[str, tuple[str, str]] = {}
    for name, pair in fields.items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadBatch(where)
        held[text_of(name, where, MAX_NAME)] = text_of(pair[0], where, MAX_SALT), text_of(pair[1], where, MAX_VALUE)
    return held
