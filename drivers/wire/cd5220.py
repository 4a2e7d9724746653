"""CD5220 / VFD220 / PD220 customer displays: two lines of twenty Latin signs. They never answer. No I/O.

Lines are written with the cursor, never with ESC Q: that one enters a mode in which the display ignores everything but
two bytes, and a display left in it by another program is freed by one of them.
Source: the maker's manual through one copy; vectors in tests/drivers/wire/test_panels.py.
"""

from __future__ import annotations

from drivers.wire.panel import Amount, Content, Step, yuan

BAUD = 9600
COLUMNS, ROWS = 20, 2
BRIGHTNESS = (1, 2, 3, 4)

_LEAVE_STRING = b"\x18"
_OVERWRITE, _CURSOR_OFF = b"\x1b\x11", b"\x1b_\x00"


class Cd5220:
    """The codec."""

    answers = False

    def __init__(self, brightness: int = BRIGHTNESS[-1]) -> None:
        self._modes = _OVERWRITE + _CURSOR_OFF + b"\x1b*" + bytes((brightness,))

    def setup(self) -> list[Step]:
        """Leave whatever mode another program left it in, and reset."""
        return [Step(_LEAVE_STRING + b"\x1b\x40")]

    def put(self, content: Content) -> list[Step]:
        """Show two lines; the modes go before them, since a display that got new power has forgotten them."""
        rows = [row.ljust(COLUMNS) for row in rows_of(content)]
        return [Step(self._modes + b"".join(_line(at, row) for at, row in enumerate(rows, 1)))]

    def check(self, content: Content) -> list[Step]:  # noqa: ARG002  it cannot be asked
        """It cannot tell."""
        return []

    def lacks(self, content: Content) -> str:
        """What it cannot show."""
        if isinstance(content, Amount):
            return ""
        if any(not _is_latin(sign) for line in content for sign in line):
            return "only Latin signs can be shown"
        shown = "".join(rows_of(content))
        return "the lines are longer than the display" if "".join(content).rstrip() != shown else ""


def rows_of(content: Content) -> list[str]:
    """Lay a content out in two rows: an amount to the right of the lower one, one long line over both. Pure."""
    if isinstance(content, Amount):
        return ["", yuan(content.fen).rjust(COLUMNS)[-COLUMNS:]]
    lines = ["".join(sign if _is_latin(sign) else "?" for sign in line).rstrip() for line in content]
    if len(lines) == 1 and len(lines[0]) > COLUMNS:
        lines = [lines[0][:COLUMNS], lines[0][COLUMNS:]]
    return [line[:COLUMNS] for line in (*lines, "", "")[:ROWS]]


def _is_latin(sign: str) -> bool:
    return " " <= sign <= "~"


def _line(row: int, text: str) -> bytes:
    return b"\x1bl\x01" + bytes((row,)) + text.encode("ascii")
