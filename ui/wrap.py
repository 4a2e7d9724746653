"""Break Chinese and mixed text into lines as a Chinese reader expects. Pure; the caller measures.

Kivy breaks Chinese anywhere and would start a line with a comma or tear ￥86.50 from its yuan sign.
"""

from __future__ import annotations

from collections.abc import Callable

# Signs that may not start a line, and signs that may not end one (GB/T 15834, punctuation).
NOT_FIRST = frozenset("，。、；：？！）》」』】〉”’％%…—·～,.;:?!)]}")
NOT_LAST = frozenset("（《「『【〈“‘￥¥([{")
MEASURES = frozenset({"mm", "kg", "MB", "s", "h", "min"})
Measure = Callable[[str], float]


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Return the lines; a unit wider than the line stands alone (the caller sees that it does not fit)."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        filled: list[list[str]] = [[]]
        used = 0.0
        for unit in units(paragraph):
            if filled[-1] and used + measure(unit.rstrip()) > width:
                filled.append([])
                used = 0.0
            if filled[-1] or unit.strip():
                filled[-1].append(unit)
                used += measure(unit)
        _pair_last(filled, width, measure)
        lines += ["".join(line).rstrip() for line in filled]
    return lines


def _pair_last(filled: list[list[str]], width: float, measure: Measure) -> None:
    """Give a Chinese sign that is left alone on the last line the one before it for company."""
    if len(filled) < 2 or len(filled[-1]) != 1 or len(filled[-2]) < 2:
        return
    pair = [filled[-2][-1], filled[-1][0]]
    if not any(_is_word(unit[0]) for unit in pair) and measure("".join(pair)) <= width:
        filled[-2:] = [filled[-2][:-1], pair]


def units(text: str) -> list[str]:
    """Split into pieces that stay whole: a Latin word or amount with its spaces, or one Chinese sign with its marks."""
    found: list[str] = []
    for sign in text:
        if found and _joins(found[-1], sign):
            found[-1] += sign
        else:
            found.append(sign)
    return _with_measures(found)


def _with_measures(found: list[str]) -> list[str]:
    """Join a unit of measure to the number before its space."""
    joined: list[str] = []
    for unit in found:
        if joined and unit.rstrip(" ,.;:") in MEASURES and joined[-1][-1] == " " and joined[-1][-2:-1].isdigit():
            joined[-1] += unit
        else:
            joined.append(unit)
    return joined


def _joins(unit: str, sign: str) -> bool:
    last = unit[-1]
    if sign in NOT_FIRST or last in NOT_LAST:
        return True
    if sign == " ":
        return True
    if last == " ":
        return False
    if _is_word(last) and _is_word(sign):
        return True
    return sign in "元件号秒分" and last.isdigit()  # an amount keeps its unit


def _is_word(sign: str) -> bool:
    return sign.isascii() or sign in "￥¥*…"
