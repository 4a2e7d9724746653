"""The reserve for a full disk: a file that is given up so that open flows and audits can end. No SQL, no rules."""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

BALLAST = "ballast"
BALLAST_BYTES = 4 * 1024 * 1024  # 250 further events fitted into it on a full disk (reference/reliability.md 2.2)
FREE_ENOUGH = 64 * 1024 * 1024  # the ballast is laid again only when this much is free


def laid(folder: Path) -> bool:
    """Tell whether the reserve is there. Without it no money is taken."""
    return os.access(f"{folder}/{BALLAST}", os.F_OK)  # asked with every commit, so without building a path


def lay(folder: Path) -> None:
    """Lay the reserve if there is room for it. Errors: OSError when the folder cannot be read."""
    room = os.statvfs(folder)
    if laid(folder) or room.f_bavail * room.f_frsize < FREE_ENOUGH:
        return
    ballast = folder / BALLAST
    try:
        handle = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, BALLAST_BYTES)
        finally:
            os.close(handle)
    except OSError as error:
        log.critical("no reserve for a full disk: %s", error)
        ballast.unlink(missing_ok=True)


def drop(folder: Path) -> bool:
    """Give the reserve up. Return whether there was one."""
    if not laid(folder):
        return False
    (folder / BALLAST).unlink()
    return True
