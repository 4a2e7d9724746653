"""A scan made fit for a screen: what may be a secret or a person's number is hidden, the rest stays as it came.

A screen can be photographed, so a code nobody has recognised is shown with its long numbers hidden too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from drivers.base import Read
from edge import codes
from edge.codes import Decision, Kind, Recognition
from edge.steps.workbench import MASKED, Guess, RawRead

MOST_SIGNS = 400  # what a technician compares by eye, and more
GUESSES = 3
TAIL = 4  # of a person's number, as everywhere

PUBLIC = frozenset({Kind.WAYBILL, Kind.S10, Kind.GTIN, Kind.GS1})  # printed on parcels and goods for all to see
_AIM = re.compile(r"[\x00-\x20]*\][A-Za-z][0-9A-F]")
# Eleven digits from 13 on, a fixed line with its zero, 15 or 18 signs of an identity card, and whatever is long enough
# for a payment code; people and screens group digits by all kinds of signs, and a glued pair of codes is still two.
_NUMBER = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9Xx]){9,}")
_PHONE = re.compile(r"1[3-9][0-9]{9}|^0[1-9][0-9]{8,10}$")
_LONG = 15
_AROUND = 8  # signs beside a waybill: a package suffix, control signs
_TOKEN = re.compile(r"VP1:\S*", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")


def shown(read: Read, learnt: Mapping[tuple[int, str], str]) -> RawRead:
    """Make what the raw view shows of a read."""
    seen = codes.recognise(read.text, learnt=learnt)
    text, hidden = masked(read.text, seen)
    return RawRead(
        scanner=read.scanner,
        text=text[:MOST_SIGNS],
        symbology=seen.symbology,
        ended=read.ended,
        took_ms=read.took_ms or None,
        decision=seen.decision.value,
        guesses=tuple(Guess(c.kind.value, c.carrier, round(100 * c.confidence), c.why) for c in _few(seen)),
        flaw=None if read.flaw is None else read.flaw.value,
        hidden=hidden,
    )


def masked(text: str, seen: Recognition) -> tuple[str, str]:
    """Hide what must not be seen. Return the text, as long as before, and why signs are hidden.

    Shape: why is "", "secret" or "personal".
    """
    aim = _AIM.match(text)
    start = aim.end() if aim else 0
    head, rest = text[:start], text[start:]
    if seen.is_secret:
        return head + _hidden(rest), "secret"
    if seen.is_sensitive:
        return head + _hidden(rest, TAIL), "personal"
    public = seen.best.value if seen.decision is Decision.ACCEPT and seen.best.kind in PUBLIC else ""
    if public and len(rest) - len(public) <= _AROUND:
        return text, ""
    before, number, behind = rest.partition(public) if public else (rest, "", "")  # a label's block has more than it
    kept = _unnamed(before) + number + _unnamed(behind)
    return head + kept, "personal" if kept != rest else ""


def _unnamed(text: str) -> str:
    """Hide what may be a token, a name or a person's number."""
    kept = _TOKEN.sub(lambda m: _hidden(m[0]), text)
    kept = _HAN.sub(lambda m: m[0][0] + _hidden(m[0][1:]), kept)
    return _NUMBER.sub(_number, kept)


def _few(seen: Recognition) -> tuple[codes.Candidate, ...]:
    return seen.candidates[:GUESSES]


def _number(match: re.Match[str]) -> str:
    digits = "".join(sign for sign in match[0] if sign.isalnum())
    if len(digits) >= _LONG or _PHONE.search(digits):
        return _hidden(match[0], TAIL)
    return match[0]


def _hidden(text: str, tail: int = 0) -> str:
    """Hide the signs, keeping control signs and blanks, which carry nothing, and the last few."""
    kept = len(text) - tail
    return "".join(sign if at >= kept or not sign.isprintable() or sign == " " else MASKED
                   for at, sign in enumerate(text))  # fmt: skip
