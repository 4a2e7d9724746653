"""What is wrong with a settings file, as data: where, a code, and the values its sentence names. No words are here.

The sentences stand in ui/catalogue (`settings.CODE`), ui/mistakes.py puts both together. Mistakes are noted by
edge/toml_table.py and by whoever reads a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WHOLE = "file"  # the key of a mistake that is at no key
Value = str | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong.

    Shape: `values` by name; a tuple is a list that each language joins in its own way. `meant`: what is there and was
           probably meant, empty for nothing. `is_missing`: nothing is written, and the sentence says what should be.
           `place`: file and line of a mistake in a list that the file names.
    """

    code: str
    values: tuple[tuple[str, Value], ...] = ()
    meant: str = ""
    is_missing: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake and its place: 1-based line; the key as one would write it (`hub.port`), empty for no place."""

    line: int
    key: str
    mistake: Mistake


class ConfigError(Exception):
    """A settings file cannot be used. The technician acts; all mistakes are listed.

    As a text it is for logs, with codes; people read what ui/mistakes.py says.
    """

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems, key=lambda each: (each.line, each.key, each.mistake.code)))
        super().__init__("\n".join(f"{file}:{each.line}: {each.key}: {_plain(each.mistake)}" for each in self.problems))


def mistake(code: str, **values: Value) -> Mistake:
    """Make a mistake. The code is written out where this is called, so that a check finds all there are."""
    return Mistake(code, tuple(values.items()))


def _plain(wrong: Mistake) -> str:
    told = [("missing", "yes")] * wrong.is_missing + [*wrong.values] + [("meant", wrong.meant)] * bool(wrong.meant)
    return " ".join([wrong.code, *(f"{name}={value!r}" for name, value in told)])
