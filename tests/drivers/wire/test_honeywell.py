"""Honeywell: commands as published, answers told from codes, framed reads."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Flaw
from drivers.wire.gun import Answer
from drivers.wire.honeywell import Honeywell, framed, menu
from drivers.wire.scans import Scan

FRAME = bytes.fromhex("16 FE 12 00 00 00 0D") + b"MSGGET0004jC0\x1dSF1\r"


def texts(scans: list[Scan]) -> list[str]:
    return [scan.text for scan in scans]


@pytest.mark.parametrize(
    ("made", "digits"),
    [
        (Honeywell().trigger(True).frame, "16 54 0D"),
        (Honeywell().trigger(False).frame, "16 55 0D"),
        (Honeywell().beep(True)[0].frame, "16 07 0D"),
        (menu("DECHDR1").frame, "16 4D 0D 44 45 43 48 44 52 31 21"),
    ],
)
def test_commands_are_made_as_published(made: bytes, digits: str) -> None:
    assert made == bytes.fromhex(digits)


def test_beeps_and_triggers_are_done_in_silence_and_the_menu_answers() -> None:
    wire = Honeywell()

    assert not any(each.is_answered for each in (*wire.beep(False), wire.trigger(True), wire.trigger(False)))
    assert (len(wire.beep(True)), len(wire.beep(False))) == (1, 3)
    assert [each.is_answered for each in wire.opening()] == [True]
    assert list(Honeywell(framed=False).opening()) == []


@pytest.mark.parametrize(
    ("mark", "answer"),
    [
        (b"\x06", (Answer.DONE, "")),
        (b"\x15", (Answer.REFUSED, "bad value")),
        (b"\x05", (Answer.REFUSED, "unknown command")),
    ],
)
@pytest.mark.parametrize("end", [b"!", b"."])
def test_the_menu_answers_with_the_command_and_a_mark(mark: bytes, answer: tuple[Answer, str], end: bytes) -> None:
    wire = Honeywell()
    wire.expect(menu("DECHDR1"))

    heard = wire.feed(b"SF1\rDECHDR1" + mark + end + b"JD2\r", 0)

    assert (texts(heard.scans), heard.answers) == (["SF1", "JD2"], [answer])


def test_without_a_command_nothing_is_held_back() -> None:
    assert texts(Honeywell().feed(b"DECHDR1\x06!\r", 0).scans) == ["DECHDR1\x06!"]


def test_a_code_without_its_end_while_an_answer_is_due_ends_with_a_pause() -> None:
    wire = Honeywell()
    wire.expect(menu("DECHDR1"))
    wire.feed(b"SF1", 0)

    wire.expect(None)
    first = wire.idle(300)

    assert texts([*first.scans, *wire.idle(600).scans]) == ["SF1"]


def test_a_framed_read_keeps_its_aim_identifier() -> None:
    assert framed("SF1") == FRAME
    assert texts(Honeywell().feed(FRAME, 0).scans) == ["]C0SF1"]
    assert texts(Honeywell().feed(framed("]C1SF1"), 0).scans) == ["]C1SF1"]
    assert texts(Honeywell().feed(framed("SF1", aim="--"), 0).scans) == ["SF1"]


def test_a_framed_read_holds_line_ends_group_separators_and_chinese() -> None:
    label = "种子\r\n]x\x1d10\x16\xfe"

    assert texts(Honeywell().feed(framed(label, "s", "Q1"), 0).scans) == ["]Q1" + label]


def test_the_first_length_may_count_what_it_likes() -> None:
    other = FRAME[:2] + (99).to_bytes(4, "little") + FRAME[6:]

    assert texts(Honeywell().feed(other, 0).scans) == ["]C0SF1"]


@pytest.mark.parametrize(
    "frame",
    [
        FRAME[:-1] + b"X",  # no CR where the length says
        FRAME.replace(b"MSGGET", b"MSGPUT"),
        FRAME.replace(b"0004", b"0001"),
        FRAME.replace(b"\x1d", b" "),
    ],
)
def test_a_damaged_frame_is_a_damaged_read(frame: bytes) -> None:
    wire = Honeywell()

    scans = wire.feed(frame, 0).scans

    assert Flaw.DAMAGED in [scan.flaw for scan in scans]
    assert not any(scan.text == "]C0SF1" for scan in scans)
    assert wire.rejected


def test_a_frame_that_breaks_off_is_a_damaged_read_after_a_pause() -> None:
    wire = Honeywell()
    wire.feed(FRAME[:-2], 0)

    assert [scan.flaw for scan in wire.idle(1000).scans] == [Flaw.DAMAGED]
    assert texts(wire.feed(FRAME, 2000).scans) == ["]C0SF1"]


def test_a_stray_syn_takes_no_sign_off_a_code() -> None:
    assert texts(Honeywell().feed(b"\x16SF1\r", 0).scans) == ["\x16SF1"]


def test_a_lost_port_takes_half_frames_along() -> None:
    wire = Honeywell()
    wire.feed(FRAME[:12], 0)

    wire.lost()

    assert not wire.is_partial
    assert texts(wire.feed(FRAME, 1).scans) == ["]C0SF1"]


codes = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="]"), min_size=1, max_size=300)


@given(st.lists(codes, min_size=1, max_size=4), st.booleans(), st.data())
def test_codes_survive_any_cutting_of_the_stream(many: list[str], are_framed: bool, data: st.DataObject) -> None:
    stream = b"".join(framed(code) if are_framed else code.encode() + b"\r" for code in many)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    wire = Honeywell()

    scans = [scan for a, b in pairwise([0, *cuts, len(stream)]) for scan in wire.feed(stream[a:b], 0).scans]

    assert texts(scans) == [("]C0" if are_framed else "") + code for code in many]


@given(st.lists(st.binary(max_size=100), max_size=6), st.booleans())
def test_any_bytes_raise_nothing_and_leave_nothing_after_a_pause(pieces: list[bytes], expects: bool) -> None:
    wire = Honeywell()
    wire.expect(menu("DECHDR1") if expects else None)
    for at, piece in enumerate(pieces):
        wire.feed(piece, at)

    for at_ms in (100_000, 200_000):
        wire.idle(at_ms)

    assert not wire.is_partial
