"""A QR code on the screen. The only file that knows the library that lays its modules out."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

MAX_TEXT = 400  # signs; 61 modules, which a telephone reads off a 7-inch panel
DARK, LIGHT = b"\x00", b"\xff"


def modules(text: str) -> list[list[bool]]:
    """Lay the code out, with its quiet border; True is dark. Errors: ValueError for a text that is too long."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"a code of {len(text)} signs is hard to read")
    import qrcode  # loaded with the first code: it brings a picture library along

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    return [[bool(dark) for dark in line] for line in code.get_matrix()]


class QrCode(Widget):  # type: ignore[misc]  # Kivy has no types
    """The code in the middle of its box, black on white whatever the colours of the page, in whole pixels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        rows = modules(text)
        self.count = len(rows)
        texture = Texture.create(size=(self.count, self.count), colorfmt="luminance")
        texture.mag_filter = texture.min_filter = "nearest"
        pixels = b"".join(DARK if dark else LIGHT for line in reversed(rows) for dark in line)
        texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
        with self.canvas:
            Color(1, 1, 1, 1)
            self._picture = Rectangle(texture=texture)
        self.bind(pos=self._place, size=self._place)

    def _place(self, *_: Any) -> None:
        side = max(1, int(min(self.width, self.height)) // self.count) * self.count
        self._picture.size = (side, side)
        self._picture.pos = (int(self.x + (self.width - side) / 2), int(self.y + (self.height - side) / 2))
