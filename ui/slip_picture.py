"""A slip of paper as a picture: its lines in the kiosk's font. No window, no printer.

The only import of the picture library in this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from drivers.paper import Line, Text

FONTS = Path(__file__).with_name("fonts")
WIDTH, MARGIN = 720, 40  # pixels: readable on a telephone, sharp on A6
PLAIN, BIG, LEAST = 26, 40, 16
INK, PAPER = 0, 255


def draw(file: Path, slip: Sequence[Line]) -> None:
    """Write the texts of a slip as PNG. Errors: OSError."""
    lines = [line for line in slip if isinstance(line, Text)]
    set_lines = [(line, _font(line)) for line in lines]
    heights = [round(font.size * 1.6) for _, font in set_lines]
    picture = Image.new("L", (WIDTH, sum(heights) + 2 * MARGIN), PAPER)
    pen = ImageDraw.Draw(picture)
    top = MARGIN
    for (line, font), height in zip(set_lines, heights, strict=True):
        width = pen.textlength(line.text, font=font)
        left = (WIDTH - width) / 2 if line.is_centred else MARGIN
        pen.text((left, top), line.text, font=font, fill=INK)
        top += height
    picture.save(file, "PNG")


def _font(line: Text) -> ImageFont.FreeTypeFont:
    """The largest size, from the wished one down, at which the line fits."""
    name = str(FONTS / ("kiosk-bold.otf" if line.is_big else "kiosk-regular.otf"))
    size = BIG if line.is_big else PLAIN
    font = ImageFont.truetype(name, size)
    while size > LEAST and font.getlength(line.text) > WIDTH - 2 * MARGIN:
        size -= 2
        font = ImageFont.truetype(name, size)
    return font
