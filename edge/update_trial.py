"""What is remembered across the restart into a new release: one small file beside the books, readable by both releases.

It is written before the other slot is, and removed when the trial has ended either way. Keys are only ever added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sync.files import replace_file, sync_folder

FILE = "trial.json"
VERDICT = "verdict.json"  # what the last health check said
MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Trial:
    """A release on trial. `slot`, `boot`: where and in which start it was asked for; `order`: empty by a technician.

    Shape: `devices`: name to health before; `online`: whether the hub was reached before; `written`: the other slot is.
    """

    order: str
    version: str
    old: str
    slot: str
    boot: str
    devices: Mapping[str, str]
    online: bool
    written: bool = False


def save(folder: Path, trial: Trial) -> None:
    """Write it durably. Errors: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, json.dumps(asdict(trial)).encode(), 0o640)


def written(trial: Trial) -> Trial:
    """The same, once the other slot holds the release."""
    return replace(trial, written=True)


def load(folder: Path) -> Trial | None:
    """Read it; None when there is none, or none that can be read: then nothing is known of a trial."""
    try:
        told = json.loads((folder / FILE).read_bytes()[:MAX_BYTES])
        return Trial(
            order=str(told["order"]),
            version=str(told["version"]),
            old=str(told["old"]),
            slot=str(told["slot"]),
            boot=str(told["boot"]),
            devices={str(name): str(word) for name, word in dict(told["devices"]).items()},
            online=bool(told["online"]),
            written=bool(told["written"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(folder: Path) -> None:
    """The trial has ended. Errors: OSError."""
    for name in (VERDICT, FILE):
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir():
        sync_folder(folder)


def note_verdict(folder: Path, words: tuple[str, ...]) -> None:
    """What a health check found wrong, for the release that runs after it. Errors: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / VERDICT, json.dumps({"words": list(words)}).encode(), 0o640)


def verdict(folder: Path) -> tuple[str, ...]:
    """What the last health check found wrong; nothing when there was none."""
    try:
        words = json.loads((folder / VERDICT).read_bytes()[:MAX_BYTES])["words"]
        return tuple(str(word)[:40] for word in words)
    except (OSError, ValueError, KeyError, TypeError):
        return ()
