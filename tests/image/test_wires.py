"""The pump between a simulator's terminal and the machine's port, and the keys a keyboard gun presses."""

from __future__ import annotations

import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from pump import Pump
from qmp import keys_of


class Port:
    """The machine's end: a listening socket, as QEMU makes it."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.settimeout(10)
        self._listener.bind(str(path))
        self._listener.listen(1)

    def accept(self) -> socket.socket:
        line, _ = self._listener.accept()
        line.settimeout(10)
        return line

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    path = tmp_path / "dev"
    path.symlink_to(os.ttyname(slave))
    yield master, path
    os.close(master)
    os.close(slave)


@pytest.fixture
def pump(tmp_path: Path, device: tuple[int, Path]) -> Iterator[Pump]:
    made = Pump("lock", device[1], tmp_path / "far")
    yield made
    made.stop()


def test_bytes_go_both_ways_unchanged(pump: Pump, device: tuple[int, Path], tmp_path: Path) -> None:
    port = Port(tmp_path / "far")
    pump.start()
    line = port.accept()

    line.sendall(bytes(range(256)))
    there = b""
    while len(there) < 256:
        there += os.read(device[0], 256)
    os.write(device[0], b"\x8a\x01\r\n\x03\x11")

    assert there == bytes(range(256))
    assert line.recv(6, socket.MSG_WAITALL) == b"\x8a\x01\r\n\x03\x11"
    line.close()
    port.close()


def test_the_pump_joins_again_after_a_power_cut(pump: Pump, device: tuple[int, Path], tmp_path: Path) -> None:
    port = Port(tmp_path / "far")
    pump.start()
    port.accept().close()  # the emulator was killed

    line = port.accept()
    line.sendall(b"back")

    assert os.read(device[0], 4) == b"back"
    line.close()
    port.close()


@pytest.mark.parametrize(
    ("sign", "keys"),
    [
        ("a", ["a"]),
        ("Z", ["shift", "z"]),
        ("7", ["7"]),
        ("-", ["minus"]),
        (":", ["shift", "semicolon"]),
        ("&", ["shift", "7"]),
        ("\x03", ["ctrl", "c"]),
        ("\x1b", ["esc"]),
        ("\n", ["ret"]),
    ],
)
def test_a_sign_is_the_keys_a_gun_presses(sign: str, keys: list[str]) -> None:
    assert keys_of(sign) == keys


def test_every_printable_sign_can_be_typed_by_other_keys_than_all_others() -> None:
    pressed = {sign: tuple(keys_of(sign)) for sign in map(chr, range(32, 127))}

    assert len(set(pressed.values())) == 95


def test_a_sign_no_gun_types_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot type"):
        keys_of("件")
