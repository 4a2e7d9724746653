"""Status bytes of ESC/POS printers, text that fits, bar codes; and slips drawn by the library, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.paper import BarCode, Cut, Line, QrCode, Text
from drivers.printer import draw
from drivers.sim.printer import Receipts
from drivers.wire import escpos
from drivers.wire.escpos import Causes, Form, PaperSensors


@pytest.mark.parametrize(
    ("byte", "meaning", "source"),
    [
        (0x12, PaperSensors(False, False), "S-EPSON-U220, S-BIXOLON, S-HPRT"),
        (0x1E, PaperSensors(True, False), "S-EPSON-U220, S-BIXOLON, S-HPRT"),
        (0x72, PaperSensors(False, True), "S-EPSON-U220, S-BIXOLON, S-HPRT"),
        (0x7E, PaperSensors(True, True), "S-EPSON-U220, S-BIXOLON, S-HPRT"),
    ],
)
def test_published_paper_bytes_are_read(byte: int, meaning: PaperSensors, source: str) -> None:
    assert escpos.is_status(byte), source
    assert escpos.paper(byte) == meaning, source


@pytest.mark.parametrize(
    ("byte", "meaning"),
    [
        (0x12, Causes(False, False, False)),
        (0x16, Causes(True, False, False)),
        (0x32, Causes(False, True, False)),
        (0x52, Causes(False, False, True)),
    ],
)
def test_causes_are_read(byte: int, meaning: Causes) -> None:
    assert escpos.causes(byte) == meaning


def test_questions_are_byte_exact() -> None:
    assert [escpos.ask(what).hex() for what in (1, 2, 4)] == ["100401", "100402", "100404"]


def test_no_byte_can_be_both_a_status_and_the_mark_and_flow_control_is_neither() -> None:
    assert not any(escpos.is_status(byte) and escpos.is_mark(byte) for byte in range(256))
    assert not any(escpos.is_status(byte) or escpos.is_mark(byte) for byte in (0x11, 0x13))


@given(st.text(max_size=80), st.integers(2, 48))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    lines = escpos.wrapped(text, columns)

    assert lines
    assert "".join(lines) == "".join(text.splitlines())
    assert all(sum(1 if sign.isascii() else 2 for sign in line) <= columns for line in lines)


@given(st.text(max_size=60), st.sampled_from(escpos.CHARSETS))
def test_no_text_is_a_command(text: str, charset: str) -> None:
    encoded = escpos.encoded(text, charset)

    assert not any(byte < 0x20 for byte in encoded)
    assert len(encoded.decode(charset)) == len(text)


def test_signs_the_printer_lacks_become_a_question_mark() -> None:
    assert escpos.encoded("取件：￥５", "gb18030") == "取件：￥５".encode("gb18030")
    assert escpos.encoded("㐂", "gbk") == "？".encode("gbk")
    assert len(escpos.encoded("㐂", "gb18030")) == 4


@pytest.mark.parametrize(
    ("text", "code", "symbols"),
    [
        ("SF1234567890123", "{BSF1{C" + "".join(map(chr, (23, 45, 67, 89, 1, 23))), 1 + 3 + 1 + 6),
        ("123456", "{C" + "".join(map(chr, (12, 34, 56))), 1 + 3),
        ("A{1", "{BA{{1", 1 + 3),
        ("123", "{B123", 1 + 3),
        ("12345A", "{B1{C" + chr(23) + chr(45) + "{BA", 1 + 1 + 1 + 2 + 1 + 1),
    ],
)
def test_bar_codes_use_pairs_of_digits(text: str, code: str, symbols: int) -> None:
    made, modules = escpos.code128(text)

    assert made == code
    assert modules == 11 * (symbols + 1) + 13 + 20


@pytest.mark.parametrize("digits", ["160401", "991605", "16201600"])
def test_a_bar_code_holds_no_real_time_command(digits: str) -> None:
    assert escpos.code128(digits)[0] == "{B" + digits
    assert printed(BarCode(digits)) == [f"[128 {digits}]"]


@pytest.mark.parametrize("text", ["", "取", "a\nb", "9" * 81])
def test_what_is_no_bar_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        escpos.code128(text)


NARROW = Form()


def printed(*slip: Line, form: Form = NARROW) -> list[str]:
    receipts = Receipts()
    receipts.receive(draw([*slip, Cut()], form))
    assert receipts.rejected == 0
    return receipts.slips[-1]


def test_a_slip_is_drawn_with_these_bytes() -> None:
    drawn = draw([Text("取件：A05", is_big=True, is_centred=True), QrCode("A05")], Form())

    assert (
        drawn
        == (
            b"\x1b@\x1c&"  # reset, Chinese mode
            b"\x1d!\x11\x1ba\x01" + "取件：A05".encode("gb18030") + b"\n\x1d!\x00\x1ba\x00"
            b"\x1ba\x01\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x06\x1d(k\x03\x001E0\x1d(k\x06\x001P0A05\x1d(k\x03\x001Q0"
            b"\n\x1ba\x00"
        )
    )


def test_a_slip_reads_as_it_was_meant() -> None:
    slip = (Text("村级服务点", is_big=True), Text("运单 SF1234567890123"), QrCode("取A05"), BarCode("SF1234567890123"))

    assert printed(*slip, form=Form(576)) == [
        "[big] 村级服务点",
        "运单 SF1234567890123",
        "[QR 取A05]",
        "[128 SF1234567890123]",
    ]


def test_a_bar_code_too_wide_for_the_paper_is_printed_as_text() -> None:
    assert printed(BarCode("ABCDEFGHIJKLMNOPQ")) == ["ABCDEFGHIJKLMNOPQ"]
    assert printed(BarCode("SF1234567890123")) == ["[128 SF1234567890123]"]


def test_a_qr_code_may_be_sent_as_a_picture() -> None:
    (line,) = printed(QrCode("A05"), form=Form(draws_qr=False))

    assert line.startswith("[picture of ")


def test_long_lines_are_wrapped_to_the_paper() -> None:
    assert printed(Text("取" * 20)) == ["取" * 16, "取" * 4]
    assert printed(Text("取" * 20, is_big=True)) == ["[big] " + "取" * 8] * 2 + ["[big] " + "取" * 4]


def test_a_printer_without_a_knife_only_feeds() -> None:
    assert draw([Cut()], Form(has_knife=False)) == b"\x1b@\x1c&\x1bd\x06"


@pytest.mark.parametrize(
    "slip", [[QrCode("")], [QrCode("\x10\x04\x01")], [BarCode("")], [BarCode("取")], [Text("长" * 40_000)]]
)
def test_a_slip_that_cannot_be_set_is_a_bug_of_the_caller(slip: list[Line]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        draw(slip, Form())


def test_drawing_says_nothing_on_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    draw([Text("A"), QrCode("A"), BarCode("A")], Form())
    draw([QrCode("A")], Form(draws_qr=False))

    assert capsys.readouterr() == ("", "")


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_noise_leaves_the_simulated_printer_bounded_and_alive(noise: list[bytes]) -> None:
    receipts = Receipts()
    for chunk in noise:
        receipts.receive(chunk)

    assert len(receipts._waiting) <= 65536
