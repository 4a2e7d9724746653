"""How large is the screen? Asked of the kernel before there are settings: pixels, and the diagonal its maker tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

DRM = Path("/sys/class/drm")
USUAL: Mapping[str, int | float | bool] = {"width": 1280, "height": 800, "diagonal_inch": 10.1, "fullscreen": True}
EDID_CM = slice(21, 23)  # bytes 21 and 22 of an EDID: width and height of the picture in centimetres; VESA E-EDID 1.4
CM_PER_INCH = 2.54
LEAST_INCH, MOST_INCH = 5.0, 60.0  # outside, the maker told an aspect ratio or nothing


def panel(drm: Path = DRM) -> dict[str, int | float | bool]:
    """The table [panel] for the first screen that is plugged in; the usual panel where the kernel knows none."""
    for connector in sorted(drm.glob("card*-*")):
        try:
            if (connector / "status").read_text("ascii").strip() != "connected":
                continue
            width, height = _pixels((connector / "modes").read_text("ascii"))
            edid = (connector / "edid").read_bytes()
        except (OSError, ValueError):
            continue
        return {**USUAL, "width": width, "height": height, "diagonal_inch": _inch(edid)}
    return dict(USUAL)


def _pixels(modes: str) -> tuple[int, int]:
    """The mode the screen likes best stands first, as 1280x800. Errors: ValueError."""
    width, height = modes.split()[0:1][0].rstrip("i").split("x") if modes.split() else ("", "")
    return int(width), int(height)


def _inch(edid: bytes) -> float:
    size = edid[EDID_CM]
    if len(size) < 2:
        return float(USUAL["diagonal_inch"])
    inch = (size[0] ** 2 + size[1] ** 2) ** 0.5 / CM_PER_INCH
    return round(inch, 1) if LEAST_INCH <= inch <= MOST_INCH else float(USUAL["diagonal_inch"])
