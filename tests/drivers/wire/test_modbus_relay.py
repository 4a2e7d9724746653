"""Modbus RTU relay boards: every published frame, what is never sent, and what noise may do to the parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.lock import BoardState, Calmed, Declined, Echoed, LockEvent, OpenReply
from drivers.wire.modbus_relay import MAX_PULSE_MS, ModbusRelay, crc16, is_sealed, sealed
from tests.drivers.wire.hunted import hexed, read, stands_everything, stays_bounded

WIRE = ModbusRelay()

REQUESTS = [
    (ModbusRelay(pulse_ms=700).open(1, 1), "01 05 02 00 00 07 8D B0", "S-WS-TESTS, seven projects"),
    (WIRE.open(2, 4), "02 05 02 03 00 05 FC 42", "D"),
    (ModbusRelay(first=2).open(1, 4), "02 05 02 03 00 05 FC 42", "D"),
    (WIRE.read_all(1), "01 02 00 00 00 08 79 CC", "S-WS-DOC"),
    (WIRE.at_start(1)[0], "01 05 00 FF 00 00 FD FA", "D, rule of S-OPENLOCKER, register of S-WS-DOC"),
]

REPLIES = [
    (WIRE.read_all(1), "01 02 01 00 A1 88", BoardState(1, (False,) * 8), "S-WS-DOC"),
    (WIRE.read_all(1), "01 02 01 05 61 8B", BoardState(1, tuple(n in (1, 3) for n in range(1, 9))), "D"),
    (WIRE.open(1, 1), "01 05 02 00 00 07 8D B0", OpenReply(1, 1, None), "S-WS-TESTS"),
    (WIRE.open(2, 4), "02 05 02 03 00 05 FC 42", OpenReply(2, 4, None), "D"),
    (WIRE.at_start(1)[0], "01 05 00 FF 00 00 FD FA", Calmed(1), "D"),
    (WIRE.open(1, 1), "01 85 03 02 91", Declined(1, None, "exception 03", True), "S-WS-DOC"),
]

# known frames that hold a coil, toggle it, or move many doors: never built, never taken for an answer
FORBIDDEN = [
    ("01 05 00 00 FF 00 8C 3A", "relay 0 on, S-WS-MD, S-WS-NL"),
    ("01 05 00 00 00 00 CD CA", "relay 0 off, S-WS-NL"),
    ("01 05 00 01 FF 00 DD FA", "relay 1 on, S-WS-NL"),
    ("01 05 00 01 00 00 9C 0A", "relay 1 off, S-WS-NL"),
    ("01 05 00 02 FF 00 2D FA", "relay 2 on, S-WS-LIFT"),
    ("01 05 00 02 00 00 6C 0A", "relay 2 off, S-WS-LIFT"),
    ("01 05 00 03 00 00 3D CA", "relay 3 off, S-WS-LIST"),
    ("01 05 00 04 FF 00 CD FB", "relay 4 on, S-WS-LIST"),
    ("01 05 00 05 00 00 DD CB", "relay 5 off, S-WS-LIST"),
    ("01 05 00 06 FF 00 6C 3B", "relay 6 on, S-WS-LIST"),
    ("01 05 00 FF FF 00 BC 0A", "all on, S-WS-DOC"),
    ("01 0F 00 00 00 08 01 FF BE D5", "all 8 relays on, S-WS-DOC"),
    ("01 01 00 00 00 08 3D CC", "read relays, D"),
    ("01 01 01 00 51 88", "relays, D"),
]


@pytest.mark.parametrize(("frame", "digits", "source"), REQUESTS)
def test_requests_are_byte_exact(frame: bytes, digits: str, source: str) -> None:
    assert frame == hexed(digits), source


@pytest.mark.parametrize(("asked", "digits", "event", "source"), REPLIES)
def test_replies_are_read(asked: bytes, digits: str, event: LockEvent, source: str) -> None:
    parser = WIRE.parser()

    assert read(parser, asked, hexed(digits)) == [event], source
    assert parser.rejected == 0


@pytest.mark.parametrize(("digits", "what"), FORBIDDEN)
@pytest.mark.parametrize("asked", [WIRE.open(1, 1), WIRE.read_all(1), WIRE.at_start(1)[0]])
def test_foreign_frames_on_the_bus_say_nothing(digits: str, what: str, asked: bytes) -> None:
    assert is_sealed(hexed(digits)), what
    assert read(WIRE.parser(), asked, hexed(digits)) == [], what


def test_the_check_is_the_one_of_the_standard() -> None:
    assert crc16(b"123456789") == 0x4B37  # the usual check value of CRC-16/MODBUS


@pytest.mark.parametrize("ways", [16, 24, 32])
def test_more_inputs_are_read_lowest_byte_first(ways: int) -> None:
    wire = ModbusRelay(ways)
    size = ways // 8
    answer = sealed(bytes((1, 2, size, 0x01, *[0] * (size - 2), 0x80)))

    told = read(wire.parser(), wire.read_all(1), answer)

    assert told == [BoardState(1, tuple(lock in (1, ways) for lock in range(1, ways + 1)))]
    assert read(wire.parser(), b"", wire.read_all(1)) == []


def test_an_echo_of_a_question_is_told_apart() -> None:
    events = read(WIRE.parser(), WIRE.read_all(1), WIRE.read_all(1) + hexed("01 02 01 00 A1 88"))

    assert events == [Echoed(1), BoardState(1, (False,) * 8)]


def test_no_request_leaves_a_relay_on_or_moves_two_doors() -> None:
    wires = [ModbusRelay(ways, pulse_ms=ms) for ways in (4, 8, 32) for ms in (1, 100, 500, MAX_PULSE_MS)]
    frames = [wire.open(board, lock) for wire in wires for board in (1, 247) for lock in range(1, wire.ways + 1)]
    starts = [frame for wire in wires for frame in wire.at_start(1)]

    assert all(frame[1] == 5 and frame[2] == 2 and frame[4] == 0 and 1 <= frame[5] <= 20 for frame in frames)
    assert all(frame[1:6] == hexed("05 00 FF 00 00") for frame in starts)
    assert all(frame[0] != 0 for frame in frames + starts)


@pytest.mark.parametrize(("pulse_ms", "steps"), [(1, 1), (100, 1), (101, 2), (500, 5), (2000, 20)])
def test_a_pulse_is_rounded_up(pulse_ms: int, steps: int) -> None:
    assert ModbusRelay(pulse_ms=pulse_ms).open(1, 1)[5] == steps


@pytest.mark.parametrize("wrong", [{"pulse_ms": 0}, {"pulse_ms": 2001}, {"ways": 5}, {"first": 0}, {"first": 248}])
def test_what_no_board_may_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ModbusRelay(**wrong)


@pytest.mark.parametrize(("board", "lock"), [(1, 0), (1, 9), (0, 1), (248, 1)])
def test_what_is_outside_is_refused(board: int, lock: int) -> None:
    with pytest.raises(ValueError, match="not in"):
        WIRE.open(board, lock)


@given(st.integers(0, 255), st.binary(max_size=40), st.integers(0, 10))
def test_an_answer_stands_every_pipe(inputs: int, noise: bytes, cut: int) -> None:
    told = BoardState(1, tuple(bool(inputs >> lock & 1) for lock in range(8)))

    stands_everything(WIRE.parser, (WIRE.read_all(1), sealed(bytes((1, 2, 1, inputs))), told), noise, cut)


@given(st.integers(1, 8), st.binary(max_size=40), st.integers(0, 10))
def test_an_open_reply_stands_every_pipe(lock: int, noise: bytes, cut: int) -> None:
    frame = WIRE.open(1, lock)

    stands_everything(WIRE.parser, (frame, frame, OpenReply(1, lock, None)), noise, cut)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 63), st.integers(0, 63))
def test_two_flipped_bits_never_pass_the_check(body: bytes, one: int, other: int) -> None:
    frame = bytearray(sealed(body))
    for bit in {one, other}:
        frame[bit // 8] ^= 1 << bit % 8

    assert is_sealed(bytes(frame)) is (one == other and bytes(frame) == sealed(body))


@pytest.mark.parametrize("endless", [b"\x01\x02" * 5000, b"\x01\x05\x02" * 5000, bytes(range(256)) * 20])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    stays_bounded(WIRE.parser(), 9, endless)
