"""The sticks of a terminal: what is listed, what is written, and what is refused before a file is touched."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from stockroom import KEYS

from edge import events, log
from edge.carrying import Carrying, Place
from edge.release import REFUSALS, Unfit
from edge.steps.stick import StickBoard, StickDone
from edge.store import Store
from ui.words import catalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("usb-1", "usb-2"):
        (tmp_path / "mnt" / name).mkdir(parents=True)
    (tmp_path / "mnt" / "readme.txt").write_text("no stick")
    (tmp_path / "mnt" / "link").symlink_to(tmp_path)
    return tmp_path / "mnt"


def carrying(store: Store, place: Place, moved: list[str] | None = None) -> Carrying:
    told = [] if moved is None else moved
    return Carrying(place, KEYS.link, store, lambda: told.append("moved"))


def test_on_a_desk_folders_are_sticks(store: Store, folder: Path) -> None:
    board = asyncio.run(carrying(store, Place(folder, plain=True)).board())

    assert [each.name for each in board.sticks] == ["usb-1", "usb-2"]


def test_at_a_point_only_what_is_mounted_is_a_stick(store: Store, folder: Path) -> None:
    assert asyncio.run(carrying(store, Place(folder)).board()) == StickBoard(())


def test_without_a_folder_that_is_said(store: Store) -> None:
    assert not asyncio.run(carrying(store, Place(None)).board()).is_set_up


def test_what_waits_is_written_and_our_own_file_is_not_read(store: Store, folder: Path) -> None:
    store.run_now(log.append, events.HelpCalled("home"))
    moved: list[str] = []
    hands = carrying(store, Place(folder, plain=True), moved)

    assert asyncio.run(hands.write("usb-1")) == StickDone("written", 1)
    assert asyncio.run(hands.read("usb-1")) == StickDone("own")
    assert moved == []


@pytest.mark.parametrize("name", ["usb-3", "../mnt/usb-1", "", "link"])
def test_a_stick_that_is_not_listed_is_not_touched(store: Store, folder: Path, name: str) -> None:
    hands = carrying(store, Place(folder, plain=True))

    assert asyncio.run(hands.write(name)) == StickDone("not_a_folder")
    assert asyncio.run(hands.read(name)) == StickDone("not_a_folder")


class Beside:
    """What the root would do with a stick: a release is refused or put on."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.placed: list[str] = []

    def keep(self, _stick: Path) -> None:
        return None

    async def bundle(self, _stick: Path) -> None:
        return None

    async def release(self, stick: Path) -> None:
        if self.refusal:
            raise Unfit(self.refusal)
        self.placed.append(stick.name)


def test_the_newest_release_of_a_stick_is_named_and_put_on(store: Store, folder: Path) -> None:
    for name in ("village-point-0.2.0-arm64", "village-point-0.1.0-arm64", ".hidden"):
        (folder / "usb-2" / f"{name}.raucb").write_bytes(b"x")
    (folder / "usb-2" / "village-point-0.9.0-arm64.raucb").symlink_to(folder / "readme.txt")
    beside = Beside()
    hands = Carrying(Place(folder, plain=True), KEYS.link, store, lambda: None, beside)

    assert [each.release for each in asyncio.run(hands.board()).sticks] == ["", "0.2.0-arm64"]
    assert asyncio.run(hands.release("usb-2")) == StickDone("placed")
    assert beside.placed == ["usb-2"]
    assert asyncio.run(hands.release("usb-9")) == StickDone("not_a_folder")


@pytest.mark.logs("refused")
@pytest.mark.parametrize("word", REFUSALS)
def test_every_refusal_of_a_release_reaches_the_screen(store: Store, folder: Path, word: str) -> None:
    hands = Carrying(Place(folder, plain=True), KEYS.link, store, lambda: None, Beside(word))

    assert asyncio.run(hands.release("usb-1")) == StickDone(f"update:{word}")
    for language in ("zh", "en"):
        assert f"update_why.{word}" in catalogue(language)


@pytest.mark.logs("refused")
def test_without_an_image_there_is_nothing_to_update(store: Store, folder: Path) -> None:
    hands = carrying(store, Place(folder, plain=True))

    assert asyncio.run(hands.release("usb-1")) == StickDone("update:no_slots")
