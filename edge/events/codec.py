"""Facts to canonical bodies and back; personal values go beside the body. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from edge.chain import field_digest
from edge.events import batches, bills, commissioning, counter, doors, parcels, point, updates
from edge.events.base import DIGESTS, PERSONAL, BadFact, Encoded, Fact, UnknownFact
from edge.typed_json import REFUSED, Absent, sorted_text, values_reader

ROOMS = (parcels, doors, bills, point, counter, batches, updates, commissioning)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_decode_json = json.JSONDecoder().decode  # json.loads looks at its options first: a third of the time of a small body
MOST = 2**63  # whole numbers below it fit into a column
PLAIN = (str, int)  # what a field holds that is not personal; a truth is a whole number here
_NO_DIGESTS: dict[str, Any] = {}
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
    """Turn a fact into its body. Every personal field gets a fresh salt of 16 bytes from `new_salt`.

    Errors: TypeError for what strayed into a field, a personal value among it; nothing is written then.
    """
    body: dict[str, Any] = {}
    digests: dict[str, str] = {}
    personal: dict[str, tuple[str, str]] = {}
    for name, is_personal in _written(type(fact)):
        value = getattr(fact, name)
        if value is None:
            continue
        if is_personal:
            salt, text = new_salt(), value.plain()
            digests[name] = field_digest(salt, text)
            personal[name] = (salt.hex(), text)
        elif isinstance(value, PLAIN):
            body[name] = value
        else:
            raise TypeError(f"{fact.kind}: {name} is no JSON but {type(value).__name__}")
    if digests:
        body[DIGESTS] = digests
    return Encoded(fact.kind, sorted_text(body), personal)


def canonical(body: Mapping[str, Any]) -> str:
    """The one JSON text of a body: sorted keys, no blanks, no escapes beyond the needed. `encode` writes the same."""
    return _ENCODER.encode(body)


def _written(cls: type[Fact]) -> tuple[tuple[str, bool], ...]:
    """The fields as they stand in a body, each with whether it is personal."""
    written = _WRITTEN.get(cls)
    if written is None:
        shape = _shape(cls)
        written = _WRITTEN[cls] = tuple((name, name not in shape.plain) for name in sorted(shape.types))
    return written


def decode(encoded: Encoded) -> Fact:
    """Turn a body back into a fact. Erased personal fields come back as None.

    Errors: BadFact for a body that does not fit its kind. An unknown kind is no error: UnknownFact.
    A hub does this some ten thousand times a second, so what fits is read straight into its types.
    """
    cls = KINDS.get(encoded.kind)
    if cls is None:
        parse_body(encoded.body)
        return UnknownFact(encoded.kind, encoded.body)
    shape = _shape(cls)
    try:
        *values, digests = shape.read(encoded.body)
    except REFUSED:
        *values, digests = _read_slowly(cls, shape, parse_body(encoded.body))
    for at, name, kind in shape.personal:
        values.insert(at, _personal(name, kind, digests or _NO_DIGESTS, encoded.personal))
    return cls(*values)


def _read_slowly(cls: type[Fact], shape: _Shape, body: Mapping[str, Any]) -> list[Any]:
    """What `shape.read` returns, part by part. Errors: BadFact names the part."""
    values = [body.get(name) for name in shape.plain]
    for name, value in zip(shape.plain, values, strict=True):
        _check(cls, name, shape.types[name], value)
    return [*values, body.get(DIGESTS)]


def personal_of(cls: type[Fact]) -> list[tuple[str, Any]]:
    """The personal fields of a kind, each with the type that masks it."""
    return [(name, kind) for _, name, kind in _shape(cls).personal]


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


@dataclass(frozen=True, slots=True)
class _Shape:
    """The fields of a kind: those in the body, and at which place the personal.

    `read` reads a body: the values of `plain`, and the digests, if there are.
    """

    plain: tuple[str, ...]
    types: Mapping[str, tuple[type, ...]]
    personal: tuple[tuple[int, str, Any], ...]
    read: Callable[[str], tuple[Any, ...]]


_WRITTEN: dict[type[Fact], tuple[tuple[str, bool], ...]] = {}


_SHAPES: dict[type[Fact], _Shape] = {}


def _shape(cls: type[Fact]) -> _Shape:
    shape = _SHAPES.get(cls)
    if shape is None:
        shape = _SHAPES[cls] = _shape_of(cls)
    return shape


def _shape_of(cls: type[Fact]) -> _Shape:
    hints = get_type_hints(cls)
    types = {name: _members(hints[name]) for name in cls.__struct_fields__}
    masked = [(at, name, next((t for t in types[name] if t in PERSONAL), None)) for at, name in enumerate(types)]
    plain = tuple(name for _, name, kind in masked if kind is None)
    read = values_reader({**{name: types[name] for name in plain}, DIGESTS: (dict, Absent)})
    return _Shape(plain, types, tuple(each for each in masked if each[2] is not None), read)


def _members(hint: Any) -> tuple[type, ...]:
    return tuple(get_args(hint)) if get_origin(hint) is not None else (hint,)


def _check(cls: type[Fact], name: str, types: tuple[type, ...], value: Any) -> None:
    if value is None:
        if type(None) in types:
            return
        raise BadFact(f"{cls.kind}: {name} is missing")
    if type(value) not in types:  # bool is no int here
        raise BadFact(f"{cls.kind}: {name} has the wrong type {type(value).__name__}")
    if type(value) is int and not -MOST < value < MOST:
        raise BadFact(f"{cls.kind}: {name} is beyond all counting")


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
