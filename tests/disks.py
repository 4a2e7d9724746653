"""Bad disks for tests: a small one that is really full, and noise over a file as a dying card leaves it."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a file system of `size` in memory. Skips the test where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def spoil(path: Path, seed: int) -> bytes:
    """Write noise over a page in the middle; return the whole file."""
    body = bytearray(path.read_bytes())
    at = len(body) // 4096 // 2 * 4096
    body[at : at + 4096] = random.Random(seed).randbytes(4096)
    path.write_bytes(body)
    return bytes(body)
