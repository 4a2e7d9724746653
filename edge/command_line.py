"""The manners all commands of the house share: one sentence about a mistake, JSON on one line, --config anywhere.

What a command does is in edge/cli/ and sync/hub/cli.py.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

USAGE = 2


class Parser(argparse.ArgumentParser):
    """Takes --config wherever it stands, and says one sentence about a mistake instead of the whole usage.

    The namespace has no `config` when none was given.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument(
            "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="settings (TOML), here or anywhere"
        )

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def plain(error: OSError) -> str:
    """Say what the system refused, and for which file, without its number."""
    said = error.strerror or str(error)
    return f"{error.filename}: {said}" if error.filename is not None else said


def settle_input() -> None:
    """Let a closed standard input read as an empty one, so that what is asked there is refused and no bug."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - stays open as long as the program


def emit(value: Any) -> None:
    """Write one JSON object on a line of its own, readable where the text can be written at all."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half signs from a scan or the command line
        text = json.dumps(value)
    print(text, flush=True)  # noqa: T201 this is the output of a command
