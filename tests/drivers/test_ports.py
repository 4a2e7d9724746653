"""Ports other than serial ones: a connection that comes, hangs up and comes back; device files; paths to ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.base import NoAnswer, NotThere
from drivers.link import Link, Reopen
from drivers.mistakes import Unfit
from drivers.ports import UNTAKEN_S, link_to

FAST = Reopen(0.02, 0.05)


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


async def received(link: Link, count: int) -> bytes:
    seen = b""
    async with asyncio.timeout(5):
        while len(seen) < count:
            seen += await link.receive()
    return seen


@asynccontextmanager
async def parrot(port: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """A server that answers what it gets in capitals."""
    guests: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.append(writer)
        while chunk := await reader.read(100):
            writer.write(chunk.upper())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield guests
    finally:
        server.close()
        for guest in guests:
            guest.transport.abort()


def test_a_connection_is_made_once_somebody_listens_and_carries_bytes_both_ways() -> None:
    async def main() -> None:
        port = free_port()
        link = link_to("net", f"tcp://127.0.0.1:{port}", 0, reopen=FAST)
        await link.start()
        await asyncio.sleep(0.1)
        assert not link.is_open
        with pytest.raises(NotThere):
            await link.write(b"early")
        async with parrot(port):
            async with asyncio.timeout(5):
                await link.opened_after(0)
            await link.write(b"ask")
            assert await received(link, 3) == b"ASK"
            await link.stop()
            await link.stop()

    asyncio.run(main())


def test_a_connection_that_hangs_up_says_so_and_is_made_again() -> None:
    async def main() -> None:
        port = free_port()
        link = link_to("net", f"tcp://127.0.0.1:{port}", 0, reopen=FAST)
        await link.start()
        async with parrot(port) as guests, asyncio.timeout(5):
            await link.opened_after(0)
            await link.write(b"a")
            assert await received(link, 1) == b"A"
            guests[0].transport.abort()
            assert await link.receive() == b""
            await link.opened_after(1)
            await link.write(b"b")
            assert await received(link, 1) == b"B"
            await link.stop()

    asyncio.run(main())


def test_what_the_other_end_does_not_take_is_given_up_soon_and_never_comes_late() -> None:
    """Else the system goes on trying for a quarter of an hour, and a door opens when the line is back."""

    async def main() -> str:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            link = link_to("net", f"tcp://127.0.0.1:{deaf.getsockname()[1]}", 0, reopen=Reopen(30, 30))
            await link.start()
            async with asyncio.timeout(5):
                await link.opened_after(0)
            guest, _ = deaf.accept()
            with guest:
                with pytest.raises(NoAnswer):
                    await link.write(bytes(8_000_000))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(3 * UNTAKEN_S):
                        assert await link.receive() == b""
                hint = "" if link.is_open else link.hint
                await link.stop()
            return hint

    assert "timed out" in asyncio.run(main())


def test_starting_does_not_wait_for_a_network_and_stopping_ends_the_attempt() -> None:
    async def main() -> float:
        link = link_to("net", "tcp://192.0.2.1:5005", 0)  # TEST-NET-1: nobody is ever there
        before = asyncio.get_running_loop().time()
        await link.start()
        assert not link.is_open
        await link.stop()
        return asyncio.get_running_loop().time() - before

    assert asyncio.run(main()) < 1


@pytest.mark.parametrize("host", ["a..b", "no-such-name.invalid"])
def test_a_name_that_leads_nowhere_is_an_absent_device(host: str) -> None:
    async def main() -> str:
        link = link_to("net", f"tcp://{host}:9", 0, reopen=FAST)
        await link.start()
        async with asyncio.timeout(10):
            while link.hint == "not opened yet":
                await asyncio.sleep(0.02)
        await link.stop()
        return link.hint

    assert asyncio.run(main())


@pytest.mark.parametrize("scheme", ["usb", "file"])
def test_a_plain_file_collects_what_is_sent(scheme: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old ")

    async def main() -> None:
        link = link_to("file", f"{scheme}://{tmp_path}/out", 0)
        await link.start()
        await link.write(b"new")
        await link.stop()

    asyncio.run(main())
    assert (tmp_path / "out").read_bytes() == b"old new"


def test_a_device_file_is_read_and_its_end_is_noticed() -> None:
    async def main() -> None:
        master, slave = os.openpty()
        link = link_to("file", f"file://{os.ttyname(slave)}", 0, reopen=FAST)
        await link.start()
        os.write(master, b"hi\n")
        assert await received(link, 3) == b"hi\n"
        os.close(slave)
        os.close(master)
        async with asyncio.timeout(5):
            while await link.receive() != b"":
                pass
        assert not link.is_open
        await link.stop()

    asyncio.run(main())


def test_an_absent_file_is_an_absent_device(tmp_path: Path) -> None:
    async def main() -> None:
        link = link_to("file", f"file://{tmp_path}/none", 0, reopen=FAST)
        await link.start()
        assert not link.is_open
        (tmp_path / "none").touch()
        async with asyncio.timeout(5):
            await link.opened_after(0)
        await link.stop()

    asyncio.run(main())


@pytest.mark.parametrize("path", ["tcp://h", "tcp://h:0", "tcp://h:70000", "tcp://:1", "usb://lp0", "http://h:80"])
def test_an_address_that_is_none_is_refused_at_once(path: str) -> None:
    with pytest.raises(Unfit, match="path: address"):
        link_to("it", path, 9600)
