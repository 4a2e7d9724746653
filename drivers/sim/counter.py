"""The simulated devices of the counter by their kind in the bench's settings: scales, displays, printer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.sim.device import SimDevice
from drivers.sim.scale import Build, PanScale, Talk

Maker = tuple[Callable[[Mapping[str, object]], SimDevice], Mapping[str, type]]


def _scale(talk: Talk) -> Callable[[Mapping[str, object]], SimDevice]:
    return lambda values: PanScale(Build(**{"talk": talk, **values}))  # type: ignore[arg-type]  # checked before


_SCALE = {"talk": Talk, "rate": int, "places": int, "division_g": int, "capacity_g": int, "address": str}
COUNTER: dict[str, Maker] = {
    talk.value: (_scale(talk), _SCALE) for talk in (Talk.A9, Talk.A12, Talk.EQUALS, Talk.TOLEDO)
}
