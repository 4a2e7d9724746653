"""Whatever can be wrong with settings has words in both languages. The codes are read off the program itself."""

from __future__ import annotations

import ast
import itertools
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.build import KINDS, DeviceSettings, build
from drivers.kinds import Option, Scalar
from drivers.mistakes import Unfit, Wrong
from edge import setup
from edge.first_start import MAX_MISTAKES, mistakes_of
from edge.mistakes import ConfigError, Mistake, Problem, mistake
from edge.toml_table import parse
from tests.edge.test_config import GOOD, load
from tests.links import LoopClock
from ui import words
from ui.mistakes import LINE_SIGNS, lines_of, printed, sentence

HOUSE = Path(__file__).resolve().parents[2]
MAKERS = {"mistake": 0, "unfit": 1}  # who makes a mistake, and which argument is its code
HOMES = {"Mistake": ("edge/mistakes.py", "edge/setup.py"), "Wrong": ("drivers/mistakes.py",)}
CALLS = [
    (path.relative_to(HOUSE).as_posix(), node)
    for room in ("edge", "drivers", "sync", "ui")
    for path in sorted((HOUSE / room).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
]


def made() -> Iterator[tuple[str, ast.expr, frozenset[str]]]:
    """Where a mistake is made, its code as it is written, and the names of its values."""
    for file, call in CALLS:
        assert isinstance(call.func, ast.Name)
        at = MAKERS.get(call.func.id)
        if at is not None:
            names = [each.arg for each in call.keywords]
            yield file, call.args[at], frozenset("**" if name is None else name for name in names)


def slots(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


def test_every_code_is_written_out_where_the_mistake_is_made() -> None:
    assert [file for file, code, _ in made() if not isinstance(code, ast.Constant)] == []
    assert len(list(made())) > 80


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_code_has_words_that_name_all_its_values(lang: str) -> None:
    said = words.catalogue(lang)

    for file, code, names in made():
        assert isinstance(code, ast.Constant)
        assert slots(said[f"settings.{code.value}"]) == names, (file, code.value)


def test_no_words_are_left_of_a_mistake_that_nobody_makes() -> None:
    wanted = {f"settings.{code.value}" for _, code, _ in made() if isinstance(code, ast.Constant)}

    assert {key for key in words.catalogue("zh") if key.startswith("settings.")} == wanted


def test_no_mistake_is_made_past_those_who_write_its_code_out() -> None:
    """Else a text could travel as a code, and reach a page without words."""
    names = {
        path.relative_to(HOUSE).as_posix(): path.read_text(encoding="utf-8") for path in (HOUSE / "edge").rglob("*.py")
    }
    ours = {file for file, text in names.items() if "from edge.mistakes import" in text} | {"edge/mistakes.py"}

    found = {
        (call.func.id, file)
        for file, call in CALLS
        if isinstance(call.func, ast.Name) and call.func.id in HOMES and (file in ours or file.startswith("drivers/"))
    }

    assert found == {(name, file) for name, files in HOMES.items() for file in files}


@pytest.mark.parametrize("lang", words.LANGUAGES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_option_a_driver_refuses_it_says_why_in_words(kind: str, lang: str) -> None:
    path = "alsa://default" if kind == "alsa_speaker" else "/dev/it"

    for options in option_sets(KINDS[kind].options):
        for each in refused(DeviceSettings("it", kind, path, None, options)):
            assert each.code != "driver", (options, each)  # a codec's own English
            assert sentence(Mistake(each.code, each.values), lang)


def refused(settings: DeviceSettings) -> tuple[Wrong, ...]:
    try:
        build(settings, LoopClock())
    except Unfit as error:
        return error.wrong
    return ()


def option_sets(options: dict[str, Option]) -> Iterator[dict[str, Scalar]]:
    """Each option with values that are wrong, and every two with those at the ends of what is right."""
    for name, option in options.items():
        for value in ("", "x", "1,1", "A:,A-", "99:99=1", -1, 0, 1_000_000, True, 1.5):
            yield {name: value}
        yield from ({name: value} for value in ends(option))
    for (one, first), (other, second) in itertools.combinations(options.items(), 2):
        yield from ({one: a, other: b} for a in ends(first) for b in ends(second))


def ends(option: Option) -> tuple[Scalar, ...]:
    if option.choice:
        return option.choice
    if isinstance(option.default, bool):
        return (True, False)
    if option.low is not None and option.high is not None:
        return (option.low, option.high)
    return ("", "3,1", "0", "250", "A:,B:", "06:30=12 22:00=off")


def test_a_technician_reads_line_key_and_what_to_write() -> None:
    problem = Problem(12, "devices.board.baud", mistake("one_of", choices=("9600", "19200", "57600", "115200")))

    assert lines_of([problem], "zh") == ["第 12 行 devices.board.baud：只能是 9600、19200、57600、115200 中的一个"]
    assert lines_of([problem], "en") == ["12: devices.board.baud: must be one of: 9600, 19200, 57600, 115200"]


def test_what_is_missing_and_what_was_probably_meant_is_said_around_the_sentence(tmp_path: Path) -> None:
    text = GOOD.replace("width = 1280", "widht = 1280").replace("lock_8a80", "lock_8a81")

    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    width, widht, kind = lines_of(caught.value.problems, "zh")
    assert width == "第 9 行 panel.width：没有写；要写 480 到 7680 之间的整数"
    assert widht == "第 10 行 panel.widht：没有这一项设置；是不是 width？"
    assert kind.endswith("中的一个；是不是 lock_8a80？") or len(kind) == LINE_SIGNS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a = x", "等号后面写得不对"),
        ('a = "x', "双引号没有成对"),
        ('a = "C:\\dev"', "反斜杠"),
        ("a = 1 2", "值的后面多了东西"),
        ("a 1", "名字 = 值"),
        ("= 1", "名字 = 值"),
        ("[a", "括号没有成对"),
        ("a = [1", "括号没有成对"),
        ("a = [1,", "少了右括号"),
        ("a = 1\na = 2", "写了两次"),
        ("[a]\n[a]", "写了两次"),
        ("a = {b = 1, b = 2}", "写了两次"),
        ("a = 2026-02-30", "等号后面写得不对"),
    ],
)
def test_what_is_no_toml_is_said_in_chinese_too(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(line + "\n", Path("point.toml"))

    [problem] = caught.value.problems
    assert lines_of([problem], "zh")[0].startswith(f"第 {problem.line} 行：")
    assert said in sentence(problem.mistake, "zh")
    assert sentence(problem.mistake, "en").startswith("is not valid TOML: ")


def test_a_long_list_says_how_many_more_there_are() -> None:
    error = ConfigError(Path("point.toml"), [Problem(n, "a", mistake("flag")) for n in range(1, MAX_MISTAKES + 6)])

    told = mistakes_of(error)

    assert len(told) == MAX_MISTAKES + 1
    assert lines_of(told, "zh")[-1] == "还有 5 处"
    assert lines_of(told)[-1] == "and 5 more"


def test_what_stands_in_a_file_does_not_make_a_line_without_end() -> None:
    problem = Problem(1, "a" * 500, mistake("no_file", file="/" * 1000))

    assert [len(line) for line in lines_of([problem])] == [LINE_SIGNS]


def test_the_command_line_has_file_line_key_and_the_english_sentence(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD.replace("boards = 2", 'boards = "two"'))

    with pytest.raises(ConfigError) as caught:
        setup.prove(settings)

    line = 1 + GOOD.splitlines().index("boards = 2")
    said = "must be a whole number from 1 to 32"
    assert printed(caught.value) == f"{tmp_path}/point.toml:{line}: devices.locker.boards: {said}"
