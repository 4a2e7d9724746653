"""Yaohua XK3190-A9 frames (and of its many copies) to readings: the stream, and the answers of command mode. No I/O.

The frame names no unit and no rest: the unit is a setting, rest is judged from repeated values (drivers/scale.py).
Source: two independent readers with three captures; command mode from one simulator of the maker's manual. Vectors in
tests/drivers/wire/test_scales.py.
"""

from __future__ import annotations

from drivers.wire.scale import Event, Reading, in_grams

BAUD = 9600  # 1200 was met as often; the instrument's menu has 600 to 9600
MAX_PLACES = 4
ADDRESSES = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

_START, _END = 0x02, 0x03
_LONGEST_BODY = 12  # address, command, sign, six digits, places, two of check
_STREAM_BODY = 10


class A9:
    """The codec. With an `address` the instrument is asked (its menu: tF=1), else it streams (tF=0)."""

    def __init__(self, unit: str = "kg", address: str = "", asks_net: bool = False) -> None:
        self.poll = question(address, "D" if asks_net else "B") if address else b""
        self.rejected = 0
        self._unit = unit
        self._address = address
        self._body = bytearray()
        self._is_inside = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take bytes as they come and return the readings completed by them."""
        events: list[Event] = []
        for byte in chunk:
            if byte == _START:
                self.reset()
                self._is_inside = True
            elif not self._is_inside:
                self.rejected += 1
            elif byte == _END:
                self._take(bytes(self._body), events)
            elif len(self._body) == _LONGEST_BODY:
                self.reset()
            else:
                self._body.append(byte)
        return events

    def reset(self) -> None:
        """Forget a half frame."""
        self.rejected += len(self._body)
        self._body.clear()
        self._is_inside = False

    def _take(self, body: bytes, events: list[Event]) -> None:
        reading = self._read(body)
        if reading is not None:
            self._body.clear()
            events.append(reading)
        self.reset()

    def _read(self, body: bytes) -> Reading | None:
        rest, check = body[:-2], body[-2:]
        if not rest or check != _check(rest):
            return None
        kind = "B"
        if self._address:
            if rest[:1] != self._address.encode() or rest[1:2] not in (b"B", b"D"):
                return None
            kind, rest = chr(rest[1]), rest[2:]
        if len(rest) != _STREAM_BODY - 2 or rest[:1] not in (b"+", b"-") or not rest[1:].isdigit():
            return None
        places = int(rest[7:])
        grams = in_grams(int(rest[:7]), places, self._unit) if places <= MAX_PLACES else None
        return None if grams is None else Reading(grams, is_net=kind == "D")


def question(address: str, command: str) -> bytes:
    """Ask an instrument: `A` handshake, `B` gross, `C` tare, `D` net."""
    return _framed(f"{address}{command}".encode())


def answer(digits: int, places: int, address: str = "", command: str = "") -> bytes:
    """Frame a value as the instrument does (for simulators); without address as a piece of the stream."""
    return _framed(f"{address}{command}{'-' if digits < 0 else '+'}{abs(digits):06}{places}".encode())


def _framed(body: bytes) -> bytes:
    return bytes((_START,)) + body + _check(body) + bytes((_END,))


def _check(body: bytes) -> bytes:
    """XOR as two capital hexadecimal digits."""
    value = 0
    for byte in body:
        value ^= byte
    return f"{value:02X}".encode()
