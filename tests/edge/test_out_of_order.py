"""A point whose settings or key cannot be used: a page under its supervisor, a sentence otherwise."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "data"
language = "zh"

[panel]
width = 1024
height = 600
diagonal_inch = 10.1

[[shelf]]
name = "A"
levels = 1
positions = 4
"""
MISTAKES = {  # of settings, and what lies where the device key should be
    "settings": (CONFIG.replace("levels = 1", "levels = 0"), None),
    "key": (CONFIG, b""),
}


@contextmanager
def supervisor(folder: Path) -> Iterator[socket.socket]:
    """systemd's end of the notify protocol."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "notify"))
        heard.settimeout(60)
        yield heard


def broken(folder: Path, name: str) -> list[str]:
    """The command that starts a point with one mistake."""
    text, key = MISTAKES[name]
    (folder / "data").mkdir()
    (folder / "point.toml").write_text(text, "utf-8")
    if key is not None:
        (folder / "data/device.key").write_bytes(key)
    places = ["--data", str(folder / "data"), "--boot", str(folder / "boot"), "--sticks", str(folder / "sticks")]
    return [sys.executable, "-m", "edge.cli", "run", "--config", str(folder / "point.toml"), *places]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("name", "file", "mistake"), [
    ("settings", "point.toml", "shelf.levels"), ("key", "data/device.key", "64 hexadecimal digits"),
])  # fmt: skip
def test_under_its_supervisor_a_point_says_what_is_wrong_and_stays(
    tmp_path: Path, name: str, file: str, mistake: str
) -> None:
    with supervisor(tmp_path) as heard:
        environment = {**os.environ, "SDL_VIDEODRIVER": "offscreen", "NOTIFY_SOCKET": str(tmp_path / "notify")}
        kiosk = subprocess.Popen(
            broken(tmp_path, name), cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert kiosk.stdout is not None
            told = json.loads(kiosk.stdout.readline())
            drawn = json.loads(kiosk.stdout.readline())
            words = [heard.recv(100), heard.recv(100)]
        finally:
            kiosk.terminate()
            _, errors = kiosk.communicate(timeout=30)

    assert told["file"] == str(tmp_path / file)
    assert mistake in " ".join(told["mistakes"])
    assert drawn["ready"] is True
    assert words == [b"READY=1", b"WATCHDOG=1"]
    assert kiosk.returncode == 2
    assert "Traceback" not in errors


def test_without_a_supervisor_it_is_a_sentence(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}

    done = subprocess.run(
        broken(tmp_path, "settings"), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "shelf.levels" in done.stderr
