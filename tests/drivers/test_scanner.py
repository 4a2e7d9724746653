"""Scanners: lines over a link, and keys from an input device whose events are written as the kernel writes them."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable

import evdev
import pytest

from drivers import input_nodes
from drivers import scanner as module
from drivers.base import Flaw, Health, Read
from drivers.batch import Memory, Rhythm
from drivers.input_nodes import Grabbed, grab_nodes
from drivers.mistakes import Unfit
from drivers.outbox import MAX_READS, Habits
from drivers.scanner import EvdevScanner, SerialScanner
from drivers.sim.scanner import Gun
from drivers.wire.keys import KeyScans
from drivers.wire.prefixes import read_gs_sign
from drivers.wire.scans import LineScans
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, run_instantly, whole

ENTER = 28
KEYS = {
    char: code for first, chars in ((2, "1234567890"), (16, "qwertyuiop")) for code, char in enumerate(chars, first)
}


async def take(scanner: SerialScanner | EvdevScanner, count: int) -> list[Read]:
    seen: list[Read] = []
    async with asyncio.timeout(10):
        async for read in scanner.reads():
            seen.append(read)
            if len(seen) == count:
                break
    return seen


def play(story: Callable[[SerialScanner, Gun, Pipe], Awaitable[None]], shape: Shape = whole) -> None:
    gun = Gun()
    pipe = Pipe(gun, shape)

    async def main() -> None:
        scanner = SerialScanner(pipe.link("gun"), LineScans(), LoopClock())
        await scanner.start()
        await story(scanner, gun, pipe)
        await scanner.stop()
        await scanner.stop()

    run_instantly(main())


@pytest.mark.parametrize("shape", [whole, byte_by_byte, glued])
@pytest.mark.parametrize("terminator", ["cr", "crlf", "lf", "none"])
def test_a_scan_arrives_once_however_it_ends(shape: Shape, terminator: str) -> None:
    async def story(scanner: SerialScanner, gun: Gun, pipe: Pipe) -> None:
        for text in ("SF1385628716739", "种子"):
            gun.send(text, terminator)
            pipe.tick()
            await asyncio.sleep(1)
        assert [read.text for read in await take(scanner, 2)] == ["SF1385628716739", "种子"]

    play(story, shape)


def test_a_scan_half_sent_when_the_port_vanished_is_dropped() -> None:
    async def story(scanner: SerialScanner, gun: Gun, pipe: Pipe) -> None:
        gun.send("SF13", "none")
        pipe.tick()
        await asyncio.sleep(0.05)
        pipe.unplug()
        await asyncio.sleep(0.5)
        assert scanner.status().health is Health.AWAY
        pipe.replug()
        await asyncio.sleep(1)
        gun.send("JD1")
        pipe.tick()

        assert [read.text for read in await take(scanner, 1)] == ["JD1"]
        assert scanner.status().health is Health.OK

    play(story)


def test_codes_nobody_takes_are_bounded_and_counted() -> None:
    async def story(scanner: SerialScanner, gun: Gun, pipe: Pipe) -> None:
        gun.burst([f"JD{n}" for n in range(MAX_READS + 20)])
        pipe.tick()
        await asyncio.sleep(1)
        assert scanner.status().health is Health.DEGRADED
        assert "20 codes" in scanner.status().hint
        assert [read.text for read in await take(scanner, MAX_READS)] == [f"JD{n}" for n in range(MAX_READS)]

    play(story)


class Keyboard:
    """An input device as the kernel presents it: a socketpair that carries `struct input_event`."""

    def __init__(self) -> None:
        self.kernel, self.ours = socket.socketpair()
        self.ours.setblocking(False)
        self.is_gone = False
        self.closed = 0
        device = evdev.InputDevice.__new__(evdev.InputDevice)
        device.path, device.name, device.phys, device.uniq = "/dev/input/event9", "gun", "usb-1.2/input0", ""
        device.info, device.version, device.fd = evdev.device.DeviceInfo(3, 1, 1, 1), 1, self.ours.fileno()
        device._rawcapabilities, device.ff_effects_count = {}, 0
        self._device = device
        self.fd = device.fd

    def read(self) -> Iterable[evdev.InputEvent]:
        if self.is_gone:
            raise OSError(errno.ENODEV, "No such device")
        return self._device.read()

    def close(self) -> None:
        self.closed += 1

    def send(self, *events: tuple[int, int, int], ms: int | None = None) -> None:
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000 if ms is None else ms
        self.kernel.send(b"".join(struct.pack("@llHHi", at // 1000, at % 1000 * 1000, *event) for event in events))

    def type(self, text: str) -> None:
        for code in [*(KEYS[char] for char in text), ENTER]:
            self.send((4, 4, code), (1, code, 1), (0, 0, 0), (1, code, 0), (0, 0, 0))

    def unplug(self) -> None:
        self.is_gone = True
        self.kernel.send(bytes(24))  # the kernel reports a dead device as readable

    def discard(self) -> None:
        self._device.fd = -1
        self.kernel.close()
        self.ours.close()


def play_keys(story: Callable[[EvdevScanner, list[Keyboard]], Awaitable[None]]) -> list[Keyboard]:
    """Run a scanner whose grab finds the last keyboard of a list, or nothing when the list is empty."""
    keyboards = [Keyboard()]

    def grab() -> Grabbed:
        if keyboards[-1].is_gone:
            raise FileNotFoundError(errno.ENOENT, "no such input device")
        return Grabbed(keyboards[-1])

    async def main() -> None:
        scanner = EvdevScanner("gun", grab, KeyScans(idle_ms=60), LoopClock())
        await scanner.start()
        await story(scanner, keyboards)
        await scanner.stop()
        await scanner.stop()
        assert [read async for read in scanner.reads()] == []

    asyncio.run(main())
    for keyboard in keyboards:
        keyboard.discard()
    return keyboards


def test_typed_codes_are_read_with_one_iterator_across_batches() -> None:
    async def story(scanner: EvdevScanner, keyboards: list[Keyboard]) -> None:
        for code in ("1234567890", "qwerty", "0", "99"):
            keyboards[0].type(code)
        reads = await take(scanner, 4)

        assert [read.text for read in reads] == ["1234567890", "qwerty", "0", "99"]
        assert all(abs(read.at_ms - LoopClock().ms()) < 2000 for read in reads)

    [keyboard] = play_keys(story)
    assert keyboard.closed == 1


def test_a_code_without_enter_ends_with_a_pause() -> None:
    async def story(scanner: EvdevScanner, keyboards: list[Keyboard]) -> None:
        keyboards[0].send((1, KEYS["7"], 1), (0, 0, 0))
        assert [read.text for read in await take(scanner, 1)] == ["7"]

    play_keys(story)


def test_keys_dropped_by_the_kernel_spoil_one_code_and_say_so() -> None:
    async def story(scanner: EvdevScanner, keyboards: list[Keyboard]) -> None:
        keyboards[0].send((1, KEYS["7"], 1), (0, 0, 0), (0, 3, 0))
        keyboards[0].type("345")
        keyboards[0].type("678")
        assert [(read.text, read.flaw) for read in await take(scanner, 2)] == [("", Flaw.DAMAGED), ("678", None)]

    play_keys(story)


def test_an_unplugged_scanner_drops_its_half_code_and_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REOPEN_S", 0.02)

    async def story(scanner: EvdevScanner, keyboards: list[Keyboard]) -> None:
        keyboards[0].send((1, KEYS["7"], 1), (0, 0, 0))
        await asyncio.sleep(0.02)
        keyboards[0].unplug()
        await asyncio.sleep(0.05)
        assert scanner.status().health is Health.AWAY

        keyboards.append(Keyboard())
        await asyncio.sleep(0.05)
        keyboards[1].type("345")

        assert [read.text for read in await take(scanner, 1)] == ["345"]
        assert scanner.status().health is Health.OK

    old, new = play_keys(story)
    assert (old.closed, new.closed) == (1, 1)


def test_a_scanner_absent_at_the_start_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        scanner = EvdevScanner("gun", lambda: grab_nodes("/dev/input/by-path/absent"), KeyScans(), LoopClock())
        await scanner.start()
        assert scanner.status().health is Health.AWAY
        assert "No such file" in scanner.status().hint
        await scanner.stop()

    asyncio.run(main())


class Node:
    """What the input library gives for one node, as far as taking it goes."""

    def __init__(self, path: str, phys: str, keys: tuple[int, ...]) -> None:
        self.path, self.phys, self.fd = path, phys, int(path[-1])
        self._keys = keys
        self.is_grabbed = self.is_closed = False

    def capabilities(self) -> dict[int, list[int]]:
        return {1: list(self._keys)}

    def grab(self) -> None:
        self.is_grabbed = True

    def close(self) -> None:
        self.is_closed = True


def nodes() -> list[Node]:
    return [
        Node("/dev/input/event0", "isa0060/serio0/input0", (ENTER,)),
        Node("/dev/input/event4", "usb-1.2/input1", (113, 116)),
        Node("/dev/input/event5", "usb-1.2/input0", (ENTER, 2)),
        Node("/dev/input/event6", "usb-1.3/input0", (ENTER, 2)),
    ]


@pytest.mark.parametrize("wanted", ["/dev/input/event5", None])
def test_all_nodes_of_one_stick_are_grabbed_and_no_other(monkeypatch: pytest.MonkeyPatch, wanted: str | None) -> None:
    clocks: list[tuple[int, bytes]] = []
    monkeypatch.setattr("fcntl.ioctl", lambda _fd, request, value: clocks.append((request, value)))
    found = nodes()

    grabbed = input_nodes._taken(list(found), "usb-1.2", wanted)

    assert [node.is_grabbed for node in found] == [False, True, True, False]
    assert [node.is_closed for node in found] == [True, False, False, True]
    assert grabbed.keyboard.fd == found[2].fd == 5
    assert clocks == [(0x400445A0, struct.pack("i", time.CLOCK_MONOTONIC))] * 2


def test_a_place_without_a_keyboard_is_no_scanner() -> None:
    with pytest.raises(LookupError):
        input_nodes._taken(list(nodes()), "usb-9", None)


def test_the_real_kernel_refuses_what_is_no_input_device() -> None:
    with pytest.raises((OSError, LookupError)):
        grab_nodes("/dev/null")


def test_the_scanner_in_the_place_must_be_the_one_that_was_enrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.ioctl", lambda *_: None)
    ours = nodes()
    for node in ours:
        node.info = evdev.device.DeviceInfo(3, 0x0416, 0xC141, 1)

    with pytest.raises(LookupError, match="0416:c141, not the scanner"):
        input_nodes._taken(list(ours), "usb-1.2", None, (0x05E0, 0x1200))

    assert not any(node.is_grabbed for node in ours)
    assert input_nodes._taken(list(ours), "usb-1.2", None, (0x0416, 0xC141)).keyboard.fd == 5


@pytest.mark.parametrize("text", ["05e0", "05e0:12000", "05e0-1200", "keyboard:1"])
def test_a_usb_id_is_two_groups_of_four_digits(text: str) -> None:
    with pytest.raises(Unfit, match="usb_id"):
        input_nodes.read_usb_id(text)


def test_an_upload_typed_by_a_gun_is_a_batch_and_one_cut_short_by_the_plug_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REOPEN_S", 0.02)
    codes = [str(number) for number in range(1000, 1009)]

    async def main() -> None:
        keyboard = Keyboard()
        sources = iter([Grabbed(keyboard)])

        def grab() -> Grabbed:
            return next(sources, None) or Grabbed(Gone())

        scanner = EvdevScanner("gun", grab, KeyScans(), LoopClock(), Habits(rhythm=Rhythm(Memory.HELD)))
        await scanner.start()
        for code in codes:
            keyboard.type(code)
        await asyncio.sleep(0.1)
        keyboard.send((1, KEYS["7"], 1), (0, 0, 0))
        await asyncio.sleep(0.05)
        keyboard.unplug()
        async with asyncio.timeout(5):
            batch = await anext(scanner.batches())
        assert ([read.text for read in batch.reads], batch.is_whole) == (codes, False)
        await scanner.stop()
        keyboard.discard()

    asyncio.run(main())


class Gone(Keyboard):
    """A place where nothing is plugged in any more."""

    def __init__(self) -> None:
        raise FileNotFoundError(errno.ENOENT, "no such input device")


@pytest.mark.parametrize(("accepted", "beeps"), [(True, 1), (False, 3)])
def test_a_gun_with_a_bell_beeps(accepted: bool, beeps: int) -> None:
    async def main() -> None:
        heard = bytearray()
        gun = Gun()
        monkey = gun.line.incoming
        gun.receive = lambda chunk: heard.extend(monkey(chunk)) or []  # type: ignore[method-assign,func-returns-value]
        scanner = SerialScanner(Pipe(gun).link("gun"), LineScans(), LoopClock(), has_bell=True)
        await scanner.signal(accepted)  # away: nothing happens
        await scanner.start()
        assert scanner.can_signal
        await scanner.signal(accepted)
        assert heard == b"\x07" * beeps
        await scanner.stop()

    run_instantly(main())


@pytest.mark.parametrize("sign", ["<GS>", "{GS}", "#", "|", "~"])
def test_a_visible_sign_for_the_group_separator_becomes_one(sign: str) -> None:
    async def main() -> None:
        gun = Gun()
        pipe = Pipe(gun)
        scanner = SerialScanner(pipe.link("gun"), LineScans(), LoopClock(), Habits(gs_sign=read_gs_sign(sign)))
        await scanner.start()
        gun.send(f"]C10112345678901231{sign}10LOT")
        pipe.tick()
        assert [read.text for read in await take(scanner, 1)] == ["]C10112345678901231\x1d10LOT"]
        await scanner.stop()

    run_instantly(main())


@pytest.mark.parametrize("sign", ["GS", "0", "分"])
def test_a_sign_that_codes_are_made_of_is_refused(sign: str) -> None:
    with pytest.raises(Unfit, match="gs_sign"):
        read_gs_sign(sign)
