"""Is this picture of a screen that page? Compares where ink is, not pixels: clocks, codes and drivers may differ.

Shape:  a picture becomes a grid of small tiles; a tile has ink where it differs from the picture's ground. Two pages
        are alike by the share of inked tiles that agree in place and shade. Pillow is imported here alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TILE = 16  # pixels; a letter of the smallest text is about as large
INK = 10  # shades from the ground
SAME = 24  # shades; anti-aliasing of two drivers moved a tile's mean by up to 9
DRAW_S = 600.0
EDID_INCH = "14.9"  # what the emulated screen tells of itself: 32 by 20 cm; the terminal believes it
ALIKE = 0.6  # pages with other texts on them keep 0.7 and more, most other pages stay below 0.55


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture as tiles, row by row."""

    across: int
    down: int
    shades: tuple[int, ...]

    ground: int  # the commonest shade

    @property
    def inked(self) -> int:
        """How many tiles differ from the ground."""
        return sum(abs(shade - self.ground) > INK for shade in self.shades)


def seen(file: Path) -> Sight:
    """Read a picture. Errors: OSError when it is none."""
    with Image.open(file) as picture:
        across, down = picture.width // TILE, picture.height // TILE
        small = (
            picture.convert("L").crop((0, 0, across * TILE, down * TILE)).resize((across, down), Image.Resampling.BOX)
        )
        shades = tuple(small.tobytes())
        return Sight(across, down, shades, Counter(shades).most_common(1)[0][0])


def likeness(one: Sight, other: Sight) -> float:
    """From 0, nothing in common, to 1, the same page. Sizes must be equal, else it is 0."""
    if (one.across, one.down) != (other.across, other.down) or not one.inked or not other.inked:
        return 0.0  # a blank screen is no page
    inked = [
        (a, b)
        for a, b in zip(one.shades, other.shades, strict=True)
        if abs(a - one.ground) > INK or abs(b - other.ground) > INK
    ]
    return sum(abs(a - b) <= SAME for a, b in inked) / len(inked)


class AlbumError(RuntimeError):
    """The pages could not be drawn."""


class Album:
    """Pictures of pages as this machine draws them, to hold a screen against."""

    def __init__(self, folder: Path, size: str = "1280x800", inch: str = EDID_INCH) -> None:
        self._pages = folder / size / "zh"
        self._order = [sys.executable, str(ROOT / "tests/ui/draw.py"), size, inch, str(folder), "", "zh"]
        self._report = folder / f"{size}.json"
        self._drawing: subprocess.Popen[bytes] | None = None
        self._sights: dict[str, Sight] = {}  # read once: a look costs a tenth then, and the machine wants every second

    def begin(self) -> None:
        """Draw every page, beside whatever else is done; who looks at one waits for all. A kept album is used again."""
        if self._report.exists():
            return
        self._drawing = subprocess.Popen(self._order, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait(self) -> None:
        """Until all pages are drawn. Errors: AlbumError."""
        if self._drawing is not None:
            code = self._drawing.wait(DRAW_S)
            if code != 0:
                raise AlbumError(f"tests/ui/draw.py ended with {code}")
            self._drawing = None

    def likest(self, screen: Path) -> tuple[str, float]:
        """The page a picture is most like, and how much; "" when it is like none."""
        self.wait()
        look = seen(screen)
        if not self._sights:
            self._sights = {file.stem: seen(file) for file in sorted(self._pages.glob("*.png"))}
        every = ((page, likeness(look, sight)) for page, sight in self._sights.items())
        name, share = max(every, key=lambda pair: pair[1])
        return (name, share) if share >= ALIKE else ("", share)

    def place(self, page: str, button: str) -> tuple[float, float]:
        """Where a finger touches a button of a drawn page: shares of the screen from its upper left corner."""
        self.wait()
        for each in json.loads(self._report.read_text("utf-8")):
            if each["lang"] == "zh" and each["name"] == page:
                left, bottom, right, top = next(tap["box"] for tap in each["taps"] if tap["id"] == button)
                width, height = each["window"]
                return (left + right) / 2 / width, 1 - (bottom + top) / 2 / height
        raise KeyError(page)
