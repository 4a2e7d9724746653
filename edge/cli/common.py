"""What every command shares: exit codes, JSON lines, the option that names the configuration, mistakes of usage."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from edge.config import Settings, load

DONE, REFUSED, USAGE, DEVICE, STORE = range(5)
CONFIG_VARIABLE = "VILLAGE_POINT_CONFIG"


class NotNow(Exception):
    """A command is refused; the sentence says why."""


class Parser(argparse.ArgumentParser):
    """Takes --config wherever it stands, and says one sentence about a mistake instead of the whole usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        what = f"settings of the point (TOML); without it the file named by {CONFIG_VARIABLE}"
        self.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help=what)

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def emit(value: Any) -> None:
    """Write one JSON object on a line of its own, readable where the text can be written at all."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half signs from a scan or the command line
        text = json.dumps(value)
    print(text, flush=True)


def settings_of(arguments: argparse.Namespace, *, only_devices: bool = False) -> Settings:
    """Read the settings. Errors: ConfigError; ValueError when no file is named."""
    named = getattr(arguments, "config", None) or os.environ.get(CONFIG_VARIABLE)
    if not named:
        raise ValueError(f"give --config FILE or set {CONFIG_VARIABLE}")
    return load(Path(named), only_devices=only_devices)


def command(
    commands: Any, name: str, help_text: str, run: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    """Add a sub-command."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text)
    parser.set_defaults(run=run)
    return parser
