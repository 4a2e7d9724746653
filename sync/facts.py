"""The facts of a batch as JSON text: written, and read back. Pure; the envelope around them is in sync/wire.py.

A fact is `[kind, body, at, ms, boot]`, or with personal values `[kind, body, at, ms, boot, personal]`. A body travels
as a JSON object when writing it again gives the same text, else as that text: the hash is over the text, so the text
must come out byte for byte.

Reading has two ways. What is written as we write it, and that is everything any release ever sent, is taken apart by
one expression, and all bodies are parsed at once: a hub spends its day here. Whatever is not, down to a blank too
many, goes the slow way, which also finds the words for what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, repeat
from json.encoder import encode_basestring as _quoted
from typing import Any

from edge.chain import NOTHING_PERSONAL, Item
from edge.events import canonical
from edge.model import Seq, Stamp
from sync.strict import INT64, BadBatch, no_constant, text_of

MAX_PERSONAL = 16  # fields of one fact
MAX_BOOT = 64
MAX_BODY = 1024 * 1024

Body = dict[str, Any]

_decode = json.JSONDecoder(parse_constant=no_constant).decode
_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_all_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_kind_text = lru_cache(256)(_text)
_KIND = r"[0-9A-Za-z_]{1,64}(?:\.[0-9]{1,6})?"
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rf'\{{[^{{}}"]*+(?:{_STRING}[^{{}}"]*+)*+\}}'
_OBJECT = rf'\{{[^{{}}"]*+(?:(?:{_STRING}|{_FLAT})[^{{}}"]*+)*+\}}'  # objects in objects, and no deeper
_NUMBER = r"(0|-?[1-9][0-9]{0,18})"
_is_kind = re.compile(_KIND).fullmatch
_objects = re.compile(_OBJECT).findall
_facts = re.compile(rf',\["({_KIND})",({_OBJECT}),{_NUMBER},{_NUMBER},{_NUMBER}(?:,({_OBJECT}))?\]').findall
_new_item: Callable[[Any], Item] = partial(tuple.__new__, Item)  # without a step through Python
_new_stamp: Callable[[Any], Stamp] = partial(tuple.__new__, Stamp)
_TWO_TEXTS = (str, str)
_AROUND = len(',["",,,,]')  # what stands between the parts of a fact


def write_facts(items: Sequence[Item]) -> tuple[list[str], str]:
    """Return the boot ids that the facts name by number, and the facts as they stand between the brackets."""
    boots = {boot: number for number, boot in enumerate(dict.fromkeys(item.stamp.boot for item in items))}
    facts: list[str] = []
    at = ms = 0
    for (_, kind, _, stamp, personal), body in zip(items, _outgoing_bodies(items), strict=True):
        boot = 2 * boots[stamp.boot] + int(stamp.synced)
        more = "," + personal_json(personal) if personal else ""
        facts.append(f"[{_kind_text(kind)},{body},{stamp.at - at},{stamp.ms - ms},{boot}{more}]")
        at, ms = stamp.at, stamp.ms
    return list(boots), ",".join(facts)


def personal_json(personal: Mapping[str, tuple[str, str]]) -> str:
    """Write personal values as a JSON object of pairs."""
    pairs = [f"{_quoted(name)}:[{_quoted(salt)},{_quoted(value)}]" for name, (salt, value) in personal.items()]
    return f"{{{','.join(pairs)}}}"


def read_quickly(facts: str, first: Seq, boots: Sequence[Any]) -> tuple[tuple[Item, ...], list[Body]] | None:
    """Read facts as `write_facts` writes them, and what their bodies say; None where anything is otherwise."""
    if not facts:
        return (), []
    found = _facts("," + facts)
    if not found or "\\u" in facts:  # an escape may hide half a character
        return None
    kinds, texts, ats, mss, numbers, personals = zip(*found, strict=True)
    around = _AROUND * len(found) + sum(map(bool, personals))
    if sum(map(len, map("".join, found))) + around != len(facts) + 1:  # something lies between them
        return None
    stamps, bodies = _stamps(ats, mss, numbers, boots), _parsed(texts)
    held: Iterable[Mapping[str, tuple[str, str]]] | None
    held = _held(personals) if any(personals) else repeat(NOTHING_PERSONAL, len(found))
    if stamps is None or bodies is None or held is None:
        return None
    parts = zip(range(first, first + len(found)), kinds, texts, stamps, held, strict=True)
    return tuple(map(_new_item, parts)), bodies


def read_slowly(facts: Sequence[object], first: Seq, boots: Sequence[Any]) -> tuple[Item, ...]:
    """Read facts that were parsed as JSON. Errors: BadBatch says what is wrong with which."""
    items: list[Item] = []
    stamp = Stamp(0, "", 0, False)
    for offset, fact in enumerate(facts):
        item = _item(Seq(first + offset), fact, boots, stamp)
        items.append(item)
        stamp = item.stamp
    return tuple(items)


def _outgoing_bodies(items: Sequence[Item]) -> list[str]:
    """The bodies as they travel. All are looked at in one go; one by one only where one of them is odd."""
    texts = [item.body for item in items]
    bodies = _parsed(texts) if _objects(joined := ",".join(texts)) == texts else None
    if bodies is not None and _all_canonical(bodies)[1:-1] == joined:
        return texts
    return [text if _is_canonical(text) else _text(text) for text in texts]


def _is_canonical(text: str) -> bool:
    """Whether a body may travel as the object it is: what comes out is written from the object again."""
    try:
        body = _decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and canonical(body) == text


def _parsed(texts: Sequence[str]) -> list[Body] | None:
    """What bodies say, of which each is one pair of braces and all between them."""
    try:
        bodies: list[Body] = _decode(f"[{','.join(texts)}]")
    except (ValueError, RecursionError):
        return None
    return bodies


def _stamps(ats: Sequence[str], mss: Sequence[str], numbers: Sequence[str], boots: Sequence[Any]) -> list[Stamp] | None:
    at, ms = list(accumulate(map(int, ats))), list(accumulate(map(int, mss)))
    if min(*at, *ms, 0) < -INT64 or max(*at, *ms, 0) >= INT64:
        return None
    known = {str(number): (boots[number // 2], bool(number % 2)) for number in range(2 * len(boots))}
    used = set(numbers)
    if not known.keys() >= used or not all(_is_boot(known[number][0]) for number in used):
        return None
    booted, synced = zip(*map(known.__getitem__, numbers), strict=True)
    return list(map(_new_stamp, zip(at, booted, ms, synced, strict=True)))


def _is_boot(boot: object) -> bool:
    return isinstance(boot, str) and len(boot) <= MAX_BOOT and not any("\ud800" <= sign <= "\udfff" for sign in boot)


def _held(texts: Sequence[str]) -> list[Mapping[str, tuple[str, str]]] | None:
    """The personal values of facts; an empty text is a fact without."""
    try:
        fields = iter(_decode(f"[{','.join(filter(None, texts))}]"))
    except (ValueError, RecursionError):
        return None
    held = [_plain_pairs(next(fields)) if text else NOTHING_PERSONAL for text in texts]
    return None if None in held else held  # type: ignore[return-value]  # just looked for


def _plain_pairs(fields: Mapping[str, Any]) -> Mapping[str, tuple[str, str]] | None:
    """As `_personal`, for texts that were read without escapes; None for anything else."""
    held = {name: tuple(pair) for name, pair in fields.items() if type(pair) is list}
    for name, pair in held.items():
        if tuple(map(type, pair)) != _TWO_TEXTS or len(name) > 64 or len(pair[0]) > 128 or len(pair[1]) > 4096:
            return None
    return held if len(held) == len(fields) <= MAX_PERSONAL else None


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
        held[text_of(name, where, 64)] = (text_of(pair[0], where, 128), text_of(pair[1], where, 4096))
    return held
