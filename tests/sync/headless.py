"""A real Chromium without a window, driven over its own debugging pipe: messages are JSON with a zero byte behind."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium")
MISSING = "Chromium is missing: apt-get install chromium (80 MB, some 300 MB installed)"
ANSWER_S = 40.0
PIECE = 1 << 16


def _pipe() -> list[int]:
    """Both ends above the numbers that Chromium wants for itself."""
    low = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 40) for end in low]
    for end in low:
        os.close(end)
    return high


class Browser:
    """One tab. Events wait in `events` until they are asked for."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        to_browser, ours_out = _pipe()
        ours_in, from_browser = _pipe()
        self._out, self._in = ours_out, ours_in
        self._number, self._text = 0, b""
        self.events: list[dict[str, Any]] = []
        command = [
            str(PROGRAM), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={size[0]},{size[1]}", "about:blank",
        ]  # fmt: skip
        # the browser reads 3 and writes 4
        script = f'exec 3<&{to_browser} 4>&{from_browser} {to_browser}<&- {from_browser}>&-; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command], pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._tab = ""
        target = next(each for each in self.ask("Target.getTargets")["targetInfos"] if each["type"] == "page")
        self._tab = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for room in ("Page", "Runtime", "Log"):
            self.ask(f"{room}.enable")
        self.resize(*size)

    def close(self) -> None:
        self._tab = ""
        self.ask("Browser.close")
        os.close(self._out)
        self._process.wait(20)
        os.close(self._in)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._tab:
            message["sessionId"] = self._tab
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def resize(self, width: int, height: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str) -> None:
        """Go to a page and wait until it is all there."""
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self.loaded()

    def loaded(self) -> None:
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def press(self, selector: str) -> None:
        """Click something that leads to another page."""
        self.events.clear()
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self.loaded()

    def fill(self, selector: str, text: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def run(self, script: str) -> Any:
        done = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def complaints(self) -> list[str]:
        """What the browser has logged: refused content, errors of scripts."""
        return [
            event["params"]["entry"]["text"]
            for event in self.events
            if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] in ("warning", "error")
        ]

    def picture(self, file: Path) -> None:
        taken = self.ask("Page.captureScreenshot", format="png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    def _next(self) -> dict[str, Any]:
        give_up = time.monotonic() + ANSWER_S
        while b"\0" not in self._text:
            ready, _, _ = select.select([self._in], [], [], max(0, give_up - time.monotonic()))
            assert ready, "Chromium does not answer"
            piece = os.read(self._in, PIECE)
            assert piece, "Chromium has gone"
            self._text += piece
        message, _, self._text = self._text.partition(b"\0")
        return json.loads(message)
