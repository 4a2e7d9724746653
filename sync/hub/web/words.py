"""The page's texts: one catalogue for each language, read once. Money and time as people write them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from edge.model import UTC8

LANGUAGES = ("zh", "en")  # the first is what a stranger sees
CATALOGUES = Path(__file__).parent / "catalogue"
DAY_MS = 24 * 3_600_000
_NUMBER = re.compile(r"\d+")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language by `room.key`."""
    rooms = tomllib.loads((CATALOGUES / f"{language}.toml").read_text("utf-8"))
    return {f"{room}.{key}": text for room, texts in rooms.items() for key, text in texts.items()}


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key of ours. Errors: KeyError, for then the catalogue is incomplete."""
        return catalogue(self.language)[key].format(**values)

    def maybe(self, room: str, key: str) -> str:
        """The text of a word that came from elsewhere; the word itself where there is none."""
        return catalogue(self.language).get(f"{room}.{key}", key)

    def mistake(self, what: str) -> str:
        """A sentence of `sync.hub.manifest`, whose numbers stay."""
        text = catalogue(self.language).get(f"mistake.{_NUMBER.sub('#', what)}")
        return what if text is None else text.format(*_NUMBER.findall(what))


def yuan(fen: int) -> str:
    """¥ with two digits and thousands apart."""
    sign, whole = ("-" if fen < 0 else ""), abs(fen)
    return f"{sign}¥{whole // 100:,}.{whole % 100:02d}"


def moment(at_ms: Any) -> str:
    """UTC milliseconds as the desk's clock shows them; what no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC8).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError, TypeError):
        return str(at_ms)


def kilograms(grams: int) -> str:
    """Grams as kilograms with three digits."""
    sign, whole = ("-" if grams < 0 else ""), abs(grams)
    return f"{sign}{whole // 1000}.{whole % 1000:03d} kg"
