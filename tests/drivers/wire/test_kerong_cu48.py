"""The Kerong CU24/CU48 boards: both generations, both layouts, and what noise may do to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.kerong_cu16 import sealed
from drivers.wire.kerong_cu48 import CommandSet, KerongCu48, Layout
from drivers.wire.lock import BoardState, Echoed, LockEvent, OpenReply
from tests.drivers.wire.hunted import hexed, read, stands_everything, stays_bounded

A = KerongCu48(48, commands=CommandSet.A)
B = KerongCu48(48, commands=CommandSet.B)

REQUESTS = [
    (A.read_all(1), "02 00 00 50 03 55", "S-CU24-NODE"),
    (B.read_all(1), "02 00 00 60 03 65", "S-CU48-TS"),
    (A.open(1, 48), "02 00 2F 51 03 85", "D"),
    (B.open(3, 1), "02 02 00 61 03 68", "D"),
    (KerongCu48(24, first=2).read_all(1), "02 02 00 60 03 67", "D"),
]


def answer(wire: KerongCu48, layout: Layout, data: bytes, board: int = 0) -> bytes:
    head = bytes((0x02, board, 0x00, wire.commands.reply))
    return sealed(head + (data + b"\x03" if layout is Layout.ETX else b"\x06" + data))


def told(data: bytes, ways: int = 48) -> BoardState:
    bits = int.from_bytes(data, "little")
    return BoardState(1, tuple(bool(bits >> lock & 1) for lock in range(ways)))


CLOSED = bytes.fromhex("FE FF FF FF FF FF")  # all closed but lock 1
BOTH = bytes.fromhex("06 FF FF FF FF FF")  # in the layout with ETX its first byte looks like the other's length


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


@pytest.mark.parametrize("wire", [A, B])
@pytest.mark.parametrize("layout", [Layout.ETX, Layout.LENGTH])
@pytest.mark.parametrize("setting", list(Layout))
def test_both_layouts_are_read_and_a_set_one_only_itself(wire: KerongCu48, layout: Layout, setting: Layout) -> None:
    wire = KerongCu48(48, commands=wire.commands, layout=setting)

    events = read(wire.parser(), wire.read_all(1), answer(wire, layout, CLOSED))

    assert events == ([told(CLOSED)] if setting in (layout, Layout.AUTO) else [])


def test_a_derived_answer_is_byte_exact() -> None:
    etx, length = hexed("02 00 00 65 FE FF FF FF FF FF 03 63"), hexed("02 00 00 75 06 FE FF FF FF FF FF 76")  # D

    assert (answer(A, Layout.ETX, CLOSED), answer(B, Layout.LENGTH, CLOSED)) == (etx, length)
    assert read(A.parser(), A.read_all(1), etx) == read(B.parser(), B.read_all(1), length) == [told(CLOSED)]


def test_an_answer_that_fits_both_is_read_as_the_last_that_fitted_one() -> None:
    parser = A.parser()
    read(parser, A.read_all(1), answer(A, Layout.ETX, CLOSED))

    assert read(parser, A.read_all(1), answer(A, Layout.ETX, BOTH)) == [told(BOTH)]


def test_an_answer_that_fits_both_at_first_is_read_by_its_length_byte() -> None:
    both = answer(A, Layout.ETX, BOTH)

    assert read(A.parser(), A.read_all(1), both) == [told(both[5:11])]
    set_one = KerongCu48(48, commands=CommandSet.A, layout=Layout.ETX)
    assert read(set_one.parser(), set_one.read_all(1), both) == [told(BOTH)]


def test_the_other_generation_says_nothing() -> None:
    assert read(A.parser(), A.read_all(1), answer(B, Layout.ETX, CLOSED)) == []


@pytest.mark.parametrize("wire", [A, B])
def test_an_unlock_answer_is_taken_when_it_comes(wire: KerongCu48) -> None:
    short = sealed(bytes((0x02, 0x00, 0x04, wire.commands.reply, 0x00)))

    assert read(wire.parser(), wire.open(1, 5), short) == [OpenReply(1, 5, None)]
    assert wire.answers_open(OpenReply(1, 5, None), 1, 5)


@pytest.mark.parametrize("wire", [A, B])
def test_an_echo_is_told_apart(wire: KerongCu48) -> None:
    for asked in (wire.read_all(1), wire.open(1, 9)):
        assert read(wire.parser(), asked, asked) == [Echoed(1)]
    assert read(wire.parser(), wire.read_all(1), wire.open(1, 9)) == []


@pytest.mark.parametrize(
    "digits",
    [
        "02 00 00 75 06 FE FF FF FF FF FF 75",  # wrong sum
        "02 00 00 75 07 FE FF FF FF FF FF 77",  # neither length nor end
        "02 00 30 75 00 A7",  # an unlock answer for a lock beyond the board
        "02 0A 00 75 06 FE FF FF FF FF FF 80",  # a board beyond the last
    ],
)
def test_what_fits_nothing_is_no_frame(digits: str) -> None:
    assert read(B.parser(), B.read_all(1), hexed(digits) + bytes(12)) == []
    assert read(B.parser(), B.open(1, 1), hexed(digits) + bytes(12)) == []


def test_no_request_moves_more_than_one_door() -> None:
    for wire in (A, B):
        frames = [wire.open(board, lock) for board in range(1, 11) for lock in range(1, 49)]
        assert {frame[3] for frame in frames} == {wire.commands.unlock}
        assert len(set(frames)) == 480
    for board, lock in ((1, 0), (1, 49), (0, 1), (11, 1)):
        with pytest.raises(ValueError, match="not in"):
            A.open(board, lock)
    for wrong in ({"ways": 16}, {"first": 10}):
        with pytest.raises(ValueError, match="must be"):
            KerongCu48(**wrong)


def frame_of(wire: KerongCu48, layout: Layout, data: bytes) -> tuple[bytes, bytes, LockEvent]:
    return wire.read_all(1), answer(wire, layout, data), told(data)


sets = st.sampled_from(list(CommandSet))
layouts = st.sampled_from([Layout.ETX, Layout.LENGTH])


@given(sets, layouts, st.binary(min_size=6, max_size=6), st.binary(max_size=40), st.integers(0, 20))
def test_an_answer_stands_every_pipe(commands: CommandSet, layout: Layout, data: bytes, noise: bytes, cut: int) -> None:
    wire = KerongCu48(48, commands=commands, layout=layout)

    stands_everything(wire.parser, frame_of(wire, layout, data), noise, cut)


@pytest.mark.parametrize("endless", [b"\x02" * 5000, b"\x02\x00\x00\x75" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    stays_bounded(B.parser(), 13, endless)
