"""A piece of text that measures itself: the largest allowed size at which it fits its box, broken by `ui.wrap`."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from kivy.core.text import Label as CoreLabel
from kivy.core.text import LabelBase
from kivy.graphics import Color, Rectangle
from kivy.uix.widget import Widget

from ui.screens.theme import INK, PAPER, Colour, Ruler
from ui.wrap import wrap

FONT = "Kiosk"
FONTS = Path(__file__).parent.parent / "fonts"
LINE_EM = 1.448  # ascent + descent of Noto Sans CJK, in em (its hhea table)
STEP = 0.94


def register_font() -> None:
    """Make the kiosk font the only one. Errors: OSError when set-up has not built it."""
    regular, bold = FONTS / "kiosk-regular.otf", FONTS / "kiosk-bold.otf"
    LabelBase.register(FONT, str(regular), fn_bold=str(bold))


@cache
def _scale(bold: bool) -> CoreLabel:
    return CoreLabel(font_size=100, font_name=FONT, bold=bold)


@lru_cache(maxsize=4096)
def _advance(sign: str, bold: bool) -> float:
    return float(_scale(bold).get_extents(sign)[0]) / 100


def measure(text: str, px: float, bold: bool) -> float:
    return sum(_advance(sign, bold) for sign in text) * px


class Text(Widget):  # type: ignore[misc]  # Kivy has no types
    """Text in a box.

    Units:  `em` and `floor` in millimetres of the ruler; the size drawn is the largest between them that fits.
    Shape:  `fits` False means that even the floor is too large for the box: the text is cut with an ellipsis, so that
            a long notice or device name from outside never lies on its neighbours; a test fails on it.
    """

    def __init__(self, ruler: Ruler, text: str, **style: Any) -> None:
        super().__init__()
        self.ruler = ruler
        self.text = text
        self.em: float = style.get("em", 7.5)
        self.floor: float = min(style.get("floor", 4.8), self.em)
        self.bold: bool = style.get("bold", False)
        self.colour: Colour = style.get("colour", INK)
        self.ground: Colour = style.get("on", PAPER)
        self.align: str = style.get("align", "left")
        self.valign: str = style.get("valign", "middle")
        self.fits = True
        self.drawn: tuple[float, float] = (0, 0)
        self.px = 0.0
        self.lines: list[str] = []
        self._laid: tuple[object, ...] = ()
        with self.canvas:
            Color(1, 1, 1, 1)
            self._box = Rectangle(size=(0, 0))
        self.bind(pos=self._place, size=self._place)

    def say(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._place()

    def _place(self, *_: Any) -> None:
        if self.width < 2 or self.height < 2:
            return
        wanted = (self.text, self.width, self.height, self.em, self.bold, self.colour)
        if self._laid != wanted:
            self._lay()
            self._laid = wanted
        width, height = self._box.size
        x = {"left": self.x, "center": self.x + (self.width - width) / 2, "right": self.x + self.width - width}[
            self.align
        ]
        y = {"top": self.y + self.height - height, "middle": self.y + (self.height - height) / 2, "bottom": self.y}[
            self.valign
        ]
        self._box.pos = (round(x), round(y))

    def _lay(self) -> None:
        px, floor = self.ruler.mm(self.em), self.ruler.mm(self.floor)
        while True:
            lines = wrap(self.text, self.width, lambda unit, px=px: measure(unit, px, self.bold))  # type: ignore[misc]
            wide = max((measure(line, px, self.bold) for line in lines), default=0)
            high = len(lines) * px * LINE_EM * (1.0 if len(lines) == 1 else 0.96)
            # A line box is taller than its signs; one line may reach into that empty part.
            self.fits = wide <= self.width + 1 and high <= self.height + 0.42 * px
            if self.fits or px <= floor:
                break
            px = max(floor, px * STEP)
        if not self.fits:
            lines = self._cut(lines, px)
        self.px, self.lines, self.drawn = px, lines, (wide, high)
        label = CoreLabel(
            text="\n".join(lines) or " ",
            font_size=int(px),
            font_name=FONT,
            bold=self.bold,
            color=self.colour,
            halign=self.align,
            line_height=1.0 if len(lines) == 1 else 0.96,
        )
        label.refresh()
        self._box.texture = label.texture
        self._box.size = label.texture.size if label.texture else (0, 0)

    def _cut(self, lines: list[str], px: float) -> list[str]:
        """Keep what fits, and say by an ellipsis that there was more."""
        most = max(1, int((self.height + 0.42 * px) / (px * LINE_EM)))
        kept = lines[:most]
        for i, line in enumerate(kept):
            more = i == len(kept) - 1 and len(lines) > most
            kept[i] = self._shortened(line, px, more)
        return kept

    def _shortened(self, line: str, px: float, more: bool) -> str:
        if not more and measure(line, px, self.bold) <= self.width:
            return line
        while line and measure(line + "…", px, self.bold) > self.width:
            line = line[:-1]
        return line + "…"
