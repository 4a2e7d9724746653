"""What the table of device kinds is made of: the settings of one device, its options, a kind.

The table itself is drivers/build.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivers.base import Clock, Device
from drivers.link import Link
from drivers.mistakes import Wrong, unfit
from drivers.ports import link_to

Scalar = str | int | float | bool
Options = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """One device as the settings file has it. `baud` None means the factory setting of the kind."""

    name: str
    kind: str
    path: str
    baud: int | None = None
    options: Options = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """What an option may be: a value of the default's type, within the range or the choice if there is one."""

    default: Scalar
    low: int | None = None
    high: int | None = None
    choice: tuple[Scalar, ...] = ()

    def mistake(self, key: str, value: object) -> Wrong | None:
        """Say what is wrong with a value; None when it is right."""
        fits = type(value) is type(self.default)
        if self.choice:
            choices = tuple(map(str, self.choice))
            return None if fits and value in self.choice else unfit(key, "one_of", choices=choices)
        if isinstance(self.default, bool):
            return None if fits else unfit(key, "flag")
        if self.low is not None and self.high is not None:
            fits = fits and self.low <= int(str(value)) <= self.high
            return None if fits else unfit(key, "whole", low=self.low, high=self.high)
        return None if fits else unfit(key, "quoted")


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the table."""

    make: Callable[[DeviceSettings, Options, Clock], Device]
    options: Mapping[str, Option]
    baud: int | None  # None: not on a serial line
    schemes: tuple[str, ...] = ()  # addresses that may stand for the serial port's path: tcp, usb, file


def link_for(settings: DeviceSettings, baud: int, options: Options) -> Link:
    """Make the link of a device. Errors: Unfit for an address that is none."""
    return link_to(settings.name, settings.path, settings.baud or baud, bool(options.get("echo", False)))
