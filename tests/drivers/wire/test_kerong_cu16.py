"""The Kerong CU12/CU16 boards: every published and derived frame, then what noise may do to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.kerong_cu16 import KerongCu16, sealed
from drivers.wire.lock import BoardState, Echoed, LockEvent
from tests.drivers.wire.hunted import hexed, read, stands_everything, stays_bounded

WIRE = KerongCu16()
ALL_BUT_16 = tuple(lock != 16 for lock in range(1, 17))
ONLY_1 = tuple(lock == 1 for lock in range(1, 17))

# request, its bytes, source key (S-: published; D: derived from the published rules, sum recomputed)
REQUESTS = [
    (WIRE.read_all(1), "02 00 30 03 35", "S-CU16-NODE, two programs"),
    (WIRE.read_all(2), "02 10 30 03 45", "D"),
    (WIRE.open(1, 6), "02 05 31 03 3B", "D"),
    (WIRE.open(2, 3), "02 12 31 03 48", "D"),
    (WIRE.revive(1), "02 00 38 03 3D", "D, rule of S-CU16-PY"),
    (KerongCu16(first=1).read_all(1), "02 10 30 03 45", "D"),
]

# frames that are known but move all doors or change how long a coil is on: never built, never taken for an answer
FORBIDDEN = [
    ("02 00 33 03 38", "unlock all, D"),
    ("02 00 37 00 32 03 6E", "set the unlock time, D"),
    ("02 F0 32 03 27", "state of all boards, D"),
    ("02 00 39 05 03 43", "unlock later, D"),
    ("02 00 38 00 32 03 6F", "the unlock time as a board tells it, D"),
]


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


def test_a_state_tells_hooks_and_items() -> None:
    answer = hexed("02 00 35 FF 7F 01 00 03 B9")  # D: all closed but 16, something lies in 1

    assert read(WIRE.parser(), WIRE.read_all(1), answer) == [BoardState(1, ALL_BUT_16, ONLY_1)]


def test_a_board_of_twelve_uses_the_low_bits() -> None:
    state = read(KerongCu16(12).parser(), b"", hexed("02 00 35 FF 7F 01 00 03 B9"))

    assert state == [BoardState(1, (True,) * 12, ONLY_1[:12])]


@pytest.mark.parametrize("first", [0, 1, 3])
def test_boards_count_from_the_first_number(first: int) -> None:
    parser = KerongCu16(first=first).parser()
    answer = sealed(bytes((0x02, 0x30, 0x35, 0, 0, 0, 0, 0x03)))

    assert read(parser, b"", answer) == [BoardState(4 - first, (False,) * 16, (False,) * 16)]


@pytest.mark.parametrize(("digits", "what"), FORBIDDEN)
@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_all(1)])
def test_foreign_frames_on_the_bus_say_nothing(digits: str, what: str, asked: bytes) -> None:
    assert read(WIRE.parser(), asked, hexed(digits)) == [], what


@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_all(2), WIRE.revive(1)])
def test_an_echo_is_told_apart(asked: bytes) -> None:
    answer = sealed(hexed("02 00 35 00 00 00 00 03"))

    events = read(WIRE.parser(), asked, asked + answer)

    assert [type(event) for event in events] == [Echoed, BoardState]


@pytest.mark.parametrize(
    "digits", ["02 00 35 FF 7F 01 00 03 B8", "02 00 35 FF 7F 01 00 02 B8", "02 00 35 FF 7F 01 00 B6", "02 00 30 03 36"]
)
def test_a_wrong_sum_or_end_is_no_frame(digits: str) -> None:
    assert read(WIRE.parser(), WIRE.read_all(1), hexed(digits) + bytes(9)) == []


def test_no_request_moves_more_than_one_door() -> None:
    frames = [WIRE.open(board, lock) for board in range(1, 16) for lock in range(1, 17)]

    assert {frame[2] for frame in frames} == {0x31}
    assert len(set(frames)) == 15 * 16
    assert not [frame for frame in frames if frame[1] >= 0xF0]
    for board, lock in ((1, 0), (1, 17), (0, 1), (16, 1)):
        with pytest.raises(ValueError, match="not in"):
            WIRE.open(board, lock)
    with pytest.raises(ValueError, match="lock 13"):
        KerongCu16(12).open(1, 13)
    for wrong in ({"ways": 24}, {"first": 15}, {"first": -1}):
        with pytest.raises(ValueError, match="must be"):
            KerongCu16(**wrong)


def test_only_a_state_of_that_board_answers_an_opening() -> None:
    state = BoardState(2, ALL_BUT_16, ONLY_1)

    assert WIRE.answers_open(state, 2, 5)
    assert not WIRE.answers_open(state, 1, 5)


bits = st.integers(0, 0xFFFF)
cuts = st.integers(0, 20)


def state_frame(hooks: int, items: int) -> tuple[bytes, bytes, LockEvent]:
    body = b"\x02\x00\x35" + hooks.to_bytes(2, "little") + items.to_bytes(2, "little") + b"\x03"
    told = [tuple(bool(word >> lock & 1) for lock in range(16)) for word in (hooks, items)]
    return WIRE.read_all(1), sealed(body), BoardState(1, *told)


@given(bits, bits, st.binary(max_size=40), cuts)
def test_an_answer_stands_every_pipe(hooks: int, items: int, noise: bytes, cut: int) -> None:
    stands_everything(WIRE.parser, state_frame(hooks, items), noise, cut)


@given(st.binary(max_size=30).filter(lambda raw: 2 not in raw), st.binary(max_size=30), bits)
def test_garbage_without_heads_costs_no_frame(before: bytes, after: bytes, hooks: int) -> None:
    asked, answer, event = state_frame(hooks, 0)
    parser = WIRE.parser()

    assert read(parser, asked, before + answer + after)[:1] == [event]
    assert parser.rejected >= len(before)


@pytest.mark.parametrize("endless", [b"\x02" * 5000, b"\x02\x00\x35" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    stays_bounded(WIRE.parser(), 10, endless)
