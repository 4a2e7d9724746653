"""Put a release on by hand: from a stick at the screen, or by the command. Checked like an ordered one. Blocks.

The file is copied beside the books first: a stick may be pulled while the other slot is written.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import release, update_trial
from edge.clock import BOOT_ID
from edge.config import Settings
from edge.release import MAX_BUNDLE, Unfit
from edge.update_ask import Helper
from edge.update_folder import by_hand
from edge.update_settings import FOLDER
from sync import bundle

SUFFIX = ".raucb"
MOST = 50  # files looked at on a stick


@dataclass(frozen=True, slots=True)
class Before:
    """How the kiosk is before the restart: what edge/health.py compares with."""

    devices: Mapping[str, str]
    online: bool


def newest(stick: Path) -> Path | None:
    """The release file of a stick, by its name the last; None when there is none. Nothing is read. Errors: OSError."""
    found = sorted(stick.glob(f"[!.]*{SUFFIX}"))[:MOST]
    return next((file for file in reversed(found) if file.is_file() and not file.is_symlink()), None)


def judged(file: Path, settings: Settings, *, force: bool = False) -> bundle.Bundle:
    """Look at a file with all that is checked before a byte is written. Errors: Unfit, OSError."""
    running = settings.update.running()
    if running is None:
        raise Unfit("no_slots")
    told = bundle.read(file, settings.update.keyring)
    bundle.check_whole(file)
    release.check(told.version, told.compatible, running, force=force)
    if told.base and told.base != running.version:
        raise Unfit("wrong_base", f"on {told.base}")
    return told


def put_on(
    file: Path, settings: Settings, before: Before, tell: Callable[[Mapping[str, Any]], None], *, force: bool = False
) -> str:
    """Check it, write it into the other slot, remember how things were; return its version. Errors: Unfit, OSError."""
    told = judged(file, settings, force=force)
    running, helper, folder = settings.update.running(), Helper(settings.update.helper), settings.data_dir / FOLDER
    assert running is not None, "judged"
    with by_hand(folder):
        own = _taken_in(file, folder)
        boot, slot = BOOT_ID.read_text(encoding="ascii").strip(), str(helper.status()["booted"])
        trial = update_trial.Trial("", told.version, running.version, slot, boot, before.devices, before.online)
        helper.install(own.name, tell, force=force)
        update_trial.save(folder, update_trial.written(trial))
        own.unlink(missing_ok=True)
    return told.version


def _taken_in(file: Path, folder: Path) -> Path:
    """A copy under its SHA-256 in the update folder; a file that lies there already is used as it is."""
    name = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            name.update(part)
    own = folder / f"{name.hexdigest()}{SUFFIX}"
    if own.exists() and own.samefile(file):
        return own
    folder.mkdir(parents=True, exist_ok=True)
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < min(file.stat().st_size, MAX_BUNDLE) * 2:
        raise Unfit("disk_full", f"{room.f_bavail * room.f_frsize} bytes are free")
    part_file = own.with_suffix(".part")
    shutil.copyfile(file, part_file)
    part_file.replace(own)
    return own
