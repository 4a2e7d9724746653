"""LED8 / LED8N customer displays: eight digits and four lamps. They never answer. No I/O.

Makers disagree on the lamp command; the form is a setting, with the text digit that two programs send as its default.
Source: one maker's manual and three programs; vectors in tests/drivers/wire/test_panels.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drivers.wire.panel import Amount, Content, Step, lacks_digits, number

BAUD = 2400  # factory setting; some hosts open 9600
DIGITS = 8  # with points up to 15 signs
CLEAR = b"\x0c"

_LEAVE_STRING = b"\x18"
_RESET = b"\x1b\x40"
_LAMPS: Mapping[str, Callable[[int], bytes]] = {
    "ascii": lambda lamp: b"\x1bs%d" % lamp,
    "binary": lambda lamp: b"\x1bs" + bytes((lamp,)),
    "separate": lambda lamp: b"\x02L" + bytes(0x31 if each == lamp else 0x30 for each in range(1, 5)),
}
LAMP_FORMS = tuple(_LAMPS)


class Led8:
    """The codec."""

    answers = False

    def __init__(self, lamp_form: str = "ascii") -> None:
        self._lamp = _LAMPS[lamp_form]

    def setup(self) -> list[Step]:
        """Leave whatever mode another program left it in, and clear."""
        return [Step(_LEAVE_STRING + _RESET + CLEAR)]

    def put(self, content: Content) -> list[Step]:
        """Show a number and the lamp beside it; nothing but a cleared display for text."""
        shown = number(content, DIGITS)
        lamp = content.lamp if isinstance(content, Amount) else 0
        return [Step((digits(shown) if shown else CLEAR) + self._lamp(lamp))]

    def check(self, content: Content) -> list[Step]:  # noqa: ARG002  it cannot be asked
        """It cannot tell."""
        return []

    def lacks(self, content: Content) -> str:
        """What it cannot show."""
        return lacks_digits(content, DIGITS)


def digits(shown: str) -> bytes:
    """Show digits, points and minus signs."""
    return b"\x1bQA" + shown.encode("ascii") + b"\r"
