"""Words of the kernel about plugs: the real ones, and what is made of them. Back-off alone would take seconds here."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from drivers import hotplug
from drivers.hotplug import Arrivals, is_arrival
from drivers.input_nodes import Grabbed
from drivers.link import Link, Reopen, SerialPort
from drivers.scanner import EvdevScanner
from drivers.sim.host import Terminal
from drivers.sim.scanner import Gun
from drivers.wire.keys import KeyScans
from tests.links import LoopClock, run_instantly

LATE_S = 3.0  # far less than the waits below
SAYS = Path("/sys/class/tty/tty/uevent")  # writing an action there makes the kernel say it, as udevadm trigger does
KERNEL = b"add@/devices/usb1/1-1/tty/ttyUSB0\0ACTION=add\0SUBSYSTEM=tty\0DEVNAME=ttyUSB0\0SEQNUM=12\0"
UDEV = b"libudev\0\xfe\xed\xca\xfe" + bytes(28) + b"ACTION=add\0DEVLINKS=/dev/serial/by-id/x\0SUBSYSTEM=tty"


def can_speak() -> str:
    """Why the kernel cannot be made to say something here; empty when it can."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, hotplug.UEVENT) as ear:
            ear.bind((0, hotplug.KERNEL))
            SAYS.write_text("add", "ascii")
            time.sleep(0.05)
            ear.recv(hotplug.MAX_WORD)
    except OSError as error:
        return str(error)
    return ""


with_kernel = pytest.mark.skipif(bool(can_speak()), reason=f"the kernel says nothing about plugs here: {can_speak()}")


@pytest.mark.parametrize("word", [KERNEL, UDEV, KERNEL.replace(b"=tty", b"=input"), KERNEL.replace(b"=add", b"=bind")])
def test_a_plug_that_may_be_ours_is_an_arrival(word: bytes) -> None:
    assert is_arrival(word)


@pytest.mark.parametrize(
    "word",
    [b"", b"\0", KERNEL.replace(b"ACTION=add", b"ACTION=remove"), KERNEL.replace(b"=tty", b"=block"), KERNEL[:40]],
)
def test_other_words_are_none(word: bytes) -> None:
    assert not is_arrival(word)


@with_kernel
def test_the_kernels_own_word_is_heard() -> None:
    async def main() -> bool:
        with Arrivals() as arrivals:
            SAYS.write_text("add", "ascii")
            return await arrivals.wait(LATE_S)

    assert asyncio.run(main())


def test_without_words_the_time_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotplug, "UEVENT", 31)  # a family that no kernel has

    async def main() -> bool:
        with Arrivals() as arrivals:
            assert arrivals._socket is None
            return await arrivals.wait(3600)

    assert run_instantly(main()) is False


@with_kernel
def test_a_port_that_was_plugged_in_is_open_at_once(tmp_path: Path) -> None:
    terminal = Terminal("gun", Gun(), tmp_path / "gun")

    async def main() -> None:
        link = Link("gun", lambda: SerialPort(str(tmp_path / "gun"), 9600), reopen=Reopen(600, 600))
        await link.start()
        assert not link.is_open
        terminal.replug()
        SAYS.write_text("add", "ascii")
        async with asyncio.timeout(LATE_S):
            await link.opened_after(0)
        await link.stop()
        terminal.unplug()

    asyncio.run(main())


@with_kernel
def test_a_typing_scanner_that_was_plugged_in_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.scanner.REOPEN_S", 600)
    ours, theirs = socket.socketpair()
    is_plugged = False

    class Silent:
        fd = ours.fileno()

        def read(self) -> list[object]:
            return []

        def close(self) -> None:
            return None

    def grab() -> Grabbed:
        if not is_plugged:
            raise FileNotFoundError(2, "no such input device")
        return Grabbed(Silent())  # type: ignore[arg-type]

    async def main() -> None:
        nonlocal is_plugged
        scanner = EvdevScanner("gun", grab, KeyScans(), LoopClock())
        await scanner.start()
        assert scanner.status().hint
        await asyncio.sleep(0.05)
        is_plugged = True
        SAYS.write_text("add", "ascii")
        async with asyncio.timeout(LATE_S):
            while scanner.status().hint:
                await asyncio.sleep(0.02)
        await scanner.stop()

    asyncio.run(main())
    ours.close()
    theirs.close()
