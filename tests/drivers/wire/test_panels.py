"""Simple displays on the wire: every published frame, and what each shows of what it is given."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim, PanelSim
from drivers.wire import alpha, armfly, led8
from drivers.wire.alpha import Alpha, Sign
from drivers.wire.armfly import ArmflyAscii, ArmflyModbus
from drivers.wire.cd5220 import Cd5220
from drivers.wire.led8 import LAMP_FORMS, Led8
from drivers.wire.panel import Amount, Content, PanelWire, number, yuan

# bytes made, bytes published, source key (S-: captured or in a maker's program; D: derived by the rule)
FRAMES = [
    (led8.digits("12.34"), "1B 51 41 31 32 2E 33 34 0D", "D"),
    (Led8("ascii")._lamp(2), "1B 73 32", "S-BCCN"),
    (Led8("binary")._lamp(2), "1B 73 02", "S-WINTEC"),
    (Led8("separate")._lamp(2), "02 4C 30 31 30 30", "D, S-LED8N"),
    (
        alpha.packet([b"E$AAU0100FF00"]),
        "00 00 00 00 00 01 5A 30 30 02 45 24 41 41 55 30 31 30 30 46 46 30 30 04",
        "S-ALPHA-RB",
    ),
    (
        alpha.packet([b"E$0BL00200000"]),
        "00 00 00 00 00 01 5A 30 30 02 45 24 30 42 4C 30 30 32 30 30 30 30 30 04",
        "S-ALPHA-RB",
    ),
    (
        alpha.packet([b"G01" + b"1045.28 ", b"G12.41 ", b"G219.92 ", b"G316.56 ", b"G43.37 ", b"G516.47 "]),
        "00 00 00 00 00 01 5A 30 30 02 47 30 31 31 30 34 35 2E 32 38 20 03 02 47 31 32 2E 34 31 20 03 02 47 32 31 39 2E"
        " 39 32 20 03 02 47 33 31 36 2E 35 36 20 03 02 47 34 33 2E 33 37 20 03 02 47 35 31 36 2E 34 37 20 03 04",
        "S-ALPHA-RB",
    ),
    (
        alpha.packet([alpha.write_text("A", "\x1b bHELLO")]),
        "00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 62 48 45 4C 4C 4F 04",
        "D",
    ),
    (
        alpha.packet([alpha.write_text("A", "\x1b bHELLO")], has_check=True),
        "00 00 00 00 00 01 5A 30 30 02 41 41 1B 20 62 48 45 4C 4C 4F 03 30 32 39 38 04",
        "D",
    ),
    (armfly.ask_model(1), b"$001,02&".hex(), "S-ARM-LUA"),
    (armfly.show(1, "8.8.8.8."), b"$001,8.8.8.8.#".hex(), "S-ARM-LUA"),
    (armfly.write_one(1, 0, 1234), "01 06 00 00 04 D2 0B 57", "D, S-ARM-PY"),
    (armfly.write_one(1, 4, 2), "01 06 00 04 00 02 49 CA", "D, S-ARM-PY"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "published", "source"), FRAMES)
def test_frames_are_byte_exact(made: bytes, published: str, source: str) -> None:
    assert made == bytes.fromhex(published), source


def test_seven_bits_with_even_parity_are_made_in_software() -> None:
    assert [alpha.even(byte) for byte in b"\x00\x01\x02\x03Z0\x7f"] == [0x00, 0x81, 0x82, 0x03, 0x5A, 0x30, 0xFF]


def shown(wire: PanelWire, sim: PanelSim, *contents: Content) -> list[str]:
    for content in contents:
        for step in (*wire.setup(), *wire.put(content)):
            heard = b"".join(sim.receive(step.chunk))
            assert step.is_answer is None or step.is_answer(heard)
    return sim.shown()


DIGIT_DISPLAYS = [
    (Led8, Led8Sim, 8),
    (lambda: ArmflyAscii(1, 6), lambda: ArmflySim(1, 6), 6),
    (lambda: ArmflyModbus(1, 6), lambda: ArmflySim(1, 6, "modbus"), 6),
]
digit_displays = pytest.mark.parametrize(("wire", "sim", "digits"), DIGIT_DISPLAYS, ids=["led8", "ascii", "modbus"])


@digit_displays
@given(fen=st.integers(-(10**9), 10**9))
def test_an_amount_is_shown_whole_or_as_dashes(wire: object, sim: object, digits: int, fen: int) -> None:
    read = shown(wire(), sim(), Amount(fen, 2))  # type: ignore[operator]

    assert read in ([yuan(fen)], ["-" * digits])
    if abs(fen) <= 0x7FFF:
        assert read == [yuan(fen)]


@digit_displays
@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (["42"], ["42"]),
        (["007"], ["007"]),
        (["12.5"], ["12.5"]),
        (["A05", "3"], ["3"]),
        (["取件单"], []),
        (["A05"], []),
        ([], []),
    ],
)
def test_a_digit_display_shows_the_first_line_that_is_a_number(
    wire: object, sim: object, digits: int, lines: list[str], read: list[str]
) -> None:
    assert shown(wire(), sim(), ("55",), tuple(lines)) == read  # type: ignore[operator]


@digit_displays
@given(lines=st.lists(st.text(st.sampled_from("0123456789.- A取"), max_size=12), max_size=3))
@example(lines=["0..", "0- ."])
def test_no_text_makes_a_digit_display_show_another_number(
    wire: object, sim: object, digits: int, lines: list[str]
) -> None:
    read = shown(wire(), sim(), tuple(lines))  # type: ignore[operator]

    assert len(read) <= 1
    allowed = [plain(line) for line in lines]
    assert all(plain(each) in allowed or not each.strip("-") for each in read)


def plain(text: str) -> float | str:
    """As a number where it is one: ".50" and "0.50" say the same, and so do "0.." and "0"."""
    bare = text.rstrip(" .").strip()
    try:
        return float(bare)
    except ValueError:
        return bare


@pytest.mark.parametrize("form", LAMP_FORMS)
def test_the_lamp_tells_what_the_amount_is_in_the_form_of_the_maker(form: str) -> None:
    sim = Led8Sim(form)
    seen = []
    for lamp in range(5):
        shown(Led8(form), sim, Amount(1234, lamp))
        seen.append(sim.lamp)

    assert seen == ["none", "price", "total", "received", "change"]


def test_a_lamp_of_another_makers_form_stays_dark() -> None:
    sim = Led8Sim("binary")
    shown(Led8("ascii"), sim, Amount(1234, 2))

    assert (sim.shown(), sim.lamp) == (["12.34"], "none")


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (("PARCEL A05", "LOCKER 7"), ["PARCEL A05", "LOCKER 7"]),
        (("A LINE THAT IS LONGER THAN TWENTY",), ["A LINE THAT IS LONGE", "R THAN TWENTY"]),
        (("取件A",), ["??A"]),
        ((), []),
        (Amount(-5), ["-0.05"]),
        (Amount(1_234_567), ["12345.67"]),
    ],
)
def test_two_lines_of_twenty(content: Content, read: list[str]) -> None:
    assert shown(Cd5220(), Cd5220Sim(), ("OLD", "OLD"), content) == read


def test_a_display_left_in_string_mode_is_freed() -> None:
    sim = Cd5220Sim()
    sim.receive(b"\x1bQAADVERT\r" + b"ignored" + b"\x1bl\x01\x02")
    assert (sim.shown(), sim.is_in_string_mode) == (["ADVERT"], True)

    assert shown(Cd5220(2), sim, ("A05",)) == ["A05"]
    assert (sim.is_in_string_mode, sim.brightness) == (False, 2)


@pytest.mark.parametrize("sign", [Sign(), Sign(is_even=False), Sign(has_check=False), Sign(start_pause_ms=1000)])
def test_a_sign_shows_latin_lines(sign: Sign) -> None:
    assert shown(Alpha(sign), AlphaSim(sign.is_even), ("PARCEL A05", "LOCKER 7")) == ["PARCEL A05", "LOCKER 7"]
    assert shown(Alpha(sign), AlphaSim(sign.is_even), ("OLD",), ()) == []


def test_a_sign_that_answers_is_read_back() -> None:
    wire, sim = Alpha(Sign(answers=True)), AlphaSim()
    assert shown(wire, sim, ("A05",)) == ["A05"]

    sim.power_off()
    sim.power_on()
    *lead, last = wire.check(("A05",))
    heard = b"".join(chunk for step in (*lead, last) for chunk in sim.receive(step.chunk))

    assert last.is_answer is not None
    assert heard
    assert not last.is_answer(heard)


def test_a_packet_with_a_wrong_check_is_dropped_by_the_sign() -> None:
    wire = bytearray(alpha.packet([alpha.write_text("0", "\x1b0bHELLO")], has_check=True))
    wire[15] ^= 0x02
    sim = AlphaSim(is_even=False)
    sim.receive(bytes(wire))

    assert (sim.shown(), sim.rejected) == ([], 1)


def test_text_for_a_sign_keeps_the_files_bound() -> None:
    sim = AlphaSim()
    shown(Alpha(), sim, ("A" * 5000,))

    assert len(sim.files["0"]) <= 125
    assert sim.files["0"][2] == alpha.ROTATE


@pytest.mark.parametrize(
    ("wire", "content", "lack"),
    [
        (Led8(), ("A05",), "no number"),
        (Led8(), ("123456789",), "no number"),
        (Led8(), Amount(10**9), "more than 8 digits"),
        (Led8(), ("5",), ""),
        (Cd5220(), ("取",), "Latin"),
        (Cd5220(), ("A", "B", "C"), "longer"),
        (Cd5220(), ("A", "B"), ""),
        (Cd5220(), Amount(1), ""),
        (Alpha(), ("取",), "Latin"),
        (Alpha(), Amount(1), ""),
        (ArmflyAscii(), ("12345",), "no number"),
        (ArmflyModbus(), ("123",), ""),
    ],
)
def test_what_a_display_lacks_is_said(wire: PanelWire, content: Content, lack: str) -> None:
    assert (lack in wire.lacks(content)) if lack else wire.lacks(content) == ""


@given(st.text(max_size=30), st.integers(1, 9))
def test_a_number_never_has_more_digits_than_the_display(line: str, digits: int) -> None:
    assert len(number((line,), digits).replace(".", "")) <= digits


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_noise_leaves_the_simulated_displays_bounded_and_alive(noise: list[bytes]) -> None:
    for sim in (Led8Sim(), Cd5220Sim(), AlphaSim(), ArmflySim(), ArmflySim(form="modbus")):
        for chunk in noise:
            sim.receive(chunk)
        assert len(sim._buffer) <= 256
