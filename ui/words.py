"""Words for people: the only place where a key becomes a sentence. The sentences live in `catalogue/<language>.toml`.

No other room holds text for people. A missing key raises `KeyError`: tests draw every screen in every language.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")
CATALOGUE = Path(__file__).with_name("catalogue")


def t(key: str, lang: str, **slots: str | int) -> str:
    """Return the sentence for `key`. Errors: KeyError for an unknown key, language or slot."""
    return catalogue(lang)[key].format(**slots)


def known(key: str, lang: str) -> bool:
    return key in catalogue(lang)


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Read one language; tables are joined by dots."""
    if lang not in LANGUAGES:
        raise KeyError(lang)
    with (CATALOGUE / f"{lang}.toml").open("rb") as file:
        return _flat(tomllib.load(file))


def _flat(table: dict[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = str(value)
    return flat
