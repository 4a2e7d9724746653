"""R21: no line of the log holds a phone, a name, a code, a PIN, an account or a token, however it came there."""

from __future__ import annotations

import contextlib
import logging
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import small_disk
from stockroom import SOAK

from edge import logs
from edge.model import AccountNo, Address, Name, Phone, PickupCode, PickupToken, Rejected

LINES = 200_000 if SOAK else 20_000
SURNAMES = "王李张刘陈杨黄赵吴周"
GIVEN = "小大明华建国秀英丽芳伟强磊军洋勇艳杰娟涛"
GLUE = ["", " ", "=", ":", "e", "F", "x", "_", "(", "'", '"', ",", "/", "a", "tel", "Code", "\n", "中", "#", "0x"]


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    kept, level, hook = root.handlers[:], root.level, sys.excepthook
    logs.set_up(tmp_path, verbose=True)
    yield tmp_path / "point.log"
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level, sys.excepthook = kept, level, hook


def fail(text: str) -> None:
    raise ValueError(text)


class Person:
    """Somebody whose data must not be found in any log."""

    def __init__(self, dice: random.Random) -> None:
        self.phone = "1" + "".join(dice.choices("3456789", k=1)) + "".join(dice.choices("0123456789", k=9))
        self.name = dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice([1, 2])))
        self.code = "".join(dice.choices("0123456789", k=6))
        self.account = "".join(dice.choices("0123456789", k=dice.choice([8, 10, 13])))
        self.id_card = "".join(dice.choices("0123456789", k=17)) + "X"

    def shown(self, dice: random.Random) -> str:
        phone = self.phone
        spelt = [phone, f"{phone[:3]} {phone[3:7]} {phone[7:]}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", f"+86{phone}"]
        return dice.choice([*spelt, self.name, self.code, self.account, self.id_card])

    def leaks(self, text: str) -> list[str]:
        digits = text.replace(" ", "").replace("-", "")
        found = [part for part in (self.phone[:-2], self.account[:-2], self.id_card[:-3], self.code) if part in digits]
        return (
            found + [self.name] * (self.name in text) + [self.name[1:]] * (len(self.name) > 2 and self.name[1:] in text)
        )


def lines(dice: random.Random, person: Person) -> Iterator[str]:
    for _ in range(4):
        yield dice.choice(GLUE) + person.shown(dice) + dice.choice(GLUE)


