"""A hand for tests and training: touches at the level of the input provider, reads the page, takes pictures.

The touch goes through Kivy's own path (provider, window, hit test), so a button that is covered is not pressed.
"""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import Any

from kivy.base import EventLoop
from kivy.core.window import Window
from kivy.input import MotionEvent, MotionEventProvider

from ui.screens.root import widgets_of
from ui.screens.text import Text


class Finger(MotionEvent):  # type: ignore[misc]  # Kivy has no types
    def depack(self, args: tuple[float, float]) -> None:
        self.profile = ["pos"]
        self.sx, self.sy = args
        super().depack(args)


class Provider(MotionEventProvider):  # type: ignore[misc]
    """Stands where the mouse provider stands."""

    def __init__(self) -> None:
        super().__init__("hand", "")
        self.events: list[tuple[str, Finger]] = []

    def update(self, dispatch_fn: Any) -> None:
        while self.events:
            dispatch_fn(*self.events.pop(0))


class Refused(Exception):
    """The hand could not do it: no such button on the page, asleep, covered or outside the window."""


class Hand:
    """Does what the drive socket asks, in the window's thread. `obey` is the one entry."""

    def __init__(self) -> None:
        self._provider = Provider()
        self._numbers = count(1)
        self._kiosk: Any = None

    def attach(self, kiosk: Any) -> None:
        self._kiosk = kiosk
        EventLoop.add_input_provider(self._provider)

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Errors: Refused; KeyError for an unknown or incomplete order."""
        match order["do"]:
            case "tap":
                self.tap(str(order["id"]))
                return {}
            case "touch":
                self.touch(float(order["x"]), float(order["y"]))
                return {}
            case "screen":
                return self.read()
            case "shot":
                shoot(Path(str(order["path"])))
                return {}
            case "lang":
                self._kiosk.set_language(str(order["to"]))
                return {}
            case "ready":
                return {"ready": not self._kiosk.surface.locked()}
        raise KeyError(order["do"])

    def tap(self, button: str) -> None:
        """Touch the middle of a button and let go."""
        taps = self._kiosk.surface.taps()
        if button not in taps:
            raise Refused(f"{button} is not on the page {self._kiosk.frame.state.screen}: {', '.join(sorted(taps))}")
        tap = taps[button]
        if not tap.enabled:
            raise Refused(f"{button} is asleep")
        x, y = tap.to_window(*tap.center)
        if not (0 <= x < Window.width and 0 <= y < Window.height):
            raise Refused(f"{button} lies outside the window")
        self.touch(x, y)

    def touch(self, x: float, y: float) -> None:
        spot = (x / max(1, Window.width - 1), y / max(1, Window.height - 1))
        finger = Finger("hand", next(self._numbers), spot, is_touch=True, type_id="touch")
        finger.update_time_end()
        self._provider.events += [("begin", finger), ("end", finger)]
        self._kiosk.pace.hurry()
        self._kiosk.pace.wake()

    def read(self) -> dict[str, Any]:
        surface = self._kiosk.surface
        texts = [text.text for text in widgets_of(surface, Text) if text.text]
        taps = surface.taps()
        return {
            "screen": self._kiosk.frame.state.screen,
            "lang": self._kiosk.frame.lang,
            "asking": self._kiosk.frame.ask_s is not None,
            "texts": texts,
            "buttons": sorted(taps),
            "asleep": sorted(name for name, tap in taps.items() if not tap.enabled),
            "places": {name: _place(tap) for name, tap in taps.items()},
            "renderer": self._kiosk.bridge.renderer,
            "at": time.monotonic(),
        }


def _place(tap: Any) -> tuple[float, float]:
    """Where a finger would touch it: shares of the screen from its upper left corner."""
    x, y = tap.to_window(*tap.center)
    return round(x / Window.width, 4), round(1 - y / Window.height, 4)


def shoot(path: Path) -> None:
    """Write the window as PNG: drawn anew, read before the flip (reference, trap 5.3)."""
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels

    Window.dispatch("on_draw")
    width, height = Window.size
    pixels = glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(bytes(pixels), width, height))


def png(pixels: bytes, width: int, height: int) -> bytes:
    """Bottom-up RGB rows as a PNG file. Source: PNG specification, 3rd edition, sections 5 and 11."""
    import struct
    import zlib

    stride = width * 3
    rows = b"".join(b"\0" + pixels[y * stride : (y + 1) * stride] for y in range(height - 1, -1, -1))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
