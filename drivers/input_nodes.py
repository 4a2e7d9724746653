"""The kernel's input devices: find the nodes of a scanner, take them for us alone, or listen to all that type.

The only file that knows the input library, and it is loaded only when a node is opened. What keys mean is in
drivers/wire/keys.py.
"""

from __future__ import annotations

import fcntl
import re
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from drivers.enrol import Node
from drivers.faults import Fault
from drivers.mistakes import Unfit, unfit
from drivers.port_faults import of_port

EVIOCSCLOCKID = 0x400445A0  # Linux input.h: _IOW('E', 0xa0, int)
KEY_ENTER = 28
UsbId = tuple[int, int]  # vendor, product


class InputEvent(Protocol):
    """What the input library yields."""

    sec: int
    usec: int
    type: int
    code: int
    value: int


class InputSource(Protocol):
    """One open input device."""

    fd: int

    def read(self) -> Iterable[InputEvent]:
        """Events that wait, at most 64. Errors: BlockingIOError for none, OSError when the device is gone."""

    def close(self) -> None:
        """Give the device back; ends a grab."""


@dataclass(frozen=True, slots=True)
class Grabbed:
    """All nodes of one scanner, taken for us alone: the one that types, and the others (media keys, power keys).

    `has_twin`: an equal device is there and the place names the device, not the port, so either may be taken.
    """

    keyboard: InputSource
    others: Sequence[InputSource] = ()
    has_twin: bool = False

    def close(self) -> None:
        """Give all of them back."""
        for source in (self.keyboard, *self.others):
            source.close()


def grab_nodes(where: str, usb_id: UsbId | None = None) -> Grabbed:
    """Open and grab every node of the scanner at this place.

    `where` is a path (best a /dev/input/by-path link, which names the port and not the stick) or a `phys` string such
    as "usb-0000:01:00.0-1.2/input0". All nodes with the same text before "/inputN" belong to it. With `usb_id` nothing
    else is taken, so that a keyboard in the scanner's port stays a keyboard.
    Errors: OSError, LookupError when there is no such place or device, ImportError without the input library.
    """
    import evdev  # loaded late: a point with serial scanners does without it

    wanted = str(Path(where).resolve(strict=True)) if where.startswith("/") else None
    opened: list[Any] = []
    try:
        opened.extend(evdev.InputDevice(path, readonly=True) for path in evdev.list_devices(writable=False))
        phys = where if wanted is None else next((each.phys for each in opened if each.path == wanted), "")
        grabbed = _taken(opened, phys.partition("/input")[0], wanted, usb_id)
        return replace(grabbed, has_twin="/by-id/" in where and _has_twin(opened, grabbed.keyboard))
    except BaseException:
        for each in opened:
            each.close()
        raise


def _taken(opened: list[Any], prefix: str, wanted: str | None, usb_id: UsbId | None = None) -> Grabbed:
    """Grab what belongs together and close the rest."""
    ours = [each for each in opened if prefix and each.phys.partition("/input")[0] == prefix]
    typing = [each for each in ours if each.path == wanted or (wanted is None and _types(each))]
    if not typing:
        raise LookupError("no such input device")
    if usb_id is not None and (typing[0].info.vendor, typing[0].info.product) != usb_id:
        found = f"{typing[0].info.vendor:04x}:{typing[0].info.product:04x}"
        raise OtherDevice(f"the device there is {found}, not the scanner")
    for each in opened:
        if each in ours:
            take(each)
        else:
            each.close()
    return Grabbed(typing[0], [each for each in ours if each is not typing[0]])


class OtherDevice(LookupError):
    """Another device than the settings name is in this port."""


def fault_of(error: Exception) -> Fault:
    """Tell what an error of `grab_nodes` means."""
    if isinstance(error, ImportError):
        return Fault.NO_LIBRARY
    if isinstance(error, LookupError):
        return Fault.OTHER_DEVICE if isinstance(error, OtherDevice) else Fault.NO_PORT
    return of_port(error)


def keyboards() -> list[tuple[Node, InputSource]]:
    """Open every node that types, without taking it. Errors: OSError, ImportError without the input library."""
    import evdev

    found: list[tuple[Node, InputSource]] = []
    try:
        for path in evdev.list_devices(writable=False):
            device = evdev.InputDevice(path, readonly=True)
            found.append((Node(path, device.name, device.phys, device.info.vendor, device.info.product), device))
            if _types(device):
                _stamp_monotonic(device)
            else:
                found.pop()[1].close()
    except OSError:
        for _, source in found:
            source.close()
        raise
    return found


def _has_twin(opened: Sequence[Any], taken: Any) -> bool:
    """Whether another device of the same vendor and product is there, in another port."""

    def port(device: Any) -> str:
        return str(device.phys).partition("/input")[0]

    same = [each for each in opened if (each.info.vendor, each.info.product) == (taken.info.vendor, taken.info.product)]
    return any(port(each) != port(taken) for each in same)


def read_usb_id(text: str) -> UsbId | None:
    """Read "05e0:1200"; None for an empty text. Errors: Unfit."""
    if not text:
        return None
    found = re.fullmatch(r"([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})", text)
    if found is None:
        raise Unfit(unfit("usb_id", "usb_id"))
    return int(found[1], 16), int(found[2], 16)


def take(device: Any) -> None:
    """Grab one node at once, then switch its clock to monotonic time, which empties its queue."""
    device.grab()
    _stamp_monotonic(device)


def _stamp_monotonic(device: Any) -> None:
    fcntl.ioctl(device.fd, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))


def _types(device: Any) -> bool:
    return KEY_ENTER in device.capabilities().get(1, ())


def monotonic_ms() -> int:
    """Milliseconds on the clock that stamps keys."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000  # the base the kernel stamps our keys with
