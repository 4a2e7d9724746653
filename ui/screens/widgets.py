"""The few widgets everything is built of: a row, a column, a card, a button. Sizes are pixels from the ruler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from ui.screens.theme import Colour

PRESS_S = 0.12  # a press stays visible at least this long; Kivy's own 35 ms is not seen by the elderly


def row(*children: Widget, gap: float = 0, pad: float | tuple[float, ...] = 0) -> BoxLayout:
    return _box("horizontal", children, gap, pad)


def column(*children: Widget, gap: float = 0, pad: float | tuple[float, ...] = 0) -> BoxLayout:
    return _box("vertical", children, gap, pad)


def _box(orientation: str, children: tuple[Widget, ...], gap: float, pad: float | tuple[float, ...]) -> BoxLayout:
    padding = [pad] * 4 if isinstance(pad, int | float) else list(pad)
    box = BoxLayout(orientation=orientation, spacing=gap, padding=padding)
    for child in children:
        _settle(child, orientation)
        box.add_widget(child)
    return box


def _settle(child: Widget, orientation: str) -> None:
    """A share counts along the box only; across it the child is as large as the box."""
    share = getattr(child, "share", None)
    if share is not None:
        child.size_hint = (share, 1) if orientation == "horizontal" else (1, share)


def fix(widget: Widget, width: float | None = None, height: float | None = None) -> Widget:
    """Give a fixed width or height; the other side stays elastic."""
    if width is not None:
        widget.size_hint_x, widget.width = None, width
    if height is not None:
        widget.size_hint_y, widget.height = None, height
    return widget


def weigh(widget: Widget, share: float) -> Widget:
    """Let the widget take `share` parts of the free room along the box it is put into."""
    widget.share = share
    return widget


def gap(width: float | None = None, height: float | None = None) -> Widget:
    return fix(Widget(), width, height)


class Card(BoxLayout):  # type: ignore[misc]  # Kivy has no types
    """A ground with round corners and a fine border."""

    def __init__(self, fill: Colour, radius: float, **style: Any) -> None:
        pad = style.get("pad", 0)
        super().__init__(
            orientation=style.get("orientation", "vertical"),
            padding=[pad] * 4 if isinstance(pad, int | float) else list(pad),
            spacing=style.get("gap", 0),
        )
        self.fill = fill
        self._edge: float = style.get("edge", 0)
        with self.canvas.before:
            self._border_colour = Color(*(style.get("border") or fill))
            self._border = SmoothRoundedRectangle(radius=[radius])
            self._fill_colour = Color(*fill)
            self._ground = SmoothRoundedRectangle(radius=[max(1, radius - self._edge)])
        self.bind(pos=self._paint, size=self._paint)

    def add(self, *children: Widget) -> Card:
        for child in children:
            _settle(child, self.orientation)
            self.add_widget(child)
        return self

    def colour(self, fill: Colour) -> None:
        self._fill_colour.rgba = fill

    def border(self, shade: Colour) -> None:
        self._border_colour.rgba = shade

    def _paint(self, *_: Any) -> None:
        edge = self._edge
        self._border.pos, self._border.size = self.pos, self.size
        self._ground.pos = (self.x + edge, self.y + edge)
        self._ground.size = (max(0, self.width - 2 * edge), max(0, self.height - 2 * edge))


class Tap(ButtonBehavior, Card):  # type: ignore[misc]  # Kivy has no types
    """A button. It acts on release inside; `reach` pixels around it belong to it, so that a near miss still counts."""

    def __init__(self, button: str, act: Callable[[str], None], fill: Colour, pressed: Colour, **style: Any) -> None:
        self.button = button
        self.enabled = True
        self.reach: float = style.get("reach", 0)
        self._act, self._pressed = act, pressed
        super().__init__(fill=fill, radius=style.pop("radius", 0), min_state_time=PRESS_S, **style)

    def collide_point(self, x: float, y: float) -> bool:
        reach = self.reach
        return bool(self.x - reach <= x <= self.right + reach and self.y - reach <= y <= self.top + reach)

    def on_touch_down(self, touch: Any) -> bool:
        return bool(self.enabled and super().on_touch_down(touch))

    def on_press(self) -> None:
        self.colour(self._pressed)

    def on_release(self) -> None:
        self._act(self.button)

    def on_state(self, _widget: Widget, value: str) -> None:
        if value == "normal":
            self.colour(self.fill)
