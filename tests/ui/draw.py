"""Draw every sample at one size in both languages into `build/screens/`, and report what was drawn as JSON.

    python tests/ui/draw.py 1024x600 10.1 build/screens [only [languages]]

One process has one window size, so the test starts one process per size. Not a test itself.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

os.environ["SDL_VIDEODRIVER"] = "offscreen"

from screen_samples import ALIKE, TIGHTEST, samples  # noqa: E402

from ui.app import prepare  # noqa: E402
from ui.panel import Panel  # noqa: E402
from ui.settings import UiSettings  # noqa: E402


def main(size: str, diagonal: str, folder: str, only: str = "", languages: str = "zh,en") -> None:
    width, height = (int(part) for part in size.split("x"))
    home = tempfile.TemporaryDirectory()
    prepare(UiSettings(width, height, float(diagonal)), Path(home.name))
    from kivy.app import App
    from kivy.base import runTouchApp
    from kivy.clock import Clock

    from ui.screens.root import Root
    from ui.screens.text import register_font
    from ui.screens.theme import Ruler

    register_font()
    panel = Panel(width, height, float(diagonal))
    root = Root(Ruler(panel), lambda _name: None, lambda: None)
    app = App()
    app.root = root
    app._run_prepare()
    runTouchApp(embedded=True)
    Clock._max_fps = 0
    if not only:
        shutil.rmtree(Path(folder) / size, ignore_errors=True)  # no picture of an older page stays
    report: list[dict[str, Any]] = []
    for lang in languages.split(","):
        for name, frame in samples((panel.villager_rows, panel.operator_rows)).items():
            if (only and not name.startswith(only)) or (name in ALIKE and size != TIGHTEST):
                continue
            root.show(replace(frame, lang=lang))
            for _ in range(2):  # the layout, without showing it
                Clock.tick()
                Clock.tick_draw()
            path = Path(folder) / size / lang / f"{name}.png"
            state = type(frame.state).__name__
            report.append({"size": size, "lang": lang, "name": name, "state": state, **_look(root, path, panel)})
    (Path(folder) / f"{size}.json").write_text(json.dumps(report, ensure_ascii=False), encoding="utf-8")


def _look(root: Any, path: Path, panel: Panel) -> dict[str, Any]:
    """One picture, and the facts the tests judge: sizes in mm, boxes, fits, measured contrast."""
    from kivy.core.window import Window
    from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels

    from ui.screens.hand import png
    from ui.screens.root import widgets_of
    from ui.screens.text import Text
    from ui.screens.widgets import Tap

    Window.dispatch("on_draw")
    width, height = Window.size
    pixels = bytes(glReadPixels(0, 0, width, height, GL_RGB, GL_UNSIGNED_BYTE))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(pixels, width, height))
    mm = panel.px_per_mm
    taps = [
        {
            "id": tap.button,
            "enabled": tap.enabled,
            "box": [tap.x, tap.y, tap.right, tap.top],
            "mm": [round(tap.width / mm, 2), round(tap.height / mm, 2)],
        }
        for tap in widgets_of(root, Tap)
    ]
    asleep = {text for tap in widgets_of(root, Tap) if not tap.enabled for text in widgets_of(tap, Text)}
    texts = [
        {
            "text": text.text,
            "lines": text.lines,
            "fits": text.fits,
            "em_mm": round(text.px / mm, 2),
            "box": [text.x, text.y, text.right, text.top],
            "contrast": round(_contrast(text, pixels, width, height), 2),
            "asleep": text in asleep,
        }
        for text in widgets_of(root, Text)
        if text.text
    ]
    return {"window": [width, height], "taps": taps, "texts": texts}


def _contrast(text: Any, pixels: bytes, width: int, height: int) -> float:
    """Between the ink asked for and the ground that was really drawn: the commonest colour around the text."""
    from ui.screens.theme import contrast

    found: Counter[bytes] = Counter()
    left, bottom = max(0, int(text.x)), max(0, int(text.y))
    right, top = min(width - 1, int(text.right)), min(height - 1, int(text.top))
    for y in range(bottom, top + 1, max(1, (top - bottom) // 12)):
        for x in range(left, right + 1, max(1, (right - left) // 24)):
            at = (y * width + x) * 3
            found[pixels[at : at + 3]] += 1
    grounds = [shade for shade, _ in found.most_common() if not _is_ink(shade, text.colour)]
    if not grounds:
        return 1.0  # nothing but ink: it cannot be read
    red, green, blue = grounds[0]
    return contrast(text.colour, (red / 255, green / 255, blue / 255, 1.0))


def _is_ink(shade: bytes, ink: tuple[float, ...]) -> bool:
    return all(abs(part - 255 * want) < 6 for part, want in zip(shade, ink[:3], strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
