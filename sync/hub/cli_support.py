"""`village-hub support open`: read what a terminal sealed for the district. Manners are those of sync/hub/cli.py."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge.command_line import emit
from sync.hub.cli_enrolment import authority_of
from sync.hub.config import HubSettings
from sync.hub.enrolment import NotNow
from sync.support import MAX_SEALED, SUFFIX, BadBundle, opened


def add(commands: Any) -> None:
    """Add the command to those of `village-hub`."""
    actions = commands.add_parser("support", help="bundles of terminals").add_subparsers(
        required=True, metavar="ACTION"
    )
    reading = actions.add_parser("open", help="unseal a support bundle into a folder")
    reading.add_argument("file", type=Path, metavar="FILE")
    reading.add_argument("--out", type=Path, metavar="DIR", help="a new folder; beside the file when not given")
    reading.set_defaults(command=_open)


def _open(settings: HubSettings, options: argparse.Namespace) -> int:
    file: Path = options.file
    try:
        with file.open("rb") as content:
            files = opened(content.read(MAX_SEALED + 1), authority_of(settings).unseal)
    except OSError as error:
        raise NotNow("no_file", f"{file} cannot be read: {error.strerror}") from error
    except BadBundle as error:
        raise NotNow("bad_bundle", f"{file}: {error}") from error
    folder = options.out or file.with_name(file.name.removesuffix(SUFFIX) + ".open")
    try:
        folder.mkdir(mode=0o700)
        for name, content_ in files.items():
            (folder / name).write_bytes(content_)
    except OSError as error:
        raise NotNow("no_folder", f"{folder} cannot be made: {error.strerror}") from error
    emit({"folder": str(folder), "files": {name: len(each) for name, each in files.items()}})
    return 0
