"""`village-point support-bundle`: what somebody far away needs to understand this terminal, sealed for the district."""

from __future__ import annotations

import argparse
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge import support
from edge.cli import doctor
from edge.cli.common import DONE, NotNow, command, emit
from edge.cli.first import DATA, USUAL, first_place
from edge.cli.store import reading
from edge.clock import SystemClock
from edge.config import ConfigError, Settings, load
from edge.first_files import Place
from edge.hub_link import IDENTITY
from edge.setup import VERSION
from edge.steps import Finding
from edge.store import StoreFault
from edge.support import Told
from sync.files import replace_file
from sync.identity import AUTHORITY
from sync.support import SUFFIX, BadBundle, sealed
from sync.x509 import BadPem

KEEP = 3
FOR_ALL = 0o644  # a stick is read by another machine's user; what it says only the district can read


def add(commands: Any) -> None:
    bundle = command(commands, "support-bundle", "logs, versions and the check-up, sealed for the district's hub", _run)
    bundle.add_argument("--out", type=Path, metavar="DIR", help="where to; the data folder when not given")
    bundle.add_argument("--data", type=Path, metavar="DIR", help=f"data folder, without settings; {USUAL[DATA]}")
    bundle.set_defaults(boot=None, sticks=None)


def _run(arguments: argparse.Namespace) -> int:
    place = first_place(arguments)
    settings = _settings(place)
    data_dir = place.data_dir if settings is None else settings.data_dir
    authority = data_dir / IDENTITY / AUTHORITY
    if not authority.exists():
        raise NotNow("this terminal has never met its district's hub, so there is nobody to seal a bundle for")
    clock = SystemClock()
    now_ms = clock.stamp().at
    site = "" if settings is None else settings.site
    told = Told(support.about(VERSION, now_ms, data_dir) | {"site": site}, _findings(settings), _facts(settings))
    files = support.files(told, data_dir, None if settings is None else place.config)
    try:
        content = sealed(files, authority.read_bytes())
    except (BadBundle, BadPem) as error:
        raise NotNow(str(error)) from error
    file = _written(content, arguments.out, data_dir, site or "new", now_ms)
    emit({"bundle": str(file), "bytes": len(content), "files": {name: len(each) for name, each in files.items()}})
    return DONE


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
        with contextlib.suppress(ValueError, StoreFault, OSError):
            return doctor.board_of(settings).findings
    return ()


def _written(content: bytes, out: Path | None, data_dir: Path, site: str, now_ms: int) -> Path:
    folder = data_dir / "support" if out is None else out
    if out is None:
        folder.mkdir(mode=0o700, exist_ok=True)
    elif not out.is_dir():
        raise NotNow(f"{out} is no folder")
    day = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    file = folder / f"{site}-{day}{SUFFIX}"
    replace_file(file, content, FOR_ALL)
    if out is None:
        for old in sorted(folder.glob(f"*{SUFFIX}"), key=lambda each: each.stat().st_mtime)[:-KEEP]:
            old.unlink()
    return file
