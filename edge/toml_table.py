"""Read TOML tables so that all mistakes are found, each with its line. Knows no setting by name: edge/config.py does.

`tomllib` tells no line of a key, so the text is walked a second time, statement by statement, with `tomllib` itself
deciding where a statement ends.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from edge.mistakes import WHOLE, ConfigError, Mistake, Problem, mistake

T = TypeVar("T")
TomlPath = tuple[str | int, ...]
Scalar = str | int | float | bool
SECRET_WORDS = ("password", "passwd", "passphrase", "secret", "token", "pin", "key")
MAX_FILE_BYTES = 64 * 1024  # a settings file is a page; a large one is the wrong file
MAX_LINES_OF_A_VALUE = 200  # each further line is one more try to read the value; settings need a handful
LONG_TEXT = mistake("text", low=1, high=200)
_SAID = (  # beginnings of what tomllib says, and what it means to whoever wrote the line
    ("Invalid value (at end", mistake("toml_end")),
    ("Invalid value", mistake("toml_value")),
    ("Invalid date", mistake("toml_value")),
    ("Unterminated string", mistake("toml_quotes")),
    ("Illegal character", mistake("toml_quotes")),
    ("Unescaped", mistake("toml_backslash")),
    ("Expected newline", mistake("toml_after")),
    ("Expected '='", mistake("toml_equals")),
    ("Invalid initial character", mistake("toml_equals")),
    ("Invalid statement", mistake("toml_equals")),
    ("Expected ']", mistake("toml_bracket")),
    ("Unclosed", mistake("toml_bracket")),
    ("Cannot ", mistake("toml_twice")),
    ("Duplicate", mistake("toml_twice")),
)
_AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(slots=True)
class Notes:
    """Where keys stand in the file, and the mistakes found so far."""

    lines: Mapping[TomlPath, int]
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: TomlPath) -> int:
        """The line of `path`, or of the nearest table around it that is written down."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        return self.lines.get(near, 1)

    def wrong(self, path: TomlPath, what: Mistake) -> None:
        """Note a mistake at `path`."""
        key = ".".join(str(part) for part in path if isinstance(part, str))
        self.problems.append(Problem(self.line(path), key or WHOLE, what))


