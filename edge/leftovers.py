"""Copies of the books that a kill or a power cut left in the data folder: nobody would look for them, and they hold
people whom the books themselves have forgotten long since.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SCRATCH = ".health-"  # a copy to be looked at; its maker's process number follows
RESTORING = "restoring"  # books on their way back, and
COPY = "copy.kept"  # the hub's copy of them, as far as it has come
_MADE_BY = re.compile(re.escape(SCRATCH) + r"(\d{1,9})-.+")


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder inside for one look at a copy, gone afterwards. Errors: OSError."""
    clear_scratch(folder)
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=folder) as made:
        yield Path(made)


def clear_scratch(folder: Path) -> None:
    """Remove the copies of those who are not at work any more. Never fails: the next one tries again."""
    for each in folder.glob(f"{SCRATCH}*"):
        made_by = _MADE_BY.fullmatch(each.name)
        if made_by is None or not _is_alive(int(made_by[1])):
            shutil.rmtree(each, ignore_errors=True)


def clear(folder: Path) -> None:
    """The same, and what is left of books that came back; for a kiosk that opens its books."""
    clear_scratch(folder)
    shutil.rmtree(folder / RESTORING, ignore_errors=True)
    for each in folder.glob(f"*.{COPY}"):
        with suppress(OSError):
            each.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another account's
        return True
    return True
