"""Break Chinese and mixed text into lines as a Chinese reader expects. Pure; the caller measures.

Kivy breaks Chinese anywhere and would start a line with a comma or tear ￥86.50 from its yuan sign.
"""

from __future__ import annotations

from collections.abc import Callable

# Signs that may not start a line, and signs that may not end one (GB/T 15834, punctuation).
NOT_FIRST = frozenset("，。、；：？！）》」』】〉”’％%…—·～,.;:?!)]}")
NOT_LAST = frozenset("（《「『【〈“‘￥¥([{")
Measure = Callable[[str], float]


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Return the lines; a unit wider than the line stands alone (the caller sees that it does not fit)."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for unit in units(paragraph):
            size = measure(unit.rstrip())
            if line and used + size > width:
                lines.append(line.rstrip())
                line, used = "", 0.0
            if line or unit.strip():
                line += unit
                used += measure(unit)
        lines.append(line.rstrip())
    return lines


def units(text: str) -> list[str]:
    """Split into pieces that stay whole: a Latin word or amount with its spaces, or one Chinese sign with its marks."""
    found: list[str] = []
    for sign in text:
        if found and _joins(found[-1], sign):
            found[-1] += sign
        else:
            found.append(sign)
    return found


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
