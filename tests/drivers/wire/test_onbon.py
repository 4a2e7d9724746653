"""The Onbon font card: every published packet, then noise; then text and areas."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire import onbon, onbon_area
from drivers.wire.onbon import Ack, Nack, Packet, Parser, ScreenStatus, framed

LEAD = "A5 A5 A5 A5 A5 A5 A5 A5 "
VOICE = onbon_area.Voice(onbon_area.text("上海仰邦科技股份有限公司"))
SPOKEN = onbon_area.Area(
    onbon_area.text("仰邦测试2019"), 32, 32, timeout=10, align=0, motion=onbon_area.Motion.LEFT,
    speed=2, hold=10, voice=VOICE,
)  # fmt: skip
STILL = onbon_area.Area(onbon_area.text("取件单 A05"), 64, 16, align=0)
NOON = datetime(2026, 11, 22, 14, 30, 5)  # noqa: DTZ001  a display's clock is local time

# packet, bytes, source key (S-: captured or built by the maker; D: derived, check sum recomputed)
PACKETS = [
    (
        Packet(1, 0x8000, onbon.ping()),
        "01 00 00 80 00 00 00 00 00 00 FE 02 05 00 A2 00 01 00 00 68 F8 5A",
        "S-ONBON-PY",
    ),
    (
        Packet(0xFFFE, 0x8000, onbon.update_areas([onbon_area.encode(SPOKEN)]), 0x64),
        "FE FF 00 80 00 00 00 00 00 00 64 02 4F 00 A3 06 01 00 00 00 01 46 00 00 00 80 00 00 20 80 20 00 00 00 00 0A 00"
        " 02 00 00 00 18 00 00 00 C9 CF BA A3 D1 F6 B0 EE BF C6 BC BC B9 C9 B7 DD D3 D0 CF DE B9 AB CB BE 00 00"
        " 01 01 03 00 02 0A 0C 00 00 00 D1 F6 B0 EE B2 E2 CA D4 32 30 31 39 21 F9 5A",
        "S-ONBON-ANA",
    ),
    (Packet(0x8000, 1, onbon.ack()), "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 64 DC 5A", "D"),
    (Packet(0x8000, 1, onbon.nack(5)), "00 80 01 00 00 00 00 00 00 00 FE 02 05 00 A0 01 05 00 00 75 21 5A", "D"),
    (
        Packet(1, 0x8000, onbon.power(on=True)),
        "01 00 00 80 00 00 00 00 00 00 FE 02 06 00 A3 00 01 00 00 01 79 EA 5A",
        "D",
    ),
    (
        Packet(1, 0x8000, onbon.brightness(8)),
        "01 00 00 80 00 00 00 00 00 00 FE 02 37 00 A3 02 01 00 00 01 08" + " 01" * 48 + " B8 94 5A",
        "D",
    ),
    (
        Packet(1, 0x8000, onbon.set_clock(NOON)),
        "01 00 00 80 00 00 00 00 00 00 FE 02 0D 00 A2 03 01 00 00 26 20 11 22 14 30 05 07 6D 98 5A",
        "D",
    ),
    (
        Packet(1, 0x8000, onbon.delete_all_areas()),
        "01 00 00 80 00 00 00 00 00 00 FE 02 07 00 A3 06 01 00 00 FF 00 66 74 5A",
        "D",
    ),
    (
        Packet(1, 0x8000, onbon.update_areas([onbon_area.encode(STILL)])),
        "01 00 00 80 00 00 00 00 00 00 FE 02 2E 00 A3 06 01 00 00 00 01 25 00 00 00 80 00 00 40 80 10 00 00 00 00 00 00"
        " 00 00 00 01 01 01 00 00 00 0A 00 00 00 C8 A1 BC FE B5 A6 02 20 41 30 35 2D 4E 5A",
        "D, with an escaped A5 inside",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("packet", "digits", "source"), PACKETS)
def test_packets_are_byte_exact_and_read_back(packet: Packet, digits: str, source: str) -> None:
    wire = bytes.fromhex(LEAD + digits)

    assert framed(packet) == wire, source
    assert Parser().feed(wire) == [packet]


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (onbon.ack(), Ack()),
        (onbon.nack(5), Nack(5)),
        (onbon.status_answer(ScreenStatus(True, 8, (0, 3))), ScreenStatus(True, 8, (0, 3))),
        (onbon.status_answer(ScreenStatus(False, 0, ())), ScreenStatus(False, 0, ())),
        (b"\xa1\x02\0\0\0", None),
        (b"\xa0\x00\0\0\0\0", None),
        (b"", None),
    ],
)
def test_answers_are_read(payload: bytes, answer: object) -> None:
    assert onbon.answer(payload) == answer


def test_refusals_have_the_makers_names() -> None:
    assert (Nack(5).name, Nack(12).name, Nack(19).name) == ("check sum", "font missing", "controller id")
    assert Nack(77).name == "error 77"


payloads = st.binary(min_size=1, max_size=200) | st.lists(
    st.sampled_from((0xA5, 0xA6, 0x5A, 0x5B, 1, 2)), min_size=1, max_size=60
).map(bytes)


@given(payloads, st.integers(0, 0xFFFF))
def test_every_payload_survives_the_wire_byte_by_byte(payload: bytes, screen: int) -> None:
    packet = Packet(screen, 0x8000, payload)
    parser = Parser()

    assert [got for byte in framed(packet) for got in parser.feed(bytes((byte,)))] == [packet]


@given(st.binary(max_size=60), payloads, st.binary(max_size=60))
def test_garbage_around_a_packet_does_not_harm_it(before: bytes, payload: bytes, after: bytes) -> None:
    packet = Packet(1, 0x8000, payload)

    assert packet in Parser().feed(before + framed(packet) + after)


@given(payloads, st.data())
def test_a_packet_with_a_flipped_bit_is_no_packet(payload: bytes, data: st.DataObject) -> None:
    wire = bytearray(framed(Packet(1, 0x8000, payload)))
    at = data.draw(st.integers(8, len(wire) - 2))
    wire[at] ^= 1 << data.draw(st.integers(0, 7))

    assert Parser().feed(bytes(wire)) == []


@given(payloads, st.integers(1, 30))
def test_a_truncated_packet_does_not_harm_the_next(payload: bytes, cut: int) -> None:
    wire = framed(Packet(1, 0x8000, payload))

    assert Parser().feed(wire[:-cut] + wire) == [Packet(1, 0x8000, payload)]


def test_one_start_mark_is_enough_and_several_end_marks_do_no_harm() -> None:
    wire = framed(Packet(1, 0x8000, onbon.ping()))
    parser = Parser()

    assert len(parser.feed(wire[7:] + b"\x5a\x5a" + wire)) == 2
    assert parser.rejected == 0


@pytest.mark.parametrize("endless", [b"\xa5" + b"x" * 100_000, b"\xa5" * 50_000, b"\xa5" + b"\xa6" * 100_000])
def test_the_buffer_stays_bounded(endless: bytes) -> None:
    parser = Parser()

    assert parser.feed(endless) == []
    assert len(parser._buffer) <= 2 * onbon.MAX_PACKET
    assert len(parser.feed(framed(Packet(1, 0x8000, onbon.ping())))) == 1


def test_a_packet_beyond_the_bound_is_not_built() -> None:
    with pytest.raises(ValueError, match="too long"):
        framed(Packet(1, 0x8000, bytes(onbon.MAX_PACKET)))


@pytest.mark.parametrize(
    ("plain", "encoded"),
    [
        ("取件 A05", "取件 A05".encode("gb2312")),
        ("喆镕", "？？".encode("gb2312")),  # GBK only: their second byte could be a control sign of the card
        ("😀", "？".encode("gb2312")),
        (r"C:\C1red", "C:＼C1red".encode("gb2312")),
        ("a\r\nb\0c", b"a  b c"),
    ],
)
def test_text_is_strict_gb2312(plain: str, encoded: bytes) -> None:
    assert onbon_area.text(plain) == encoded


@given(st.text(max_size=60))
def test_no_text_brings_a_control_sign_to_the_card(plain: str) -> None:
    encoded = onbon_area.text(plain)

    assert b"\\" not in encoded
    assert len(encoded.decode("gb2312")) == len(plain)


areas = st.builds(
    onbon_area.Area,
    text=st.binary(max_size=60),
    width=st.integers(1, 512).map(lambda n: n * 8),
    height=st.integers(1, 255),
    number=st.integers(0, 254),
    x=st.integers(0, 512).map(lambda n: n * 8),
    y=st.integers(0, 255),
    in_pixels=st.booleans(),
    timeout=st.integers(0, 0xFFFF),
    is_single_line=st.booleans(),
    wraps=st.booleans(),
    motion=st.sampled_from(onbon_area.Motion),
    speed=st.integers(0, 24),
    hold=st.integers(0, 255),
    voice=st.none() | st.builds(onbon_area.Voice, st.binary(max_size=20), st.integers(0, 5)),
)


@given(areas)
def test_areas_round_trip(area: onbon_area.Area) -> None:
    assert onbon_area.decode(onbon_area.encode(area)) == area


@given(areas, st.integers(1, 27))
def test_a_cut_area_is_no_area(area: onbon_area.Area, cut: int) -> None:
    assert onbon_area.decode(onbon_area.encode(area)[:-cut]) is None


@given(st.binary(max_size=80))
def test_any_bytes_as_an_area_raise_nothing(raw: bytes) -> None:
    onbon_area.decode(raw)
