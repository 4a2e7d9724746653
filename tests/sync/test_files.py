"""A small file is replaced whole or not at all, also by a disk that takes only a part of it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.files import replace_file

OLD, NEW = b"old" * 400, b"new" * 2_000


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """As on a disk that is nearly full, the system writes what fits and says how much that was."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_a_part_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "point.toml"
    replace_file(file, OLD)

    with room_for(4_096), pytest.raises(OSError, match="too large"):
        replace_file(file, NEW)

    assert file.read_bytes() == OLD


def test_with_room_again_the_new_file_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "point.toml"
    with room_for(4_096), pytest.raises(OSError, match="too large"):
        replace_file(file, NEW)

    replace_file(file, NEW, 0o640)

    assert file.read_bytes() == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
