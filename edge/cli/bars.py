"""A Code 128 for a gun to read: as blocks on a terminal, and as a picture. Nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

QUIET = 10  # modules of white that a reader needs on both sides
ROWS = 8  # lines of a terminal: some three centimetres
MODULE_PX, HEIGHT_PX = 4, 160
_BLOCKS = {"00": " ", "10": "▌", "01": "▐", "11": "█"}
_BLACK_ON_WHITE, _PLAIN = "\x1b[30;107m", "\x1b[0m"


def modules(text: str) -> str:
    """The bars of a Code 128 as ones and zeros, with the white around them. Errors: ValueError."""
    import barcode.codex  # type: ignore[import-untyped]  # comes with the printer's library; loaded late, 50 ms

    try:
        (drawn,) = barcode.codex.Code128(text).build()
    except barcode.errors.BarcodeError as error:
        raise ValueError(f"{text!r} cannot be a Code 128") from error
    return "0" * QUIET + str(drawn) + "0" * QUIET


def terminal(bars: str) -> str:
    """Two modules to a sign, black on white whatever the terminal's colours are."""
    even = bars + "0" * (len(bars) % 2)
    line = "".join(_BLOCKS[even[at : at + 2]] for at in range(0, len(even), 2))
    return "\n".join([f"{_BLACK_ON_WHITE}{line}{_PLAIN}"] * ROWS)


def picture(bars: str, text: str, file: Path) -> None:
    """Write a PNG with the bars and their text. Errors: OSError."""
    from PIL import Image, ImageDraw

    image = Image.new("1", (len(bars) * MODULE_PX, HEIGHT_PX + 40), 1)
    pen = ImageDraw.Draw(image)
    for at, bar in enumerate(bars):
        if bar == "1":
            pen.rectangle((at * MODULE_PX, 10, (at + 1) * MODULE_PX - 1, HEIGHT_PX), fill=0)
    pen.text((QUIET * MODULE_PX, HEIGHT_PX + 15), text, fill=0)
    image.save(file, "PNG")
