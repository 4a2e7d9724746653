"""GS1 element strings to (identifier, value) pairs, for produce lots and logistic units. Not who asks."""

import re
from dataclasses import dataclass

from edge.codes.check_digits import gtin_is_valid
from edge.codes.scan_text import GS

# GS1 General Specifications, figure 7.11-1: the 82 characters allowed in alphanumeric fields.
_TEXT = r"[!\"%-?A-Z_a-z]"


def _n(length: int) -> re.Pattern[str]:
    return re.compile(rf"[0-9]{{{length}}}")


def _n_up_to(longest: int) -> re.Pattern[str]:
    return re.compile(rf"[0-9]{{1,{longest}}}")


def _an_up_to(longest: int) -> re.Pattern[str]:
    return re.compile(rf"{_TEXT}{{1,{longest}}}")


# Identifiers of fixed length end by themselves; the others end at GS or at the end of the code.
_FIXED = {
    "00": 18,
    **dict.fromkeys(("01", "02"), 14),
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6),
    "20": 2,
    **{f"310{places}": 6 for places in range(6)},
    **dict.fromkeys(("410", "414"), 13),
    "422": 3,
}
_OPEN = {
    **dict.fromkeys(("10", "21"), _an_up_to(20)),
    **dict.fromkeys(("30", "37"), _n_up_to(8)),
    **dict.fromkeys(("240", "251", "400"), _an_up_to(30)),
    **{f"392{places}": _n_up_to(15) for places in range(10)},
    "423": re.compile(r"(?:[0-9]{3}){1,5}"),
    "7003": _n(10),
    "7006": _n(6),
    "7007": re.compile(r"[0-9]{6}(?:[0-9]{6})?"),  # one harvest day, or first and last
    "8008": re.compile(r"[0-9]{8}(?:[0-9]{2}){0,2}"),
    **{f"703{place}": re.compile(rf"[0-9]{{3}}{_TEXT}{{1,27}}") for place in range(10)},
    "90": _an_up_to(30),
    **{f"9{place}": _an_up_to(90) for place in range(1, 10)},
}
_CHECKED = frozenset({"00", "01", "02", "410", "414"})
_DATES = frozenset({"11", "12", "13", "15", "16", "17", "7006", "7007"})


@dataclass(frozen=True, slots=True, repr=False)
class Elements:
    """The pairs in their order, and what is doubtful about single ones; a doubt never discards the rest."""

    pairs: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f"({identifier}){value}" for identifier, value in self.pairs)


def elements(payload: str) -> Elements | None:
    """Split an element string; None when it cannot be split to its very end by the known identifiers."""
    pairs: list[tuple[str, str]] = []
    place = 0
    while place < len(payload):
        if payload[place] == GS:
            place += 1
            continue
        taken = _element(payload, place)
        if taken is None:
            return None
        identifier, value = taken
        pairs.append(taken)
        place += len(identifier) + len(value)
    doubts = [doubt for identifier, value in pairs if (doubt := _doubt(identifier, value))]
    return Elements(tuple(pairs), tuple(doubts)) if pairs else None


def is_sound(payload: str) -> bool:
    """Tell whether the whole string is of known elements and none of them is doubtful."""
    found = elements(payload)
    return found is not None and not found.doubts


def _element(payload: str, place: int) -> tuple[str, str] | None:
    """Take one element. No identifier begins with another one, so the first known length is the right one."""
    for size in (2, 3, 4):
        identifier = payload[place : place + size]
        start = place + size
        if (length := _FIXED.get(identifier)) is not None:
            value = payload[start : start + length]
            return (identifier, value) if _n(length).fullmatch(value) else None
        if (pattern := _OPEN.get(identifier)) is not None:
            end = payload.find(GS, start)
            value = payload[start : len(payload) if end < 0 else end]
            return (identifier, value) if pattern.fullmatch(value) else None
    return None


def _doubt(identifier: str, value: str) -> str | None:
    if identifier in _CHECKED and not gtin_is_valid(value):
        return f"check digit of ({identifier}) is wrong"
    days = (value[:6], value[6:]) if identifier == "7007" else (value,)
    if identifier in _DATES and not all(_is_day(day) for day in days if day):
        return f"({identifier}) is no date"
    return None


def _is_day(yymmdd: str) -> bool:
    """Day 00 stands for the last of the month; the length of single months is not worth a refusal."""
    return 1 <= int(yymmdd[2:4]) <= 12 and int(yymmdd[4:6]) <= 31
