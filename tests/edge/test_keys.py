"""The device key is made once, is nobody else's to read, and a damaged one is never taken for a key."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge import keys
from edge.mistakes import ConfigError
from tests.mistakes import english


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "data" / "device.key"

    made = keys.device_key(path)

    assert len(made) == 32
    assert keys.device_key(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["device.key"]


def test_two_devices_have_two_keys(tmp_path: Path) -> None:
    assert keys.device_key(tmp_path / "a") != keys.device_key(tmp_path / "b")


def test_what_a_cut_left_behind_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "device.new").write_text("00" * 7)

    assert len(keys.device_key(tmp_path / "device.key")) == 32


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 31, "00" * 33, "\0" * 64, "\xff" * 64])
def test_a_damaged_key_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "device.key"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(ConfigError) as caught:
        keys.device_key(path)

    assert "64 hexadecimal" in english(caught.value)

    assert path.read_text(encoding="latin-1") == text


def test_a_key_that_the_disk_does_not_give_is_told_as_such(tmp_path: Path) -> None:
    """Where the kiosk is supervised, only this error comes to its screen."""
    (tmp_path / "device.key").mkdir()

    with pytest.raises(ConfigError) as caught:
        keys.device_key(tmp_path / "device.key")

    assert english(caught.value).endswith("device.key: cannot be read: Is a directory")


def test_programs_that_start_together_for_the_first_time_share_one_key(tmp_path: Path) -> None:
    for round_ in range(4):
        path, together = tmp_path / str(round_) / "device.key", threading.Barrier(4)

        def start(path: Path = path, together: threading.Barrier = together) -> bytes:
            together.wait(10)
            return keys.device_key(path)

        with ThreadPoolExecutor(4) as pool:
            made = [each.result() for each in [pool.submit(start) for _ in range(4)]]

        assert set(made) == {keys.device_key(path)}
        assert [each.name for each in path.parent.iterdir()] == ["device.key"]
