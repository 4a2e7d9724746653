"""The grid of the touch test: where its targets lie, which one a touch meant, and what all touches say. Pure.

Units: millimetres for places, from the lower left corner; tenths of a millimetre for misses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ui.viewmodels.technician_states import TouchGrid
from ui.viewmodels.wizard_states import WizardGrid

EDGE_MM = 8.0  # of the outer targets' middles: half a target and the frame of the panel
PITCH_MM = 40.0  # at most between two targets; a dead stripe of a panel is broader than what lies between two fingers
REACH_MM = 12.0  # a touch further from each target is a stray: no finger misses by more
DOUBLE_MS = 80  # no finger taps twice in this time
FAR_TENTHS = 35  # a mean miss beyond this needs calibration: keys have 3 mm between them
IDLE_MS = 20_000
CROSS = ((0.0, 1.0), (1.0, 1.0), (0.5, 0.5), (0.0, 0.0), (1.0, 0.0))  # in shares of the panel, from the top left on


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the test says. Tenths of a millimetre; `dead` are targets nobody could touch."""

    dead: tuple[int, ...]
    right: int
    up: int
    most: int

    @property
    def is_far(self) -> bool:
        """Whether all touches lie off to one side."""
        return max(abs(self.right), abs(self.up)) > FAR_TENTHS


def grid(width_mm: float, height_mm: float, scale: float = 1.0) -> TouchGrid:
    """Make a fresh grid for a panel."""
    return TouchGrid(_count(width_mm, scale), _count(height_mm, scale))


def cross() -> WizardGrid:
    """Make a fresh grid of the corners and the middle."""
    return WizardGrid(len(CROSS), 1, is_cross=True)


def places(state: TouchGrid, width_mm: float, height_mm: float) -> list[tuple[float, float]]:
    """Return the middle of each target."""
    if state.is_cross:
        wide, high = width_mm - 2 * EDGE_MM, height_mm - 2 * EDGE_MM
        return [(EDGE_MM + x * wide, EDGE_MM + y * high) for x, y in CROSS]
    across = _spread(state.columns, width_mm)
    down = _spread(state.rows, height_mm)
    return [(x, height_mm - y) for y in down for x in across]


def touched(state: TouchGrid, spot: tuple[float, float], since_ms: int, panel: tuple[float, float]) -> TouchGrid:
    """Return the grid after a touch; `since_ms` since the touch before it."""
    if since_ms < DOUBLE_MS:
        return replace(state, doubles=min(999, state.doubles + 1))
    at = places(state, *panel)
    near = min(range(len(at)), key=lambda i: (at[i][0] - spot[0]) ** 2 + (at[i][1] - spot[1]) ** 2)
    right, up = round(10 * (spot[0] - at[near][0])), round(10 * (spot[1] - at[near][1]))
    if right**2 + up**2 > (10 * REACH_MM) ** 2:
        return replace(state, strays=min(999, state.strays + 1))
    others = tuple(hit for hit in state.hits if hit[0] != near)
    return replace(state, hits=(*others, (near, right, up)))


def is_done(state: TouchGrid) -> bool:
    return len(state.hits) == state.columns * state.rows


def judged(state: TouchGrid) -> Judgement:
    """Sum the touches up."""
    met = {hit[0] for hit in state.hits}
    dead = tuple(i for i in range(state.columns * state.rows) if i not in met)
    if not state.hits:
        return Judgement(dead, 0, 0, 0)
    count = len(state.hits)
    most = max(round((right**2 + up**2) ** 0.5) for _, right, up in state.hits)
    right, up = (round(sum(hit[axis] for hit in state.hits) / count) for axis in (1, 2))
    return Judgement(dead, right, up, most)


def _count(length_mm: float, scale: float) -> int:
    return max(3, 1 + round((length_mm - 2 * EDGE_MM) / (PITCH_MM * scale)))


def _spread(count: int, length_mm: float) -> list[float]:
    return [EDGE_MM + i * (length_mm - 2 * EDGE_MM) / (count - 1) for i in range(count)]
