"""Replace a small file as a whole: after a power cut it holds the old content or the new one, never half of one."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ONLY = 0o600


def replace_file(file: Path, content: bytes, mode: int = OWNER_ONLY) -> None:
    """Write durably. Only one process may write a file at a time. Errors: OSError."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)  # of a writer that was killed
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    with open(handle, "wb", buffering=0) as out:  # noqa: PTH123 the handle is ours
        left = memoryview(content)
        while left:  # a disk that is nearly full takes a part, and refuses with the next call
            left = left[out.write(left) :]
        os.fchmod(handle, mode)
        os.fsync(handle)
    part.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable. Errors: OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
