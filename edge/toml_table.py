"""Read TOML tables so that all mistakes are found, each with its line. Knows no setting by name: edge/config.py does.

`tomllib` tells no line of a key, so the text is walked a second time, statement by statement, with `tomllib` itself
deciding where a statement ends.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
TomlPath = tuple[str | int, ...]
Scalar = str | int | float | bool
SECRET_WORDS = ("password", "passwd", "passphrase", "secret", "token", "pin", "key")
MAX_FILE_BYTES = 64 * 1024  # a settings file is a page; a large one is the wrong file
MAX_LINES_OF_A_VALUE = 200  # each further line is one more try to read the value; settings need a handful
_AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: 1-based line, the key as one would write it (`hub.port`), and what to do about it."""

    line: int
    key: str
    message: str


class ConfigError(Exception):
    """A settings file cannot be used. The technician acts; all mistakes are listed."""

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{file}:{each.line}: {each.key}: {each.message}" for each in self.problems))


@dataclass(slots=True)
class Notes:
    """Where keys stand in the file, and the mistakes found so far."""

    lines: Mapping[TomlPath, int]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: TomlPath, message: str) -> None:
        """Note a mistake at `path`, or at the nearest table around it that is written down."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        key = ".".join(str(part) for part in path if isinstance(part, str))
        self.problems.append(Problem(self.lines.get(near, 1), key or "file", message))


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

    def wrong(self, message: str, *key: str | int) -> None:
        """Note a mistake at a key below this table, or at the table itself."""
        self._notes.wrong((*self._path, *key), message)

    def has(self, key: str) -> bool:
        """Tell whether the key is written in the file."""
        self._known.add(key)
        return key in self._values

    def text(self, key: str, rule: str = r".{1,200}", hint: str = "must be a text of 1 to 200 characters") -> str:
        """Read a text that fits the whole regular expression `rule`; `hint` says so in words."""
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(rule, value):
            return value
        return self._unfit(key, value, hint, "")

    def optional_text(self, key: str, rule: str, hint: str) -> str | None:
        """Read a text as `text` does; None when the key is not written."""
        return self.text(key, rule, hint) if self.has(key) else None

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Read one of the allowed words."""
        value = self._take(key)
        if isinstance(value, str) and value in allowed:
            return value
        return self._unfit(key, value, f"must be one of: {', '.join(allowed)}{_meant(value, allowed)}", allowed[0])

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number in a range. Without a default the key is needed."""
        if default is not None and not self.has(key):
            return default
        value = self._take(key)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self._unfit(key, value, f"must be a whole number from {low} to {high}", low)

    def number(self, key: str, low: float, high: float) -> float:
        """Read a number in a range."""
        value = self._take(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        return self._unfit(key, value, f"must be a number from {low:g} to {high:g}", low)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Read true or false. Without a default the key is needed."""
        if default is not None and not self.has(key):
            return default
        value = self._take(key)
        return value if isinstance(value, bool) else self._unfit(key, value, "must be true or false", False)

    def table(self, key: str) -> Table:
        """Read a table below this one; an absent one is noted and read as empty."""
        value = self._take(key)
        if isinstance(value, Mapping):
            return Table(self._notes, value, (*self._path, key))
        self._unfit(key, value, f"must be a table: [{key}]", None)
        return Table(Notes({}), {})  # its missing keys are no news

    def named_tables(self, key: str) -> dict[str, Table]:
        """Read the tables `[key.NAME]`; none at all is an empty answer."""
        if not self.has(key):
            return {}
        value = self._take(key)
        if not isinstance(value, Mapping):
            return self._unfit(key, value, f"must be written as tables: [{key}.NAME]", {})
        inside = Table(self._notes, value, (*self._path, key))
        return {name: inside.table(name) for name in value}

    def listed_tables(self, key: str) -> list[Table]:
        """Read the tables `[[key]]`; none at all is an empty answer."""
        if not self.has(key):
            return []
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            return self._unfit(key, value, f"must be written as tables: [[{key}]]", [])
        return [Table(self._notes, each, (*self._path, key, at)) for at, each in enumerate(value)]

    def rest(self) -> dict[str, Scalar]:
        """Take all keys nobody asked for, as plain values."""
        free: dict[str, Scalar] = {}
        for key in self._values.keys() - self._known:
            value = self._take(key)
            if self._names_secret(key):
                continue
            if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and math.isnan(value)):
                self.wrong("must be a text, a number, true or false", key)
            else:
                free[key] = value
        return free

    def finish(self) -> None:
        """Note every key nobody asked for."""
        for key in self._values.keys() - self._known:
            if not self._names_secret(key):
                self.wrong(f"is not a setting{_meant(key, sorted(self._known))}", key)

    def _names_secret(self, key: str) -> bool:
        if key.lower().rsplit("_", 1)[-1] not in SECRET_WORDS:
            return False
        self.wrong(f"is a secret and must not stand here; write it to a file of its own and set {key}_file", key)
        return True

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._values.get(key)

    def _unfit(self, key: str, value: object, hint: str, instead: T) -> T:
        self.wrong(hint if value is not None else f"is missing; it {hint}", key)
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
        raise ConfigError(file, [_syntax_problem("its lists stand too deep in each other", text)]) from None
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
        raise ConfigError(file, [Problem(1, "file", f"cannot be read: {error.strerror}")]) from error
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(file, [Problem(1, "file", f"is larger than {MAX_FILE_BYTES} bytes; is it a settings file?")])
    try:
        return raw.decode("utf-8-sig")  # Notepad puts a mark before the text, which TOML does not know
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(file, [Problem(line, "file", "is not written in UTF-8")]) from error


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
    return Problem(line, "file", f"is not valid TOML: {_AT_LINE.sub('', message)}")


def _meant(word: object, known: Sequence[str]) -> str:
    near = get_close_matches(str(word), known, n=1) if word is not None else []
    return f"; did you mean {near[0]}?" if near else ""
