"""Facts to canonical bodies and back; personal values go beside the body. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from json.encoder import encode_basestring as _quoted
from typing import Any, get_args, get_origin, get_type_hints

from edge.chain import field_digest
from edge.events import batches, bills, counter, doors, parcels, point, updates
from edge.events.base import DIGESTS, PERSONAL, BadFact, Encoded, Fact, UnknownFact

ROOMS = (parcels, doors, bills, point, counter, batches, updates)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_decode_json = json.JSONDecoder().decode  # json.loads looks at its options first: a third of the time of a small body
INTEGER_BITS = 64  # what a column holds, with its sign
KINDS: dict[str, type[Fact]] = {
    each.kind: each
    for room in ROOMS
    for each in vars(room).values()
    if isinstance(each, type) and issubclass(each, Fact) and each.kind
}


def name_of(fact: Fact) -> str:
    """Return the kind without its version: the word of the state tables."""
    return fact.kind.partition(".")[0]


def encode(fact: Fact, new_salt: Callable[[], bytes]) -> Encoded:
    """Turn a fact into its body. Every personal field gets a fresh salt of 16 bytes from `new_salt`."""
    parts: list[str] = []
    digests: list[str] = []
    personal: dict[str, tuple[str, str]] = {}
    for name, head, is_personal in _written(type(fact)):
        value = getattr(fact, name)
        if value is None:
            continue
        if is_personal:
            salt, text = new_salt(), value.plain()
            digests.append(f'{head}"{field_digest(salt, text)}"')
            personal[name] = (salt.hex(), text)
        else:  # a personal value that strayed here is no JSON: a TypeError, and nothing is written
            parts.append(head + (_quoted(value) if type(value) is str else _ENCODER.encode(value)))
    if digests:
        parts.append(f'"{DIGESTS}":{{{",".join(digests)}}}')
    return Encoded(fact.kind, f"{{{','.join(parts)}}}", personal)


def canonical(body: Mapping[str, Any]) -> str:
    """The one JSON text of a body: sorted keys, no blanks, no escapes beyond the needed. `encode` writes the same."""
    return _ENCODER.encode(body)


def _written(cls: type[Fact]) -> tuple[tuple[str, str, bool], ...]:
    """The fields as they stand in a body, each with its key and whether it is personal. `~` comes behind all names."""
    if cls not in _WRITTEN:
        shape = sorted(_shape(cls).items())
        _WRITTEN[cls] = tuple((name, f'"{name}":', personal is not None) for name, (_, personal) in shape)
    return _WRITTEN[cls]


def decode(encoded: Encoded) -> Fact:
    """Turn a body back into a fact. Erased personal fields come back as None.

    Errors: BadFact for a body that does not fit its kind. An unknown kind is no error: UnknownFact.
    """
    cls = KINDS.get(encoded.kind)
    body = parse_body(encoded.body)
    if cls is None:
        return UnknownFact(encoded.kind, encoded.body)
    digests = body.pop(DIGESTS, {})
    values: dict[str, Any] = {}
    for name, (types, personal) in _shape(cls).items():
        if personal is not None:
            values[name] = _personal(name, personal, digests, encoded.personal)
            continue
        value = body.get(name)  # a text, mostly: without a call, for a hub reads thousands of bodies a second
        values[name] = value if type(value) is str and str in types else _plain(cls, name, types, body)
    return cls(**values)


def parse_body(text: str) -> dict[str, Any]:
    """Parse a body. Errors: BadFact if it is no JSON object."""
    try:
        body = _decode_json(text)
    except (ValueError, RecursionError) as error:
        raise BadFact(f"body is no JSON: {type(error).__name__}") from error
    if not isinstance(body, dict):
        raise BadFact("body is no object")
    if not isinstance(body.get(DIGESTS, {}), dict):
        raise BadFact("digests are no object")
    return body


_SHAPES: dict[type[Fact], dict[str, tuple[tuple[type, ...], Any]]] = {}

_WRITTEN: dict[type[Fact], tuple[tuple[str, str, bool], ...]] = {}


def _shape(cls: type[Fact]) -> dict[str, tuple[tuple[type, ...], Any]]:
    """Return the types of each field, and the personal one among them or None."""
    if cls not in _SHAPES:
        hints = get_type_hints(cls)
        members = {f.name: _members(hints[f.name]) for f in fields(cls)}
        _SHAPES[cls] = {n: (types, next((t for t in types if t in PERSONAL), None)) for n, types in members.items()}
    return _SHAPES[cls]


def _members(hint: Any) -> tuple[type, ...]:
    return tuple(get_args(hint)) if get_origin(hint) is not None else (hint,)


def _plain(cls: type[Fact], name: str, types: tuple[type, ...], body: Mapping[str, Any]) -> Any:
    value = body.get(name)
    if value is None:
        if type(None) in types:
            return None
        raise BadFact(f"{cls.kind}: {name} is missing")
    if type(value) not in types:  # bool is no int here
        raise BadFact(f"{cls.kind}: {name} has the wrong type {type(value).__name__}")
    if isinstance(value, int) and value.bit_length() >= INTEGER_BITS:
        raise BadFact(f"{cls.kind}: {name} is beyond all counting")
    return value


def _personal(name: str, kind: Any, digests: Mapping[str, Any], personal: Mapping[str, tuple[str, str]]) -> Any:
    held = personal.get(name)
    if held is None:
        return None
    salt, value = held
    try:
        fits = field_digest(bytes.fromhex(salt), value) == digests.get(name)
    except ValueError as error:
        raise BadFact(f"{name}: salt is no hex") from error
    if not fits:
        raise BadFact(f"{name}: value does not fit its digest")
    return kind(value)
