"""What lies where a technician puts files for a new terminal: a folder on the card's boot partition, and USB sticks.

Only looks; what a file means is in edge/first_start.py. Everything read is bounded: a stick is anybody's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.district import NAME as DISTRICT
from edge.site_profile import MAX_TEXT

SUFFIX = ".vpprofile"
POINT = "point.toml"
SUB = "village-point"  # on a stick the files lie at the top or in a folder of this name
MAX_STICKS = 8
MAX_FILES = 2_000  # names looked at in one folder
MAX_PROFILES = 400  # a county on one stick
MAX_SIGNED = 256 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are. `config`: the settings file that is to be; `boot`: the folder on the boot partition."""

    config: Path
    data_dir: Path
    boot: Path
    sticks: Path

    @property
    def kept_district(self) -> Path:
        """The district.toml that came on a stick, kept: the stick is pulled long before anybody has approved."""
        return self.config.parent / DISTRICT

    @property
    def card_profile(self) -> Path:
        """The settings of the site, on the card."""
        return self.boot / POINT

    def district_files(self) -> list[Path]:
        """Every district.toml there is: that of the card counts first, then those of sticks, then the one kept."""
        named = [self.boot / DISTRICT, *(folder / DISTRICT for folder in self.folders()), self.kept_district]
        return [file for file in named if file.is_file()]

    def folders(self) -> list[Path]:
        """The folders of sticks in which our files may lie."""
        found = [self.sticks / name for name in _names(self.sticks, MAX_STICKS)]
        both = [each for stick in found for each in (stick, stick / SUB)]
        return [each for each in both if each.is_dir()]

    def signed_profiles(self) -> Iterator[bytes]:
        """What stands in the signed profiles on all sticks; what cannot be read is passed over."""
        named = [
            folder / name for folder in self.folders() for name in _names(folder, MAX_FILES) if name.endswith(SUFFIX)
        ]
        for file in named[:MAX_PROFILES]:
            content = read_plain(file, MAX_SIGNED)
            if content is not None:
                yield content


def read_plain(file: Path, most: int = MAX_TEXT) -> bytes | None:
    """Read a plain file up to `most` bytes and one more, by which a longer one is known. None when it cannot be."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        try:
            return opened.read(most + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None
        except OSError:
            return None


def _names(folder: Path, most: int) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for _, entry in zip(range(most), entries, strict=False))
    except OSError:
        return []