class Table:
    """One table being read. Getters note a mistake and return something harmless, so that reading goes on."""

    def __init__(self, notes: Notes, values: Mapping[str, Any], path: TomlPath = ()) -> None:
        self._notes = notes
        self._values = values
        self._path = path
        self._known: set[str] = set()

    @property
    def problems(self) -> list[Problem]:
        """All mistakes found so far, in this table and in every other of the file."""
        return self._notes.problems

    def with_usual(self, usual: Mapping[str, Any]) -> Table:
        """Return the same table with values for keys that are not written."""
        return Table(self._notes, {**usual, **self._values}, self._path)

    def plain(self) -> dict[str, Any]:
        """What is written, as tomllib reads it."""
        return dict(self._values)

    def line(self, *key: str | int) -> int:
        """The line of a key below this table, or of the table itself."""
        return self._notes.line((*self._path, *key))

    def wrong(self, what: Mistake, *key: str | int) -> None:
        """Note a mistake at a key below this table, or at the table itself."""
        self._notes.wrong((*self._path, *key), what)

    def has(self, key: str) -> bool:
        """Tell whether the key is written in the file."""
        self._known.add(key)
        return key in self._values

    def text(self, key: str, rule: str = r".{1,200}", unfit: Mistake = LONG_TEXT) -> str:
        """Read a text that fits the whole regular expression `rule`; `unfit` is the mistake of one that does not."""
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(rule, value):
            return value
        return self._unfit(key, value, unfit, "")

    def optional_text(self, key: str, rule: str, unfit: Mistake) -> str | None:
        """Read a text as `text` does; None when the key is not written."""
        return self.text(key, rule, unfit) if self.has(key) else None

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Read one of the allowed words."""
        value = self._take(key)
        if isinstance(value, str) and value in allowed:
            return value
        unfit = replace(mistake("one_of", choices=tuple(allowed)), meant=_meant(value, allowed))
        return self._unfit(key, value, unfit, allowed[0])

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number in a range. Without a default the key is needed."""
        if default is not None and not self.has(key):
            return default
        value = self._take(key)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self._unfit(key, value, mistake("whole", low=low, high=high), low)

    def number(self, key: str, low: float, high: float) -> float:
        """Read a number in a range."""
        value = self._take(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        return self._unfit(key, value, mistake("number", low=low, high=high), low)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Read true or false. Without a default the key is needed."""
        if default is not None and not self.has(key):
            return default
        value = self._take(key)
        return value if isinstance(value, bool) else self._unfit(key, value, mistake("flag"), False)

    def table(self, key: str) -> Table:
        """Read a table below this one; an absent one is noted and read as empty."""
        value = self._take(key)
        if isinstance(value, Mapping):
            return Table(self._notes, value, (*self._path, key))
        self._unfit(key, value, mistake("table", name=key), None)
        return Table(Notes({}), {})  # its missing keys are no news

    def named_tables(self, key: str) -> dict[str, Table]:
        """Read the tables `[key.NAME]`; none at all is an empty answer."""
        if not self.has(key):
            return {}
        value = self._take(key)
        if not isinstance(value, Mapping):
            return self._unfit(key, value, mistake("named_tables", name=key), {})
        inside = Table(self._notes, value, (*self._path, key))
        return {name: inside.table(name) for name in value}

    def listed_tables(self, key: str) -> list[Table]:
        """Read the tables `[[key]]`; none at all is an empty answer."""
        if not self.has(key):
            return []
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            return self._unfit(key, value, mistake("listed_tables", name=key), [])
        return [Table(self._notes, each, (*self._path, key, at)) for at, each in enumerate(value)]

    def rest(self) -> dict[str, Scalar]:
        """Take all keys nobody asked for, as plain values."""
        free: dict[str, Scalar] = {}
        for key in self._values.keys() - self._known:
            value = self._take(key)
            if self._names_secret(key):
                continue
            if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and math.isnan(value)):
                self.wrong(mistake("plain_value"), key)
            else:
                free[key] = value
        return free

    def finish(self) -> None:
        """Note every key nobody asked for."""
        for key in self._values.keys() - self._known:
            if not self._names_secret(key):
                self.wrong(replace(mistake("not_a_setting"), meant=_meant(key, sorted(self._known))), key)

    def _names_secret(self, key: str) -> bool:
        if key.lower().rsplit("_", 1)[-1] not in SECRET_WORDS:
            return False
        self.wrong(mistake("secret", name=key), key)
        return True

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._values.get(key)

    def _unfit(self, key: str, value: object, unfit: Mistake, instead: T) -> T:
        self.wrong(replace(unfit, is_missing=value is None), key)
        return instead


def read(file: Path) -> Table:
    """Read a whole TOML file as its outermost table, whose `problems` gathers what all getters find.

    Errors: ConfigError when the file cannot be read or is no TOML; then that is the only mistake that can be told.
    """
    return parse(read_text(file), file)


def parse(text: str, file: Path) -> Table:
    """Read a TOML text as `read` does; `file` is what people know it by. Errors: ConfigError when it is no TOML."""
    try:
        values = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number without end is another
        raise ConfigError(file, [_syntax_problem(str(error), text)]) from None
    except RecursionError:
        raise ConfigError(file, [Problem(text.count("\n") + 1, WHOLE, mistake("toml_depth"))]) from None
    return Table(Notes(key_lines(text)), values)


def key_lines(text: str) -> dict[TomlPath, int]:
    """Tell the line of every table and key of a valid TOML text.

    Shape: a key is its path, `("hub", "port")`; the tables of `[[shelf]]` are counted, `("shelf", 0, "name")`.
    Keys inside an inline table have no entry of their own.
    """
    found: dict[TomlPath, int] = {}
    counts: dict[TomlPath, int] = {}
    table: TomlPath = ()
    pending = ""
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not pending:
            first = number
        pending += line + "\n"
        statement = _statement(pending)
        if statement is None and number - first < MAX_LINES_OF_A_VALUE:  # the value goes on in the next line
            continue
        stripped, pending = pending.strip(), ""
        if not statement:  # a comment, an empty line, or a value too long to be followed
            continue
        path = _only_path(statement)
        is_header = stripped.startswith("[")
        table = _counted(path, counts, opens=stripped.startswith("[[")) if is_header else table
        whole = table if is_header else (*table, *path)
        for length in range(1, len(whole) + 1):
            found.setdefault(whole[:length], first)
    return found


def read_text(file: Path) -> str:
    """Read a settings file as text. Errors: ConfigError when it cannot be read, is too large, or is not UTF-8."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(file, [Problem(1, WHOLE, mistake("unreadable", said=str(error.strerror)))]) from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(file, [Problem(1, WHOLE, mistake("too_large", most=MAX_FILE_BYTES))])
    try:
        return raw.decode("utf-8-sig")  # Notepad puts a mark before the text, which TOML does not know
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(file, [Problem(line, WHOLE, mistake("not_utf8"))]) from error


def _statement(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _only_path(statement: Mapping[str, Any]) -> tuple[str, ...]:
    path: tuple[str, ...] = ()
    value: Any = statement
    while isinstance(value, Mapping) and len(value) == 1:
        [(key, value)] = value.items()
        path = (*path, key)
    return path


def _counted(path: tuple[str, ...], counts: dict[TomlPath, int], *, opens: bool) -> TomlPath:
    """Put the number of the newest table behind each part that is a list of tables."""
    counted: TomlPath = ()
    for at, part in enumerate(path):
        counted = (*counted, part)
        if opens and at == len(path) - 1:
            counts[counted] = counts.get(counted, -1) + 1
        if counted in counts:
            counted = (*counted, counts[counted])
    return counted


def _syntax_problem(message: str, text: str) -> Problem:
    where = _AT_LINE.search(message)
    last = text.count("\n") + 1
    line = int(where[1]) if where and where[1] else last
    meant = next((wrong for start, wrong in _SAID if message.startswith(start)), None)
    return Problem(line, WHOLE, meant or mistake("toml", said=_AT_LINE.sub("", message)))


def _meant(word: object, known: Sequence[str]) -> str:
    near = get_close_matches(str(word), known, n=1) if word is not None else []
    return near[0] if near else ""
