"""What time it is, for certificates, on a board whose clock may have stopped ten years ago. Pure.

The wall clock is believed until the hub says otherwise. The hub's word counts from the moment it was heard, carried on
by the monotonic clock; the machine's own clock is not set here, that is the system's and the technician's business.
"""

from __future__ import annotations

from collections.abc import Callable

WRONG_S = 600.0  # a clock this far off is told to the technician; networks and boards drift by less


class TrueTime:
    """`wall_s`: the machine's Unix seconds; `ms`: monotonic milliseconds."""

    def __init__(self, wall_s: Callable[[], float], ms: Callable[[], int]) -> None:
        self._wall_s = wall_s
        self._ms = ms
        self._heard: tuple[float, int] | None = None

    def now_s(self) -> float:
        """The best known Unix seconds."""
        if self._heard is None:
            return self._wall_s()
        at_s, at_ms = self._heard
        return at_s + (self._ms() - at_ms) / 1000

    def heard(self, hub_s: float) -> None:
        """Believe the hub: it is checked by its certificate, if not by the time in it."""
        self._heard = hub_s, self._ms()

    def heard_within(self, seconds: float) -> bool:
        """Whether the hub told its time so lately that it need not be asked again."""
        return self._heard is not None and self._ms() - self._heard[1] < 1000 * seconds

    def forget(self) -> None:
        """Believe the wall clock again, as after a start."""
        self._heard = None

    @property
    def wrong_by_s(self) -> float:
        """How far the machine's clock is ahead of the hub's (behind: negative); 0 when near, or never told."""
        ahead = self._wall_s() - self.now_s()
        return ahead if abs(ahead) >= WRONG_S else 0.0
