"""The part of the table of device kinds that stands at the counter: scales, price displays, printer. Opens nothing."""

from __future__ import annotations

from drivers.base import Clock, Device
from drivers.kinds import DeviceSettings, Kind, Option, Options, link_for
from drivers.mistakes import Unfit, unfit
from drivers.panel import PanelDisplay, PanelTiming
from drivers.printer import SlipPrinter
from drivers.scale import Rhythm, SerialScale
from drivers.settling import Rest
from drivers.speaker import SCHEME, AlsaSpeaker
from drivers.wire import alpha, armfly, cd5220, equals, escpos, led8, toledo, yaohua_a9, yaohua_a12
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


def _led8(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    return PanelDisplay(link_for(settings, led8.BAUD, options), led8.Led8(str(options["lamp_form"])))


def _cd5220(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    return PanelDisplay(link_for(settings, cd5220.BAUD, options), cd5220.Cd5220(int(options["brightness"])))


def _alpha(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    sign = alpha.Sign(
        address=f"{int(options['address']):02X}",
        columns=int(options["columns"]),
        has_check=bool(options["has_check"]),
        is_even=options["parity"] == "even",
        pause_ms=int(options["pause_ms"]),
        start_pause_ms=int(options["start_pause_ms"]),
        answers=bool(options["answers"]),
    )
    timing = PanelTiming(refresh_s=SIGN_REFRESH_S, reply_s=SIGN_REPLY_S)
    return PanelDisplay(link_for(settings, alpha.BAUD, options), alpha.Alpha(sign), timing)


def _armfly(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    make = armfly.ArmflyAscii if options["form"] == "ascii" else armfly.ArmflyModbus
    return PanelDisplay(link_for(settings, armfly.BAUD, options), make(int(options["unit"]), int(options["digits"])))


def _escpos(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    form = escpos.Form(
        dots=DOTS[str(options["paper"])],
        charset=str(options["charset"]),
        has_knife=bool(options["has_knife"]),
        draws_qr=options["qr"] == "command",
    )
    return SlipPrinter(link_for(settings, escpos.BAUD, options), form)


def _speaker(settings: DeviceSettings, options: Options, clock: Clock) -> Device:  # noqa: ARG001
    if not settings.path.startswith(SCHEME):
        raise Unfit(unfit("path", "alsa_path"))
    return AlsaSpeaker(settings.name, settings.path.removeprefix(SCHEME))


DOTS = {"58mm": 384, "80mm": 576}
SIGN_REFRESH_S = 60.0  # a moving text begins anew each time it is written
SIGN_REPLY_S = 2.0  # 170 bytes at 1200 baud, the slowest a sign finds
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
    "led8": Kind(_led8, {"lamp_form": Option(led8.LAMP_FORMS[0], choice=led8.LAMP_FORMS)}, led8.BAUD),
    "cd5220": Kind(
        _cd5220, {"brightness": Option(cd5220.BRIGHTNESS[-1], cd5220.BRIGHTNESS[0], cd5220.BRIGHTNESS[-1])}, cd5220.BAUD
    ),
    "alpha": Kind(
        _alpha,
        {
            "address": Option(0, 0, 0xFF),  # 0: all signs
            "columns": Option(16, 1, 80),
            "has_check": Option(True),
            "parity": Option("even", choice=("even", "none")),
            "pause_ms": Option(100, 0, 2000),
            "start_pause_ms": Option(0, 0, 2000),
            "answers": Option(False),
        },
        alpha.BAUD,
    ),
    "armfly": Kind(
        _armfly,
        {
            "form": Option(armfly.FORMS[0], choice=tuple(armfly.FORMS)),
            "unit": Option(1, armfly.UNITS[0], armfly.UNITS[-1]),
            "digits": Option(4, 1, 8),
            "echo": Option(False),
        },
        armfly.BAUD,
    ),
    "alsa_speaker": Kind(_speaker, {}, None, ("alsa",)),
    "escpos": Kind(
        _escpos,
        {
            "paper": Option("58mm", choice=tuple(DOTS)),
            "charset": Option(escpos.CHARSETS[0], choice=escpos.CHARSETS),
            "has_knife": Option(True),
            "qr": Option("command", choice=("command", "picture")),
        },
        escpos.BAUD,
        ("tcp", "usb", "file"),
    ),
}
