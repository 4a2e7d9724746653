"""The wire between an emulator and the disk: handshake, requests, errors, a client that leaves."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_disk import PAGE, CutDisk
from nbd import (
    ANSWER,
    MAGIC,
    OPT_EXPORT_NAME,
    OPT_GO,
    OPTION,
    REP_ACK,
    REP_ERR_UNSUP,
    REP_INFO,
    REPLY,
    REQUEST,
    NbdServer,
)

SIZE = 8 * PAGE
READ, WRITE, DISCONNECT, FLUSH, TRIM = range(5)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[CutDisk]:
    (tmp_path / "base").write_bytes(bytes(SIZE))
    made = CutDisk(tmp_path / "base", tmp_path)
    yield made
    made.close()


@pytest.fixture
def server(disk: CutDisk) -> Iterator[NbdServer]:
    made = NbdServer(disk)
    made.start()
    yield made
    made.stop()


class Client:
    def __init__(self, server: NbdServer) -> None:
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(10)
        self.line.connect(str(server.path))
        assert struct.unpack(">QQH", self.take(18)) == (MAGIC, OPTION, 3)
        self.line.sendall(struct.pack(">I", 3))

    def take(self, count: int) -> bytes:
        return self.line.recv(count, socket.MSG_WAITALL)

    def option(self, number: int, body: bytes = b"") -> None:
        self.line.sendall(struct.pack(">QII", OPTION, number, len(body)) + body)

    def reply(self) -> tuple[int, bytes]:
        magic, _, kind, length = struct.unpack(">QIII", self.take(20))
        assert magic == REPLY
        return kind, self.take(length)

    def ask(self, kind: int, at: int = 0, count: int = 0, body: bytes = b"") -> tuple[int, bytes]:
        self.line.sendall(struct.pack(">IHHQQI", REQUEST, 0, kind, 77, at, count or len(body)) + body)
        magic, error, handle = struct.unpack(">IIQ", self.take(16))
        assert (magic, handle) == (ANSWER, 77)
        return error, self.take(count) if kind == READ and not error else b""


@pytest.fixture
def client(server: NbdServer) -> Iterator[Client]:
    made = Client(server)
    made.option(OPT_EXPORT_NAME)
    assert struct.unpack(">QH", made.take(10)) == (SIZE, 5)
    yield made
    made.line.close()


def test_a_modern_client_is_told_the_size_and_may_go(server: NbdServer) -> None:
    client = Client(server)
    client.option(8)  # structured replies: not ours
    refused = client.reply()
    client.option(OPT_GO, struct.pack(">IH", 0, 0))
    told, end = client.reply(), client.reply()

    assert refused == (REP_ERR_UNSUP, b"")
    assert told == (REP_INFO, struct.pack(">HQH", 0, SIZE, 5))
    assert end == (REP_ACK, b"")
    assert client.ask(READ, 0, 4) == (0, bytes(4))
    client.line.close()


def test_a_flush_on_the_wire_is_what_survives(client: Client, disk: CutDisk) -> None:
    assert client.ask(WRITE, 10, body=b"kept") == (0, b"")
    assert client.ask(FLUSH) == (0, b"")
    assert client.ask(READ, 10, 4) == (0, b"kept")

    disk.cut(random.Random(2))

    assert disk.read(10, 4) == b"kept"
    assert disk.flushes == 1


def test_requests_outside_of_the_disk_are_errors_and_the_line_goes_on(client: Client) -> None:
    assert client.ask(READ, SIZE - 2, 4)[0] == 5
    assert client.ask(WRITE, SIZE, body=b"x")[0] == 5
    assert client.ask(TRIM, 0, 4)[0] == 22
    assert client.ask(READ, 0, 2) == (0, b"\0\0")


def test_a_client_that_leaves_makes_room_for_the_next(client: Client, server: NbdServer) -> None:
    client.line.sendall(struct.pack(">IHHQQI", REQUEST, 0, DISCONNECT, 1, 0, 0))
    assert client.take(1) == b""

    other = Client(server)
    other.option(OPT_EXPORT_NAME)

    assert other.take(10) == struct.pack(">QH", SIZE, 5)
    other.line.close()
