"""The panel in millimetres: how many pixels a millimetre is, which way it stands, how many rows a list may show.

No widgets here; `ui/screens/` draws with these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

INCH_MM = 25.4
# A 10.1-inch panel is the unit the layouts are drawn for; a large portrait panel is read from farther away.
LARGE_SCALE = 1.4


@dataclass(frozen=True, slots=True)
class Panel:
    """Units: width and height in pixels, diagonal in inches."""

    width: int
    height: int
    diagonal_inch: float

    @property
    def dpi(self) -> float:
        return float((self.width**2 + self.height**2) ** 0.5 / self.diagonal_inch)

    @property
    def px_per_mm(self) -> float:
        return self.dpi / INCH_MM

    @property
    def portrait(self) -> bool:
        return self.height > self.width

    @property
    def width_mm(self) -> float:
        return self.width / self.px_per_mm

    @property
    def height_mm(self) -> float:
        return self.height / self.px_per_mm

    @property
    def scale(self) -> float:
        """Text and touch sizes grow with a large panel, never shrink below the rules' minimum."""
        return LARGE_SCALE if min(self.width_mm, self.height_mm) > 200 else 1.0

    @property
    def villager_rows(self) -> int:
        return 6 if self.portrait else 3

    @property
    def operator_rows(self) -> int:
        return 8 if self.portrait else 5
