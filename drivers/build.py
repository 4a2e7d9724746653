"""Settings to devices: the one table from a kind's name to its driver. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Mapping

from drivers import daylight
from drivers.base import Clock, Device
from drivers.counter_kinds import COUNTER_KINDS
from drivers.display import LedDisplay, Panel
from drivers.kinds import DeviceSettings, Kind, Option, Options, link_for
from drivers.lock_kinds import LOCK_KINDS
from drivers.mistakes import Unfit, Wrong, unfit
from drivers.scanner_kinds import SCANNER_KINDS
from drivers.wire import onbon
from drivers.wire.prefixes import read_prefixes

__all__ = ["KINDS", "DeviceSettings", "Options", "build", "guns_of"]


def build(settings: DeviceSettings, clock: Clock) -> Device:
    """Make a device from its settings. Errors: Unfit with every mistake."""
    kind = KINDS.get(settings.kind)
    if kind is None:
        raise Unfit(unfit("kind", "one_of", choices=tuple(sorted(KINDS))))
    wrong = _wrong(settings, kind)
    if wrong:
        raise Unfit(*wrong)
    options = {key: option.default for key, option in kind.options.items()} | dict(settings.options)
    try:
        return kind.make(settings, options, clock)
    except Unfit:
        raise
    except ValueError as error:  # what a codec says for itself
        raise Unfit(unfit("", "driver", said=str(error))) from error


def guns_of(settings: DeviceSettings) -> tuple[str, ...]:
    """Name the guns of a scanner as their reads do: the scanner itself, or each gun behind its dongle."""
    guns = read_prefixes(str(settings.options.get("prefixes", ""))).guns
    return tuple(f"{settings.name}/{gun}" for gun in guns) or (settings.name,)


def _wrong(settings: DeviceSettings, kind: Kind) -> list[Wrong]:
    wrong = [] if settings.path else [unfit("path", "no_path")]
    if settings.baud is not None and (kind.baud is None or settings.baud <= 0):
        wrong.append(unfit("baud", "no_baud"))
    scheme = settings.path.partition("://")[0]
    if "://" in settings.path and scheme not in kind.schemes:
        wrong.append(unfit("path", "local_path", scheme=scheme))
    for key, value in settings.options.items():
        option = kind.options.get(key)
        if option is None:
            wrong.append(unfit(key, "no_option", options=tuple(sorted(kind.options))))
        elif (mistake := option.mistake(key, value)) is not None:
            wrong.append(mistake)
    return wrong


def _display(settings: DeviceSettings, options: Options, clock: Clock) -> Device:
    panel = Panel(
        width=int(options["width"]),
        height=int(options["height"]),
        screen=int(options["screen"]),
        device_type=int(options["device_type"]),
        brightness=daylight.read(str(options["schedule"]) or f"00:00={options['brightness']}", onbon.MAX_BRIGHTNESS),
        in_pixels=bool(options["in_pixels"]),
    )
    return LedDisplay(link_for(settings, onbon.BAUD, options), panel, clock)


_ECHO = {"echo": Option(False)}
KINDS: Mapping[str, Kind] = (
    {
        "onbon": Kind(
            _display,
            {
                "width": Option(128, 16, 4096),
                "height": Option(32, 8, 1024),
                "screen": Option(1, 0, 0xFFFE),
                "device_type": Option(onbon.ANY_TYPE, 0, 0xFF),
                "brightness": Option(8, 0, onbon.MAX_BRIGHTNESS),
                "schedule": Option(""),  # "06:30=12 19:00=5 22:30=off" instead of one brightness
                "in_pixels": Option(True),
            }
            | _ECHO,
            onbon.BAUD,
            ("tcp",),
        ),
    }
    | COUNTER_KINDS
    | LOCK_KINDS
    | SCANNER_KINDS
)
