"""Words with a running QEMU over its machine protocol: keys, touches, the screen, plugs, the network cable.

Keys go through the emulated USB keyboard and touches through the emulated tablet, as a gun and a finger do.
"""

from __future__ import annotations

import json
import socket
import string
import time
from pathlib import Path
from typing import Any

CONNECT_S = 15.0
ANSWER_S = 300.0  # a screen dump of an emulated board whose kiosk was starting took more than a minute
KEY_S = 0.03  # the emulated keyboard keeps 16 events, and the guest asks for them every 8 ms
TOUCH_S = 0.12  # how long a finger stays
AXIS = 0x7FFF

PLAIN = dict(zip("-=[]\\;'`,./ \n\t", (
    "minus equal bracket_left bracket_right backslash semicolon apostrophe grave_accent comma dot slash spc ret tab"
).split(), strict=True))  # fmt: skip
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', "1234567890-=[]\\;'`,./", strict=True))
CONTROL = {chr(number): chr(number + 96) for number in range(1, 27) if chr(number) not in "\n\t"} | {"\x1b": "esc"}


class QmpError(Exception):
    """QEMU refused an order, or does not answer."""


def keys_of(sign: str) -> list[str]:
    """The keys a keyboard gun presses for a sign, modifiers first. Errors: ValueError for a sign it cannot type."""
    if sign in string.digits or sign in string.ascii_lowercase:
        return [sign]
    if sign in string.ascii_uppercase:
        return ["shift", sign.lower()]
    if sign in PLAIN:
        return [PLAIN[sign]]
    if sign in SHIFTED:
        return ["shift", *keys_of(SHIFTED[sign])]
    if sign == "\x1b":
        return ["esc"]
    if sign in CONTROL:
        return ["ctrl", CONTROL[sign]]
    raise ValueError(f"a keyboard gun cannot type {sign!r}")


class Qmp:
    """One connection. Errors: every call raises QmpError when QEMU refuses or is gone."""

    def __init__(self, path: Path) -> None:
        self._socket = _connect(path)
        self._lines = self._socket.makefile("rwb")
        self.events: list[str] = []  # names of what QEMU told by itself, newest last
        self._line()
        self.ask("qmp_capabilities")

    def ask(self, order: str, **arguments: Any) -> Any:
        """Give an order and tell the answer."""
        try:
            self._lines.write(json.dumps({"execute": order, "arguments": arguments}).encode() + b"\n")
            self._lines.flush()
            while True:
                said = self._line()
                if "event" in said:
                    self.events = [*self.events[-99:], said["event"]]
                elif "error" in said:
                    raise QmpError(f"{order}: {said['error'].get('desc')}")
                elif "return" in said:
                    return said["return"]
        except OSError as error:
            raise QmpError(f"{order}: QEMU does not answer: {error}") from error

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    # -- keyboard

    def press(self, *keys: str) -> None:
        """Hold these keys together, then let go: ("ctrl", "alt", "f2")."""
        self._keys(keys, down=True)
        time.sleep(KEY_S)
        self._keys(tuple(reversed(keys)), down=False)
        time.sleep(KEY_S)

    def scan(self, text: str, end: str = "\n") -> None:
        """Type as a gun in keyboard mode does. Errors: ValueError."""
        for sign in text + end:
            self.press(*keys_of(sign))

    # -- finger and eye

    def touch(self, across: float, down: float) -> None:
        """Touch a place, in shares of the screen from its upper left corner, and let go."""
        for is_down in (True, False):
            place = [
                {"type": "abs", "data": {"axis": axis, "value": round(share * AXIS)}}
                for axis, share in (("x", across), ("y", down))
            ]
            self.ask("input-send-event", events=place)
            button = {"type": "btn", "data": {"button": "left", "down": is_down}}
            self.ask("input-send-event", events=[button])
            time.sleep(TOUCH_S)

    def shot(self, to: Path) -> Path:
        """Write the screen as PNG, as a person before it sees it."""
        to.unlink(missing_ok=True)
        self.ask("screendump", filename=str(to.absolute()), format="png")
        return to

    # -- plugs and cables

    def unplug(self, device: str) -> None:
        """Pull a device out; returns when it is gone. Errors: QmpError after ten seconds."""
        self.ask("device_del", id=device)
        deadline = time.monotonic() + 10
        while any(each["name"] == device for each in self.ask("qom-list", path="/machine/peripheral")):
            if time.monotonic() > deadline:
                raise QmpError(f"{device} is still there")
            time.sleep(0.1)

    def plug(self, driver: str, device: str, **properties: Any) -> None:
        """Put a device in."""
        self.ask("device_add", driver=driver, id=device, **properties)

    def cable(self, name: str, *, is_in: bool) -> None:
        """Pull the network cable or put it back."""
        self.ask("set_link", name=name, up=is_in)

    # -- inside

    def _keys(self, keys: tuple[str, ...], *, down: bool) -> None:
        events = [{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}} for key in keys]
        self.ask("input-send-event", events=events)

    def _line(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise QmpError("QEMU closed the line")
        said: dict[str, Any] = json.loads(line)
        return said


def _connect(path: Path) -> socket.socket:
    deadline = time.monotonic() + CONNECT_S
    while True:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(ANSWER_S)
        try:
            line.connect(str(path))
        except OSError as error:
            line.close()
            if time.monotonic() > deadline:
                raise QmpError(f"no QEMU answers at {path}") from error
            time.sleep(0.05)
        else:
            return line
