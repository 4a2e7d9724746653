"""Armfly LED-485 digit displays (queue numbers, prices), in their ASCII and their Modbus form. No I/O.

Source: the maker's test script and two programs; vectors in tests/drivers/wire/test_panels.py. The text register of the
Modbus form rests on one program: numbers with a point go by value and point position, which have byte-exact frames.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from drivers.wire.onbon import crc16
from drivers.wire.panel import Content, Step, lacks_digits, number

BAUD = 9600
UNITS = range(1, 256)

_VALUE, _POINT, _TEXT = 0x0000, 0x0004, 0x0070
_MAX_VALUE = 0x7FFF
_POINTED = re.compile(r"(-?[0-9]*)\.([0-9]{1,3})")
_MODEL = b"LED"  # every model's name begins so


class ArmflyAscii:
    """The codec of the ASCII form. The show command has no answer; the model's name, asked before it, is one."""

    answers = True

    def __init__(self, unit: int = 1, digits: int = 4) -> None:
        self._unit = unit
        self._digits = digits

    def setup(self) -> list[Step]:
        """Ask for the model."""
        return [Step(ask_model(self._unit), is_answer=lambda heard: _MODEL in heard)]

    def put(self, content: Content) -> list[Step]:
        """Show a number after the display has answered."""
        shown = number(content, self._digits)
        return [*self.setup(), Step(show(self._unit, _padded(shown, self._digits)))]

    def check(self, content: Content) -> list[Step]:  # noqa: ARG002  it does not tell what it shows
        """It cannot tell."""
        return []

    def lacks(self, content: Content) -> str:
        """What it cannot show."""
        return lacks_digits(content, self._digits)


class ArmflyModbus:
    """The codec of the Modbus form. Every write is answered; the point position is forgotten at power-off."""

    answers = True

    def __init__(self, unit: int = 1, digits: int = 4) -> None:
        self._unit = unit
        self._digits = digits

    def setup(self) -> list[Step]:
        """Nothing: the first write tells whether it is there."""
        return []

    def put(self, content: Content) -> list[Step]:
        """Show a number: point position first, then value or text."""
        shown = number(content, self._digits).rstrip(".")
        parts = _POINTED.fullmatch(shown)
        if parts is not None and abs(int(parts[1] + parts[2])) <= _MAX_VALUE:
            last = write_one(self._unit, _VALUE, int(parts[1] + parts[2]))
            return [_answered(write_one(self._unit, _POINT, len(parts[2]))), _answered(last)]
        text = "-" * self._digits if "." in shown else shown
        return [_answered(write_one(self._unit, _POINT, 0)), _answered(write_text(self._unit, text, self._digits))]

    def check(self, content: Content) -> list[Step]:  # noqa: ARG002  it does not tell what it shows
        """It cannot tell."""
        return []

    def lacks(self, content: Content) -> str:
        """What it cannot show."""
        return lacks_digits(content, self._digits)


def show(unit: int, text: str) -> bytes:
    """ASCII form: show digits; points take none."""
    return f"${unit:03},{text}#".encode("ascii")


def ask_model(unit: int) -> bytes:
    """ASCII form: ask for the model's name."""
    return f"${unit:03},02&".encode("ascii")


def write_one(unit: int, register: int, value: int) -> bytes:
    """Modbus form: write one register, signed. The answer is the same bytes."""
    return with_crc(struct.pack(">BBHh", unit, 0x06, register, value))


def write_text(unit: int, text: str, digits: int) -> bytes:
    """Modbus form: show signs, two to a register, filled up with spaces on the left."""
    registers = -(-digits // 2)
    padded = text.rjust(2 * registers).encode("ascii")
    return with_crc(struct.pack(">BBHHB", unit, 0x10, _TEXT, registers, len(padded)) + padded)


def with_crc(body: bytes) -> bytes:
    """Add the CRC-16 of Modbus, low byte first."""
    return body + struct.pack("<H", crc16(body, 0xFFFF))


def answer_to(request: bytes) -> bytes:
    """What a display answers to a write: FC06 comes back whole, FC10 with its register and count."""
    return request if request[1] == 0x06 else with_crc(request[:6])


def _answered(request: bytes) -> Step:
    return Step(request, pause_s=0.005, is_answer=lambda heard: answer_to(request) in heard)  # 3.5 characters of rest


def _padded(shown: str, digits: int) -> str:
    return " " * (digits - len(shown.replace(".", ""))) + shown


FORMS: Sequence[str] = ("ascii", "modbus")
