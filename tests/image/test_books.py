"""Reading the books of a machine that is off: from a card's data partition, as the next start will find them."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cut_disk import CutDisk, Recording
from ledger import Ledger
from scenes_cuts import BOOKS, DISK, HEARD, OPENED, Books, Promise, Run, judge, read_books

AT, SIZE = 1 << 20, 16 << 20
POINT_TOML = """\
site = "QJ-0001"
name = "x"
profile = "shelf_only"
data_dir = "{folder}"
language = "zh"
[panel]
width = 1280
height = 800
diagonal_inch = 10.1
[[shelf]]
name = "A"
levels = 1
positions = 2
"""


@dataclass(frozen=True, slots=True)
class Off:
    """A point as far as its books are read: a disk, and a folder for copies."""

    disk: CutDisk
    folder: Path


def written(tmp_path: Path) -> Path:
    """The tree of a data partition whose store was made by the program itself."""
    tree = tmp_path / "tree"
    config = tree / "etc/village-point/point.toml"
    (tree / "village-point").mkdir(parents=True)
    config.parent.mkdir(parents=True)
    config.write_text(POINT_TOML.format(folder=tree / "village-point"), "utf-8")
    who = ("operator", "add", "--id", "op1", "--role", "operator", "--pin-stdin", "--config", str(config))
    subprocess.run([sys.executable, "-m", "edge.cli", *who], input="246810\n", text=True, check=True, timeout=60)
    return tree


def card_of(tree: Path, tmp_path: Path) -> Off:
    """A card whose fourth partition holds this tree."""
    image, part = tmp_path / "card", tmp_path / "part"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(part), f"{SIZE >> 10}k"], check=True, timeout=60)
    entry = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x83, 0, 0, 0, AT // 512, SIZE // 512)
    image.write_bytes((bytes(446 + 48) + entry + b"\x55\xaa").ljust(AT, b"\0") + part.read_bytes())
    return Off(CutDisk(image, tmp_path / "m"), tmp_path / "m")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def off(tree: Path, tmp_path: Path) -> Iterator[Off]:
    made = card_of(tree, tmp_path)
    yield made
    made.disk.close()


def test_good_books_are_read_from_the_card(off: Any) -> None:
    books = read_books(off, off.folder)

    assert books.fsck == 0
    assert books.proof is not None
    assert books.proof["ok"] is True
    assert books.proof["facts"] >= 1


def test_a_changed_fact_is_seen(tree: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tree / "village-point/point.db") as db:
        db.execute("DROP TRIGGER IF EXISTS fact_stays")
        changed = db.execute("UPDATE fact SET body = replace(body, 'op1', 'op2') WHERE body LIKE '%op1%'").rowcount
    db.close()
    off: Any = card_of(tree, tmp_path)

    books = read_books(off, off.folder)

    assert changed >= 1
    assert books.proof is not None
    assert books.proof["ok"] is False
    off.disk.close()


def test_a_torn_file_system_is_seen(off: Any) -> None:
    off.disk.write(AT + 1024 + 56, b"\0\0")  # the magic number of the superblock
    off.disk.flush()

    assert read_books_or_nothing(off).fsck != 0


def test_a_card_without_a_store_has_no_books(tree: Path, tmp_path: Path) -> None:
    (tree / "village-point/point.db").unlink()
    off: Any = card_of(tree, tmp_path)

    books = read_books(off, off.folder)

    assert (books.fsck, books.proof, books.orders) == (0, None, 0)
    off.disk.close()


def test_a_store_that_had_not_begun_has_no_books(tree: Path, tmp_path: Path) -> None:
    (tree / "village-point/point.db").write_bytes(b"")
    for file in (tree / "village-point").glob("point.db-*"):
        file.unlink()
    off: Any = card_of(tree, tmp_path)

    assert read_books(off, off.folder).proof is None
    off.disk.close()


def test_a_store_that_cannot_be_read_is_a_broken_one(tree: Path, tmp_path: Path) -> None:
    (tree / "village-point/point.db").write_bytes(b"no database " * 1000)
    off: Any = card_of(tree, tmp_path)

    proof = read_books(off, off.folder).proof

    assert proof is not None
    assert proof["ok"] is False
    assert "store S1" in proof["why"]
    off.disk.close()


def read_books_or_nothing(off: Any) -> Books:
    try:
        return read_books(off, off.folder)
    except subprocess.CalledProcessError:  # not even its folders can be read
        return Books(8, "unreadable", None, 0)


GOOD = Books(0, "", {"ok": True, "facts": 9}, 3)


@pytest.mark.parametrize(
    ("books", "broken"),
    [
        (GOOD, set()),
        (Books(4, "", {"ok": True, "facts": 9}, 3), {DISK}),
        (Books(0, "", {"ok": False, "facts": 9}, 3), {BOOKS}),
        (Books(0, "", {"ok": True, "facts": 7}, 3), {HEARD}),
        (Books(0, "", {"ok": True, "facts": 9}, 2), {OPENED}),
        (Books(0, "", None, 0), {OPENED, HEARD}),
    ],
)
def test_each_broken_promise_is_a_violation(tmp_path: Path, books: Books, broken: set[str]) -> None:
    ledger = Ledger(tmp_path)

    judge(books, Promise(0, pulses=3, heard=8), ledger)

    assert {what for what, bad in ledger.checks.items() if bad} == broken


def test_a_promise_holds_from_its_moment_on(tmp_path: Path) -> None:
    run = Run("work", "standby", Recording(tmp_path))
    run.promise(0, 1)
    run.recording.log += [None] * 10
    run.promise(2, 5)

    assert run.promised(0) == Promise(0, 0, 1)
    assert run.promised(9) == Promise(0, 0, 1)
    assert run.promised(10) == Promise(10, 2, 5)
