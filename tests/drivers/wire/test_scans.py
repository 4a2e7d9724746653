"""Serial line mode: terminators, pauses, broken and endless codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Flaw
from drivers.wire.scans import BURST_MS, MAX_CODE, LineScans, Scan

WAYBILL = "SF1385628716739"


def texts(scans: list[Scan]) -> list[str]:
    return [scan.text for scan in scans]


@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n"])
def test_each_terminator_ends_one_code(end: bytes) -> None:
    lines = LineScans()

    assert texts(lines.feed(WAYBILL.encode() + end + b"JD0012" + end, 5)) == [WAYBILL, "JD0012"]
    assert not lines.is_partial


def test_aim_prefix_and_group_separator_stay_in_the_text() -> None:
    assert texts(LineScans().feed(b"]C10112345678901231\x1d10LOT\r", 0)) == ["]C10112345678901231\x1d10LOT"]


def test_a_pause_ends_a_code_without_terminator() -> None:
    lines = LineScans(idle_ms=100)

    assert lines.feed(b"ABC", 1000) == []
    assert lines.idle(1099) == []
    assert lines.idle(1100) == [Scan("ABC", 1000, 1)]
    assert lines.idle(9999) == []


def test_a_pause_is_noticed_with_the_next_byte_too() -> None:
    lines = LineScans(idle_ms=100)
    lines.feed(b"ABC", 1000)

    assert texts(lines.feed(b"DEF\r", 2000)) == ["ABC", "DEF"]


def test_a_lost_port_takes_its_half_code_along() -> None:
    lines = LineScans()
    lines.feed(b"SF13", 0)

    lines.lost()

    assert texts(lines.feed(b"JD1\r", 10)) == ["JD1"]


def test_four_thousand_characters_are_a_code_and_five_thousand_are_none() -> None:
    lines = LineScans()

    assert texts(lines.feed(b"7" * 4000 + b"\r", 0)) == ["7" * 4000]
    [scan] = lines.feed(b"7" * 5000 + b"\r", 1)
    assert (scan.text, scan.flaw) == ("", Flaw.OVERLONG)


def test_an_endless_code_stays_bounded() -> None:
    lines = LineScans()
    for _ in range(100):
        assert lines.feed(b"x" * 10_000, 0) == []
    assert len(lines._buffer) <= 4 * MAX_CODE

    assert [scan.flaw for scan in lines.feed(b"\rGOOD\r", 1)] == [Flaw.OVERLONG, None]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_text_is_read_in_both_usual_encodings(encoding: str) -> None:
    assert texts(LineScans().feed("种子标签".encode(encoding) + b"\r", 0)) == ["种子标签"]


def test_bytes_of_no_encoding_are_a_damaged_scan() -> None:
    [scan] = LineScans().feed(b"\xff\xff\xff\r", 0)

    assert (scan.text, scan.flaw) == ("", Flaw.DAMAGED)


def test_waking_zero_bytes_are_no_part_of_a_code() -> None:
    assert texts(LineScans().feed(b"\0\0ABC\0\r", 0)) == ["ABC"]


def test_stx_and_etx_frame_a_code() -> None:
    lines = LineScans(stx=True)

    scans = lines.feed(b"\x02ABC\x03\r\n\x02DE\x02FGH\x03", 0)

    assert [(scan.text, scan.flaw) for scan in scans] == [("ABC", None), ("", Flaw.DAMAGED), ("FGH", None)]


def test_lines_of_one_trigger_pull_share_their_burst() -> None:
    lines = LineScans()

    label = lines.feed(b"variety\rproducer\runit\rhttps://x\r", 1000)
    later = lines.feed(b"SF1\r", 1000 + BURST_MS + 1)

    assert [scan.burst for scan in label + later] == [1, 1, 1, 1, 2]


codes = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


@given(st.lists(codes, min_size=1, max_size=5), st.sampled_from((b"\r", b"\r\n", b"\n")), st.data())
def test_codes_survive_any_cutting_of_the_stream(many: list[str], end: bytes, data: st.DataObject) -> None:
    stream = b"".join(code.encode() + end for code in many)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    lines = LineScans()

    scans = [s for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True) for s in lines.feed(stream[a:b], 0)]

    assert texts(scans) == many


@given(st.binary(max_size=200))
def test_any_bytes_raise_nothing_and_leave_nothing_after_a_pause(raw: bytes) -> None:
    lines = LineScans()

    lines.feed(raw, 0)
    lines.idle(10_000)

    assert not lines.is_partial
