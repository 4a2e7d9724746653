"""Typed keys: the US table, control characters in all their disguises, lost keys, forbidden keys."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Flaw
from drivers.wire.keys import KeyScans
from drivers.wire.scans import MAX_CODE, Scan

SHIFT, CTRL, ALT, META, ENTER, TAB, CAPS = 42, 29, 56, 125, 28, 15, 58
US = {char: (code, False) for first, chars in ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"),
      (43, "\\zxcvbnm,./"), (57, " ")) for code, char in enumerate(chars, first)} | {
      char: (code, True) for first, chars in ((2, "!@#$%^&*()_+"), (16, "QWERTYUIOP{}"), (30, 'ASDFGHJKL:"~'),
      (43, "|ZXCVBNM<>?")) for code, char in enumerate(chars, first)}  # fmt: skip
KEYPAD = dict(zip("789456123 0", (71, 72, 73, 75, 76, 77, 79, 80, 81, 0, 82), strict=True))

Key = tuple[int, int, int]


def press(code: int) -> list[Key]:
    """MSC_SCAN, down, SYN, up, SYN: what the kernel reports for one stroke."""
    return [(4, 4, code), (1, code, 1), (0, 0, 0), (1, code, 0), (0, 0, 0)]


def chord(held: int, *codes: int) -> list[Key]:
    return [(1, held, 1), (0, 0, 0), *[key for code in codes for key in press(code)], (1, held, 0), (0, 0, 0)]


def typed(text: str) -> list[Key]:
    keys: list[Key] = []
    for char in text:
        code, is_shifted = US[char]
        keys += chord(SHIFT, code) if is_shifted else press(code)
    return keys


def feed(scans: KeyScans, keys: list[Key], at_ms: int = 0) -> list[Scan]:
    return [scan for kind, code, value in keys for scan in scans.feed(kind, code, value, at_ms)]


def texts(keys: list[Key]) -> list[str]:
    return [scan.text for scan in feed(KeyScans(), keys)]


@given(st.text(st.sampled_from(sorted(US)), min_size=1, max_size=60))
def test_every_printable_sign_of_a_us_keyboard_is_read(text: str) -> None:
    assert texts([*typed(text), *press(ENTER)]) == [text]
    assert set(string.printable.strip()) <= set(US)


def test_shift_follows_down_and_up_and_is_no_toggle() -> None:
    assert texts([*typed("RtTwtZDJe_"), *press(ENTER)]) == ["RtTwtZDJe_"]


def test_caps_lock_turns_letters_alone() -> None:
    assert texts([*press(CAPS), *typed("aB1-"), *press(CAPS), *typed("c"), *press(ENTER)]) == ["Ab1-c"]


def test_keypad_digits_are_digits_without_num_lock() -> None:
    keys = [key for digit in "1234567890" for key in press(KEYPAD[digit])]

    assert texts([*keys, *press(96)]) == ["1234567890"]


def test_auto_repeat_is_no_second_character() -> None:
    late_up = [(1, 30, 1), (0, 0, 0), (1, 30, 2), (0, 0, 1), (1, 30, 2), (0, 0, 1), (1, 30, 0)]

    assert texts([*late_up, *press(ENTER)]) == ["a"]


@pytest.mark.parametrize(
    ("keys", "sign"),
    [
        (chord(CTRL, 27), "\x1d"),  # Ctrl+]: Datalogic
        (chord(97, 27), "\x1d"),
        (press(108), "\x1d"),  # DOWN: Hand Held Products
        (press(66), "\x1d"),  # F8
        (chord(ALT, 82, 80, 73), "\x1d"),  # Alt 0 2 9 on the keypad
        (chord(CTRL, 43), "\x1c"),
        (chord(CTRL, 32), "\x04"),
        (press(105), "\x1e"),
        (chord(ALT, 79, 76), "\x0f"),
    ],
)
def test_separators_in_all_their_disguises(keys: list[Key], sign: str) -> None:
    [scan] = feed(KeyScans(), [*typed("01x"), *keys, *typed("10y"), *press(ENTER)])

    if sign == "\x0f":  # Alt 15 is no separator of any code
        assert scan.flaw is Flaw.DAMAGED
    else:
        assert scan.text == f"01x{sign}10y"


@pytest.mark.parametrize("line_feed", [press(108), press(60), press(101), chord(CTRL, 36), press(96)])
def test_the_line_feed_after_enter_is_swallowed(line_feed: list[Key]) -> None:
    line = [*press(ENTER), *line_feed]

    assert texts([*typed("AB"), *line, *typed("CD"), *line]) == ["AB", "CD"]


def test_chinese_typed_as_alt_numbers_is_read() -> None:
    unicode = chord(ALT, *[KEYPAD[digit] for digit in str(ord("村"))])
    gbk = chord(ALT, *[KEYPAD[digit] for digit in str(int.from_bytes("村".encode("gbk"), "big"))])

    assert texts([*unicode, *press(ENTER)]) == ["村"]
    assert [scan.text for scan in feed(KeyScans(alt_is_gbk=True), [*gbk, *press(ENTER)])] == ["村"]


def test_tab_ends_a_code_or_belongs_to_it() -> None:
    keys = [*typed("A"), *press(TAB), *typed("B"), *press(ENTER)]

    assert texts(keys) == ["A", "B"]
    assert [scan.text for scan in feed(KeyScans(tab_ends=False), keys)] == ["A\tB"]


@pytest.mark.parametrize(
    "keys",
    [
        chord(CTRL, 46),  # Ctrl+C
        [*chord(ALT, 62)],  # Alt+F4
        [(1, CTRL, 1), *chord(ALT, 60), (1, CTRL, 0)],  # Ctrl+Alt+F2
        press(1),  # Escape
        press(59),  # F1
        chord(META, 19),
        press(14),  # Backspace
        press(116),  # Power
        [(0, 3, 0)],  # keys were dropped by the kernel
    ],
)
def test_control_keys_and_lost_keys_poison_the_code_up_to_its_end(keys: list[Key]) -> None:
    scans = feed(KeyScans(), [*typed("SF1"), *keys, *typed("99"), *press(ENTER), *typed("JD2"), *press(ENTER)])

    assert [(scan.text, scan.flaw) for scan in scans] == [("", Flaw.DAMAGED), ("JD2", None)]


def test_a_pause_ends_poison_too() -> None:
    keys = KeyScans(idle_ms=100)
    feed(keys, [(0, 3, 0), *typed("12")], at_ms=1000)

    assert [scan.flaw for scan in keys.idle(1100)] == [Flaw.DAMAGED]
    assert [scan.text for scan in feed(keys, [*typed("ok"), *press(ENTER)], at_ms=1200)] == ["ok"]


def test_dropped_keys_let_go_of_a_held_shift() -> None:
    keys = KeyScans()
    feed(keys, [(1, SHIFT, 1), (0, 3, 0), *press(ENTER)])

    assert [scan.text for scan in feed(keys, [*typed("a"), *press(ENTER)])] == ["a"]


def test_a_lost_device_takes_its_half_code_and_held_keys_along() -> None:
    keys = KeyScans()
    feed(keys, [*typed("SF13"), (1, SHIFT, 1)])

    keys.lost()

    assert [scan.text for scan in feed(keys, [*typed("jd"), *press(ENTER)])] == ["jd"]


def test_too_long_a_code_is_reported_and_bounded() -> None:
    keys = KeyScans()
    [scan] = feed(keys, [*typed("7" * (MAX_CODE + 500)), *press(ENTER)])

    assert (scan.text, scan.flaw) == ("", Flaw.OVERLONG)


@given(st.lists(st.tuples(st.sampled_from((0, 1, 4)), st.integers(0, 255), st.integers(0, 2)), max_size=200))
def test_any_keys_yield_only_text_and_separators(keys: list[Key]) -> None:
    for scan in feed(KeyScans(), keys):
        assert all(char.isprintable() or char in "\x04\x1c\x1d\x1e\x1f" for char in scan.text)
