"""SSI: published frames and the one that is wrong, both layouts, codes of several packets, repetitions, stored codes.

Vectors: the frame tables of several SSI manuals and public code, each recomputed; the three segments are a captured
code of 500 signs as an open driver tests it.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Flaw
from drivers.sim.ssi_gun import Layout, packets
from drivers.wire import ssi
from drivers.wire.gun import Answer, Command, Heard
from drivers.wire.scans import MAX_CODE, Scan
from drivers.wire.ssi import PARTS_MS, Ssi, is_whole, nak, sealed

ACK = bytes.fromhex("04 D0 04 00 FF 28")
WAYBILL = bytes.fromhex("14 F3 00 00 03 53 46 31 33 38 35 36 32 38 37 31 36 37 33 39 FB AB")
AGAIN = bytes.fromhex("14 F3 00 01 03 53 46 31 33 38 35 36 32 38 37 31 36 37 33 39 FB AA")
CORDLESS = bytes.fromhex("17 F3 00 20 03 01 00 0F 53 46 31 33 38 35 36 32 38 37 31 36 37 33 39 FB 78")
EAN = bytes.fromhex("12 F3 00 00 0B 36 39 30 31 32 33 34 35 36 37 38 39 32 FC 42")
NO_READ = bytes.fromhex("07 F3 00 00 01 4E 52 FE 65")
SF = "]C0SF1385628716739"


def texts(scans: list[Scan]) -> list[str]:
    return [scan.text for scan in scans]


def fed(wire: Ssi, *chunks: bytes, at_ms: int = 0) -> Heard:
    """Feed chunks at one time and put together what came of them."""
    all_of_it = Heard()
    for chunk in chunks:
        heard = wire.feed(chunk, at_ms)
        all_of_it.scans.extend(heard.scans)
        all_of_it.replies.extend(heard.replies)
        all_of_it.answers.extend(heard.answers)
    return all_of_it


@pytest.mark.parametrize(
    ("made", "digits"),
    [
        (sealed(ssi.ACK), "04 D0 04 00 FF 28"),
        (nak(ssi.RESEND), "05 D1 04 00 01 FF 25"),
        (nak(ssi.BAD_CONTEXT), "05 D1 04 00 02 FF 24"),
        (nak(ssi.DENIED), "05 D1 04 00 06 FF 20"),
        (Ssi().trigger(True).frame, "04 E4 04 00 FF 14"),
        (Ssi().trigger(False).frame, "04 E5 04 00 FF 13"),
        (Ssi().enable(True).frame, "04 E9 04 00 FF 0F"),
        (Ssi().enable(False).frame, "04 EA 04 00 FF 0E"),
        (sealed(0xE7, b"\x01"), "05 E7 04 00 01 FF 0F"),
        (sealed(0xE8, b"\x01"), "05 E8 04 00 01 FF 0E"),
        (sealed(0xA3), "04 A3 04 00 FF 55"),
        (sealed(ssi.PARAM_SEND, b"\x00\x8a\x08", status=ssi.PERMANENT), "07 C6 04 08 00 8A 08 FE 95"),
        (sealed(ssi.ACK, source=ssi.DECODER), "04 D0 00 00 FF 2C"),
        (sealed(ssi.DECODE_DATA, b"\x01NR", ssi.DECODER), "07 F3 00 00 01 4E 52 FE 65"),
        (Ssi().beep(accepted=True)[0].frame, "05 E6 04 00 00 FF 11"),
        (sealed(ssi.BEEP, b"\x05"), "05 E6 04 00 05 FF 0C"),
        (sealed(0xD2), "04 D2 04 00 FF 26"),
        (sealed(ssi.BATCH_REQUEST), "04 D5 04 00 FF 23"),
        (sealed(ssi.PARAM_SEND, b"\xff\xee\x01", status=ssi.PERMANENT), "07 C6 04 08 FF EE 01 FD 39"),
        (Ssi().opening()[0].frame, "07 C6 04 00 FF EE 01 FD 41"),
    ],
)
def test_packets_are_made_as_published(made: bytes, digits: str) -> None:
    assert made == bytes.fromhex(digits)
    assert is_whole(made)


@pytest.mark.parametrize("digits", ["04 D1 00 06 FF 20", "05 D1 04 00 06 FF 21", "04 D0 04 00 FF", "02 D0 FF 2E", ""])
def test_a_published_but_wrong_frame_and_broken_ones_are_no_packets(digits: str) -> None:
    wire, packet = Ssi(), bytes.fromhex(digits)

    assert not is_whole(packet)
    heard = fed(wire, packet)
    late = wire.idle(10_000)
    assert (heard.scans, heard.answers, late.scans, late.answers) == ([], [], [], [])


@pytest.mark.parametrize(
    ("packet", "text"),
    [(WAYBILL, SF), (CORDLESS, SF), (EAN, "]E06901234567892"), (b"\0\0" + WAYBILL, SF),
     (sealed(ssi.DECODE_DATA, b"\x03]C1SF1\r\n", ssi.DECODER), "]C1SF1"),
     (sealed(ssi.DECODE_DATA, b"\x0f0112\x1d10", ssi.DECODER), "]C10112\x1d10"),
     (sealed(ssi.DECODE_DATA, b"\x1c" + "种子\r\n产地".encode("gb18030"), ssi.DECODER), "种子\r\n产地")],
)  # fmt: skip
def test_decode_data_in_both_layouts_is_read_and_acknowledged(packet: bytes, text: str) -> None:
    heard = fed(Ssi(), packet)

    assert (texts(heard.scans), heard.replies) == ([text], [ACK])


def test_the_type_makes_no_identifier_when_it_is_not_wanted() -> None:
    assert texts(fed(Ssi(aim=False), WAYBILL, EAN).scans) == ["SF1385628716739", "6901234567892"]


@pytest.mark.parametrize("status", [0x20, 0x40, 0x80, 0xF4])
def test_unknown_status_bits_are_ignored(status: int) -> None:
    assert texts(fed(Ssi(), sealed(ssi.DECODE_DATA, b"\x1cA", ssi.DECODER, status)).scans) == ["A"]


def test_no_read_is_acknowledged_and_no_code() -> None:
    assert fed(Ssi(), NO_READ) == Heard([], [ACK], [])


def test_a_repetition_is_acknowledged_and_no_second_code() -> None:
    wire = Ssi()

    heard = fed(wire, WAYBILL, AGAIN, AGAIN)

    assert (texts(heard.scans), heard.replies) == ([SF], [ACK] * 3)
    assert texts(fed(wire, WAYBILL).scans) == [SF]  # the same label, scanned again


def test_a_repetition_of_what_was_never_received_counts() -> None:
    assert texts(fed(Ssi(), AGAIN).scans) == [SF]


def test_a_repetition_counts_when_the_first_was_not_taken() -> None:
    wire = Ssi()
    fed(wire, WAYBILL)

    wire.not_taken()

    assert texts(fed(wire, AGAIN).scans) == [SF]


def test_a_damaged_packet_is_asked_for_again() -> None:
    wire, damaged = Ssi(), bytearray(WAYBILL)
    damaged[8] ^= 0x11

    heard = fed(wire, bytes(damaged))
    late = wire.idle(1000)

    assert (heard.scans + late.scans, heard.replies + late.replies) == ([], [nak(ssi.RESEND)])
    assert texts(fed(wire, AGAIN, at_ms=1001).scans) == [SF]


def test_noise_before_a_packet_costs_a_pause_and_no_code() -> None:
    wire = Ssi()
    heard = fed(wire, b"\xff\x99" + WAYBILL)

    late = wire.idle(1000)

    assert texts(heard.scans + late.scans) == [SF]
    assert ACK in late.replies


def test_our_own_packets_by_an_echoing_adapter_are_nothing() -> None:
    wire = Ssi()
    wire.expect(wire.trigger(True))

    assert fed(wire, ACK, wire.trigger(True).frame) == Heard()


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        (sealed(ssi.ACK, b"", ssi.DECODER), (Answer.DONE, "")),
        (sealed(ssi.ACK, b"", ssi.DECODER, 0x80), (Answer.DONE, "")),
        (sealed(ssi.NAK, b"\x01", ssi.DECODER), (Answer.RESEND, "checksum")),
        (sealed(ssi.NAK, b"\x02", ssi.DECODER), (Answer.REFUSED, "not now")),
        (sealed(ssi.NAK, b"\x06", ssi.DECODER), (Answer.REFUSED, "denied")),
        (sealed(ssi.NAK, b"\x0a", ssi.DECODER), (Answer.REFUSED, "cancelled")),
        (sealed(ssi.NAK, b"\x63", ssi.DECODER), (Answer.REFUSED, "reason 99")),
        (sealed(ssi.NAK, b"", ssi.DECODER), (Answer.REFUSED, "reason 0")),
    ],
)
def test_answers_count_while_a_command_is_out(packet: bytes, answer: tuple[Answer, str]) -> None:
    wire = Ssi()
    wire.expect(wire.trigger(True))
    assert fed(wire, packet) == Heard([], [], [answer])

    wire.expect(None)
    assert fed(wire, packet) == Heard()


@pytest.mark.parametrize(
    ("opcode", "reply"),
    [(0xF6, [ACK]), (0xA4, [ACK]), (ssi.CAPABILITIES, []), (ssi.INIT_RESPONSE, [sealed(ssi.HOST_ACK)]), (0x7E, [ACK])],
)
def test_other_packets_are_acknowledged_as_they_ask(opcode: int, reply: list[bytes]) -> None:
    assert fed(Ssi(), sealed(opcode, b"\x01", ssi.DECODER)).replies == reply


def test_a_long_code_is_put_together_from_continued_packets() -> None:
    text = "Q" * 700
    parts = packets(text.encode(), 0x1C, Layout.CLASSIC)

    heard = fed(Ssi(), *parts)

    assert len(parts) == 3
    assert (texts(heard.scans), heard.replies) == ([text], [ACK] * 3)


def test_a_part_that_is_repeated_is_not_put_in_twice() -> None:
    first, second = packets(b"R" * 400, 0x1C, Layout.CLASSIC)
    again = sealed(first[1], first[4:-2], first[2], first[3] | ssi.RETRANSMITTED)

    assert texts(fed(Ssi(), first, again, second).scans) == ["R" * 400]


def test_the_tail_of_a_code_that_was_given_up_is_no_code() -> None:
    wire = Ssi()
    first, *rest = packets(b"T" * 700, 0x1C, Layout.CLASSIC)
    fed(wire, first)

    late = wire.idle(PARTS_MS)
    tail = [sealed(part[1], part[4:-2], part[2], part[3] | ssi.RETRANSMITTED) for part in rest]
    heard = fed(wire, *tail, WAYBILL, at_ms=PARTS_MS + 500)

    assert [scan.flaw for scan in late.scans] == [Flaw.DAMAGED]
    assert texts(heard.scans) == [SF]


def test_the_captured_segments_are_one_code_of_500_signs() -> None:
    first = bytes.fromhex("FF 73 02 00 00 F3 00 00 01 F7 1C 01 01 F4") + b"Z" * 241 + bytes.fromhex("A6 D5")
    second = bytes.fromhex("FF 73 00 00 01") + b"Z" * 250 + bytes.fromhex("A6 A9")
    third = bytes.fromhex("0E 73 00 00 02") + b"Z" * 9 + bytes.fromhex("FC 53")
    more = sealed(ssi.SEGMENT_ACK)

    heard = fed(Ssi(), first, second, third)

    assert all(map(is_whole, (first, second, third)))
    assert (texts(heard.scans), heard.replies) == (["Z" * 500], [more, more, ACK])
    assert packets(b"Z" * 500, 0x1C, Layout.CORDLESS) == [first, second, third]


def test_repeated_segments_are_not_put_in_twice_and_a_gap_is_a_damaged_read() -> None:
    first, second, third = packets(b"S" * 700, 0x1C, Layout.CORDLESS)

    assert texts(fed(Ssi(), first, first, second, second, third).scans) == ["S" * 700]
    assert [scan.flaw for scan in fed(Ssi(), first, third).scans] == [Flaw.DAMAGED]
    assert fed(Ssi(), second, third).scans == []


def test_too_long_a_code_is_told_and_bounded() -> None:
    wire = Ssi()
    parts = packets(b"7" * (MAX_CODE * 6), 0x1C, Layout.CLASSIC)

    heard = fed(wire, *parts)

    assert [scan.flaw for scan in heard.scans] == [Flaw.OVERLONG]


def test_a_lost_port_takes_half_packets_and_half_codes_along() -> None:
    wire = Ssi()
    fed(wire, packets(b"L" * 400, 0x1C, Layout.CLASSIC)[0], WAYBILL[:9])

    wire.lost()

    assert not wire.is_partial
    assert texts(fed(wire, WAYBILL).scans) == [SF]


@pytest.mark.parametrize("counts_type", [False, True])
def test_stored_codes_are_read_when_they_fit_to_the_byte(counts_type: bool) -> None:
    codes = [b"SF1", b"JD22"]
    payload = b"".join(bytes((len(code) + counts_type, 0x03)) + code for code in codes)

    heard = fed(Ssi(), sealed(ssi.BATCH_DATA, payload, ssi.DECODER), sealed(ssi.BATCH_DATA, payload, 0, 1))

    assert [(scan.text, scan.is_stored) for scan in heard.scans] == [("]C0SF1", True), ("]C0JD22", True)]
    assert heard.replies == [ACK, ACK]


@pytest.mark.parametrize("payload", [b"", b"\x09\x03SF1", b"\x00\x03", b"\x03\x03SF1\x03"])
def test_stored_codes_that_do_not_fit_are_a_damaged_read(payload: bytes) -> None:
    heard = fed(Ssi(), sealed(ssi.BATCH_DATA, payload, ssi.DECODER))

    assert [(scan.text, scan.flaw, scan.is_stored) for scan in heard.scans] == [("", Flaw.DAMAGED, True)]


def test_a_repeated_command_says_that_it_is_one() -> None:
    command: Command = Ssi().beep(accepted=False)[0]

    assert (command.frame[3], command.again[3], command.frame[4]) == (0, ssi.RETRANSMITTED, 6)


def test_too_much_for_one_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="252 bytes"):
        sealed(ssi.PARAM_SEND, bytes(252))


codes = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=600)


@given(st.lists(codes, min_size=1, max_size=4), st.sampled_from(Layout), st.data())
def test_codes_survive_any_cutting_of_the_stream(many: list[str], layout: Layout, data: st.DataObject) -> None:
    stream = b"".join(packet for code in many for packet in packets(code.encode(), 0x1C, layout))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))

    heard = fed(Ssi(), *[stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])])

    assert texts(heard.scans) == many


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_raise_nothing_and_leave_nothing_after_a_pause(pieces: list[bytes]) -> None:
    wire = Ssi()
    for at, piece in enumerate(pieces):
        wire.feed(piece, at * 50)

    wire.idle(100_000)
    wire.idle(200_000)

    assert not wire.is_partial
    assert texts(wire.feed(WAYBILL, 300_000).scans) == [SF]


@given(st.binary(min_size=0, max_size=40).filter(lambda noise: not noise or noise[-1] != 0xF3))
def test_a_code_gets_through_the_noise_before_it(noise: bytes) -> None:
    wire = Ssi()
    heard = wire.feed(noise, 0)
    silence = wire.idle(5000)

    assert SF in texts([*heard.scans, *silence.scans, *wire.feed(WAYBILL, 6000).scans, *wire.idle(9000).scans])
