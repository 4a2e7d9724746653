"""Asking the system for USB sticks: what is said on the socket, and what follows when nobody answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge import stick_door

Serve = Callable[[bytes], list[bytes]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """The other end of the socket, which the system holds; returns the lines it hears."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "door"))
    listener.listen()
    threads: list[threading.Thread] = []

    def serving(answer: bytes) -> list[bytes]:
        heard: list[bytes] = []

        def once() -> None:
            caller, _ = listener.accept()
            with caller:
                heard.append(caller.recv(300))
                caller.sendall(answer)

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return heard

    yield serving
    for thread in threads:
        thread.join(5)
    listener.close()


def test_looking_has_every_stick_mounted(serve: Serve, tmp_path: Path) -> None:
    heard = serve('{"sticks": ["站长", "sda1"]}\n'.encode())

    assert stick_door.look(tmp_path / "door") == ["站长", "sda1"]
    assert heard == [b"look\n"]


@pytest.mark.parametrize(("answer", "is_open"), [(b'{"sticks": ["sda1"]}\n', True), (b"{}\n", False), (b"", False)])
def test_a_stick_is_open_for_writing_only_when_the_answer_names_it(
    serve: Serve, tmp_path: Path, answer: bytes, is_open: bool
) -> None:
    heard = serve(answer)

    assert stick_door.open_for_writing("sda1", tmp_path / "door") is is_open
    assert heard == [b"write sda1\n"]


def test_where_nobody_mounts_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no socket")

    assert stick_door.look(tmp_path / "none") == []
    assert stick_door.look(tmp_path / "file") == []
