"""The facts of one site as the desk reads them: newest first, by pages, personal values masked by their type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge import events
from edge.events import BadFact, Encoded, UnknownFact
from edge.logs import mask
from edge.model import SiteCode
from sync.hub import down
from sync.hub.store import Tx
from sync.hub.web.words import Words, kilograms, moment, yuan

PAGE = 50
MAX_SHOWN = 300  # signs of one value; the command line shows the whole
FREE_TEXT = ("scanned", "reason", "why", "what")  # people and devices say anything: masked like a log
FEN = re.compile(r"(\w+_)?fen(_per_kg)?")
MOMENTS = ("since", "until")
GRAMS = ("net_g", "tare_g")
PLACE = re.compile(r"(\d{1,18})-([0-9a-f]{1,64})", re.ASCII)
FIRST = "SELECT * FROM fact WHERE site = ? ORDER BY seq DESC, event DESC LIMIT ?"
NEXT = (
    "SELECT * FROM fact WHERE site = ? AND seq <= ? AND NOT (seq = ? AND event >= ?) "
    "ORDER BY seq DESC, event DESC LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact. Shape: `values` are pairs of label and text, ready to be shown to anybody."""

    seq: int
    at: int
    kind: str
    event: str
    values: tuple[tuple[str, str], ...]
    is_known: bool


@dataclass(frozen=True, slots=True)
class FactPage:
    """Some facts, and where the older ones begin; None when there are none."""

    lines: list[FactLine]
    older: str | None


def read(tx: Tx, site: SiteCode, before: str, words: Words) -> FactPage:
    """Read the newest facts, or those before a place an earlier page has named."""
    place = PLACE.fullmatch(before)
    if place is None:
        rows = list(tx.rows(FIRST, (site, PAGE + 1)))
    else:
        seq, event = int(place[1]), place[2]
        rows = list(tx.rows(NEXT, (site, seq, seq, event, PAGE + 1)))
    lines = [line(row, words) for row in rows[:PAGE]]
    older = f"{lines[-1].seq}-{lines[-1].event}" if len(rows) > PAGE else None
    return FactPage(lines, older)


def line(row: Mapping[str, Any], words: Words) -> FactLine:
    """One row of the facts in words."""
    name = row["kind"].partition(".")[0]
    values, is_known = _values(row, words)
    return FactLine(row["seq"], row["at"], words.maybe("fact", name), row["event"], values, is_known)


def _values(row: Mapping[str, Any], words: Words) -> tuple[tuple[tuple[str, str], ...], bool]:
    try:
        fact = events.decode(Encoded(row["kind"], row["body"], down.personal_of(row["personal"])))
    except (BadFact, ValueError, TypeError, AttributeError):  # kept as it came; nobody promised that it can be read
        return ((words("site.unreadable"), _cut(mask(row["body"]))),), False
    if isinstance(fact, UnknownFact):
        return ((words("site.unknown"), _cut(mask(fact.body))),), False
    held = [(name, getattr(fact, name)) for name in fact.__struct_fields__]
    return tuple(
        (words.maybe("field", name), _text(name, value, words)) for name, value in held if value is not None
    ), True


def _text(name: str, value: Any, words: Words) -> str:
    """A personal value masks itself: its type has no other way to become a text."""
    if isinstance(value, bool):
        return words("chrome.yes" if value else "chrome.no")
    if isinstance(value, int) and FEN.fullmatch(name):
        return yuan(value)
    if isinstance(value, int) and name in MOMENTS:
        return moment(value)
    if isinstance(value, int) and name in GRAMS:
        return kilograms(value)
    text = str(value)
    return _cut(mask(text) if name in FREE_TEXT else text)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
