"""The points of a hub as a list in a file of its own: a settings file is a page, a city has thousands of points.

One line for each point, `code,name,link_key_file` and maybe `,profile_file`; paths are relative to the list. Empty
lines and lines that begin with # are passed over.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

from edge.mistakes import Mistake, mistake
from edge.model import SiteCode
from edge.toml_table import Table

SITE_RULE = r"[A-Z0-9][A-Z0-9-]{1,18}[A-Z0-9]"
PATH_RULE = r"[^\x00]{1,400}"
MAX_BYTES = 100 * 1024 * 1024  # a million points; a larger file is the wrong one
MAX_MISTAKES = 20  # told of one list


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """One point of the district."""

    name: str
    link_key_file: Path
    profile_file: Path | None = None  # the settings file a new terminal gets when it is enrolled


def read_list(table: Table, base: Path) -> dict[SiteCode, SiteSettings]:
    """Read the list that the setting `sites_list` names, if it is there; mistakes are noted in the table."""
    name = table.optional_text("sites_list", PATH_RULE, mistake("just_a_path"))
    if name is None:
        return {}
    file = base / name
    try:
        if file.stat().st_size > MAX_BYTES:
            table.wrong(mistake("large_list", file=str(file)), "sites_list")
            return {}
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        table.wrong(mistake("unread_list", file=str(file)), "sites_list")
        return {}
    return _sites(table, lines, file)


def _sites(table: Table, lines: list[str], file: Path) -> dict[SiteCode, SiteSettings]:
    sites: dict[SiteCode, SiteSettings] = {}
    mistakes: list[tuple[int, Mistake]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        wrong = _mistake(cells, sites)
        if wrong is not None:
            mistakes.append((number, wrong))
            continue
        profile = file.parent / cells[3] if len(cells) > 3 and cells[3] else None
        sites[SiteCode(cells[0])] = SiteSettings(cells[1], file.parent / cells[2], profile)
    for number, each in mistakes[:MAX_MISTAKES]:
        table.wrong(replace(each, place=f"{file}:{number}"), "sites_list")
    return sites


def _mistake(cells: list[str], sites: dict[SiteCode, SiteSettings]) -> Mistake | None:
    if not 3 <= len(cells) <= 4 or not cells[1] or not cells[2]:
        return mistake("list_line")
    if not re.fullmatch(SITE_RULE, cells[0]):
        return mistake("site_key")
    if SiteCode(cells[0]) in sites:
        return mistake("site_twice")
    return None if "\0" not in cells[2] else mistake("just_a_path")
