"""The simulated devices of the counter by their kind in the bench's settings: scales, displays, printer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.sim.device import SimDevice
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim
from drivers.sim.printer import Receipts
from drivers.sim.scale import Build, PanScale, Talk

Maker = tuple[Callable[[Mapping[str, object]], SimDevice], Mapping[str, type]]


def _scale(talk: Talk) -> Callable[[Mapping[str, object]], SimDevice]:
    return lambda values: PanScale(Build(**{"talk": talk, **values}))  # type: ignore[arg-type]  # checked before


def _of(sim: Callable[..., SimDevice]) -> Callable[[Mapping[str, object]], SimDevice]:
    return lambda values: sim(**values)


_SCALE = {"talk": Talk, "rate": int, "places": int, "division_g": int, "capacity_g": int, "address": str}
_SCALES: dict[str, Maker] = {
    talk.value: (_scale(talk), _SCALE) for talk in (Talk.A9, Talk.A12, Talk.EQUALS, Talk.TOLEDO)
}
COUNTER: dict[str, Maker] = {
    **_SCALES,
    "led8": (_of(Led8Sim), {"lamp_form": str}),
    "cd5220": (_of(Cd5220Sim), {}),
    "alpha": (_of(AlphaSim), {"is_even": bool}),
    "escpos": (_of(Receipts), {"answers": bool, "confirms": bool}),
    "armfly": (_of(ArmflySim), {"unit": int, "digits": int, "form": str}),
}
