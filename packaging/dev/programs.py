"""Child programs with their logs: start one and wait until it says it is up, stop it, kill it, hear its last words.

Knows no program of the house; stand.py does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOP_S = 15.0  # time to end by itself after SIGTERM
POLL_S = 0.02
LOG_BYTES = 8 * 1024 * 1024  # a log is emptied beyond this; that of the stand before is kept as .1
TAIL_LINES = 12
ROOT = Path(__file__).resolve().parents[2]

Said = list[dict[str, Any]]


class StandError(Exception):
    """A program of the stand did not start, died, or refused. The message holds its last words."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that ended although nobody asked it to."""

    name: str
    code: int
    last_words: str


class Programs:
    """The running children of one stand, by name.

    They end when their starter ends, so start them from a thread that lives as long as the stand.
    """

    def __init__(self, log_folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = log_folder
        self._environment = dict(environment)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._said_from: dict[str, int] = {}  # where in its output log the newest start of a program begins

    def start(self, name: str, command: Sequence[str], is_up: Callable[[Said], bool], wait_s: float) -> None:
        """Start a program and wait until what it printed satisfies `is_up`. Errors: StandError."""
        assert name not in self._children, f"{name} runs already"
        out_log, err_log = (self._opened_log(name, stream) for stream in ("out", "err"))
        self._said_from[name] = out_log.stat().st_size
        ends_with_us = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
        with out_log.open("ab") as out, err_log.open("ab") as err:
            child = subprocess.Popen(
                [*ends_with_us, *command], cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True,  # a Ctrl-C in the terminal is ours alone; children are stopped in order
            )  # fmt: skip
        self._children[name] = child
        try:
            self._wait_until_up(name, child, is_up, wait_s)
        except BaseException:
            self._children.pop(name)
            child.kill()
            child.wait(STOP_S)
            raise

    def _wait_until_up(
        self, name: str, child: subprocess.Popen[bytes], is_up: Callable[[Said], bool], wait_s: float
    ) -> None:
        deadline = time.monotonic() + wait_s
        while not is_up(self.said(name)):
            if child.poll() is not None:
                raise StandError(f"{name} ended with exit code {child.returncode}:\n{self.last_words(name)}")
            if time.monotonic() > deadline:
                raise StandError(f"{name} was not up after {wait_s:g} s:\n{self.last_words(name)}")
            time.sleep(POLL_S)

    def stop(self, name: str) -> int | None:
        """Ask one program to end and wait; kill it when it does not. Tell its exit code, None if it was not there."""
        child = self._children.pop(name, None)
        if child is None:
            return None
        child.terminate()
        try:
            return child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(STOP_S)

    def kill(self, name: str) -> None:
        """End one program at once, as a power cut would (kill -9). Errors: KeyError."""
        child = self._children.pop(name)
        child.kill()
        child.wait(STOP_S)

    def ended(self) -> Ended | None:
        """Tell a program that ended by itself since its start, if there is one."""
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                return Ended(name, code, self.last_words(name))
        return None

    def pid(self, name: str) -> int:
        """Tell the process id of a running program. Errors: KeyError."""
        return self._children[name].pid

    def said(self, name: str) -> Said:
        """Tell the JSON objects a program printed since its newest start."""
        found: Said = []
        with self.log(name, "out").open("rb") as log:
            log.seek(self._said_from.get(name, 0))
            whole, _, _ = log.read().rpartition(b"\n")  # the last line may be half written
            for line in whole.splitlines():
                try:
                    found += [json.loads(line)] if line.startswith(b"{") else []
                except ValueError:
                    continue
        return found

    def log(self, name: str, stream: str = "err") -> Path:
        """Tell where a program's output (`out`) or errors (`err`) go, for all its starts in this stand."""
        return self._folder / f"{name}.{stream}.log"

    def last_words(self, name: str) -> str:
        """Tell the last lines a program wrote to its errors, or to its output when there are none."""
        for stream in ("err", "out"):
            file = self.log(name, stream)
            lines = file.read_text("utf-8", errors="replace").splitlines() if file.exists() else []
            if lines:
                return "\n".join(lines[-TAIL_LINES:])
        return "it said nothing"

    def bound_logs(self) -> None:
        """Empty every log that has grown beyond its bound. Call it now and then while programs run."""
        for file in self._folder.glob("*.log"):
            if file.stat().st_size > LOG_BYTES:
                os.truncate(file, 0)
                self._said_from[file.name.split(".")[0]] = 0

    def _opened_log(self, name: str, stream: str) -> Path:
        file = self.log(name, stream)
        file.parent.mkdir(parents=True, exist_ok=True)
        if name not in self._said_from and file.exists():
            file.replace(file.with_name(f"{file.name}.1"))
        file.touch()
        return file
