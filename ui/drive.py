"""A unix socket through which tests and training touch the real screen. Off unless the settings name a path.

One JSON object per line in, one out: {"ok": true, ...} or {"ok": false, "error": "..."}.
Orders: tap id | type digits | screen | wait screen timeout_s | shot path | lang to | touch x y. No Kivy here: every
order is done in the window's thread through the bridge.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as Late
from pathlib import Path
from typing import Any

from ui.bridge import Bridge

log = logging.getLogger(__name__)

Obey = Callable[[dict[str, Any]], dict[str, Any]]
ANSWER_S = 10.0
READY_S = 3.0  # the page locks touches for 0.3 s after it changed
POLL_S = 0.02
AGAIN_S = 0.43  # the same button twice within 0.4 s counts once, so the hand waits like a person
DIGIT_AGAIN_S = 0.2
LINE_MAX = 65_536


class NotShown(Exception):
    """The screen that was waited for did not come."""


class DriveServer:
    """Serves one client after another; each connection may send many orders."""

    def __init__(self, path: Path, bridge: Bridge, obey: Obey) -> None:
        self._path, self._bridge, self._obey = path, bridge, obey
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._tapped: tuple[str, float] = ("", 0.0)

    def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o600)
        self._socket.listen(4)
        self._thread = threading.Thread(target=self._serve, name="drive", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._socket:
            self._socket.close()
        self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        assert self._socket is not None
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # closed by stop()
            threading.Thread(target=self._talk, args=(client,), name="drive-client", daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rwb") as lines:
                while line := lines.readline(LINE_MAX):
                    lines.write(json.dumps(self._answer(line), ensure_ascii=False).encode() + b"\n")
                    lines.flush()
        except OSError:
            log.debug("a drive client went away")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            return {"ok": True, **self._do(json.loads(line))}
        except (Late, CancelledError):
            return {"ok": False, "error": "the window did not answer"}
        except Exception as error:  # noqa: BLE001  # the client is told; the window goes on
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _do(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "tap":
                self._tap(str(order["id"]), bool(order.get("raw", False)))
                return {}
            case "type":
                screen = self._window({"do": "screen"})["screen"]
                for digit in str(order["digits"]):
                    self._tap(f"{screen}.{digit}", False)
                return {}
            case "wait":
                return self._wait(str(order["screen"]), float(order.get("timeout_s", 5)))
        return self._window(order)

    def _tap(self, button: str, raw: bool) -> None:
        """Tap like a person: not within the lock, not the same key twice at once. `raw` taps at once."""
        if not raw:
            deadline = time.monotonic() + READY_S
            while not self._window({"do": "ready"})["ready"] and time.monotonic() < deadline:
                time.sleep(POLL_S)
            name, at = self._tapped
            if name == button:
                pause_s = DIGIT_AGAIN_S if button[-1].isdigit() and button[-2] == "." else AGAIN_S
                time.sleep(max(0.0, at + pause_s - time.monotonic()))
        self._window({"do": "tap", "id": button})
        self._window({"do": "screen"})  # one turn of the window: the touch has been dispatched
        self._tapped = (button, time.monotonic())

    def _wait(self, screen: str, timeout_s: float) -> dict[str, Any]:
        """Wait for one of the screens named, joined by "|"."""
        deadline = time.monotonic() + timeout_s
        while True:
            page = self._window({"do": "screen"})
            if page["screen"] in screen.split("|"):
                return page
            if time.monotonic() >= deadline:
                raise NotShown(f"waited {timeout_s} s for {screen}, the screen is {page['screen']}")
            time.sleep(POLL_S)

    def _window(self, order: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._bridge.call(lambda: self._obey(order)).result(ANSWER_S)
        return answer
