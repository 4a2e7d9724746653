"""The simulated lock boards by their kind in the bench's settings."""

from __future__ import annotations

from drivers.sim.counter import Maker
from drivers.sim.kerong import Cu16Board, Cu16Cabinet, Cu48Board, Cu48Cabinet
from drivers.sim.lock_board import Cabinet, LockBoard, Reply
from drivers.sim.modbus_relay import RelayBoard, RelayCabinet
from drivers.sim.winnsen import WinnsenBoard, WinnsenCabinet
from drivers.sim.wkly import WklyBoard, WklyCabinet
from drivers.wire.kerong_cu48 import CommandSet, Layout
from drivers.wire.lock import Polarity

_WALLS = {"cells": int, "ways": int, "polarity": Polarity, "auto_close_s": float}
_FIRST = _WALLS | {"first": int}
# The values were checked one by one against the types beside them.
LOCKS: dict[str, Maker] = {
    "lock_8a80": (lambda values: LockBoard(Cabinet(**values)), _WALLS | {"reply": Reply}),  # type: ignore[arg-type]
    "kerong_cu16": (
        lambda values: Cu16Board(Cu16Cabinet(**values)),  # type: ignore[arg-type]
        _FIRST | {"answers_open": bool, "gets_busy": bool},
    ),
    "kerong_cu48": (
        lambda values: Cu48Board(Cu48Cabinet(**values)),  # type: ignore[arg-type]
        _FIRST | {"command_set": CommandSet, "layout": Layout, "answers_open": bool},
    ),
    "wkly": (
        lambda values: WklyBoard(WklyCabinet(**values)),  # type: ignore[arg-type]
        _FIRST | {"pushes": bool},
    ),
    "modbus_relay": (
        lambda values: RelayBoard(RelayCabinet(**values)),  # type: ignore[arg-type]
        _FIRST | {"has_flash": bool},
    ),
    "winnsen": (
        lambda values: WinnsenBoard(WinnsenCabinet(**values)),  # type: ignore[arg-type]
        _FIRST | {"cool_s": float},
    ),
}
