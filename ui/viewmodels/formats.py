"""Numbers, dates and codes as people read them. Pure; the figures of slips are the only words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from edge.model import Fen, Ms

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿")
BEIJING = timezone(timedelta(hours=8))  # the whole country keeps one time; the terminal's own zone is never trusted


def yuan(fen: Fen | int) -> str:
    """￥1,234.50"""
    return f"￥{fen // 100:,}.{fen % 100:02d}"


def plain_yuan(fen: Fen | int) -> str:
    """1234.50, for displays that have digits only."""
    return f"{fen // 100}.{fen % 100:02d}"


def kilograms(grams: int) -> str:
    """1.250; whole grams are all a scale tells."""
    return f"{grams // 1000}.{grams % 1000:03d}"


def jin(grams: int) -> str:
    """2.5: the weight in the market's pounds of 500 g, as a help beside the legal unit."""
    return kilograms(2 * grams).rstrip("0").rstrip(".")


def capitals(fen: Fen | int) -> str:
    """The amount in the figures used on slips: 8650 fen is 捌拾陆元伍角.

    Shape:  whole yuan end with 整; a zero between yuan and fen is spoken (拾元零伍分).
    Errors: ValueError for a negative amount or one of a billion yuan and more.
    """
    if not 0 <= fen < 10**11:
        raise ValueError(fen)
    whole, jiao, single = fen // 100, fen // 10 % 10, fen % 10
    text = f"{_whole(whole)}元" if whole else ""
    if jiao:
        text += f"{DIGITS[jiao]}角"
    if single:
        text += ("零" if whole and not jiao else "") + f"{DIGITS[single]}分"
    if not jiao and not single:
        text = (text or "零元") + "整"
    return text


def _whole(number: int) -> str:
    """Read a whole number; one zero is spoken for any run of zeros inside it."""
    text, gap = "", False
    for i in range(len(str(number)) - 1, -1, -1):
        digit = number // 10**i % 10
        if digit:
            text += ("零" if gap else "") + DIGITS[digit] + PLACES[i % 4]
            gap = False
        else:
            gap = bool(text)
        if i % 4 == 0 and number // 10**i % 10_000:
            text += GROUPS[i // 4]
    return text


def tail(waybill_no: str) -> str:
    """The last four signs of a waybill number, which people compare with the label."""
    return waybill_no[-4:]


def spaced(digits: str, groups: tuple[int, ...] = (4,)) -> str:
    """Digits in groups, the last group repeated: 138 1234 5678 with (3, 4)."""
    parts: list[str] = []
    sizes = list(groups)
    while digits:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        parts.append(digits[:size])
        digits = digits[size:]
    return " ".join(parts)


def minute(at: Ms | int | None) -> str:
    """UTC milliseconds as local month, day and minute: 07-01 09:30; "--" for None."""
    if at is None:
        return "--"
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(BEIJING).strftime("%m-%d %H:%M")


def full_minute(at: Ms | int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def pages(count: int, rows: int) -> int:
    return max(1, -(-count // rows))
