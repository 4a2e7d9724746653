"""What every command shares: exit codes, JSON lines, the option that names the configuration."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.config import Settings, load

DONE, REFUSED, USAGE, DEVICE, STORE = range(5)


def emit(value: Any) -> None:
    """Write one JSON object on a line of its own, readable where the text can be written at all."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half signs from a scan or the command line
        text = json.dumps(value)
    print(text, flush=True)


def settings_of(arguments: argparse.Namespace) -> Settings:
    return load(arguments.config)


def with_config(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings of the point (TOML)")
    return parser


def command(
    commands: Any, name: str, help_text: str, run: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    """Add a sub-command that takes a configuration."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text)
    with_config(parser).set_defaults(run=run)
    return parser
