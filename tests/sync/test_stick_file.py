"""Files on a stick: whole or nothing, for one key and one way, and telling nothing to whoever finds one."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import sealed
from sync.sealed import Way
from sync.stick_file import (
    MAX_FRAME,
    SAME_TIME,
    BadStick,
    Kind,
    Writing,
    files_for,
    frames,
    is_unfinished,
    names,
    remove,
)

KEY, OTHER = bytes(range(32)), bytes(32)
SMALLEST = sealed.HEAD_BYTES + sealed.SEALED_CHUNK + sealed.SIGNATURE_BYTES


def write(folder: Path, *payloads: bytes, key: bytes = KEY, way: Way = Way.UP) -> Path:
    with Writing(folder, key, way) as writing:
        for payload in payloads:
            writing.add(Kind.BATCH, payload)
        return writing.finish()


def read(file: Path, key: bytes = KEY, way: Way = Way.UP) -> list[bytes]:
    return [frame.payload for frame in frames(file, key, way)]


def refusal(file: Path, key: bytes = KEY, way: Way = Way.UP) -> str:
    with pytest.raises(BadStick) as refused:
        read(file, key, way)
    return refused.value.word


@given(st.lists(st.binary(max_size=100_000), max_size=6))
@settings(max_examples=20)
def test_what_was_put_in_comes_out_in_order(tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]) -> None:
    file = write(tmp_path_factory.mktemp("stick"), *payloads)

    assert read(file) == payloads


@pytest.mark.parametrize(
    "size", [0, sealed.CHUNK - 20, sealed.CHUNK - 5, sealed.CHUNK, 3 * sealed.CHUNK - 25, MAX_FRAME]
)
def test_frames_that_end_at_a_chunk_come_out_whole(tmp_path: Path, size: int) -> None:
    assert read(write(tmp_path, bytes(size))) == [bytes(size)]


def test_a_size_is_one_of_few_steps(tmp_path: Path) -> None:
    sizes = {write(tmp_path, bytes(n)).stat().st_size for n in (0, 1, 500, 30_000, 60_000)}

    assert sizes == {SMALLEST}
    assert write(tmp_path, bytes(100_000)).stat().st_size == SMALLEST + sealed.SEALED_CHUNK
    assert write(tmp_path, bytes(140_000)).stat().st_size == SMALLEST + 3 * sealed.SEALED_CHUNK


def test_two_files_of_the_same_content_share_nothing_but_size_and_time(tmp_path: Path) -> None:
    one, two = write(tmp_path, b"QJ-0001" * 900), write(tmp_path, b"QJ-0001" * 900)

    assert one.name != two.name
    assert one.stat().st_mtime == two.stat().st_mtime == SAME_TIME
    mine, yours = one.read_bytes(), two.read_bytes()
    same = sum(a == b for a, b in zip(mine, yours, strict=True)) / len(mine)
    assert same < 0.02  # by chance every 256th
    assert b"QJ-0001" not in mine


def test_a_file_is_found_by_its_key_and_its_way_alone(tmp_path: Path) -> None:
    up, down = write(tmp_path, b"a"), write(tmp_path, b"b", way=Way.DOWN)
    write(tmp_path, b"c", key=OTHER)

    assert files_for(tmp_path, KEY, Way.UP) == [up]
    assert files_for(tmp_path, KEY, Way.DOWN) == [down]


def test_keys_for_sealing_and_signing_and_each_way_differ() -> None:
    up, down = sealed.keys_of(KEY, Way.UP, bytes(32)), sealed.keys_of(KEY, Way.DOWN, bytes(32))

    assert len({up.seal, up.sign, down.seal, down.sign, KEY}) == 5


@pytest.mark.parametrize("part", [0, 1, 47, 48, 5_000, SMALLEST - 33, SMALLEST - 1])
def test_a_file_that_was_cut_anywhere_gives_nothing(tmp_path: Path, part: int) -> None:
    file = write(tmp_path, b"fact")
    file.write_bytes(file.read_bytes()[:part])

    assert refusal(file) == "cut_off"


def test_a_file_cut_at_a_size_step_gives_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, os.urandom(100_000))
    file.write_bytes(file.read_bytes()[:SMALLEST])

    assert refusal(file) == "altered"


@given(st.integers(0, SMALLEST - 1), st.integers(1, 255))
@settings(max_examples=40)
def test_one_changed_byte_anywhere_and_nothing_is_taken(
    tmp_path_factory: pytest.TempPathFactory, at: int, by: int
) -> None:
    file = write(tmp_path_factory.mktemp("stick"), b"fact")
    held = bytearray(file.read_bytes())
    held[at] ^= by
    file.write_bytes(held)

    assert refusal(file) == "altered"


def test_swapped_chunks_are_refused_even_with_a_right_signature(tmp_path: Path) -> None:
    file = write(tmp_path, os.urandom(100_000))
    held = file.read_bytes()
    head, rest = held[: sealed.HEAD_BYTES], held[sealed.HEAD_BYTES : -sealed.SIGNATURE_BYTES]
    swapped = rest[sealed.SEALED_CHUNK :] + rest[: sealed.SEALED_CHUNK]
    signature = sealed.Signature(sealed.keys_of(KEY, Way.UP, head[: sealed.SALT_BYTES]))
    signature.add(swapped)
    file.write_bytes(head + swapped + signature.whole())

    assert refusal(file) == "altered"


def test_bytes_behind_the_end_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, b"fact")
    file.write_bytes(file.read_bytes() + b"x")

    assert refusal(file) == "cut_off"


def test_another_key_and_the_other_way_open_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, b"fact")

    assert refusal(file, key=OTHER) == "altered"
    assert refusal(file, way=Way.DOWN) == "altered"


def test_a_newer_release_is_told_apart_from_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr("sync.stick_file.VERSION", 2)
        file = write(tmp_path, b"fact")

    assert refusal(file) == "version"


def test_a_stick_that_is_pulled_leaves_no_file_that_counts(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        writing = Writing(tmp_path, KEY, Way.UP)
        writing.__enter__()
        writing.add(Kind.BATCH, os.urandom(200_000))
        os._exit(0)  # nobody tidies up
    os.waitpid(child, 0)

    assert names(tmp_path) == []
    assert is_unfinished(tmp_path)


def test_a_writer_that_gives_up_leaves_nothing(tmp_path: Path) -> None:
    with Writing(tmp_path, KEY, Way.UP) as writing:
        writing.add(Kind.BATCH, b"fact")

    assert list(tmp_path.iterdir()) == []


def test_links_pipes_and_strange_names_are_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path, b"fact")
    (tmp_path / f"{'0' * 32}.bin").symlink_to(file)
    (tmp_path / "photo.jpg").write_bytes(b"x")
    os.mkfifo(tmp_path / f"{'1' * 32}.bin")

    assert names(tmp_path) == [file]
    assert refusal(tmp_path / f"{'1' * 32}.bin") == "altered"
    assert refusal(tmp_path / f"{'0' * 32}.bin") == "gone"


def test_a_file_that_is_gone_meanwhile_is_a_trouble_of_the_stick(tmp_path: Path) -> None:
    file = write(tmp_path, b"fact")
    remove([file])

    assert refusal(file) == "gone"


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadStick, match="not_a_folder"):
        names(tmp_path / "nowhere")


def test_a_place_where_no_file_can_be_made_is_told() -> None:
    with pytest.raises(BadStick) as refused, Writing(Path("/proc/self"), KEY, Way.UP):
        pass

    assert refused.value.word in {"read_only", "gone"}


def test_a_full_stick_is_told_and_left_clean(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(BadStick, match="full"):
            write(tmp_path, os.urandom(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert list(tmp_path.iterdir()) == []