def test_no_line_holds_a_person(log_file: Path) -> None:
    dice = random.Random(21)
    log = logging.getLogger("edge.test")
    kept = logging.getLogger().handlers[0]
    kept.maxBytes = 0  # type: ignore[attr-defined]  # one file, to read it whole
    people = []
    for number in range(LINES // 14):
        person = Person(dice)
        people.append(person)
        for text in lines(dice, person):
            log.info("free text %s", text)
        log.warning("typed %s %r %s", Phone(person.phone), Name(person.name), {"code": PickupCode(person.code)})
        address, token = Address(f"村{person.account}号"), PickupToken(person.phone * 2)
        log.debug("typed %s %s", AccountNo(person.account), [address, token])
        try:
            fail(f"bad value {person.shown(dice)!r} of {person.phone}")
        except ValueError as error:
            log.exception("failed for %s", person.shown(dice), stack_info=number % 50 == 0)
            log.info("failed: %s", error)
        log.error("refused %s", Rejected("wrong_code", phone=Phone(person.phone)), extra={"phone": person.phone})

    text = log_file.read_text("utf-8")

    assert text.count("\n") >= LINES
    blocks = text.split("free text")
    assert len(blocks) > len(people)
    digits = text.replace(" ", "").replace("-", "")
    found = [
        part
        for person in people
        for part in (person.phone[:-2], person.id_card[:-3], person.name if len(person.name) > 2 else "\0")
        if part in digits
    ]
    assert found == []
    pieces = iter(text.split("refused wrong_code\n"))
    assert [leak for person, piece in zip(people, pieces, strict=False) for leak in person.leaks(piece)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("phone 13812345678", "phone #########78"),
        ("e13812345678", "e#########78"),
        ("13812345678abc", "#########78abc"),
        ("138 1234 5678", "###########78"),
        ("138-1234-5678", "###########78"),
        ("code 481516.", "code ######."),
        ("code 48151623,", "code ########,"),
        ("１３８１２３４５６７８", "#########７８"),
        ("王小二 took it", "王* took it"),
        ("cell 12 of 24 after 12345 ms", "cell 12 of 24 after 12345 ms"),
        ("log 0123456789abcdef", "log 0123456789abcdef"),
        ("mark 9f86d081884c7d659a2feaa0c55ad015 seen", "mark 9f86d081884c7d659a2feaa0c55ad015 seen"),
        ("log 0123456789012345", "log ##############45"),
        ("deadbeef13812345678", "deadbeef#########78"),
        ("v2.3.1 at 10.0.0.7:1883", "v2.3.1 at 10.0.0.7:1883"),
        ("", ""),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, shown: str) -> None:
    assert logs.mask(text) == shown


def test_a_trace_that_another_handler_has_written_before_is_masked_too(log_file: Path) -> None:
    class Careless(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logging.Formatter().format(record)  # leaves its text of the trace in the record

    logging.getLogger("edge.test").addHandler(careless := Careless())
    try:
        fail("13812345678")
    except ValueError:
        logging.getLogger("edge.test").exception("failed")
    finally:
        logging.getLogger("edge.test").removeHandler(careless)

    text = log_file.read_text("utf-8")
    assert "ValueError: #########78" in text
    assert "1381234" not in text


def test_the_time_of_a_line_stays_readable(log_file: Path) -> None:
    logging.getLogger("edge.test").info("hello")

    line = log_file.read_text("utf-8")
    assert line[4] + line[7] + line[13] == "--:"
    assert line.endswith(" INFO edge.test: hello\n")


def test_the_log_is_bounded(tmp_path: Path, log_file: Path) -> None:
    handler = logging.getLogger().handlers[0]
    handler.maxBytes = 10_000  # type: ignore[attr-defined]
    for _ in range(2000):
        logging.getLogger("edge.test").info("x" * 100)

    files = list(tmp_path.glob("point.log*"))
    assert len(files) == logs.FILES
    assert all(file.stat().st_size <= 10_000 for file in files)


UNCAUGHT = """
import sys, threading
from pathlib import Path
from edge import logs
logs.set_up(Path(sys.argv[1]))
def fail(): raise ValueError("13812345678")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""


def test_what_nobody_caught_is_masked_and_kept_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNCAUGHT, tmp_path], cwd=Path(__file__).parents[2],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    text = (tmp_path / "point.log").read_text("utf-8")
    assert done.returncode == 1
    assert "1381234" not in done.stderr + done.stdout + text
    assert text.count("ValueError: #########78") == 2


def test_the_signature_of_a_bug_holds_no_value() -> None:
    try:
        fail("13812345678")
    except ValueError as error:
        told = logs.signature(error)
    assert told.startswith("ValueError at test_logs.py:")
    assert logs.signature(ValueError("x")) == "ValueError at ?"


def test_a_log_that_cannot_be_written_prints_no_values(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        handler = logs.QuietFile(disk / "point.log", encoding="utf-8")
        try:
            for _ in range(40):
                handler.handle(logging.makeLogRecord({"msg": "x" * 4000 + " %s", "args": ("13812345678",)}))
        finally:
            with contextlib.suppress(OSError):  # what it still held
                handler.close()

    assert capfd.readouterr().err == ""


def test_a_folder_that_takes_no_log_sends_it_to_standard_error(
    log_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    in_the_way = log_file.with_name("log")
    in_the_way.write_text("not a folder")

    logging.getLogger().handlers[0].close()
    logs.set_up(in_the_way)
    logging.getLogger("edge").warning("call %s", "13812345678")

    said = capfd.readouterr().err
    assert "call" in said
    assert "13812345678" not in said
