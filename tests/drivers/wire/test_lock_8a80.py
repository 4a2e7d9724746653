"""The 8A/80 board: every published frame, then what noise may do to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.lock import BoardState, Echoed, LockEvent, LockMoved, LockState, OpenReply, Polarity
from drivers.wire.lock_8a80 import Board8A80, bcc, sealed

WIRE = Board8A80(24)


def hexed(digits: str) -> bytes:
    return bytes.fromhex(digits)


# request, its bytes, source key (S-: published; D: derived from the published rules, check byte recomputed)
REQUESTS = [
    (WIRE.open(1, 1), "8A 01 01 11 9B", "S-8A-CSDN, S-8A-TEST"),
    (WIRE.open(1, 3), "8A 01 03 11 99", "S-8A-LUAT log"),
    (WIRE.open(1, 4), "8A 01 04 11 9E", "S-8A-TEST"),
    (WIRE.open(1, 5), "8A 01 05 11 9F", "S-8A-TEST"),
    (WIRE.open(1, 8), "8A 01 08 11 92", "S-8A-TEST"),
    (WIRE.open(1, 9), "8A 01 09 11 93", "S-8A-TEST"),
    (WIRE.open(1, 10), "8A 01 0A 11 90", "S-8A-TEST"),
    (WIRE.open(1, 11), "8A 01 0B 11 91", "S-8A-TEST"),
    (Board8A80(24, pulse_s=5).open(1, 1), "8A 01 01 11 05 9E", "D, rule of S-8A-CS"),
    (WIRE.read_one(1, 1), "80 01 01 33 B3", "S-8A-CSDN"),
    (WIRE.read_all(1), "80 01 00 33 B2", "S-8A-LUAT, S-8A-CS"),
]

# what was asked, the bytes that come, what they say
REPLIES = [
    (WIRE.open(1, 1), "8A 01 01 00 8A", OpenReply(1, 1, False), "S-8A-CSDN, S-8A-TEST"),
    (WIRE.open(1, 1), "8A 01 01 11 9B", OpenReply(1, 1, True), "S-8A-CSDN"),
    (WIRE.open(1, 3), "8A 01 03 00 88", OpenReply(1, 3, False), "S-8A-TEST"),
    (WIRE.open(1, 4), "8A 01 04 00 8F", OpenReply(1, 4, False), "S-8A-TEST"),
    (WIRE.open(1, 5), "8A 01 05 00 8E", OpenReply(1, 5, False), "S-8A-TEST"),
    (WIRE.open(1, 8), "8A 01 08 00 83", OpenReply(1, 8, False), "S-8A-TEST"),
    (WIRE.open(1, 9), "8A 01 09 00 82", OpenReply(1, 9, False), "S-8A-TEST"),
    (WIRE.open(1, 10), "8A 01 0A 00 81", OpenReply(1, 10, False), "S-8A-TEST"),
    (WIRE.open(1, 11), "8A 01 0B 00 80", OpenReply(1, 11, False), "S-8A-TEST"),
    (WIRE.read_one(1, 1), "80 01 01 00 80", LockState(1, 1, False), "S-8A-CSDN"),
    (WIRE.read_one(1, 1), "80 01 01 11 91", LockState(1, 1, True), "D"),
    (b"", "81 01 01 00 81", LockMoved(1, 1, False), "S-8A-PY4"),
    (b"", "81 01 01 11 90", LockMoved(1, 1, True), "S-8A-PY4"),
    (b"", "81 01 02 00 82", LockMoved(1, 2, False), "S-8A-PY4"),
    (b"", "81 01 02 11 93", LockMoved(1, 2, True), "S-8A-PY4"),
    (b"", "81 01 04 00 84", LockMoved(1, 4, False), "S-8A-PY4"),
    (b"", "81 01 04 11 95", LockMoved(1, 4, True), "S-8A-PY4"),
    (WIRE.read_all(1), "80 01 00 00 05 33 B7", BoardState(1, tuple(n in (1, 3) for n in range(1, 25))), "D"),
    (WIRE.read_all(1), "80 01 FF FF FF 33 4D", BoardState(1, (True,) * 24), "D"),
]

# frames that are known but move several doors or hold a coil: never built, never taken for an answer
FORBIDDEN = [
    ("8A 01 00 11 9A", "open all, S-8A-CSDN"),
    ("90 01 05 00 00 94", "open several, D"),
    ("9A 01 01 10 8A", "hold a channel, S-8A-INO"),
    ("9B 01 01 10 8B", "release a channel, S-8A-INO"),
    ("9D 01 02 10 8E", "test: open all, S-8A-INO"),
    ("80 01 00 99 18", "older read all, S-8A-AND"),
]


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


@pytest.mark.parametrize(("asked", "digits", "event", "source"), REPLIES)
def test_replies_are_read(asked: bytes, digits: str, event: LockEvent, source: str) -> None:
    parser = WIRE.parser()
    parser.expect(asked)

    assert parser.feed(hexed(digits)) == [event], source
    assert parser.rejected == 0


def test_an_echo_before_the_answer_is_told_apart() -> None:
    parser = WIRE.parser()
    parser.expect(WIRE.read_all(1))

    events = parser.feed(WIRE.read_all(1) + hexed("80 01 FF FF FF 33 4D"))

    assert events == [Echoed(1), BoardState(1, (True,) * 24)]


@pytest.mark.parametrize(("digits", "what"), FORBIDDEN)
@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_all(1)])
def test_foreign_requests_on_the_bus_say_nothing(digits: str, what: str, asked: bytes) -> None:
    parser = WIRE.parser()
    parser.expect(asked)

    assert bcc(hexed(digits)) == 0, what
    assert parser.feed(hexed(digits)) == []


def test_no_request_moves_more_than_one_door() -> None:
    frames = [Board8A80(24, s).open(1, n) for n in range(1, 25) for s in (None, 1, 9)]

    assert all(frame[0] == 0x8A and frame[2] != 0 for frame in frames)
    for board, lock in ((1, 0), (1, 25), (0, 1), (33, 1)):
        with pytest.raises(ValueError, match="not in"):
            WIRE.open(board, lock)


@pytest.mark.parametrize("pulse_s", [0, 10, -1])
def test_a_coil_is_never_energised_longer_than_nine_seconds(pulse_s: int) -> None:
    with pytest.raises(ValueError, match="pulse_s"):
        Board8A80(24, pulse_s)


@pytest.mark.parametrize("ways", [16, 24, 32])
def test_first_state_byte_is_the_highest_group(ways: int) -> None:
    parser = Board8A80(ways).parser()
    parser.expect(WIRE.read_all(2))
    groups = bytes((0x80, *[0] * (ways // 8 - 2), 0x01))

    assert parser.feed(sealed(b"\x80\x02" + groups + b"\x33")) == [
        BoardState(2, tuple(n in (1, ways) for n in range(1, ways + 1)))
    ]


def test_a_long_answer_that_begins_like_a_short_one_is_read_as_what_was_asked() -> None:
    frame = sealed(bytes.fromhex("80 01 01 00 80 33"))  # its first five bytes are "lock 1: contact open"
    parser = WIRE.parser()

    parser.expect(WIRE.read_all(1))
    assert parser.feed(frame) == [BoardState(1, tuple(n in (8, 17) for n in range(1, 25)))]

    parser.expect(WIRE.read_one(1, 1))
    assert parser.feed(frame)[0] == LockState(1, 1, False)


@pytest.mark.parametrize("polarity", list(Polarity))
@pytest.mark.parametrize("is_open", [True, False])
def test_polarity_goes_both_ways(polarity: Polarity, is_open: bool) -> None:
    assert polarity.is_open(polarity.shorted(is_open)) is is_open
    assert Polarity.SHORT_WHEN_LOCKED.shorted(is_open) is not is_open


states = st.lists(st.booleans(), min_size=24, max_size=24).map(tuple)


def all_frame(contacts: tuple[bool, ...]) -> bytes:
    bits = sum(bit << i for i, bit in enumerate(contacts))
    return sealed(b"\x80\x01" + bits.to_bytes(3, "big") + b"\x33")


@given(states)
def test_all_states_round_trip_byte_by_byte(contacts: tuple[bool, ...]) -> None:
    parser = WIRE.parser()
    parser.expect(WIRE.read_all(1))

    events = [event for byte in all_frame(contacts) for event in parser.feed(bytes((byte,)))]

    assert events == [BoardState(1, contacts)]


noise = st.binary(max_size=30).map(lambda raw: bytes(byte for byte in raw if byte not in (0x80, 0x81, 0x8A, 0x90)))


@given(noise, noise, st.integers(1, 24), st.booleans())
def test_garbage_without_head_bytes_costs_no_frame(before: bytes, after: bytes, lock: int, shorted: bool) -> None:
    frame = sealed(bytes((0x8A, 1, lock, 0x11 if shorted else 0)))
    parser = WIRE.parser()
    parser.expect(WIRE.open(1, lock))

    assert parser.feed(before + frame + after) == [OpenReply(1, lock, shorted)]
    assert parser.rejected == len(before) + len(after)


@given(st.binary(max_size=12), states)
def test_any_garbage_costs_at_most_the_next_answer(before: bytes, contacts: tuple[bool, ...]) -> None:
    parser = WIRE.parser()
    parser.feed(before)
    parser.expect(WIRE.read_all(1))

    assert parser.feed(all_frame(contacts) * 2)[-1] == BoardState(1, contacts)


@given(states, st.integers(1, 6))
def test_a_truncated_answer_is_forgotten_with_the_next_question(contacts: tuple[bool, ...], cut: int) -> None:
    parser = WIRE.parser()
    parser.expect(WIRE.read_all(1))
    assert parser.feed(all_frame(contacts)[:cut]) == []

    parser.expect(WIRE.read_all(1))

    assert parser.feed(all_frame(contacts)) == [BoardState(1, contacts)]
    assert parser.rejected == cut


@given(states)
def test_a_doubled_answer_is_read_twice(contacts: tuple[bool, ...]) -> None:
    parser = WIRE.parser()
    parser.expect(WIRE.read_all(1))

    assert parser.feed(all_frame(contacts) * 2) == [BoardState(1, contacts)] * 2


@pytest.mark.parametrize("endless", [b"\x80" * 5000, b"\x8a\x01" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    parser = WIRE.parser()

    parser.feed(endless)

    assert len(parser._buffer) < 7
