"""Pictograms drawn by strokes on a 24 x 24 field: no picture files, any size, any colour. A word stands beside each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, SmoothEllipse, SmoothLine, SmoothRoundedRectangle, SmoothTriangle
from kivy.uix.widget import Widget

from ui.screens.theme import Colour

FIELD = 24.0


class Icon(Widget):  # type: ignore[misc]  # Kivy has no types
    """A pictogram. `colour` is the stroke, `ground` what shows through its holes."""

    def __init__(self, name: str, colour: Colour, ground: Colour) -> None:
        super().__init__()
        self.name, self.colour, self.ground = name, colour, ground
        self.bind(pos=self._draw, size=self._draw)

    def _draw(self, *_: Any) -> None:
        side = min(self.width, self.height)
        self._unit = side / FIELD
        self._x, self._y = self.x + (self.width - side) / 2, self.y + (self.height - side) / 2
        self.canvas.clear()
        with self.canvas:
            Color(*self.colour)
            DRAWINGS[self.name](self)

    def hole(self) -> None:
        Color(*self.ground)

    def ink(self) -> None:
        Color(*self.colour)

    def box(self, x: float, y: float, w: float, h: float, r: float = 1.5) -> None:
        u = self._unit
        SmoothRoundedRectangle(pos=(self._x + x * u, self._y + y * u), size=(w * u, h * u), radius=[r * u])

    def disc(self, x: float, y: float, r: float) -> None:
        u = self._unit
        SmoothEllipse(pos=(self._x + (x - r) * u, self._y + (y - r) * u), size=(2 * r * u, 2 * r * u))

    def wedge(self, *points: float) -> None:
        SmoothTriangle(points=self._points(points))

    def line(self, *points: float, w: float = 2.0) -> None:
        SmoothLine(points=self._points(points), width=w * self._unit / 2)
        for i in range(0, len(points), 2):
            self.disc(points[i], points[i + 1], w / 2)

    def ring(self, x: float, y: float, r: float, w: float = 2.0) -> None:
        u = self._unit
        SmoothLine(circle=(self._x + x * u, self._y + y * u, r * u, 0, 360, 48), width=w * u / 2)

    def _points(self, points: tuple[float, ...]) -> list[float]:
        u = self._unit
        return [(self._x if i % 2 == 0 else self._y) + p * u for i, p in enumerate(points)]


def _parcel(i: Icon) -> None:
    i.box(3, 3, 18, 13, 1.2)
    i.box(2, 15.2, 20, 5, 1.2)
    i.hole()
    i.box(2.6, 14.6, 18.8, 0.9, 0.1)
    i.box(10.2, 10.4, 3.6, 9.8, 0.3)


def _bill(i: Icon) -> None:
    i.box(4, 2, 16, 20, 1.8)
    i.hole()
    i.line(9, 17.8, 12, 13.8, 15, 17.8, w=1.7)
    i.line(12, 13.8, 12, 6.2, w=1.7)
    i.line(8.8, 12.2, 15.2, 12.2, w=1.5)
    i.line(8.8, 9, 15.2, 9, w=1.5)


def _person(i: Icon) -> None:
    i.disc(12, 16.8, 4.6)
    i.box(3.5, 2, 17, 9, 4.4)
    i.box(3.5, 2, 17, 4, 1)


def _back(i: Icon) -> None:
    i.line(13.5, 19, 6.5, 12, 13.5, 5, w=2.4)
    i.line(6.5, 12, 19, 12, w=2.4)


def _home(i: Icon) -> None:
    i.wedge(1.5, 11.5, 12, 21.5, 22.5, 11.5)
    i.box(4.5, 2.5, 15, 9.6, 1)
    i.hole()
    i.box(9.8, 2, 4.4, 6.5, 0.4)


def _water(i: Icon) -> None:
    i.disc(12, 8.8, 6.6)
    i.wedge(6.3, 11.9, 12, 22.5, 17.7, 11.9)


def _power(i: Icon) -> None:
    i.wedge(14.5, 23, 4.2, 10.4, 12.5, 10.4)
    i.wedge(9.5, 1, 19.8, 13.6, 11.5, 13.6)


def _gas(i: Icon) -> None:
    i.disc(12, 8.2, 6.6)
    i.wedge(5.5, 9.4, 13.4, 23, 16.6, 11.6)
    i.wedge(12, 10, 18, 17, 18.5, 8.5)
    i.hole()
    i.disc(12, 6.4, 3)
    i.wedge(9.2, 7.2, 12.2, 13, 14.8, 7.2)


def _check(i: Icon) -> None:
    i.line(4.5, 11.5, 10, 6, 19.5, 17.5, w=3)


def _warn(i: Icon) -> None:
    i.wedge(1.5, 3, 12, 22, 22.5, 3)
    i.hole()
    i.line(12, 9.6, 12, 14.6, w=2)
    i.disc(12, 6.2, 1.25)


def _scan(i: Icon) -> None:
    for x, w in ((4, 2.2), (7.4, 1.2), (9.8, 2.6), (13.6, 1.2), (16, 1.2), (18.4, 2)):
        i.box(x, 5, w, 14, 0.2)


def _erase(i: Icon) -> None:
    i.box(8, 5, 14, 14, 1.6)
    i.wedge(1.6, 12, 9.4, 5, 9.4, 19)
    i.hole()
    i.line(12, 9, 18, 15, w=1.8)
    i.line(12, 15, 18, 9, w=1.8)


def _shelf(i: Icon) -> None:
    i.box(3, 2, 2, 20, 0.4)
    i.box(19, 2, 2, 20, 0.4)
    for y in (4, 11.5):
        i.box(3, y, 18, 1.8, 0.2)
    i.box(6.6, 5.8, 5, 4.4, 0.5)
    i.box(13, 5.8, 4, 3.2, 0.5)
    i.box(8, 13.3, 7, 5.4, 0.5)


def _door(i: Icon) -> None:
    i.box(3, 2, 18, 20, 1.6)
    i.hole()
    i.box(5.2, 4.2, 13.6, 15.6, 0.6)
    i.ink()
    i.box(5.2, 4.2, 7.2, 15.6, 0.4)
    i.hole()
    i.disc(10, 12, 1.1)


def _search(i: Icon) -> None:
    i.ring(10.2, 13.8, 6.6, w=2.6)
    i.line(15.2, 8.8, 20.6, 3.4, w=3)


def _money(i: Icon) -> None:
    i.box(1.5, 4.5, 21, 15, 1.6)
    i.hole()
    i.ring(12, 12, 4.2, w=1.7)
    i.disc(5.2, 12, 1)
    i.disc(18.8, 12, 1)


def _sync(i: Icon) -> None:
    i.line(4, 15.5, 18, 15.5, w=2.2)
    i.wedge(15.5, 20, 22, 15.5, 15.5, 11)
    i.line(6, 8.5, 20, 8.5, w=2.2)
    i.wedge(8.5, 13, 2, 8.5, 8.5, 4)


def _device(i: Icon) -> None:
    i.box(2, 6.5, 20, 14.5, 1.6)
    i.box(8, 2, 8, 2.2, 0.6)
    i.hole()
    i.box(4.2, 8.6, 15.6, 10.2, 0.5)
    i.ink()
    i.line(6.5, 13.5, 9.4, 13.5, 11, 16.4, 13.2, 10.6, 14.8, 13.5, 17.5, 13.5, w=1.4)


def _offline(i: Icon) -> None:
    i.ring(12, 12, 8.6, w=2.4)
    i.line(6.2, 6.2, 17.8, 17.8, w=2.4)


def _phone(i: Icon) -> None:
    i.line(5.2, 18.8, 6.4, 13.4, 10.6, 8.8, 18.8, 5.2, w=3.4)
    i.line(5.4, 18.8, 8.6, 17, w=4.4)
    i.line(15.6, 7.6, 18.6, 5.2, w=4.4)


def _hourglass(i: Icon) -> None:
    i.box(4.5, 20, 15, 2, 0.6)
    i.box(4.5, 2, 15, 2, 0.6)
    i.wedge(6, 20.5, 18, 20.5, 12, 11)
    i.wedge(6, 3.5, 18, 3.5, 12, 13)


def _leave(i: Icon) -> None:
    i.box(3, 2, 11, 20, 1.4)
    i.hole()
    i.box(5.2, 4.2, 6.6, 15.6, 0.4)
    i.ink()
    i.line(9, 12, 20.5, 12, w=2.2)
    i.line(16.6, 16, 20.8, 12, 16.6, 8, w=2.2)


def _show(i: Icon) -> None:
    """A display with two lines of text."""
    i.box(1.5, 6, 21, 13, 1.4)
    i.box(10.8, 2, 2.4, 5, 0.3)
    i.hole()
    i.box(5, 14, 14, 2, 0.3)
    i.box(5, 10, 9, 2, 0.3)


def _printer(i: Icon) -> None:
    i.box(2.5, 7, 19, 9, 1.6)
    i.box(6, 17, 12, 5, 0.6)
    i.hole()
    i.box(5.6, 9.8, 12.8, 1.6, 0.2)
    i.ink()
    i.box(6, 1.6, 12, 9, 0.4)
    i.hole()
    i.box(8, 6.2, 8, 1.3, 0.2)
    i.box(8, 3.6, 5.4, 1.3, 0.2)


def _touch(i: Icon) -> None:
    """A fingertip on a target."""
    i.ring(12, 15, 6.5, w=1.6)
    i.line(12, 15, 12, 5, w=4.2)
    i.line(12, 5, 17, 3.6, w=4.2)


def _bolt(i: Icon) -> None:
    """A bolt and its keeper, with the two wires of the contact."""
    i.box(2, 9, 9, 8, 1)
    i.box(11, 11.2, 6, 3.6, 0.6)
    i.box(18.2, 6.5, 3.8, 13, 0.8)
    i.line(4.8, 9, 4.8, 3.4, w=1.8)
    i.line(8.4, 9, 8.4, 3.4, w=1.8)


def _dot(i: Icon) -> None:
    i.disc(12, 12, 6.5)


def _scale(i: Icon) -> None:
    """A pan on a body with a dial."""
    i.box(2, 17.5, 20, 2.5, 1)
    i.box(10.5, 14, 3, 4)
    i.box(4, 3, 16, 11.5, 2)
    i.hole()
    i.disc(12, 8.7, 4)
    i.ink()
    i.line(12, 8.2, 14, 10.8, w=1.6)


def _sound(i: Icon) -> None:
    """A loudspeaker with two strokes of sound."""
    i.box(2.5, 8.5, 6, 7, 0.8)
    i.wedge(4, 12, 13, 20.5, 13, 3.5)
    i.line(16, 9, 16, 15, w=1.8)
    i.line(20, 6.5, 20, 17.5, w=1.8)


def _ring(i: Icon) -> None:
    i.ring(12, 12, 7.5, w=2.2)


DRAWINGS: dict[str, Callable[[Icon], None]] = {
    "parcel": _parcel, "bill": _bill, "person": _person, "back": _back, "home": _home, "water": _water,
    "power": _power, "gas": _gas, "check": _check, "warn": _warn, "scan": _scan, "erase": _erase, "shelf": _shelf,
    "door": _door, "search": _search, "money": _money, "sync": _sync, "device": _device, "offline": _offline,
    "show": _show, "printer": _printer, "touch": _touch, "bolt": _bolt,
    "phone": _phone, "hourglass": _hourglass, "leave": _leave, "dot": _dot, "ring": _ring, "scale": _scale,
    "sound": _sound,
}  # fmt: skip
