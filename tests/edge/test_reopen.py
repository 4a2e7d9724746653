"""A terminal that closed for want of room opens again by itself when there is some; any other stays closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from disks import small_disk

from edge.reopen import Reopening
from edge.steps import Closed
from ui.drive_client import Driver

pytestmark = pytest.mark.logs("there is room")
ROOT = Path(__file__).parents[2]
CONFIG = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "disk"
language = "zh"
sim = true

[panel]
width = 1024
height = 600
diagonal_inch = 10.1

[[shelf]]
name = "A"
levels = 1
positions = 4

[drive]
socket = "drive.sock"
"""


@pytest.mark.timeout(180)
def test_a_kiosk_on_a_full_disk_is_closed_and_opens_when_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "point.toml").write_text(CONFIG, "utf-8")
    with small_disk(tmp_path / "disk", "16m") as disk:
        (disk / "log").mkdir()
        (disk / "device.key").write_text("ab" * 32)
        (disk / "filler").write_bytes(b"\0" * (16 * 1024 * 1024 - 3 * 4096))
        kiosk = subprocess.Popen(
            [sys.executable, "-m", "edge.cli", "run", "--config", tmp_path / "point.toml"],
            cwd=ROOT, env={**os.environ, "SDL_VIDEODRIVER": "offscreen"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            with Driver(tmp_path / "drive.sock", 60) as driver:
                driver.wait("closed", 30)
            (disk / "filler").unlink()
            assert kiosk.stdout is not None
            for _ in range(2):  # the start on the full disk, and the one after it
                assert json.loads(kiosk.stdout.readline())["ready"] is True
            with Driver(tmp_path / "drive.sock", 60) as driver:
                driver.wait("standby", 30)
            assert kiosk.poll() is None
        finally:
            kiosk.terminate()
            _, errors = kiosk.communicate(timeout=30)
        assert kiosk.returncode == 0
        assert "Traceback" not in errors


@pytest.mark.parametrize(("code", "comes"), [("S2", True), ("S3", False), ("S1", False), ("S4", False)])
def test_only_a_full_disk_is_waited_for(tmp_path: Path, code: str, comes: bool) -> None:
    stopped = threading.Event()
    reopening = Reopening(tmp_path, stopped.set, look_s=0.01)

    reopening.closed(Closed(code))
    reopening.closed(Closed(code))

    assert stopped.wait(5 if comes else 0.2) is comes
    assert reopening.due is comes


@pytest.mark.parametrize("code", ["S2", "S3"])
def test_a_disk_that_stays_full_stays_closed(tmp_path: Path, code: str) -> None:
    stopped = threading.Event()
    with small_disk(tmp_path / "disk", "16m") as disk:
        (disk / "filler").write_bytes(b"\0" * (12 * 1024 * 1024))
        reopening = Reopening(disk, stopped.set, look_s=0.01)
        reopening.closed(Closed(code))
        assert not stopped.wait(0.2)
        (disk / "filler").unlink()
        assert stopped.wait(5)
