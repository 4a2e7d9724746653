"""What every scale's codec offers: readings out of bytes, in whole grams. No protocol of any maker, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_GRAMS = 10_000_000  # 10 t; a village scale ends at 300 kg, a weighbridge is another trade
_EXPONENT = {"g": 0, "kg": 3, "t": 6}
UNITS = tuple(_EXPONENT)


@dataclass(frozen=True, slots=True)
class Reading:
    """One weight as the scale sent it. A scale that cannot tell one of the flags leaves it False."""

    grams: int
    is_moving: bool = False
    is_net: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """A frame that is right and yet no weight for us: a foreign unit, an expanded range. `why` is for the log."""

    why: str


Event = Reading | Unfit


class ScaleWire(Protocol):
    """A codec with its half-read frame."""

    poll: bytes  # the question that brings one reading; empty for a scale that streams
    rejected: int  # bytes that belonged to no frame

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """Take bytes as they come, also from the middle of a frame, and return the readings completed by them."""

    def reset(self) -> None:
        """Forget a half frame."""


def in_grams(digits: int, places: int, unit: str) -> int | None:
    """Turn `digits` with so many decimal places into grams, half a gram away from zero; None beyond MAX_GRAMS.

    Errors: KeyError for a unit that is not one of UNITS (a bug of the caller).
    """
    shift = _EXPONENT[unit] - places
    power: int = 10 ** abs(shift)
    size = abs(digits) * power if shift >= 0 else (2 * abs(digits) + power) // (2 * power)
    if size > MAX_GRAMS:
        return None
    return size if digits >= 0 else -size
