"""Mistakes of a settings file in words: for the page that lists them, and in English for the command line and the hub.

What can be wrong is edge/mistakes.py and drivers/mistakes.py; the sentences are `settings.CODE` of the catalogues.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.mistakes import WHOLE, ConfigError, Mistake, Problem, Value
from ui.words import t

LINE_SIGNS = 160  # of one mistake: what stands in a file may be long


def printed(error: ConfigError, lang: str = "en") -> str:
    """Every mistake as compilers write it, `file:line: key: sentence`, one per line."""
    return "\n".join(f"{error.file}:{each.line}: {each.key}: {sentence(each.mistake, lang)}" for each in error.problems)


def lines_of(problems: Sequence[Problem], lang: str = "en") -> list[str]:
    """Each mistake as one line, with its place as the language writes it."""
    return [_line(each, lang) for each in problems]


def sentence(wrong: Mistake, lang: str) -> str:
    """What is wrong, without its place."""
    said = t(f"settings.{wrong.code}", lang, **{name: _slot(value, lang) for name, value in wrong.values})
    if wrong.is_missing:
        said = t("settings_part.missing", lang, said=said)
    if wrong.meant:
        said = t("settings_part.meant", lang, said=said, meant=wrong.meant)
    return t("settings_part.in_list", lang, place=wrong.place, said=said) if wrong.place else said


def _line(problem: Problem, lang: str) -> str:
    said = sentence(problem.mistake, lang)
    if problem.key:
        key = "settings_part.file_line" if problem.key == WHOLE else "settings_part.line"
        said = t(key, lang, line=problem.line, where=problem.key, said=said)
    return said if len(said) <= LINE_SIGNS else said[: LINE_SIGNS - 1] + "…"


def _slot(value: Value, lang: str) -> str | int:
    match value:
        case tuple():
            return t("settings_part.comma", lang).join(value)
        case float():
            return f"{value:g}"
    return value
