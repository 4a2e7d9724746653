"""Telling pages by their pictures: the same page with other words is known, another page and darkness are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from look import ALIKE, TILE, likeness, seen
from PIL import Image, ImageDraw

SIZE = (320, 240)


def picture(tmp_path: Path, name: str, boxes: list[tuple[int, int, int, int]], ground: int = 250) -> Path:
    image = Image.new("L", SIZE, ground)
    draw = ImageDraw.Draw(image)
    for box in boxes:
        draw.rectangle(box, fill=40)
    image.save(tmp_path / f"{name}.png")
    return tmp_path / f"{name}.png"


HEAD, LEFT, RIGHT = (0, 0, 319, 47), (16, 80, 140, 200), (180, 80, 304, 200)


def test_the_same_page_is_alike(tmp_path: Path) -> None:
    page = seen(picture(tmp_path, "a", [HEAD, LEFT, RIGHT]))

    assert likeness(page, page) == 1.0


def test_other_words_on_a_page_leave_it_alike(tmp_path: Path) -> None:
    page = seen(picture(tmp_path, "a", [HEAD, LEFT, RIGHT]))
    other_clock = seen(picture(tmp_path, "b", [HEAD, LEFT, RIGHT, (280, 60, 310, 70)]))

    assert ALIKE < likeness(page, other_clock) < 1.0


def test_another_page_is_not_alike(tmp_path: Path) -> None:
    page = seen(picture(tmp_path, "a", [HEAD, LEFT]))
    other = seen(picture(tmp_path, "b", [RIGHT, (0, 220, 319, 239)]))

    assert likeness(page, other) < ALIKE


@pytest.mark.parametrize("ground", [0, 250])
def test_a_blank_screen_is_no_page(tmp_path: Path, ground: int) -> None:
    blank = seen(picture(tmp_path, "blank", [], ground))
    page = seen(picture(tmp_path, "a", [HEAD, LEFT, RIGHT]))

    assert blank.inked == 0
    assert likeness(blank, blank) == 0.0
    assert likeness(blank, page) < ALIKE


def test_pictures_of_other_sizes_are_not_alike(tmp_path: Path) -> None:
    Image.new("L", (640, 480), 250).save(tmp_path / "large.png")

    assert likeness(seen(tmp_path / "large.png"), seen(picture(tmp_path, "a", [HEAD]))) == 0.0


def test_a_picture_becomes_tiles(tmp_path: Path) -> None:
    page = seen(picture(tmp_path, "a", [(0, 0, TILE - 1, TILE - 1)]))

    assert (page.across, page.down) == (SIZE[0] // TILE, SIZE[1] // TILE)
    assert page.shades[0] == 40
    assert page.inked == 1
