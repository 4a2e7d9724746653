"""The Winnsen-style board: its few frames, the swapped reply, and what a protocol without a check can stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.lock import Declined, Echoed, LockEvent, LockState, OpenReply
from drivers.wire.winnsen import Winnsen
from tests.drivers.wire.hunted import hexed, read, stands_everything, stays_bounded

WIRE = Winnsen()

REQUESTS = [
    (WIRE.open(1, 7), "90 06 05 01 07 03", "D, rule of S-WINN"),
    (WIRE.read_one(1, 7), "90 06 12 01 07 03", "D, rule of S-WINN"),
    (Winnsen(first=0).open(1, 7), "90 06 05 00 07 03", "D, older revision"),
]

REPLIES = [
    (WIRE.open(1, 7), "90 07 85 01 07 01 03", OpenReply(1, 7, None), "D: nothing but a word without a check"),
    (WIRE.open(1, 7), "90 07 85 01 07 00 03", OpenReply(1, 7, None), "D"),
    (WIRE.open(1, 7), "90 07 85 01 07 02 03", Declined(1, 7, "cooling down", False), "D"),
    (WIRE.read_one(1, 7), "90 07 92 01 00 07 03", LockState(1, 7, False), "D: ST before LOCK"),
    (WIRE.read_one(1, 7), "90 07 92 01 01 07 03", LockState(1, 7, True), "D"),
]

SILENT = [
    "90 07 92 01 07 01 03",  # not swapped: ST 07 is none
    "90 07 92 01 02 07 03",  # no state of a door
    "90 07 85 01 00 01 03",
    "90 07 85 01 11 01 03",
    "90 07 85 01 07 03 03",
    "90 07 85 00 07 01 03",
    "90 07 85 05 07 01 03",
    "90 07 85 01 07 01 04",
    "90 08 85 01 07 01 03",
    "90 06 05 02 07 03",
]


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


@pytest.mark.parametrize(("asked", "digits", "event", "source"), REPLIES)
def test_replies_are_read(asked: bytes, digits: str, event: LockEvent, source: str) -> None:
    parser = WIRE.parser()

    assert read(parser, asked, hexed(digits)) == [event], source
    assert parser.rejected == 0


@pytest.mark.parametrize("digits", SILENT)
@pytest.mark.parametrize("asked", [WIRE.open(1, 7), WIRE.read_one(1, 7)])
def test_what_cannot_be_right_says_nothing(digits: str, asked: bytes) -> None:
    assert read(WIRE.parser(), asked, hexed(digits)) == []


def test_older_boards_count_from_zero() -> None:
    assert read(Winnsen(first=0).parser(), b"", hexed("90 07 92 00 01 07 03")) == [LockState(1, 7, True)]


@pytest.mark.parametrize("asked", [WIRE.open(1, 7), WIRE.read_one(2, 16)])
def test_an_echo_is_told_apart(asked: bytes) -> None:
    assert [type(event) for event in read(WIRE.parser(), asked, asked)] == [Echoed]


def test_each_lock_is_asked_alone() -> None:
    assert [look.locks for look in WIRE.looks(2)] == [range(lock, lock + 1) for lock in range(1, 17)]
    assert [look.request for look in WIRE.looks(2, 5)] == [WIRE.read_one(2, 5)]


def test_no_request_moves_more_than_one_door() -> None:
    frames = [WIRE.open(board, lock) for board in range(1, 5) for lock in range(1, 17)]

    assert all(frame[2] == 5 and 1 <= frame[3] <= 4 and 1 <= frame[4] <= 16 for frame in frames)
    for board, lock in ((1, 0), (1, 17), (0, 1), (5, 1)):
        with pytest.raises(ValueError, match="not in"):
            WIRE.open(board, lock)
    for wrong in ({"ways": 17}, {"first": 2}):
        with pytest.raises(ValueError, match="must be"):
            Winnsen(**wrong)


@given(st.integers(1, 4), st.integers(1, 16), st.booleans(), st.binary(max_size=40), st.integers(0, 10))
def test_an_answer_stands_every_pipe(board: int, lock: int, shorted: bool, noise: bytes, cut: int) -> None:
    answer = bytes((0x90, 7, 0x92, board, shorted, lock, 3))
    frame: tuple[bytes, bytes, LockEvent] = (WIRE.read_one(board, lock), answer, LockState(board, lock, shorted))

    stands_everything(WIRE.parser, frame, noise, cut)


@given(st.integers(1, 16), st.integers(0, 55), st.integers(0, 55))
def test_two_flipped_bits_never_turn_a_shut_door_into_an_open_one(lock: int, one: int, other: int) -> None:
    frame = bytearray((0x90, 7, 0x92, 1, 0, lock, 3))
    for bit in {one, other}:
        frame[bit // 8] ^= 1 << bit % 8

    told = read(WIRE.parser(), WIRE.read_one(1, lock), bytes(frame))

    assert LockState(1, lock, True) not in told or one == other


@pytest.mark.parametrize("endless", [b"\x90" * 5000, b"\x90\x07\x85" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    stays_bounded(WIRE.parser(), 8, endless)
