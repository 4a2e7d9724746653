"""A broker that takes neither our user nor our password: the technician must be told so, not that the line is down."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.mqtt import LOGIN, Broker, Connection, LineLost, Will

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A broker that lets nobody in."""
    if MOSQUITTO is None:
        pytest.skip("no mosquitto here")
    number = free_port()
    tmp_path.chmod(0o755)
    (tmp_path / "people").touch(0o644)
    settings = f"listener {number} 127.0.0.1\nallow_anonymous false\npassword_file {tmp_path / 'people'}\nuser root\n"
    (tmp_path / "broker.conf").write_text(settings)
    broker = subprocess.Popen([MOSQUITTO, "-c", str(tmp_path / "broker.conf")], stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(number)
        yield number
    finally:
        broker.terminate()
        broker.wait(10)


def _until_it_listens(number: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the broker did not start")


def word_of(port: int) -> str | None:
    async def call() -> None:
        broker = Broker("127.0.0.1", port, "point", "wrong")
        async with Connection(broker, "vp-QJ-0001", Will("t", b""), 5):
            pass

    with pytest.raises(LineLost) as lost:
        asyncio.run(call())
    return lost.value.word


def test_a_wrong_password_is_told_as_such(port: int) -> None:
    assert word_of(port) == LOGIN


def test_a_broker_that_is_not_there_is_no_wrong_password() -> None:
    assert word_of(free_port()) is None
