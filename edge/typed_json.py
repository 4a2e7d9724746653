"""JSON text read straight into typed shapes, or not at all: the quick way of whoever reads a lot of it. Pure.

The only import of msgspec. What does not fit raises one of REFUSED and nothing else; the slow way that every caller has
besides finds out what is wrong and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, Union

from msgspec import UNSET, Meta, MsgspecError, Raw, Struct, UnsetType, defstruct
from msgspec.json import Decoder, Encoder
from msgspec.structs import astuple
from msgspec.structs import replace as changed

__all__ = [
    "REFUSED",
    "Absent",
    "Raw",
    "Struct",
    "changed",
    "is_plain_and_sorted",
    "reader",
    "sorted_text",
    "values_reader",
]

# Bytes that are no UTF-8 inside a `Raw` are found when it is decoded; nesting without end is a RecursionError.
REFUSED = (MsgspecError, UnicodeError, RecursionError)
T = TypeVar("T")
Absent = UnsetType  # the type of a value that is not there
WHOLE = Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]

Plain = str | WHOLE | bool | None
_read_plain = Decoder(dict[str, Plain | dict[str, Plain]]).decode
_write_sorted = Encoder(order="sorted").encode


def is_plain_and_sorted(text: str) -> bool:
    """Whether this is an object of texts, whole numbers, truths and objects of such, as `edge.events.canonical` writes.

    For a few other texts, numbers with a fraction among them, the two might differ: not plain.
    """
    try:
        return _write_sorted(_read_plain(text)) == text.encode()
    except REFUSED:
        return False


def sorted_text(value: Mapping[str, Any]) -> str:
    """Return the JSON text with sorted keys and no blanks. Bytes, times and sets get one too: the caller looks."""
    return _write_sorted(value).decode()


def reader(shape: type[T]) -> Callable[[bytes], T]:
    """Return what reads JSON bytes as this shape."""
    return Decoder(shape).decode


def values_reader(fields: Mapping[str, tuple[type, ...]]) -> Callable[[str], tuple[Any, ...]]:
    """Return what reads a JSON object as the values of these fields, in their order.

    A field whose types hold NoneType may be missing or null and is None then; one whose types hold Absent may be
    missing and is false then. An `int` is below 2**63 and no bool. Fields beyond these are passed over.
    """
    names = {f"f{number}": name for number, name in enumerate(fields)}
    shape = defstruct("Values", list(map(_member, names, fields.values())), rename=names, kw_only=True, gc=False)
    read = Decoder(shape).decode

    def values(text: str) -> tuple[Any, ...]:
        return astuple(read(text))

    return values


def _member(name: str, types: tuple[type, ...]) -> tuple[Any, ...]:
    member: Any = Union.__getitem__(tuple(WHOLE if each is int else each for each in types))
    if Absent in types:
        return name, member, UNSET
    return (name, member, None) if type(None) in types else (name, member)
