"""Asks the privileged half of updates (edge/update_helper.py) over its socket. Blocks; a loop runs it aside."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge.release import Unfit

LINE_S = 120.0  # it gives a sign of life every ten seconds while it works
CONNECT_S = 10.0
MAX_LINE = 64 * 1024
MAX_LINES = 100_000


def _nobody(_answer: Mapping[str, Any]) -> None:
    return None


class Helper:
    """The other end of one socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def status(self) -> dict[str, Any]:
        """Which slot runs, and whether on trial. Errors: Unfit no_helper, no_slots."""
        return self._ask({"do": "status"}, _nobody)

    def install(self, name: str, tell: Callable[[Mapping[str, Any]], None], *, force: bool = False) -> dict[str, Any]:
        """Write a file of the update folder into the other slot; `tell` hears the progress. Errors: Unfit."""
        return self._ask({"do": "install", "file": name, "force": force}, tell)

    def restart(self) -> None:
        """Restart into the slot that was just written. Errors: Unfit."""
        self._ask({"do": "restart"}, _nobody)

    def _ask(self, request: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(CONNECT_S)
                line.connect(str(self._path))
                line.settimeout(LINE_S)
                line.sendall(json.dumps(request).encode() + b"\n")
                with line.makefile("r", encoding="utf-8") as answers:
                    return self._heard(answers, tell)
        except (OSError, ValueError) as error:
            raise Unfit("no_helper", str(error)) from error

    def _heard(self, answers: Any, tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
        for _ in range(MAX_LINES):
            answer = json.loads(answers.readline(MAX_LINE) or "{}")
            if not answer:
                break
            if "refused" in answer:
                raise Unfit(str(answer["refused"]), str(answer.get("detail", "")))
            if answer.get("done"):
                return dict(answer)
            tell(answer)
        raise Unfit("no_helper", "it ended without an answer")
