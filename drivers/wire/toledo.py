"""Toledo continuous output (IND2xx standard and the 8142 layout) to readings. No I/O.

Source: one sample of the maker for the layout, of which only facts were taken; vectors in
tests/drivers/wire/test_scales.py. What the source leaves open is refused, not guessed: decimal codes other than 2 to 6
and the tenfold expanded range.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.wire.scale import Event, Reading, Unfit, in_grams

BAUD = 9600

_START, _END = 0x02, 0x0D
_LENGTH = 17  # without the check byte
_BIT5 = 0x20  # always set in the three status words, so neither mark can stand there
_PLACES = {2: 0, 3: 1, 4: 2, 5: 3, 6: 4}
_UNITS = {1: "g", 2: "t"}
_FOREIGN = {3: "oz", 4: "ton", 7: "newton"}
_NET, _NEGATIVE, _OVER, _MOVING, _KILOGRAM, _NO_ZERO = 0x01, 0x02, 0x04, 0x08, 0x10, 0x40
_EXPANDED = 0x10


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame (for simulators). `digits` and `tare` are whole numbers of the last place."""

    digits: int
    places: int = 2
    tare: int = 0
    is_net: bool = False
    is_moving: bool = False
    is_over: bool = False
    is_pound: bool = False
    fill: str = " "


class Toledo:
    """The codec. `has_check` is a setting of the instrument; without it a damaged digit is a digit."""

    poll = b""

    def __init__(self, has_check: bool = True) -> None:
        self.rejected = 0
        self._length = _LENGTH + has_check
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Take bytes as they come and return the readings completed by them."""
        self._buffer += chunk
        events: list[Event] = []
        at = 0
        while True:
            start = self._buffer.find(_START, at)
            self.rejected += (len(self._buffer) if start < 0 else start) - at
            if start < 0 or len(self._buffer) - start < self._length:
                break
            event = _read(bytes(self._buffer[start : start + self._length]))
            if event is not None:
                events.append(event)
            else:
                self.rejected += 1
            at = start + (self._length if event is not None else 1)
        del self._buffer[: len(self._buffer) if start < 0 else start]
        return events

    def reset(self) -> None:
        """Forget a half frame."""
        self.rejected += len(self._buffer)
        self._buffer.clear()


def framed(frame: Frame, has_check: bool = True) -> bytes:
    """Put a frame on the wire as the instrument does (for simulators)."""
    code = next(code for code, places in _PLACES.items() if places == frame.places)
    flags = _BIT5 | (0 if frame.is_pound else _KILOGRAM)
    flags |= frame.is_net * _NET | (frame.digits < 0) * _NEGATIVE | frame.is_over * _OVER | frame.is_moving * _MOVING
    numbers = f"{abs(frame.digits):{frame.fill}>6}{frame.tare:{frame.fill}>6}"
    body = bytes((_START, _BIT5 | 0x08 | code, flags, _BIT5)) + numbers.encode() + bytes((_END,))
    return body + bytes((-sum(body) & 0x7F,)) if has_check else body


def _read(frame: bytes) -> Event | None:
    status, numbers = frame[1:4], frame[4:16]
    if frame[16] != _END or not all(word & _BIT5 for word in status):
        return None
    if len(frame) > _LENGTH and sum(frame) & 0x7F:
        return None
    weight, tare = numbers[:6].lstrip(b" "), numbers[6:].lstrip(b" ")
    if not weight.isdigit() or not (tare.isdigit() or not tare):
        return None
    return _weight(int(weight), *status)


def _weight(digits: int, a: int, b: int, c: int) -> Event | None:
    code = c & 0x07
    unit = _UNITS.get(code, "kg" if code == 0 and b & _KILOGRAM else None)
    if unit is None:
        return Unfit(f"weighs in {_FOREIGN.get(code, 'lb' if code == 0 else f'unit {code}')}")
    if c & _EXPANDED:
        return Unfit("weighs in the tenfold expanded range")
    if b & _NO_ZERO:
        return Unfit("has not found its zero since power-up")
    places = _PLACES.get(a & 0x07)
    if places is None:
        return Unfit(f"sends decimal code {a & 0x07}")
    grams = in_grams(-digits if b & _NEGATIVE else digits, places, unit)
    if grams is None:
        return None
    return Reading(grams, bool(b & _MOVING), bool(b & _NET), bool(b & _OVER))
