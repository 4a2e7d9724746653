"""Money, dates, numbers and line breaks as people read them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import Fen
from ui.viewmodels.formats import capitals, minute, pages, spaced, tail, yuan
from ui.viewmodels.keys import typed
from ui.wrap import NOT_FIRST, NOT_LAST, units, wrap


@pytest.mark.parametrize(("fen", "said"), [
    (0, "零元整"), (5, "伍分"), (10, "壹角"), (990, "玖元玖角"), (1000, "壹拾元整"), (1005, "壹拾元零伍分"),
    (8650, "捌拾陆元伍角"), (100500, "壹仟零伍元整"), (2000500, "贰万零伍元整"), (10001000, "壹拾万零壹拾元整"),
    (10000000, "壹拾万元整"), (100010000, "壹佰万零壹佰元整"), (99999999, "玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
])  # fmt: skip
def test_amounts_in_the_figures_of_slips(fen: int, said: str) -> None:
    assert capitals(Fen(fen)) == said


VALUES = {sign: value for value, sign in enumerate("零壹贰叁肆伍陆柒捌玖")}


def read(said: str) -> int:
    """Read the figures back, by the rule a clerk uses: digit, place, group."""
    yuan_part, _, rest = said.partition("元") if "元" in said else ("", "", said)
    whole = group = digit = 0
    for sign in yuan_part:
        if sign in VALUES:
            digit = VALUES[sign]
        elif sign in "拾佰仟":
            group, digit = group + digit * {"拾": 10, "佰": 100, "仟": 1000}[sign], 0
        else:
            whole, group, digit = whole + (group + digit) * {"万": 10_000, "亿": 10**8}[sign], 0, 0
    fen = (whole + group + digit) * 100
    for i, sign in enumerate(rest):
        fen += VALUES.get(rest[i - 1], 0) * (10 if sign == "角" else 1) if sign in "角分" else 0
    return fen


@given(st.integers(0, 10**11 - 1))
def test_the_figures_of_any_amount_read_back_to_the_amount(fen: int) -> None:
    assert read(capitals(Fen(fen))) == fen


@pytest.mark.parametrize("fen", [-1, 10**11])
def test_an_amount_beyond_the_rule_is_refused(fen: int) -> None:
    with pytest.raises(ValueError, match=str(fen)):
        capitals(Fen(fen))


def test_numbers_are_shown_as_people_read_them() -> None:
    assert yuan(Fen(1_234_567)) == "￥12,345.67"
    assert spaced("13812345678", (3, 4)) == "138 1234 5678"
    assert tail("SF1234567890123") == "0123"
    assert minute(1_782_869_400_000) == "07-01 09:30"
    assert minute(None) == "--"
    assert [pages(n, 3) for n in (0, 1, 3, 4)] == [1, 1, 1, 2]


def test_a_keypad_takes_only_its_own_keys_up_to_the_limit() -> None:
    assert typed("12", "3", 3) == "123"
    assert typed("123", "4", 3) == "123"
    assert typed("1", "A", 3) == "1"
    assert typed("1", "A", 3, "AB") == "1A"
    assert typed("1", "dash", 3, "-") == "1-"
    assert (typed("12", "erase", 3), typed("12", "clear", 3)) == ("1", "")


def em(text: str) -> float:
    return sum(0.5 if sign.isascii() else 1.0 for sign in text)


def test_no_amount_is_torn_and_no_mark_begins_a_line() -> None:
    lines = wrap("请把现金 ￥1,286.50 交给站长，谢谢您！", 8, em)

    assert "￥1,286.50" in " ".join(lines)
    assert not any(line[0] in NOT_FIRST for line in lines)


@pytest.mark.parametrize(("text", "width", "last"), [
    ("机器出了毛病，请找站长。", 11, "站长。"), ("秤没有回应，看看开没开", 10, "没开"), ("请取包裹", 3, "包裹"),
    ("看见 12", 3, "12"), ("请等", 1, "等"),
])  # fmt: skip
def test_no_single_chinese_sign_is_left_alone_on_the_last_line(text: str, width: int, last: str) -> None:
    assert wrap(text, width, em)[-1] == last


def test_a_number_and_its_unit_stay_on_one_line() -> None:
    assert units("点中 5/5, 8.0 mm") == ["点", "中 ", "5/5, ", "8.0 mm"]
    assert units("12 MB free, 3 mmm") == ["12 MB ", "free, ", "3 ", "mmm"]


@given(st.text("您好请取包裹，。！（）“”￥1234567890.abc \n", max_size=60), st.integers(4, 30))
def test_wrapping_loses_nothing_but_spaces_and_keeps_the_rules(text: str, width: int) -> None:
    lines = wrap(text, width, em)

    assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    starts = [b for a, b in itertools.pairwise(lines) if a and b and b[0] in NOT_FIRST]
    assert all(mark[0] in text.replace("\n", "") for mark in starts)
    for line in lines:
        assert em(line.rstrip()) <= width or len(units(line)) == 1 or " " in line


def test_units_keep_marks_with_their_signs() -> None:
    assert units("取（包裹）。") == ["取", "（包", "裹）。"]
    assert all(unit[-1] not in NOT_LAST for unit in units("“好”￥5"))
