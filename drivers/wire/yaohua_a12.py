"""Yaohua XK3190-A12 text lines (and of its relatives) to readings. No I/O.

A line carries no check: a damaged digit is a digit. Only equal readings in a row (drivers/scale.py) prove a weight.
Source: one program for the instrument with two lines as sent; vectors in tests/drivers/wire/test_scales.py.
"""

from __future__ import annotations

import re

from drivers.wire.scale import Event, Reading, Unfit, in_grams

BAUD = 9600
READ = b"R"  # T and Z tare and zero, and are never sent; the source shows no line end

_LONGEST = 24  # "ww-000000.0000kg" and room for spaces
_LINE = re.compile(rb"w([wnt])([+-]?) *(\d{1,7})(?:\.(\d{0,4}))? *([a-z]{1,3})")


class A12:
    """The codec. With `asks` the instrument is asked for each line, else it streams."""

    def __init__(self, asks: bool = False) -> None:
        self.poll = READ if asks else b""
        self.rejected = 0
        self._line = bytearray()
        self._is_whole = False  # whether the line was seen from its beginning

    def feed(self, chunk: bytes) -> list[Event]:
        """Take bytes as they come and return the readings completed by them."""
        events: list[Event] = []
        for byte in chunk:
            if byte in b"\r\n":
                self._take(bytes(self._line), events)
                self._is_whole = True
            elif len(self._line) == _LONGEST:
                self.reset()
            else:
                self._line.append(byte)
        return events

    def reset(self) -> None:
        """Forget a half line, and what comes up to the next line end."""
        self.rejected += len(self._line)
        self._line.clear()
        self._is_whole = False

    def _take(self, line: bytes, events: list[Event]) -> None:
        self._line.clear()
        parts = _LINE.fullmatch(line) if self._is_whole else None
        if parts is None:
            self.rejected += len(line)
            return
        kind, sign, whole, part, unit = (each.decode() for each in parts.groups(b""))
        if unit not in ("kg", "g"):
            events.append(Unfit(f"weighs in {unit}"))
        elif kind != "t":  # the tare is told beside the weight
            grams = in_grams(int(f"{sign}{whole}{part}"), len(part), unit)
            if grams is not None:
                events.append(Reading(grams, is_net=kind == "n"))


def line(value: str, kind: str = "w", unit: str = "kg") -> bytes:
    """Write a line as the instrument does (for simulators)."""
    return f"w{kind}{value}{unit}\r\n".encode()
