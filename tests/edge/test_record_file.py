"""The record of a commissioning on a stick: one picture, whole or not at all, and a word for each no."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edge.carrying import Place
from edge.commissioning_record import Record, Run, StepResult, digest_of
from edge.record_file import file_name, save
from edge.record_slip import record_slip
from edge.slips import Letterhead
from ui.papers import say

STEPS = ("scan:gun", "touch", "hub")
RUN = Run("QJ-0001", "00ff00ff", "0.1.0", "7KQ2-M0XD", STEPS)
RESULTS = {
    "scan:gun": StepResult("scan:gun", "done", "", "", "]C1 10", "tech1"),
    "touch": StepResult("touch", "failed", "K72", "", "5/5, 8.0 mm", "tech1"),
    "hub": StepResult("hub", "later", "N01", "", "", "tech1"),
}
RECORD = Record(
    RUN, RESULTS, "tech1", 1_782_869_400_000, 1_782_869_900_000, digest_of(RUN, RESULTS.values()), is_sent=False
)


def head(lang: str = "zh") -> Letterhead:
    return Letterhead(lambda key, **slots: say(key, lang, **slots), "金溪村服务点")


def saved(place: Place, record: Record = RECORD) -> str:
    return asyncio.run(save(place, head(), record))


def test_the_picture_is_on_the_one_stick_that_is_in(tmp_path: Path) -> None:
    stick = tmp_path / "STICK"
    stick.mkdir()

    assert saved(Place(tmp_path, plain=True)) == "saved"
    assert [each.name for each in stick.iterdir()] == ["village-point-QJ-0001-00ff00ff.png"]
    with Image.open(stick / file_name(RECORD)) as picture:
        assert picture.width == 720
        assert len(set(picture.getdata())) > 10, "something is drawn on it"


def test_a_second_saving_replaces_the_first(tmp_path: Path) -> None:
    (tmp_path / "STICK").mkdir()
    saved(Place(tmp_path, plain=True))
    before = (tmp_path / "STICK" / file_name(RECORD)).read_bytes()

    assert saved(Place(tmp_path, plain=True), replace(RECORD, is_sent=True)) == "saved"
    assert (tmp_path / "STICK" / file_name(RECORD)).read_bytes() != before


@pytest.mark.parametrize(("sticks", "word"), [((), "none"), (("A", "B"), "several")])
def test_no_stick_or_too_many_are_told(tmp_path: Path, sticks: tuple[str, ...], word: str) -> None:
    for name in sticks:
        (tmp_path / name).mkdir()

    assert saved(Place(tmp_path, plain=True)) == word
    assert saved(Place(None)) == "off"


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_stick_that_takes_nothing_is_told_and_nothing_half_is_left(tmp_path: Path) -> None:
    stick = tmp_path / "STICK"
    stick.mkdir()
    (stick / f".{file_name(RECORD)}.part").symlink_to("/dev/full")

    assert saved(Place(tmp_path, plain=True)) == "full"
    assert not (stick / file_name(RECORD)).exists()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_everything_of_the_record_stands_on_it_and_nobodys_name(lang: str) -> None:
    text = "\n".join(getattr(line, "text", "") for line in record_slip(head(lang), RECORD))

    for part in ("QJ-0001", "7KQ2-M0XD", "0.1.0", "tech1", RECORD.digest[:16], "K72", "N01", "8.0 mm", "2026-07-01"):
        assert part in text, part
    assert "1 10" in text
