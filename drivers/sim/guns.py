"""The simulated guns by their kind in the bench's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.sim.command_guns import HoneywellGun, NewlandGun
from drivers.sim.device import SimDevice
from drivers.sim.memory import GunMemory
from drivers.sim.scanner import Gun
from drivers.sim.ssi_gun import Layout, SsiGun

Maker = tuple[Callable[[Mapping[str, object]], SimDevice], Mapping[str, type]]


def _with_memory(make: Callable[..., SimDevice]) -> Callable[[Mapping[str, object]], SimDevice]:
    def made(values: Mapping[str, object]) -> SimDevice:
        memory = GunMemory(**{key: value for key, value in values.items() if key in _MEMORY})  # type: ignore[arg-type]
        return make(memory=memory, **{key: value for key, value in values.items() if key not in _MEMORY})

    return made


_MEMORY: Mapping[str, type] = {"pace_ms": int, "keeps": bool, "wraps": bool}
_LINES: Mapping[str, type] = {"terminator": str, "prefixes": str}
GUNS: dict[str, Maker] = {
    "serial_scanner": (_with_memory(Gun), {**_LINES, **_MEMORY}),
    "newland_scanner": (_with_memory(NewlandGun), {**_LINES, **_MEMORY}),
    "honeywell_scanner": (_with_memory(HoneywellGun), {**_LINES, **_MEMORY}),
    "ssi_scanner": (_with_memory(SsiGun), {"layout": Layout, **_MEMORY}),
}
