"""Open the window and keep it open: `run_app(settings, bridge)`. The window itself is in `ui/screens/`.

    run_app(ui: UiSettings, bridge: Bridge) -> None    blocks in the main thread until `bridge.stop()`

Kivy reads its environment once, at import; so nothing here imports it before `prepare` has spoken.
Errors: `NoWindow` when no window can be opened.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ui.bridge import Bridge
from ui.panel import Panel
from ui.settings import IdleTimes, UiSettings

__all__ = ["Bridge", "IdleTimes", "NoWindow", "UiSettings", "prepare", "run_app"]


class NoWindow(Exception):
    """No window could be opened; the technician acts (display, GL driver)."""


def run_app(ui: UiSettings, bridge: Bridge) -> None:
    """Show the kiosk until `bridge.stop()` is called from any thread."""
    with tempfile.TemporaryDirectory(prefix="kiosk-window-") as home:
        prepare(ui, Path(home))
        from ui.screens.kiosk import Kiosk  # imports Kivy

        kiosk = Kiosk(ui, bridge)
        if kiosk.window is None:
            raise NoWindow("no window: check the display and the graphics driver")
        kiosk.run()


def prepare(ui: UiSettings, home: Path) -> None:
    """Set what Kivy reads at import: no files of its own, no arguments, one input provider, the panel's real dpi.

    Source: reference recipe, traps 5.1 (every tap counted twice), 5.10 (Escape, F1), 5.11 (home directory, logs).
    """
    panel = Panel(ui.width, ui.height, ui.diagonal_inch)
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_FILELOG="1",
        KIVY_NO_CONSOLELOG=os.environ.get("KIVY_NO_CONSOLELOG", "1"),
        KIVY_LOG_MODE="PYTHON",  # our own logging stays as it is
        KIVY_DPI=str(round(panel.dpi, 2)),
        KIVY_METRICS_DENSITY="1",
        KIVY_AUDIO="",
        KIVY_HOME=str(home),
        SDL_NO_SIGNAL_HANDLERS="1",  # SIGTERM belongs to the composition root
    )
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    if not (os.environ.get("DISPLAY") or os.environ.get("SDL_VIDEODRIVER") or Path("/dev/dri/card0").exists()):
        os.environ["SDL_VIDEODRIVER"] = "offscreen"
    _configure(ui)


def _configure(ui: UiSettings) -> None:
    from kivy.config import Config

    graphics = {
        "width": ui.width,
        "height": ui.height,
        "fullscreen": "auto" if ui.fullscreen else 0,
        "borderless": int(ui.fullscreen),
        "show_cursor": int(not ui.fullscreen),
        "resizable": 0,
        "multisamples": 0,
        "maxfps": 60,
        "allow_screensaver": 0,
    }
    for key, value in graphics.items():
        Config.set("graphics", key, str(value))
    for key in list(Config.options("input")):
        Config.remove_option("input", key)
    Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("kivy", "log_level", "warning")
    fonts = Path(__file__).parent / "fonts"
    regular, bold = str(fonts / "kiosk-regular.otf"), str(fonts / "kiosk-bold.otf")
    Config.set("kivy", "default_font", repr(["Kiosk", regular, regular, bold, bold]))
    for option in list(Config.options("modules")):
        Config.remove_option("modules", option)
