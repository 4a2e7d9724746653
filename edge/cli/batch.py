"""`village-point batch show`: a packed batch in plain words, from a file or standard input. Needs no settings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge.cli.common import DONE, REFUSED, emit
from sync.readable import readable
from sync.strict import BadBatch
from sync.wire import MAX_PACKED


def add(commands: Any) -> None:
    actions = commands.add_parser("batch", help="what travels on the line").add_subparsers(
        required=True, metavar="ACTION"
    )
    show = actions.add_parser("show", help="show a packed batch, one JSON object a line")
    show.add_argument("file", metavar="FILE", help="as it was on the line; - for standard input")
    show.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> int:
    try:
        payload = _read(arguments.file)
        for line in readable(payload):
            emit(line)
    except BadBatch as error:
        sys.stderr.write(f"this is no batch: {error}\n")
        return REFUSED
    except FileNotFoundError:
        sys.stderr.write(f"there is no file {arguments.file}\n")
        return REFUSED
    return DONE


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_PACKED + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_PACKED + 1)  # one more than any batch: enough to refuse a longer one
