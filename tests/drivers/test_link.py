"""The byte pipe: loss and return of the port, the local echo, exclusive use."""

from __future__ import annotations

import asyncio
import os
import tty
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.base import HELD, NoAnswer, NotThere
from drivers.link import MAX_WAITING_BYTES, Link, MemoryPort, Reopen, serial_link
from tests.links import run_instantly

FAST = Reopen(0.02, 0.05)


def memory_link(port: MemoryPort, echo: bool = False) -> Link:
    return Link("pipe", lambda: port, echo)


async def received(link: Link, count: int) -> bytes:
    seen = b""
    async with asyncio.timeout(5):
        while len(seen) < count:
            seen += await link.receive()
    return seen


@pytest.mark.parametrize(
    "chunks",
    [
        [b"ASK", b"ASK"],  # the answer equals the question: only the first is the echo
        [b"ASKASK"],
        [b"A", b"S", b"KA", b"SK"],
        [b"\x81push", b"AS", b"KASK"],  # something unasked came before
    ],
)
def test_exactly_one_echo_is_dropped(chunks: list[bytes]) -> None:
    async def main() -> bytes:
        link = memory_link(MemoryPort(lambda _: chunks), echo=True)
        await link.start()
        await link.write(b"ASK")
        seen = await received(link, len(b"".join(chunks)) - 3)
        await link.stop()
        return seen

    assert run_instantly(main()) == b"".join(chunks).replace(b"ASK", b"", 1)


def test_without_echo_setting_nothing_is_dropped() -> None:
    async def main() -> bytes:
        link = memory_link(MemoryPort(lambda chunk: [chunk]))
        await link.start()
        await link.write(b"ASK")
        seen = await received(link, 3)
        await link.stop()
        return seen

    assert run_instantly(main()) == b"ASK"


def test_a_lost_echo_does_not_eat_the_next_answer() -> None:
    answers = iter([[b"reply1"], [b"TWO", b"reply2"]])

    async def main() -> bytes:
        link = memory_link(MemoryPort(lambda _: next(answers)), echo=True)
        await link.start()
        await link.write(b"ONE")
        await link.write(b"TWO")
        seen = await received(link, 12)
        await link.stop()
        return seen

    assert run_instantly(main()) == b"reply1reply2"


def test_the_first_wait_doubles_up_to_the_longest() -> None:
    attempts: list[float] = []

    def connect() -> MemoryPort:
        attempts.append(asyncio.get_running_loop().time())
        raise OSError("absent")

    async def main() -> None:
        link = Link("pipe", connect, reopen=Reopen(0.2, 5.0))
        await link.start()
        await asyncio.sleep(30)
        assert not link.is_open
        assert link.hint == "absent"
        await link.stop()

    run_instantly(main())
    waits = [round(b - a, 3) for a, b in pairwise(attempts)]
    assert waits[:6] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert set(waits[5:]) == {5.0}


def test_a_reader_that_never_comes_costs_bounded_memory() -> None:
    async def main() -> int:
        port = MemoryPort(lambda _: [])
        link = memory_link(port)
        await link.start()
        port.deliver([b"x" * 1000] * 1000)
        await asyncio.sleep(1)
        await link.stop()
        return link._waiting_bytes

    assert run_instantly(main()) <= MAX_WAITING_BYTES


class Terminal:
    """A bare pseudo-terminal behind a stable path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug()

    def plug(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path.symlink_to(os.ttyname(self.slave))

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.master)
        os.close(self.slave)


def test_a_real_terminal_carries_bytes_both_ways(tmp_path: Path) -> None:
    async def main() -> None:
        terminal = Terminal(tmp_path / "port")
        link = serial_link("port", str(terminal.path), 9600, reopen=FAST)
        await link.start()

        await link.write(b"\x8a\x01\x0d\x0a\x11\x03\x04")
        os.write(terminal.master, b"\x00\xff\x0d\x0a\x11\x13")

        assert os.read(terminal.master, 99) == b"\x8a\x01\x0d\x0a\x11\x03\x04"
        assert await received(link, 6) == b"\x00\xff\x0d\x0a\x11\x13"
        await link.stop()
        await link.stop()
        terminal.unplug()

    asyncio.run(main())


def test_an_unplugged_terminal_is_told_once_and_comes_back_under_another_name(tmp_path: Path) -> None:
    async def main() -> None:
        terminal = Terminal(tmp_path / "port")
        link = serial_link("port", str(terminal.path), 9600, reopen=FAST)
        await link.start()

        terminal.unplug()
        async with asyncio.timeout(5):
            assert await link.receive() == b""
        assert not link.is_open
        with pytest.raises(NotThere):
            await link.write(b"x")

        terminal.plug()
        async with asyncio.timeout(5):
            assert await link.opened_after(1) == 2
        os.write(terminal.master, b"back")
        assert await received(link, 4) == b"back"
        await link.stop()
        terminal.unplug()

    asyncio.run(main())


def test_a_port_in_use_is_not_there_until_it_is_free(tmp_path: Path) -> None:
    async def main() -> None:
        terminal = Terminal(tmp_path / "port")
        first, second = (serial_link(name, str(terminal.path), 9600, reopen=FAST) for name in ("first", "second"))
        await first.start()
        await second.start()
        assert first.is_open
        assert not second.is_open
        assert second.hint == HELD

        await first.stop()
        async with asyncio.timeout(5):
            await second.opened_after(0)

        assert second.is_open
        await second.stop()
        terminal.unplug()

    asyncio.run(main())


def test_a_path_that_is_no_terminal_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no port")

    async def main() -> None:
        for name in ("file", "absent"):
            link = serial_link(name, str(tmp_path / name), 9600, reopen=FAST)
            await link.start()
            with pytest.raises(NotThere):
                await link.write(b"x")
            await link.stop()

    asyncio.run(main())


def test_a_full_terminal_ends_the_write_after_its_time(tmp_path: Path) -> None:
    async def main() -> None:
        terminal = Terminal(tmp_path / "port")
        link = serial_link("port", str(terminal.path), 9600, reopen=FAST)
        await link.start()
        with pytest.raises(NoAnswer, match="port failed after"):
            await link.write(bytes(200_000))
        await link.stop()
        terminal.unplug()

    asyncio.run(main())


def test_bytes_of_a_port_that_was_lost_in_a_write_reach_nothing_that_was_opened_since(tmp_path: Path) -> None:
    """The system gives a number again at once; bytes for a lock board must not go into the books or another board."""

    async def main() -> list[int]:
        terminal = Terminal(tmp_path / "port")
        link = serial_link("port", str(terminal.path), 9600, reopen=FAST)
        await link.start()
        writing = asyncio.create_task(link.write(bytes(200_000)))
        await asyncio.sleep(0.05)  # the terminal is full, the rest waits

        await link.stop()
        since = [(tmp_path / f"opened {number}").open("wb") for number in range(8)]
        await asyncio.gather(writing, return_exceptions=True)

        for file in since:
            file.close()
        terminal.unplug()
        return [Path(file.name).stat().st_size for file in since]

    assert asyncio.run(main()) == [0] * 8
