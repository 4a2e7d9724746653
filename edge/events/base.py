"""What all facts share: the base class, the encoded form, and the error of a body that is not of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from edge.model import AccountNo, Address, Name, Phone, PickupCode, PickupToken

PERSONAL = (Phone, Name, Address, AccountNo, PickupCode, PickupToken)
DIGESTS = "~"  # key of the digests inside a body


class BadFact(ValueError):
    """A body that is not of its kind: missing field, wrong type, digest that does not fit."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts. `kind` is `name.version`."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A fact on its way: kind, canonical JSON body, and field -> (salt hex, value) of the personal fields."""

    kind: str
    body: str
    personal: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UnknownFact(Fact):
    """A fact of a kind this release does not know. Kept, passed on, never guessed at."""

    name: str
    body: str
