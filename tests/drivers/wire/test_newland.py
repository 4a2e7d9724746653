"""Newland: unified commands as published, replies told from codes, codes between replies."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.gun import Answer, Heard
from drivers.wire.newland import MAX_REPLY, Newland, command, reply
from drivers.wire.scans import Scan

TRIGGER = "SCNTRG1"


def texts(scans: list[Scan]) -> list[str]:
    return [scan.text for scan in scans]


@pytest.mark.parametrize(
    ("made", "digits"),
    [
        (Newland().trigger(True).frame, "7E 01 30 30 30 30 23 53 43 4E 54 52 47 31 3B 03"),
        (Newland().trigger(False).frame, "7E 01 30 30 30 30 23 53 43 4E 54 52 47 30 3B 03"),
        (Newland().enable(True).frame, "7E 01 30 30 30 30 23 53 43 4E 45 4E 41 31 3B 03"),
        (Newland().beep(True)[0].frame,
         "7E 01 30 30 30 30 23 42 45 45 50 4F 4E 32 30 30 30 46 31 30 30 54 32 30 56 3B 03"),
    ],
)  # fmt: skip
def test_commands_are_made_as_published(made: bytes, digits: str) -> None:
    assert made == bytes.fromhex(digits)


def test_nothing_is_stored_in_the_gun() -> None:
    wire = Newland()
    commands = [*wire.opening(), *wire.beep(True), *wire.beep(False), wire.trigger(True), wire.enable(False)]

    assert {each.frame[6:7] for each in commands} == {b"#"}
    assert all(each.is_answered for each in commands)
    assert len(wire.beep(False)) == 2
    assert wire.pace.gap_s >= 0.05


@pytest.mark.parametrize(
    ("mark", "answer"),
    [(0x06, (Answer.DONE, "")), (0x15, (Answer.REFUSED, "bad value")), (0x05, (Answer.REFUSED, "unknown command"))],
)
def test_the_reply_to_the_command_that_is_out_is_its_answer(mark: int, answer: tuple[Answer, str]) -> None:
    wire = Newland()
    wire.expect(command(TRIGGER))

    assert wire.feed(reply(TRIGGER, mark), 0) == Heard([], [], [answer])


@pytest.mark.parametrize(
    "digits",
    [
        reply("SCNENA1").hex(),  # to another command
        reply(TRIGGER, 0x07).hex(),
        "02 01 30 30 30 30 23 06 3B 03",
        "02 01 31 30 30 30 23 53 43 4E 54 52 47 31 06 3B 03",
    ],
)
def test_other_replies_are_none_and_no_code(digits: str) -> None:
    wire = Newland()
    wire.expect(command(TRIGGER))

    assert wire.feed(bytes.fromhex(digits), 0) == Heard()


def test_a_reply_without_a_command_is_nothing() -> None:
    assert Newland().feed(reply(TRIGGER), 0) == Heard()


def test_codes_and_replies_may_follow_each_other_at_once() -> None:
    wire = Newland()
    wire.expect(command(TRIGGER))

    heard = wire.feed(b"SF1\r" + reply(TRIGGER) + b"]Q1JD2\r", 0)

    assert (texts(heard.scans), heard.answers) == (["SF1", "]Q1JD2"], [(Answer.DONE, "")])


def test_a_code_that_begins_with_stx_is_a_code() -> None:
    assert texts(Newland().feed(b"\x02SF1\r", 0).scans) == ["\x02SF1"]


def test_a_half_reply_is_thrown_away_after_a_pause_and_an_endless_one_at_its_bound() -> None:
    wire = Newland()
    wire.feed(reply(TRIGGER)[:9], 0)
    assert wire.is_partial

    wire.idle(1000)
    wire.feed(b"\x02\x01" + b"x" * MAX_REPLY, 2000)

    assert wire.rejected == 2
    assert texts(wire.feed(b"\rSF1\r", 3000).scans)[-1] == "SF1"


def test_a_lost_port_takes_half_codes_and_half_replies_along() -> None:
    wire = Newland()
    wire.feed(b"SF" + reply(TRIGGER)[:5], 0)

    wire.lost()

    assert texts(wire.feed(b"JD1\r", 10).scans) == ["JD1"]


codes = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


@given(st.lists(codes, min_size=1, max_size=4), st.data())
def test_codes_and_answers_survive_any_cutting_of_the_stream(many: list[str], data: st.DataObject) -> None:
    stream = b"".join(code.encode() + b"\r" + reply(TRIGGER) for code in many)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    wire = Newland()
    wire.expect(command(TRIGGER))

    heard = [wire.feed(stream[a:b], 0) for a, b in pairwise([0, *cuts, len(stream)])]

    assert [text for each in heard for text in texts(each.scans)] == many
    assert sum(len(each.answers) for each in heard) == len(many)


@given(st.lists(st.binary(max_size=100), max_size=6))
def test_any_bytes_raise_nothing_and_leave_nothing_after_a_pause(pieces: list[bytes]) -> None:
    wire = Newland()
    for at, piece in enumerate(pieces):
        wire.feed(piece, at)

    wire.idle(100_000)

    assert not wire.is_partial
