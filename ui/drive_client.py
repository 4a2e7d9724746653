"""The other end of the drive socket, for tests and for the day played through the real program. No Kivy here."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CONNECT_S = 20.0
ANSWER_S = 30.0


Kind = type[BaseException]  # the client's own `type` hides the builtin inside the class


class DriveError(Exception):
    """The window refused or did not answer; the message says why."""


class Driver:
    """Touches a running kiosk.

    Errors: every call raises DriveError when the window refuses, and after its time-out.
    """

    def __init__(self, path: Path, connect_s: float = CONNECT_S) -> None:
        self._socket = _connect(path, connect_s)
        self._lines = self._socket.makefile("rwb")

    def tap(self, button: str, raw: bool = False) -> None:
        """Touch a button like a person; `raw` does not wait for the input lock or between two taps."""
        self._ask(do="tap", id=button, raw=raw)

    def type(self, digits: str) -> None:
        """Tap the keys of the open page's keypad."""
        self._ask(do="type", digits=digits)

    def wait(self, screen: str, timeout_s: float = 5.0) -> dict[str, Any]:
        """Wait until a screen is open ("a|b" for either) and return its page as `screen()` does."""
        return self._ask(do="wait", screen=screen, timeout_s=timeout_s)

    def screen(self) -> dict[str, Any]:
        """{"screen", "lang", "asking", "texts": [...], "buttons": [...], "asleep": [...], "places": {...}, "renderer"}.

        Places are where a finger touches each button: shares of the screen from its upper left corner.
        """
        return self._ask(do="screen")

    def ready(self) -> bool:
        """Whether the page takes touches: not while it has only just been drawn."""
        return bool(self._ask(do="ready")["ready"])

    def texts(self) -> str:
        """All words on the page, joined by spaces."""
        return " ".join(self.screen()["texts"])

    def shot(self, path: Path) -> None:
        """Write the screen as PNG; the path is the kiosk's."""
        self._ask(do="shot", path=str(path))

    def lang(self, to: str) -> None:
        self._ask(do="lang", to=to)

    def touch(self, x: float, y: float) -> None:
        """Touch a pixel of the window, counted from the lower left corner."""
        self._ask(do="touch", x=x, y=y)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Kind | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, **order: Any) -> dict[str, Any]:
        self._socket.settimeout(ANSWER_S + float(order.get("timeout_s", 0)))
        try:
            self._lines.write(json.dumps(order).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        except OSError as error:
            raise DriveError(f"the kiosk does not answer: {error}") from error
        if not line:
            raise DriveError("the kiosk closed the drive socket")
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise DriveError(str(answer["error"]))
        return answer


def _connect(path: Path, connect_s: float) -> socket.socket:
    deadline = time.monotonic() + connect_s
    while True:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(str(path))
        except OSError as error:
            made.close()
            if time.monotonic() >= deadline:
                raise DriveError(f"no kiosk at {path} after {connect_s} s") from error
            time.sleep(0.05)
        else:
            return made
