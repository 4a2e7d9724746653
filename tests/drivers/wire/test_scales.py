"""The four scale protocols: every published frame, then noise, cuts and joins in the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import equals, toledo, yaohua_a9, yaohua_a12
from drivers.wire.equals import Equals
from drivers.wire.scale import MAX_GRAMS, Event, Reading, ScaleWire, Unfit, in_grams
from drivers.wire.toledo import Frame, Toledo
from drivers.wire.yaohua_a9 import A9
from drivers.wire.yaohua_a12 import A12

# codec, bytes, what they say, source key (S-: as sent by a device or its maker's program; D: derived by the rule)
FRAMES: list[tuple[Callable[[], ScaleWire], bytes, list[Event], str]] = [
    (A9, bytes.fromhex("02 2B 30 30 30 30 30 30 30 31 42 03"), [Reading(0)], "S-A9-PY"),
    (A9, bytes.fromhex("02 2B 30 30 31 35 36 30 30 31 39 03"), [Reading(1_560_000)], "S-A9-PY"),
    (A9, bytes.fromhex("02 2D 30 30 30 31 32 35 31 31 41 03"), [Reading(-12_500)], "D"),
    (A9, bytes.fromhex("02 2B 30 31 32 33 34 35 32 31 38 03"), [Reading(123_450)], "D"),
    (
        lambda: A9(address="A"),
        bytes.fromhex("02 41 42 2B 30 30 37 32 33 30 32 31 43 03"),
        [Reading(72_300)],
        "D, S-A9-SIM",
    ),
    (lambda: A9(address="A"), bytes.fromhex("02 41 41 30 30 03"), [], "D: handshake"),
    (A12, b"\r\nwt000.000kg\r\n", [], "S-A12: the tare"),
    (A12, b"\nww000.000lb\n", [Unfit("weighs in lb")], "S-A12"),
    (A12, b"\nww-00.125kg\r\nwn012.340kg\r\n", [Reading(-125), Reading(12_340, is_net=True)], "D"),
    (Equals, bytes.fromhex("3D 34 33 2E 32 31 30 3D"), [Reading(12_340)], "D, S-EQ"),
    (Equals, b"=43.210=43.210=43.2", [Reading(12_340)] * 2, "D, S-EQ"),
    (Equals, b"=43.21-=43.210-=", [Reading(-12_340)] * 2, "D, the minus from memory of the manual"),
    (Equals, b"=43.210(kg)\r\n=43.210(lb)=", [Reading(12_340), Unfit("weighs in lb")], "D"),
    (
        Toledo,
        bytes.fromhex("02 2C 30 20 20 20 31 32 33 34 20 20 20 20 20 30 0D 1B"),
        [Reading(12_340)],
        "D, S-TOLEDO",
    ),
    (
        Toledo,
        bytes.fromhex("02 2C 39 20 20 20 20 32 35 30 20 20 20 31 30 30 0D 04"),
        [Reading(2_500, is_moving=True, is_net=True)],
        "D, S-TOLEDO",
    ),
]


@pytest.mark.parametrize(("make", "wire", "events", "source"), FRAMES)
def test_published_frames_are_read(
    make: Callable[[], ScaleWire], wire: bytes, events: list[Event], source: str
) -> None:
    assert list(make().feed(wire)) == events, source
    codec = make()
    assert [event for byte in wire for event in codec.feed(bytes((byte,)))] == events, source


def test_questions_are_byte_exact() -> None:
    assert yaohua_a9.question("A", "B") == bytes.fromhex("02 41 42 30 33 03")
    assert yaohua_a9.question("A", "A") == bytes.fromhex("02 41 41 30 30 03")
    assert A9(address="C", asks_net=True).poll == yaohua_a9.question("C", "D")
    assert (A9().poll, A12().poll, A12(asks=True).poll) == (b"", b"", b"R")


@pytest.mark.parametrize(
    ("digits", "places", "unit", "grams"),
    [
        (1560, 0, "kg", 1_560_000),
        (12345, 4, "kg", 1235),
        (12344, 4, "kg", 1234),
        (-12345, 4, "kg", -1235),
        (5, 4, "kg", 1),
        (4, 4, "kg", 0),
        (999, 0, "g", 999),
        (15, 1, "g", 2),
        (12, 1, "t", 1_200_000),
        (10, 0, "t", MAX_GRAMS),
        (11, 0, "t", None),
        (0, 4, "t", 0),
    ],
)
def test_grams_are_whole(digits: int, places: int, unit: str, grams: int | None) -> None:
    assert in_grams(digits, places, unit) == grams


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (bytes.fromhex("02 2C 20 20") + b"  1234     0\r", "weighs in lb"),
        (bytes.fromhex("02 2C 30 23") + b"  1234     0\r", "weighs in oz"),
        (bytes.fromhex("02 2C 30 27") + b"  1234     0\r", "weighs in newton"),
        (bytes.fromhex("02 2C 30 25") + b"  1234     0\r", "weighs in unit 5"),
        (bytes.fromhex("02 2C 30 30") + b"  1234     0\r", "weighs in the tenfold expanded range"),
        (bytes.fromhex("02 2C 70 20") + b"  1234     0\r", "has not found its zero since power-up"),
        (bytes.fromhex("02 28 30 20") + b"  1234     0\r", "sends decimal code 0"),
    ],
)
def test_a_toledo_weight_that_is_none_for_us_says_why(wire: bytes, why: str) -> None:
    assert Toledo(has_check=False).feed(wire) == [Unfit(why)]


def test_a_toledo_weight_may_be_in_grams_negative_and_out_of_range() -> None:
    wire = bytes.fromhex("02 2A 36 21") + b"001234000000\r"

    assert Toledo(has_check=False).feed(wire) == [Reading(-1234, is_over=True)]


WEIGHTS = st.integers(-9_999, 9_999)
PLACES = st.integers(0, 4)
Maker = Callable[[int, int], bytes]


def decimal(digits: int, places: int, width: int) -> str:
    whole = f"{abs(digits):0{places + 1}}"
    text = f"{whole[: len(whole) - places]}.{whole[len(whole) - places :]}" if places else whole
    return f"{'-' if digits < 0 else ''}{text:0>{width}}"


CODECS: list[tuple[Callable[[], ScaleWire], Maker]] = [
    (A9, yaohua_a9.answer),
    (lambda: A9(address="C"), lambda digits, places: yaohua_a9.answer(digits, places, "C", "B")),
    (A12, lambda digits, places: b"\n" + yaohua_a12.line(decimal(digits, places, 7))),
    (Toledo, lambda digits, places: toledo.framed(Frame(digits, places))),
    (lambda: Toledo(has_check=False), lambda digits, places: toledo.framed(Frame(digits, places, fill="0"), False)),
]
codecs = pytest.mark.parametrize(("make", "frame"), CODECS)


@codecs
@given(st.lists(st.tuples(WEIGHTS, PLACES), max_size=5))
def test_every_weight_survives_the_wire_byte_by_byte(
    make: Callable[[], ScaleWire], frame: Maker, weights: list[tuple[int, int]]
) -> None:
    codec = make()

    seen = [event for weight in weights for byte in frame(*weight) for event in codec.feed(bytes((byte,)))]

    assert seen == [Reading(in_grams(*weight, "kg") or 0) for weight in weights]


@given(st.integers(-9_999, 9_999), st.integers(0, 4), st.integers(0, 6))
def test_every_weight_survives_the_equals_wire_joined_in_the_middle(digits: int, places: int, cut: int) -> None:
    text = decimal(digits, places, 6)
    wire = equals.segment(text) * 3 + b"="

    assert list(Equals().feed(wire[cut:])) == [Reading(in_grams(digits, places, "kg") or 0)] * (3 if cut == 0 else 2)


@codecs
@given(noise=st.binary(max_size=40), digits=WEIGHTS, cut=st.integers(0, 12))
def test_a_stream_is_found_again_after_noise_and_half_a_frame(
    make: Callable[[], ScaleWire], frame: Maker, noise: bytes, digits: int, cut: int
) -> None:
    codec = make()
    wire = frame(digits, 2)

    seen = [*codec.feed(noise), *codec.feed(wire[cut:]), *codec.feed(wire * 3)]

    assert seen[-2:] == [Reading(digits * 10)] * 2  # the first of three may be eaten by what the noise began


@pytest.mark.parametrize(("make", "frame"), [CODECS[0], CODECS[1]])
@given(digits=WEIGHTS, data=st.data())
def test_a_flipped_bit_in_a_checked_frame_is_no_reading(
    make: Callable[[], ScaleWire], frame: Maker, digits: int, data: st.DataObject
) -> None:
    wire = bytearray(frame(digits, 2))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    assert list(make().feed(bytes(wire))) == []


@given(digits=WEIGHTS, at=st.integers(0, 17), bit=st.integers(0, 6))
def test_a_flipped_bit_in_a_toledo_frame_is_no_reading(digits: int, at: int, bit: int) -> None:
    wire = bytearray(toledo.framed(Frame(digits)))
    wire[at] ^= 1 << bit

    assert Toledo().feed(bytes(wire)) == []


@codecs
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing(make: Callable[[], ScaleWire], frame: Maker, noise: bytes) -> None:
    codec = make()
    codec.feed(noise)
    codec.reset()


ENDLESS: Sequence[bytes] = (b"\x02" * 50_000, b"\x02" + b"+" * 50_000, b"w" * 50_000, b"=" + b"1" * 50_000)


@pytest.mark.parametrize("endless", ENDLESS)
@pytest.mark.parametrize("make", [A9, A12, Equals, Toledo])
def test_buffers_stay_bounded(make: Callable[[], ScaleWire], endless: bytes) -> None:
    codec = make()

    assert list(codec.feed(endless)) == []
    held = next(each for each in vars(codec).values() if isinstance(each, bytearray))
    assert len(held) <= 24


@pytest.mark.parametrize(
    "text", ["wx000.000kg", "ww0.0.0kg", "ww000.00000kg", "ww000.000", "000.000kg", "ww 9999999kg"]
)
def test_lines_that_are_no_weight_are_rejected(text: str) -> None:
    codec = A12()

    assert codec.feed(b"\n" + text.encode() + b"\n") == []


@pytest.mark.parametrize(
    "segment", [b"", b"43.21", b"43.2100", b"4-.210", b"..3210", b"43.2 0", b"43.210x", b"000000.0"]
)
def test_segments_that_are_no_weight_are_rejected(segment: bytes) -> None:
    assert Equals().feed(b"=" + segment + b"=") == []


@pytest.mark.parametrize(
    "body", [b"+00000x2", b"+0000002"[:-1], b"+0000005", b" 0000002", b"+0000A22", b"B+0000002", b"ZB+0000002"]
)
def test_checked_frames_that_are_no_weight_are_rejected(body: bytes) -> None:
    wire = yaohua_a9._framed(body)

    assert A9().feed(wire) == []
    assert A9(address="A").feed(wire) == []
