"""`village-point support-bundle`: what somebody far away needs to understand this terminal, sealed for the district."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

from edge import support
from edge.cli import doctor
from edge.cli.common import DONE, NotNow, command, emit
from edge.cli.first import DATA, USUAL, first_place
from edge.cli.store import reading
from edge.clock import SystemClock
from edge.config import Settings, load
from edge.first_files import Place
from edge.hub_link import IDENTITY
from edge.mistakes import ConfigError
from edge.setup import VERSION
from edge.steps import Finding
from edge.store import StoreFault
from edge.support import Told
from sync.identity import AUTHORITY
from sync.support import SUFFIX

KEEP = 3


def add(commands: Any) -> None:
    bundle = command(commands, "support-bundle", "logs, versions and the check-up, sealed for the district's hub", _run)
    bundle.add_argument("--out", type=Path, metavar="DIR", help="where to; the data folder when not given")
    bundle.add_argument("--data", type=Path, metavar="DIR", help=f"data folder, without settings; {USUAL[DATA]}")
    bundle.set_defaults(boot=None, sticks=None)


def _run(arguments: argparse.Namespace) -> int:
    place = first_place(arguments)
    settings = _settings(place)
    data_dir = place.data_dir if settings is None else settings.data_dir
    arguments.worked_in = data_dir
    now_ms = SystemClock().stamp().at
    site = "" if settings is None else settings.site
    about = support.about(VERSION, now_ms, data_dir) | {"site": site}
    told = Told(about, _findings(settings), _facts(settings))
    files = support.files(told, data_dir, None if settings is None else place.config)
    try:
        file = support.write(files, data_dir / IDENTITY / AUTHORITY, _folder(arguments.out, data_dir), site, now_ms)
    except ValueError as error:
        raise NotNow(str(error)) from error
    emit(
        {"bundle": str(file), "bytes": file.stat().st_size, "files": {name: len(each) for name, each in files.items()}}
    )
    if arguments.out is None:
        for old in sorted(file.parent.glob(f"*{SUFFIX}"), key=lambda each: each.stat().st_mtime)[:-KEEP]:
            old.unlink()
    return DONE


def _folder(out: Path | None, data_dir: Path) -> Path:
    folder = data_dir / "support" if out is None else out
    if out is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    elif not out.is_dir():
        raise NotNow(f"{out} is no folder")
    return folder


def _settings(place: Place) -> Settings | None:
    """The settings; a terminal without them, or with broken ones, needs support all the more."""
    with contextlib.suppress(ConfigError):
        return load(place.config)
    return None


def _facts(settings: Settings | None) -> list[dict[str, Any]]:
    if settings is not None:
        with contextlib.suppress(StoreFault, ConfigError), reading(settings) as tx:
            return support.last_facts(tx)
    return []


def _findings(settings: Settings | None) -> tuple[Finding, ...]:
    if settings is not None:
        with contextlib.suppress(ConfigError, StoreFault, OSError):
            return doctor.board_of(settings).findings
    return ()
