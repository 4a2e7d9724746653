"""The table [update] of the settings, all of it optional: when releases may be fetched, how fast; and what runs now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edge.mistakes import mistake
from edge.release import BadSheet, Running, number
from edge.toml_table import Table

FOLDER = "update"  # in data_dir: files on their way, and what is remembered across the restart
WINDOW_RULE = r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"
DAY_MINUTES = 24 * 60
KBIT = 2_000  # half of a usual rural line of 4 Mbit/s


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Shape: `window` in minutes of the day, Chinese time; `image_file`, `keyring`, `helper` are the image's own."""

    window: tuple[int, int] = (60, 300)
    kbit: int = KBIT
    helper: Path = Path("/run/village-point/update.sock")
    image_file: Path = Path("/etc/village-image")
    keyring: Path = Path("/etc/rauc/keyring.pem")

    def is_open(self, minute: int, late: int = 0) -> bool:
        """Whether it is night; `late`: minutes after its begin, so that not all points come at once."""
        begin, end = self.window
        length = (end - begin) % DAY_MINUTES or DAY_MINUTES
        return min(late, length // 2) <= (minute - begin) % DAY_MINUTES < length

    def running(self) -> Running | None:
        """The image that runs, None where there is none: a package on a Debian of somebody's own."""
        try:
            told = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', self.image_file.read_text("utf-8"), re.MULTILINE))
            number(told["VERSION"])
            return Running(told["VERSION"], told["COMPATIBLE"])
        except (OSError, UnicodeDecodeError, KeyError, BadSheet):
            return None


def read_update(table: Table, base: Path) -> UpdateSettings:
    """Read the table; mistakes are noted in it."""
    usual = UpdateSettings()
    window = table.optional_text("window", WINDOW_RULE, mistake("window"))
    begin, end = usual.window if window is None else (_minutes(each) for each in window.split("-"))
    files = {}
    for key in ("helper", "image_file", "keyring"):
        path = table.optional_text(key, r"[^\0]{1,400}", mistake("just_a_path"))
        files[key] = getattr(usual, key) if path is None else base / path
    settings = UpdateSettings((begin, end), table.whole("kbit", 64, 100_000, usual.kbit), **files)
    table.finish()
    return settings


def _minutes(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)
