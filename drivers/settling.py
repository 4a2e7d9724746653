"""When a load lies at rest, and whether it is another one than before. Pure: readings come in with their time.

No scale and no protocol here (drivers/scale.py). Weights here count from the tare.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.base import Weight


@dataclass(frozen=True, slots=True)
class Rest:
    """What counts as rest. Units: readings, milliseconds, grams."""

    equal: int = 5  # readings in a row; two damaged ones in a row are rarely alike, five never were
    span_ms: int = 300  # between the first and the last of them: a fast stream sends five in 60 ms, a hand takes longer
    stale_ms: int = 1000  # scales send several readings a second; one that was silent longer starts afresh
    empty_g: int = 20  # up to here the pan is empty: dust, a draught, two divisions of a 30 kg scale
    same_g: int = 20  # a load that creeps this little is the same
    empty_readings: int = 3  # in a row, until an empty pan is believed; a lifted hand takes half a second


class Settling:
    """Follows the readings of one scale."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._newest: Weight | None = None
        self._first_ms = 0
        self._equal = 0
        self._empty = 0
        self._was_emptied = True  # what lies there at the start is a load of its own
        self._load = 0
        self._load_g = 0

    def take(self, weight: Weight) -> None:
        """Add a reading."""
        last = self._newest
        is_next = last is not None and weight.at_ms - last.at_ms <= self._rest.stale_ms
        is_still = not weight.is_moving and not weight.is_over
        if last is None or not is_next or weight.grams != last.grams or not is_still:
            self._equal, self._first_ms = 0, weight.at_ms
        self._equal += is_still
        self._empty = self._empty + 1 if self.is_empty(weight) and (is_next or self._empty == 0) else 0
        self._was_emptied |= self._empty >= self._rest.empty_readings
        self._newest = weight

    def restart(self) -> None:
        """Begin to look for rest afresh, as after a change of tare. Loads are still told apart."""
        self._equal = self._empty = 0
        self._newest = None

    def fresh(self, now_ms: int) -> Weight | None:
        """The newest reading, None when it is too old to mean anything."""
        newest = self._newest
        return newest if newest is not None and now_ms - newest.at_ms <= self._rest.stale_ms else None

    def at_rest(self, now_ms: int) -> Weight | None:
        """The newest reading when the pan is at rest, loaded or empty; else None."""
        newest = self.fresh(now_ms)
        if newest is None or self._equal < self._rest.equal or newest.at_ms - self._first_ms < self._rest.span_ms:
            return None
        return newest

    def is_empty(self, weight: Weight) -> bool:
        """Whether nothing lies on the pan; a lifted box that was tared counts as nothing."""
        return weight.grams <= self._rest.empty_g and not weight.is_over

    def load(self, resting: Weight) -> int:
        """Number of the load that lies at rest now. The same load keeps its number."""
        if self._was_emptied or abs(resting.grams - self._load_g) > self._rest.same_g:
            self._load += 1
            self._load_g = resting.grams
            self._was_emptied = False
        return self._load
