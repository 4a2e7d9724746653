"""The disk that forgets: what was flushed stays, what was not is at the dice's mercy, and a recorded run can be cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_disk import PAGE, SECTOR, VOLATILE_MOST, CutDisk, survivors

SIZE = 64 * PAGE


@pytest.fixture
def base(tmp_path: Path) -> Path:
    file = tmp_path / "base"
    file.write_bytes(bytes(number % 251 for number in range(SIZE)))
    return file


@pytest.fixture
def disk(base: Path, tmp_path: Path) -> Iterator[CutDisk]:
    made = CutDisk(base, tmp_path / "disk")
    yield made
    made.close()


def test_reader_sees_what_was_written_and_the_base_stays(disk: CutDisk, base: Path) -> None:
    before = base.read_bytes()

    disk.write(PAGE - 3, b"abcdef")

    assert disk.read(PAGE - 4, 8) == before[PAGE - 4 : PAGE - 3] + b"abcdef" + before[PAGE + 3 : PAGE + 4]
    disk.flush()
    assert disk.read(0, SIZE) == before[: PAGE - 3] + b"abcdef" + before[PAGE + 3 :]
    assert base.read_bytes() == before


def test_a_card_larger_than_its_image_reads_as_zeros_there_until_written(base: Path, tmp_path: Path) -> None:
    disk = CutDisk(base, tmp_path / "large", 2 * SIZE)
    try:
        assert disk.size == 2 * SIZE
        assert disk.read(SIZE - PAGE, 2 * PAGE) == base.read_bytes()[-PAGE:] + bytes(PAGE)
        disk.write(SIZE + 5, b"abc")
        disk.flush()
        assert disk.read(SIZE, PAGE) == b"\0" * 5 + b"abc" + bytes(PAGE - 8)
    finally:
        disk.close()


def test_what_was_flushed_survives_every_cut(disk: CutDisk) -> None:
    disk.write(0, b"kept" * 200)
    disk.flush()

    for seed in range(50):
        disk.cut(random.Random(seed))

    assert disk.read(0, 800) == b"kept" * 200


def test_a_cut_keeps_all_none_or_some_of_what_was_not_flushed(base: Path, tmp_path: Path) -> None:
    seen = set()
    for seed in range(60):
        disk = CutDisk(base, tmp_path / str(seed))
        before = disk.read(0, 2 * PAGE)
        disk.write(0, b"1" * PAGE)
        disk.write(PAGE, b"2" * PAGE)

        hurt = disk.cut(random.Random(seed))

        after = disk.read(0, 2 * PAGE)
        seen.add((after[:PAGE] == b"1" * PAGE, after[PAGE:] == b"2" * PAGE))
        assert (hurt == 0) == (after == b"1" * PAGE + b"2" * PAGE)
        for at in range(0, 2 * PAGE, SECTOR):  # a sector is the old or the new one
            assert after[at : at + SECTOR] in (before[at : at + SECTOR], b"1" * SECTOR, b"2" * SECTOR)
        disk.close()

    assert seen == {(True, True), (False, False), (True, False), (False, True)}


def test_writes_are_torn_at_sectors_only() -> None:
    pieces = [
        piece
        for seed in range(300)
        for piece in survivors([(PAGE, b"x" * PAGE)], random.Random(seed))[0]
        if len(piece[1]) != PAGE
    ]

    assert pieces, "no write was torn"
    assert all(at % SECTOR == 0 and len(content) % SECTOR == 0 and content for at, content in pieces)


def test_an_older_version_of_a_page_may_survive_the_newer_one(base: Path, tmp_path: Path) -> None:
    found = set()
    for seed in range(80):
        disk = CutDisk(base, tmp_path / str(seed))
        disk.write(0, b"a" * PAGE)
        disk.write(0, b"b" * PAGE)
        disk.cut(random.Random(seed))
        found.add(disk.read(0, 1))
        disk.close()

    assert {b"a", b"b"} < found


def test_memory_of_volatile_writes_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.touch()
    with file.open("r+b") as opened:
        opened.truncate(2 * VOLATILE_MOST)
    disk = CutDisk(file, tmp_path / "disk")
    content = b"z" * (1 << 20)

    for at in range(0, 2 * VOLATILE_MOST, len(content)):
        disk.write(at, content)

    assert disk._volatile_bytes <= VOLATILE_MOST
    assert len(disk._live) * PAGE <= VOLATILE_MOST
    assert disk.read(0, 4) == disk.read(2 * VOLATILE_MOST - 4, 4) == b"zzzz"
    disk.close()


def test_snapshot_is_gone_back_to(disk: CutDisk, tmp_path: Path) -> None:
    disk.write(100, b"before")
    kept = disk.snapshot(tmp_path / "kept")
    disk.write(100, b"after!")
    disk.flush()

    disk.restore(kept)

    assert disk.read(100, 6) == b"before"


def test_a_recorded_run_is_cut_at_any_moment(disk: CutDisk, tmp_path: Path) -> None:
    run = disk.record(tmp_path / "start")
    for number in range(8):
        disk.write(number * PAGE, bytes([65 + number]) * PAGE)
        disk.flush()
    run.mark("end")

    disk.replay(run, 6, random.Random(1))

    assert [disk.read(number * PAGE, 1) for number in range(3)] == [b"A", b"B", b"C"]
    assert disk.read(3 * PAGE, 1) != b"D"
    assert run.marks["end"] == 16
    assert len(run.log) == 16, "the replay was recorded"


def test_a_stretch_goes_out_and_back(disk: CutDisk, tmp_path: Path) -> None:
    file = tmp_path / "stretch"
    disk.extract(PAGE, 3 * PAGE, file)
    changed = bytearray(file.read_bytes())
    changed[5:10] = b"hello"
    file.write_bytes(changed)

    disk.insert(PAGE, file)
    disk.cut(random.Random(0))

    assert disk.read(PAGE + 5, 5) == b"hello"


@pytest.mark.parametrize("at", [-1, SIZE - 2])
def test_writes_outside_are_refused(disk: CutDisk, at: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        disk.write(at, b"abcd")
