"""The part of the table of device kinds that stands at the counter: scales, price displays, printer. Opens nothing."""

from __future__ import annotations

from drivers.base import Clock, Device
from drivers.kinds import DeviceSettings, Kind, Option, Options, link_for
from drivers.scale import Rhythm, SerialScale
from drivers.settling import Rest
from drivers.wire import equals, toledo, yaohua_a9, yaohua_a12
from drivers.wire.scale import UNITS, ScaleWire


def _scale(wire: ScaleWire, settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    rest = Rest(empty_g=int(options["empty_g"]))
    return SerialScale(link_for(settings, yaohua_a9.BAUD, options), wire, clock, Rhythm(rest=rest))


def _a9(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    address = str(options["address"]) if options["mode"] == "command" else ""
    wire = yaohua_a9.A9(str(options["unit"]), address, bool(options["asks_net"]))
    return _scale(wire, settings, options, clock)


def _a12(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return _scale(yaohua_a12.A12(options["mode"] == "command"), settings, options, clock)


def _equals(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return _scale(equals.Equals(), settings, options, clock)


def _toledo(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    return _scale(toledo.Toledo(bool(options["has_check"])), settings, options, clock)


_EMPTY = {"empty_g": Option(Rest().empty_g, 0, 1000)}
_MODE = {"mode": Option("stream", choice=("stream", "command"))}
COUNTER_KINDS: dict[str, Kind] = {
    "yaohua_a9": Kind(
        _a9,
        {
            "unit": Option("kg", choice=UNITS),  # the frame names none
            "address": Option("A", choice=yaohua_a9.ADDRESSES),
            "asks_net": Option(False),
        }
        | _MODE
        | _EMPTY,
        yaohua_a9.BAUD,
    ),
    "yaohua_a12": Kind(_a12, _MODE | _EMPTY, yaohua_a12.BAUD),
    "scale_equals": Kind(_equals, _EMPTY, equals.BAUD),
    "toledo": Kind(_toledo, {"has_check": Option(True)} | _EMPTY, toledo.BAUD),
}
