"""The "WKLY" board: every published frame, then what noise may do to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.lock import BoardState, Echoed, LockEvent, LockMoved, LockState, OpenReply
from drivers.wire.wkly import Wkly, framed
from tests.drivers.wire.hunted import hexed, read, stands_everything, stays_bounded

WIRE = Wkly(4)
TEN = Wkly(24, first=10)

REQUESTS = [
    (WIRE.open(1, 1), "57 4B 4C 59 09 00 82 01 83", "S-WKLY, the vendor's demo"),
    (WIRE.read_one(1, 1), "57 4B 4C 59 09 00 83 01 82", "S-WKLY, the vendor's demo"),
    (WIRE.read_all(1), "57 4B 4C 59 08 00 84 85", "S-WKLY, the vendor's demo"),
    (TEN.open(1, 1), "57 4B 4C 59 09 0A 82 01 89", "S-WKLY"),
    (Wkly(24, first=9).open(2, 1), "57 4B 4C 59 09 0A 82 01 89", "S-WKLY"),
]

REPLIES = [
    (WIRE.open(1, 1), "57 4B 4C 59 0B 00 82 00 01 00 81", OpenReply(1, 1, False), "S-WKLY, the vendor's demo"),
    (WIRE.read_one(1, 1), "57 4B 4C 59 0B 00 83 00 01 00 80", LockState(1, 1, False), "S-WKLY, the vendor's demo"),
    (
        WIRE.read_all(1),
        "57 4B 4C 59 0E 00 84 00 04 00 01 01 00 87",
        BoardState(1, (False, True, True, False)),
        "S-WKLY",
    ),
    (WIRE.read_all(1), "57 4B 4C 59 0A 00 85 01 01 86", LockMoved(1, 1, True), "S-WKLY, the vendor's demo"),
    (WIRE.open(1, 2), "57 4B 4C 59 0B 00 82 FF 02 01 7C", OpenReply(1, 2, None), "D: failed says nothing"),
    (WIRE.open(1, 2), "57 4B 4C 59 0B 00 82 01 02 01 82", OpenReply(1, 2, None), "D: the other failure code"),
    (WIRE.open(1, 2), "57 4B 4C 59 0B 00 82 00 02 FF 7D", OpenReply(1, 2, None), "D: the lock failed"),
    (b"", "57 4B 4C 59 0A 00 85 03 FF 7A", LockMoved(1, 3, None), "D"),
    (
        WIRE.read_all(1),
        "57 4B 4C 59 0E 00 84 00 04 00 FF 01 00 79",
        BoardState(1, (False, None, True, False)),
        "D: a lock that failed is a door nobody can tell",
    ),
]

SILENT = [
    ("57 4B 4C 59 08 00 86 87", "open all, S-WKLY"),
    ("57 4B 4C 59 09 00 86 00 86", "open all, its reply, S-WKLY"),
    ("57 4B 4C 59 09 00 80 FF 7F", "open several, its reply, S-WKLY"),
    ("57 4B 4C 59 0A 00 88 00 02 89", "hold a channel, its reply, S-WKLY"),
    ("57 4B 4C 59 0A 00 89 00 03 89", "release a channel, its reply, S-WKLY"),
    ("57 4B 4C 59 0A 00 81 01 00 01 00", "negative vector: LEN 0A but 11 bytes, wrong XOR, S-WKLY"),
    ("57 4B 4C 59 0A 00 82 00 01 00 80", "LEN one too small, XOR right for it, D"),
    ("57 4B 4C 59 05 00", "shorter than any frame"),
    ("57 4B 4C 59 0B 00 83 00 07 00 86", "a channel that the board has not (real for 24 ways)"),
    ("57 4B 4C 59 0C 00 84 00 02 00 01 86", "another number of channels than was set, D"),
    ("57 4B 4C 59 0D 00 84 00 04 00 01 01 84", "n and LEN do not fit, D"),
    ("57 4B 4C 59 0E 00 84 01 04 00 01 01 00 86", "read all failed, D"),
    ("57 4B 4C 59 0B 00 82 00 01 02 83", "no state of a lock, D"),
]


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


@pytest.mark.parametrize(("asked", "digits", "event", "source"), REPLIES)
def test_replies_are_read(asked: bytes, digits: str, event: LockEvent, source: str) -> None:
    parser = WIRE.parser()

    assert read(parser, asked, hexed(digits)) == [event], source
    assert parser.rejected == 0


def test_a_reply_for_a_later_channel_needs_the_ways() -> None:
    assert read(Wkly(24).parser(), b"", hexed("57 4B 4C 59 0B 00 83 00 07 00 86")) == [LockState(1, 7, False)]  # S-WKLY


@pytest.mark.parametrize(("digits", "what"), SILENT)
@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_all(1)])
def test_other_frames_say_nothing(digits: str, what: str, asked: bytes) -> None:
    assert read(WIRE.parser(), asked, hexed(digits)) == [], what


def test_a_frame_with_a_wrong_length_costs_not_the_next() -> None:
    wrong, right = hexed("57 4B 4C 59 0A 00 81 01 00 01 00"), hexed("57 4B 4C 59 0B 00 82 00 01 00 81")

    assert read(WIRE.parser(), WIRE.open(1, 1), wrong + right) == [OpenReply(1, 1, False)]


def test_a_push_between_question_and_answer_is_told_and_ends_no_wait() -> None:
    push, reply = hexed("57 4B 4C 59 0A 00 85 01 00 87"), hexed("57 4B 4C 59 0B 00 82 00 01 00 81")

    events = read(WIRE.parser(), WIRE.open(1, 1), push + reply)

    assert events == [LockMoved(1, 1, False), OpenReply(1, 1, False)]
    assert [WIRE.answers_open(event, 1, 1) for event in events] == [False, True]


@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_one(1, 2), WIRE.read_all(1)])
def test_an_echo_is_told_apart(asked: bytes) -> None:
    assert read(WIRE.parser(), asked, asked) == [Echoed(1)]


def test_no_request_moves_more_than_one_door() -> None:
    wire = Wkly(24)
    frames = [wire.open(board, lock) for board in range(1, 33) for lock in range(1, 25)]

    assert {frame[6] for frame in frames} == {0x82}
    assert len(set(frames)) == 32 * 24
    for board, lock in ((1, 0), (1, 25), (0, 1), (33, 1)):
        with pytest.raises(ValueError, match="not in"):
            wire.open(board, lock)
    for wrong in ({"ways": 51}, {"ways": 0}, {"first": 32}):
        with pytest.raises(ValueError, match="must be"):
            Wkly(**wrong)


contacts = st.lists(st.sampled_from([0, 1, 0xFF]), min_size=24, max_size=24)


def state_frame(values: list[int]) -> tuple[bytes, bytes, LockEvent]:
    meant = {0: False, 1: True, 0xFF: None}
    wire = Wkly(24)
    return wire.read_all(1), framed(0, 0x84, 0, 24, *values), BoardState(1, tuple(meant[value] for value in values))


@given(contacts, st.binary(max_size=40), st.integers(0, 40))
def test_an_answer_stands_every_pipe(values: list[int], noise: bytes, cut: int) -> None:
    stands_everything(Wkly(24).parser, state_frame(values), noise, cut)


@given(st.integers(1, 24), st.booleans(), st.binary(max_size=40), st.integers(0, 40))
def test_an_open_reply_stands_every_pipe(lock: int, shorted: bool, noise: bytes, cut: int) -> None:
    wire = Wkly(24)

    frame = wire.open(1, lock), framed(0, 0x82, 0, lock, int(shorted)), OpenReply(1, lock, shorted)
    stands_everything(wire.parser, frame, noise, cut)


@pytest.mark.parametrize("endless", [b"W" * 5000, b"WKLY\x3c" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    stays_bounded(WIRE.parser(), 61, endless)
