"""What a command made as root is the kiosk's afterwards: whatever lies in a data folder belongs to the folder's owner.

Else a technician who adds a person, makes a backup or puts a release on as root leaves a key, a lock or a folder that
the kiosk cannot open. Nothing is followed out of the folder: its owner could have laid a link there.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

ROOT = 0


def hand_over(folder: Path) -> None:
    """Give what is root's in a folder to its owner; nothing unless we are root and the owner is not."""
    with suppress(OSError):
        owner = folder.stat()
        if os.geteuid() != ROOT or owner.st_uid == ROOT:
            return
        for _, _, files, inside in os.fwalk(folder.resolve()):
            _give(inside, owner)
            for name in files:
                with suppress(OSError):
                    _give_named(name, inside, owner)


def hand_over_file(file: Path) -> None:
    """The same of one file, to the owner of the folder it lies in."""
    with suppress(OSError):
        owner = file.parent.stat()
        if os.geteuid() == ROOT and owner.st_uid != ROOT:
            inside = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _give_named(file.name, inside, owner)
            finally:
                os.close(inside)


def _give_named(name: str, inside: int, owner: os.stat_result) -> None:
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            _give(handle, owner)
    finally:
        os.close(handle)


def _give(handle: int, owner: os.stat_result) -> None:
    """A file with a second name may be known elsewhere by the other one: it stays root's."""
    found = os.fstat(handle)
    if found.st_uid == ROOT and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1):
        os.fchown(handle, owner.st_uid, owner.st_gid)
