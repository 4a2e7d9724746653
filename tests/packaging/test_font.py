"""The kiosk font that set-up cut: every standard character is in it, in the shape a Chinese reader knows."""

from __future__ import annotations

import contextlib
from itertools import product
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parents[2] / "ui/fonts"
WEIGHTS = ("kiosk-regular.otf", "kiosk-bold.otf")


def standard_characters() -> str:
    lines = (FONTS / "standard_8105.txt").read_text("utf-8").splitlines()
    return "".join(line for line in lines if not line.startswith("#"))


def gbk() -> set[str]:
    found = set()
    for lead, trail in product(range(0x81, 0xFF), range(0x40, 0xFF)):
        with contextlib.suppress(UnicodeDecodeError):
            found.add(bytes((lead, trail)).decode("gbk"))
    return found - {"≒"}  # the one sign of GBK that Noto Sans CJK SC has not


def test_the_table_holds_each_standard_character_once() -> None:
    assert len(standard_characters()) == len(set(standard_characters())) == 8105


@pytest.mark.parametrize("weight", WEIGHTS)
def test_no_character_that_a_point_can_meet_is_missing(weight: str) -> None:
    with TTFont(FONTS / weight, lazy=True) as font:
        present = font.getBestCmap()

    wanted = gbk() | set(standard_characters()) | set("䶮㛃𬭎𠮷￥¥·—…“”‘’√→")
    assert [sign for sign in sorted(wanted) if ord(sign) not in present] == []


@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_face_is_the_simplified_chinese_one_with_its_licence_inside(weight: str) -> None:
    with TTFont(FONTS / weight, lazy=True) as font:
        names = font["name"]

    assert "CJK SC" in names.getDebugName(4)
    assert "Open Font License" in names.getDebugName(13)
    assert "OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_character_the_font_lacks_is_drawn_as_a_box_not_as_nothing(weight: str) -> None:
    with TTFont(FONTS / weight, lazy=True) as font:
        _, _, right, top = font["CFF "].cff.topDictIndex[0].CharStrings[".notdef"].calcBounds(font.getGlyphSet())

    assert right > 100
    assert top > 100
