"""Colours and the ruler: the look of the kiosk in one place.

A warm paper, dark ink, one colour per task: jade for parcels, indigo for bills, brick for help and warnings, slate for
the staff. Every text stands at 7:1 or better on its ground (`contrast`, checked by a test on the drawn pixels).
"""

from __future__ import annotations

from dataclasses import dataclass

from ui.panel import Panel

Colour = tuple[float, float, float, float]


def colour(hex_digits: str) -> Colour:
    red, green, blue = (int(hex_digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return (red, green, blue, 1.0)


PAPER = colour("F6F3EC")
STAFF_PAPER = colour("EDF0F2")
CARD = colour("FFFFFF")
INK = colour("14191D")
SOFT = colour("414A50")
LINE = colour("D8D2C4")
STAFF_LINE = colour("CBD2D7")
WHITE = colour("FFFFFF")
JADE, JADE_DEEP, JADE_PALE = colour("0B5646"), colour("07382E"), colour("DFEEE8")
INDIGO, INDIGO_DEEP, INDIGO_PALE = colour("1F3D7D"), colour("132752"), colour("E2E8F5")
BRICK, BRICK_DEEP, BRICK_PALE = colour("8E2B1B"), colour("5F1B10"), colour("F8E5E0")
SLATE, SLATE_DEEP, SLATE_PALE = colour("28353F"), colour("161F26"), colour("DDE3E7")
AMBER_PALE = colour("FBE7B2")
KEY_PRESSED = colour("E6E0D2")
FAINT = colour("F0ECE2")


@dataclass(frozen=True, slots=True)
class Accent:
    """One task's colour: fill, the pressed fill, a pale ground for its cards."""

    fill: Colour
    deep: Colour
    pale: Colour


PICKUP = Accent(JADE, JADE_DEEP, JADE_PALE)
BILL = Accent(INDIGO, INDIGO_DEEP, INDIGO_PALE)
HELP = Accent(BRICK, BRICK_DEEP, BRICK_PALE)
STAFF = Accent(SLATE, SLATE_DEEP, SLATE_PALE)

# Text levels in millimetres of em on the 10-inch panel (reference, section 3: 7.5 / 9 / 11; floor 4.8).
HUGE, BIG, TITLE, MAIN, LESS, FLOOR = 24.0, 13.0, 9.0, 7.5, 6.0, 4.8
STAFF_TITLE, STAFF_MAIN, STAFF_LESS, STAFF_FLOOR = 7.5, 5.5, 4.6, 3.5
VILLAGER_BUTTON, KEY, STAFF_BUTTON = 15.0, 16.5, 12.0


@dataclass(frozen=True, slots=True)
class Ruler:
    """Millimetres to pixels of this panel; a large panel, read from farther away, gets larger millimetres."""

    panel: Panel

    def mm(self, length: float) -> float:
        return round(length * self.panel.scale * self.panel.px_per_mm)


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(shade: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shade[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
