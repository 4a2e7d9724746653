"""Sentences for slips and customer displays: as `ui.words`, with money, weight and time written out. No screens."""

from __future__ import annotations

from ui.viewmodels.formats import capitals, full_minute, kilograms, plain_yuan, yuan
from ui.words import t


def say(key: str, lang: str, **slots: str | int) -> str:
    """Return the sentence for `key`.

    Shape:  `fen` also fills {yuan} ￥1,234.50, {plain} 1234.50 and {capitals}; `grams` {kg} 1.250; `at` {time}.
    Errors: KeyError for an unknown key, language or slot.
    """
    fen, grams, at = slots.get("fen"), slots.get("grams"), slots.get("at")
    if isinstance(fen, int):
        slots |= {"yuan": yuan(fen), "plain": plain_yuan(fen), "capitals": capitals(fen)}
    if isinstance(grams, int):
        slots["kg"] = kilograms(grams)
    if isinstance(at, int):
        slots["time"] = full_minute(at)
    return t(key, lang, **slots)
