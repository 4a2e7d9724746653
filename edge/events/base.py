"""What all facts share: the base class, the encoded form, and the error of a body that is not of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from edge.model import AccountNo, Address, Name, Phone, PickupCode, PickupToken
from edge.typed_json import Struct

PERSONAL = (Phone, Name, Address, AccountNo, PickupCode, PickupToken)
DIGESTS = "~"  # key of the digests inside a body


class BadFact(ValueError):
    """A body that is not of its kind: missing field, wrong type, digest that does not fit."""


class Fact(Struct, frozen=True, gc=False):
    """Base of all facts. `kind` is `name.version`. A shape of edge/typed_json.py: a hub makes thousands a second."""

    kind: ClassVar[str] = ""


class Encoded(NamedTuple):
    """A fact on its way: kind, canonical JSON body, and field -> (salt hex, value) of the personal fields."""

    kind: str
    body: str
    personal: Mapping[str, tuple[str, str]]


class UnknownFact(Fact, frozen=True):
    """A fact of a kind this release does not know. Kept, passed on, never guessed at."""

    name: str
    body: str
