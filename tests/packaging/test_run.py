"""`make run` as a newcomer sees it: the whole sample district starts, goes on with its data, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

RUN = Path(__file__).parents[2] / "packaging/dev/run.py"
PATIENCE_S = 60.0
SIGNS = {  # program -> what its command line says
    "broker": "mosquitto",
    "reception": "sync.hub.cli reception",
    "hub": "sync.hub.cli run",
    "kiosk": "edge.cli",
    "sim": "drivers.sim.cli",
}


class Newcomer:
    """Somebody who types `make run` on a machine without a display and reads what it says."""

    def __init__(self, folder: Path) -> None:
        screens = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
        environment = {key: value for key, value in os.environ.items() if key not in screens}
        self.said = ""
        self.child = subprocess.Popen(
            [sys.executable, str(RUN), "--data", str(folder)], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def wait_for(self, words: str) -> None:
        assert self.child.stdout is not None
        for text in self.child.stdout:
            self.said += text
            if words in text:
                return
        raise AssertionError(f"ended before it said {words!r}:\n{self.said}")

    def ctrl_c(self) -> int:
        self.child.send_signal(signal.SIGINT)
        rest, _ = self.child.communicate(timeout=PATIENCE_S)
        self.said += rest
        return self.child.returncode

    def children(self) -> dict[str, int]:
        found = {}
        task = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        for pid in map(int, task.read_text().split()):
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            for name, sign in SIGNS.items():
                found |= {name: pid} if sign in command else {}
        return found


@pytest.mark.timeout(240)
def test_the_district_starts_goes_on_with_its_data_and_ends_in_order(tmp_path: Path) -> None:
    first = Newcomer(tmp_path / "d")
    first.wait_for("Ctrl-C")
    assert set(first.children()) == set(SIGNS)
    assert the_manifest_arrived(tmp_path / "d"), status(tmp_path / "d")
    assert first.ctrl_c() == 0, first.said

    second = Newcomer(tmp_path / "d")
    second.wait_for("Ctrl-C")
    assert status(tmp_path / "d")["parcels"] == {"expected": 60}
    assert second.ctrl_c() == 0, second.said

    assert "[9/9] kiosk ... ok" in first.said
    assert "draws offscreen" in first.said
    assert "operator 246810" in first.said
    assert "exit" not in first.said.partition("stopped in")[2]
    assert second.said.count("as before") == 4  # the district, the terminal let in, the manifest, the operators
    assert "Traceback" not in first.said + second.said


def status(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "edge.cli", "status", "--config", str(folder / "point.toml")],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return dict(json.loads(done.stdout or "{}"))


def the_manifest_arrived(folder: Path) -> bool:
    """Wait until the manifest has travelled from the hub to the point's own records."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        now = status(folder)
        if now.get("parcels") == {"expected": 60} and now["bills"]["unpaid"]["count"] == 30:
            return True
        time.sleep(0.5)
    return False


@pytest.mark.timeout(240)
def test_a_hub_that_dies_ends_the_run_with_its_name(tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path / "d")
    newcomer.wait_for("Ctrl-C")

    os.kill(newcomer.children()["hub"], signal.SIGKILL)
    rest, _ = newcomer.child.communicate(timeout=PATIENCE_S)

    assert newcomer.child.returncode == 1
    assert "hub ended by itself with exit code -9" in rest
