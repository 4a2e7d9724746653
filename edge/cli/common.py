"""What every command of the point shares: exit codes, and the settings it works on."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.command_line import Parser, emit
from edge.config import Settings, load

__all__ = ["Parser", "emit"]

DONE, REFUSED, USAGE, DEVICE, STORE = range(5)
CONFIG_VARIABLE = "VILLAGE_POINT_CONFIG"


class NotNow(Exception):
    """A command is refused; the sentence says why."""


def settings_of(arguments: argparse.Namespace, *, only_devices: bool = False) -> Settings:
    """Read the settings. Errors: ConfigError; ValueError when no file is named."""
    named = getattr(arguments, "config", None) or os.environ.get(CONFIG_VARIABLE)
    if not named:
        raise ValueError(f"give --config FILE or set {CONFIG_VARIABLE}")
    settings = load(Path(named), only_devices=only_devices)
    arguments.worked_in = settings.data_dir
    return settings


def ended(code: int, sentence: str) -> int:
    """Say why a command did not do what was asked, beside its JSON; say nothing when it did. Return the code."""
    if code != DONE:
        print(sentence, file=sys.stderr)
    return code


def command(
    commands: Any, name: str, help_text: str, run: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    """Add a sub-command."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text)
    parser.set_defaults(run=run)
    return parser
