"""Enrolment: the keyboard that types the code on the screen is the scanner, whatever else types meanwhile."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Iterable

import evdev
import pytest

from drivers.enrol import MAX_NODES, Enrolment, Found, Node
from drivers.enrol_watch import find_scanner
from drivers.input_nodes import read_usb_id

CODE = "K7Q2M9XA"
GUN = Node("/dev/input/event5", "USB KB", "usb-0000:01:00.0-1.2/input0", 0x0416, 0xC141)
TWIN = Node("/dev/input/event7", "USB KB", "usb-0000:01:00.0-1.3/input0", 0x0416, 0xC141)
DESK = Node("/dev/input/event1", "Keyboard", "usb-0000:01:00.0-1.1/input0", 0x046D, 0xC31C)
SHIFT, CAPS, ENTER = 42, 58, 28
KEYS = {char: code for first, row in ((2, "1234567890"), (16, "qwertyuiop"), (30, "asdfghjkl"), (44, "zxcvbnm"))
        for code, char in enumerate(row, first)} | {"]": 27, ":": 39}  # fmt: skip

Key = tuple[int, int, int]


def typed(text: str, end: tuple[int, ...] = (ENTER,)) -> list[Key]:
    events: list[Key] = []
    for char in text:
        is_shifted = char.isupper() or char == ":"
        events += [(1, SHIFT, 1)] * is_shifted
        events += [(1, KEYS[char.lower()], 1), (1, KEYS[char.lower()], 0)]
        events += [(1, SHIFT, 0)] * is_shifted
    return events + [(1, code, value) for code in end for value in (1, 0)]


def feed(enrolment: Enrolment, node: Node, events: list[Key], at_ms: int = 0) -> Found | None:
    found = [enrolment.feed(node.path, event, at_ms) for event in events]
    return next((each for each in found if each is not None), None)


def test_the_node_that_types_the_code_is_the_scanner() -> None:
    enrolment = Enrolment(CODE, [DESK, GUN])

    assert feed(enrolment, DESK, typed("hello")) is None
    found = feed(enrolment, GUN, typed(CODE))

    assert found == Found(GUN, "", has_twin=False, keeps_case=True, has_aim=False)
    assert found is not None
    assert found.settings["usb_id"] == "0416:c141"
    assert read_usb_id(found.settings["usb_id"]) == (GUN.vendor, GUN.product)


def test_keys_of_several_keyboards_do_not_mix() -> None:
    enrolment = Enrolment(CODE, [DESK, GUN])
    desk, gun = typed("abc", end=()), typed(CODE)

    found = [enrolment.feed(n.path, e, 0) for at, e in enumerate(gun) for n, e in ((DESK, desk[at % 6]), (GUN, e))]

    assert [each.node for each in found if each] == [GUN]


def test_half_a_code_here_and_half_there_is_nobodys() -> None:
    enrolment = Enrolment(CODE, [DESK, GUN])

    assert feed(enrolment, DESK, typed(CODE[:4], end=())) is None
    assert feed(enrolment, GUN, typed(CODE[4:])) is None


def test_two_equal_dongles_are_told_apart_by_their_port() -> None:
    found = feed(Enrolment(CODE, [GUN, TWIN]), TWIN, typed(CODE))

    assert found is not None
    assert (found.node.phys, found.has_twin) == (TWIN.phys, True)


def test_two_nodes_of_one_dongle_are_no_twins() -> None:
    media = Node("/dev/input/event6", "USB KB", "usb-0000:01:00.0-1.2/input1", 0x0416, 0xC141)

    found = feed(Enrolment(CODE, [GUN, media]), GUN, typed(CODE))

    assert found is not None
    assert not found.has_twin


@pytest.mark.parametrize(
    ("text", "prefix", "has_aim"),
    [(CODE, "", False), ("]C0" + CODE, "", True), ("A:" + CODE, "A:", False), ("A:]C0" + CODE, "A:", True)],
)
def test_prefix_and_aim_identifier_of_the_gun_are_told(text: str, prefix: str, has_aim: bool) -> None:
    found = feed(Enrolment(CODE, [GUN]), GUN, typed(text))

    assert found is not None
    assert (found.prefix, found.has_aim) == (prefix, has_aim)


def test_a_gun_that_swaps_capitals_is_found_and_told() -> None:
    found = feed(Enrolment(CODE, [GUN]), GUN, [(1, CAPS, 1), (1, CAPS, 0), *typed(CODE)])

    assert found is not None
    assert not found.keeps_case


@pytest.mark.parametrize("text", ["K7Q2M9X", CODE[:-1] + "B", "x" * 30 + CODE, CODE + "1"])
def test_another_code_is_nobodys(text: str) -> None:
    letters = text.replace("x", "z")

    assert feed(Enrolment(CODE, [GUN]), GUN, typed(letters)) is None


def test_a_gun_without_enter_is_found_after_a_pause() -> None:
    enrolment = Enrolment(CODE, [GUN])

    assert feed(enrolment, GUN, typed(CODE, end=())) is None
    found = enrolment.idle(1000)

    assert found is not None
    assert found.node == GUN


def test_a_node_that_vanished_or_was_never_there_is_not_heard() -> None:
    enrolment = Enrolment(CODE, [GUN])
    enrolment.remove(GUN.path)

    assert feed(enrolment, GUN, typed(CODE)) is None
    assert feed(enrolment, DESK, typed(CODE)) is None


def test_nodes_are_bounded() -> None:
    enrolment = Enrolment(CODE, [Node(f"/dev/input/event{n}", "", "", 0, 0) for n in range(MAX_NODES + 9)])

    assert len(enrolment._nodes) == MAX_NODES


@pytest.mark.parametrize("text", ["", "SHORT7", "lower8chars", "K7Q2M9X:", "柜柜柜柜柜柜柜柜"])
def test_a_code_that_could_be_typed_by_chance_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="8 or more"):
        Enrolment(text)


class Keyboard:
    """A node whose events come through a socketpair, as the kernel writes them."""

    def __init__(self) -> None:
        self.kernel, self.ours = socket.socketpair()
        self.ours.setblocking(False)
        self.fd = self.ours.fileno()
        self.is_gone = False
        self.closed = 0

    def read(self) -> Iterable[evdev.InputEvent]:
        if self.is_gone:
            raise OSError(errno.ENODEV, "No such device")
        raw = self.ours.recv(24 * 64)
        return [evdev.InputEvent(*struct.unpack_from("@llHHi", raw, at)) for at in range(0, len(raw), 24)]

    def close(self) -> None:
        self.closed += 1

    def type(self, events: list[Key]) -> None:
        self.kernel.send(b"".join(struct.pack("@llHHi", 1, 0, *event) for event in events))

    def discard(self) -> None:
        self.kernel.close()
        self.ours.close()


@pytest.mark.parametrize("scans", [True, False])
def test_all_keyboards_are_listened_to_and_given_back(scans: bool) -> None:
    boards = {node: Keyboard() for node in (DESK, GUN, TWIN)}

    async def main() -> Found | None:
        boards[DESK].is_gone = True
        boards[DESK].kernel.send(bytes(24))
        if scans:
            asyncio.get_running_loop().call_later(0.05, boards[TWIN].type, typed(CODE))
        return await find_scanner(CODE, list(boards.items()), 5 if scans else 0.2)

    found = asyncio.run(main())

    assert (found.node if found else None) == (TWIN if scans else None)
    assert [board.closed for board in boards.values()] == [1, 1, 1]
    for board in boards.values():
        board.discard()
