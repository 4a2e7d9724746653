"""The `=` stream of many platform scales: numbers sent last digit first between equals signs. No I/O.

Neither check nor unit nor flag. The unit is the kilogram. A negative weight has its minus last on the wire, from
memory of the manual alone: whatever else stands in a segment makes it no reading.
Source: one program and the rule it states; vectors in tests/drivers/wire/test_scales.py.
"""

from __future__ import annotations

import re

from drivers.wire.scale import Event, Reading, Unfit, in_grams

BAUD = 9600

_MARK = ord("=")
_LONGEST = 16
_SEGMENT = re.compile(rb"([0-9.]{6}|[0-9.]{5}-)(-?)\s*(?:\(?([a-z]{2})\)?)?\s*")
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d{0,4}))?")


class Equals:
    """The codec. A segment counts only between two marks, so a stream joined in the middle harms nothing."""

    poll = b""

    def __init__(self) -> None:
        self.rejected = 0
        self._segment = bytearray()
        self._is_inside = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take bytes as they come and return the readings completed by them."""
        events: list[Event] = []
        for byte in chunk:
            if byte == _MARK:
                self._take(bytes(self._segment), events)
                self._is_inside = True
            elif not self._is_inside:
                self.rejected += 1
            elif len(self._segment) == _LONGEST:
                self.reset()
            else:
                self._segment.append(byte)
        return events

    def reset(self) -> None:
        """Forget a half segment."""
        self.rejected += len(self._segment)
        self._segment.clear()
        self._is_inside = False

    def _take(self, segment: bytes, events: list[Event]) -> None:
        self._segment.clear()
        event = _read(segment)
        if event is not None:
            events.append(event)
        else:
            self.rejected += len(segment)


def segment(text: str) -> bytes:
    """Write a value of six signs, or a minus and six, as the scale does (for simulators)."""
    return b"=" + text[::-1].encode()


def _read(segment: bytes) -> Event | None:
    parts = _SEGMENT.fullmatch(segment)
    if parts is None:
        return None
    if parts[3] not in (None, b"kg"):
        return Unfit(f"weighs in {parts[3].decode()}")
    number = _NUMBER.fullmatch((parts[1] + parts[2]).decode()[::-1])
    if number is None:
        return None
    part = number[3] or ""
    grams = in_grams(int(number[1] + number[2] + part), len(part), "kg")
    return None if grams is None else Reading(grams)
