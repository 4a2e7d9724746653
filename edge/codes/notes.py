"""What can be said of a code that no rule knows: the reason shown with "unknown, ask"."""

import re

_PESTICIDE = re.compile(r"[1-9][0-9]{6}[1-3][0-9]{24}")
_FOOD_LICENCE = re.compile(r"SC[0-9]{14}")
_PREFIX = re.compile(r"(SF|YT|JT|JD|DPK|DPL|ZJS|TT)[0-9A-Z]{6,24}")
_MARK = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]+(?:[ -][0-9A-Za-z\u4e00-\u9fff]+){1,5}")


def why_unknown(code: str) -> str:
    """Give the nearest thing this code looks like, without repeating it."""
    if _PESTICIDE.fullmatch(code):
        return "32 digits of a pesticide label"
    if _FOOD_LICENCE.fullmatch(code):
        return "number of a food production licence"
    if (match := _PREFIX.fullmatch(code)) is not None:
        return f"begins like a number of {match[1]} but has another length, read it again"
    if len(code) < 32 and _MARK.fullmatch(code):
        return "groups with blanks or hyphens, as in route codes"
    if len(code) < 8:
        return "too short for a waybill"
    if code.isascii() and code.isdigit():
        return "a number of a length and prefix no courier here uses"
    return "of no shape known here"
