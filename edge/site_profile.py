"""The profile of a site: the settings of one point without what belongs to one machine. Which rules it has to keep.

It may leave out data_dir, sticks_dir, [panel] and [hub]: the terminal knows its disk and its panel, and the hub from
the district.toml it was started with. Where one comes from is in edge/first_start.py, how it is signed sync/profile.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.config import Settings, settled
from edge.mistakes import ConfigError, mistake
from edge.toml_table import MAX_FILE_BYTES, Table, parse, read_text

__all__ = ["MAX_TEXT", "BadProfile", "Ground", "check", "read_text", "settings_of", "whole"]

MAX_TEXT = MAX_FILE_BYTES
Values = Mapping[str, str | int | float | bool]


class BadProfile(ValueError):
    """A profile that is not used. Its mistakes in the settings themselves are a ConfigError.

    Words: damaged | altered | other_district | other_site | other_device | expired | version
    """

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(f"{word}: {detail}" if detail else word)
        self.word = word
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Ground:
    """What the machine and its district add to a profile that does not say it. Shape: `hub` and `panel` as tables."""

    data_dir: Path
    sticks_dir: Path | None
    panel: Values
    hub: Values | None  # None: the profile stands for itself

    @property
    def usual(self) -> dict[str, object]:
        """The keys of a settings file that need not be written."""
        found: dict[str, object] = {"data_dir": str(self.data_dir), "panel": self.panel}
        if self.sticks_dir is not None:
            found["sticks_dir"] = str(self.sticks_dir)
        if self.hub is not None:
            found["hub"] = self.hub
        return found


def settings_of(text: str, file: Path, ground: Ground, site: str = "") -> Settings:
    """Read a profile as the settings it will make. `file` is what people know it by, `site` as which we were let in.

    Errors: ConfigError with every mistake and its line; BadProfile other_site, other_district.
    """
    table = parse(text, file)
    settings = settled(table.with_usual(ground.usual), file)
    if site and settings.site != site:
        raise BadProfile("other_site", settings.site)
    if settings.data_dir != ground.data_dir:
        table.wrong(mistake("fixed", value=str(ground.data_dir)), "data_dir")
        raise ConfigError(file, table.problems)
    if ground.hub is not None:
        _same_district(settings, str(ground.hub["ca_fingerprint"]))
    return settings


def check(text: str, file: Path, site: str, fingerprint: str) -> None:
    """Check a profile where it is kept for a site, at the hub. Options of devices are not known there.

    Errors: as `settings_of`.
    """
    hub: Values = {"host": "hub", "port": 8883, "ca_fingerprint": fingerprint}
    panel: Values = {"width": 1280, "height": 800, "diagonal_inch": 10.1}
    settings_of(text, file, Ground(Path("/var/lib/village-point"), None, panel, hub), site)


def whole(text: str, ground: Ground) -> str:
    """Write the settings file of a profile that was found good: with what it leaves out."""
    own = parse(text, Path("profile"))
    head = [f"{key} = {_plain(value)}" for key, value in ground.usual.items() if not _is_there(own, key, value)]
    tail = [_table(key, value) for key, value in ground.usual.items() if _lacks_table(own, key, value)]
    return "\n".join([*head, text.rstrip(), *tail]) + "\n"


def _same_district(settings: Settings, fingerprint: str) -> None:
    hub = settings.hub
    if hub is None or hub.ca_fingerprint != fingerprint:
        raise BadProfile("other_district", "" if hub is None else hub.ca_fingerprint[:8])


def _is_there(own: Table, key: str, value: object) -> bool:
    return isinstance(value, Mapping) or own.has(key)


def _lacks_table(own: Table, key: str, value: object) -> bool:
    return isinstance(value, Mapping) and not own.has(key)


def _table(name: str, values: object) -> str:
    assert isinstance(values, Mapping), "asked for tables alone"
    return "\n".join(["", f"[{name}]", *(f"{key} = {_plain(value)}" for key, value in values.items())])


def _plain(value: object) -> str:
    """A text, a number or a flag as TOML writes it: as JSON does, but for what stands outside the first plane."""
    return json.dumps(value, ensure_ascii=False)
