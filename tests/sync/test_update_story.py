"""The whole way of a release: added at the hub, rolled out, fetched, written by RAUC, tried, proven, told of.

Hub, broker, reception, kiosk, helper and RAUC are the real programs; played are the firmware and the restart.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bundles import Releasing, needs_rauc
from rauc_stand import Machine, ext4_of, needs_slots
from tls_district import HOST, ROOT, SITES, TlsDistrict

pytestmark = [needs_rauc, needs_slots, pytest.mark.root, pytest.mark.soak]
SITE = SITES[0]
POINT = """site = "{site}"
name = "金溪村服务点"
profile = "shelf_only"
data_dir = "data"
language = "zh"
sim = true
[[shelf]]
name = "A"
levels = 1
positions = 4
[panel]
width = 1280
height = 800
diagonal_inch = 10.1
[hub]
host = "{host}"
port = {port}
enrol_port = {enrol_port}
ca_fingerprint = "{fingerprint}"
[update]
helper = "update.sock"
image_file = "village-image"
keyring = "{keyring}"
kbit = 100000
"""


class Stage:
    """Everything at once; `kiosk` starts the program that is in the running slot."""

    def __init__(self, folder: Path) -> None:
        self.releasing = Releasing(folder)
        self.district = TlsDistrict(folder)
        shutil.copy(self.releasing.keyring, folder / "release-keyring.pem")
        self.district.start()
        self.children: list[subprocess.Popen[Any]] = [self.program("sync.hub.cli", "run", self.district.settings_file)]
        self.machine = Machine(folder, self.releasing)
        self.machine.toml.write_text(
            POINT.format(
                site=SITE, host=HOST, port=self.district.port, enrol_port=self.district.reception_port,
                fingerprint=self.district.authority.fingerprint(), keyring=self.releasing.keyring,
            )
        )  # fmt: skip
        (self.machine.folder / "data").mkdir()
        terminal = self.district.enrolled(SITE)
        shutil.copytree(terminal.identity.folder, self.machine.folder / "data" / "identity")
        self.machine.start()
        self.kiosk = self.program("edge.cli", "run", self.machine.toml, "--headless")

    def program(self, module: str, word: str, settings: Path, *more: str) -> subprocess.Popen[Any]:
        child = subprocess.Popen(
            [sys.executable, "-m", module, word, *more, "--config", str(settings)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        assert '"ready": true' in child.stdout.readline()
        return child

    def ended(self, child: subprocess.Popen[Any]) -> None:
        child.terminate()
        child.wait(20)
        if child.stdout is not None:
            child.stdout.close()

    def restarted(self, version: str) -> None:
        """The machine restarts, as the kiosk has asked."""
        self.ended(self.kiosk)
        self.machine.power_cut()
        self.machine.versions[self.machine.next_slot] = version
        self.machine.start()
        trial = self.machine.folder / "data" / "update" / "trial.json"
        if trial.exists():  # this machine did not really start anew, so what was asked before was in another start
            trial.write_text(json.dumps(json.loads(trial.read_text()) | {"boot": "the start before"}))
        self.kiosk = self.program("edge.cli", "run", self.machine.toml, "--headless")

    def healthy(self) -> int:
        """Ask the health check, as village-health.service does."""
        words = [sys.executable, "-m", "edge.cli", "health", "--limit", "60", "--config", str(self.machine.toml)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, timeout=120, check=False).returncode

    def rollout(self) -> dict[str, Any]:
        return self.district.hub("rollout", "status")[0]

    def update_of_site(self) -> dict[str, Any]:
        (told,) = (each for each in self.district.hub("status")[0]["sites"] if each["site"] == SITE)
        return told["update"] or {}

    def close(self) -> None:
        for child in (self.kiosk, *self.children):
            self.ended(child)
        self.machine.power_cut()
        self.district.stop()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def until(what: Callable[[], bool], limit_s: float = 300.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(1.0)


@pytest.mark.timeout(1200)
def test_a_release_goes_from_the_hub_to_the_running_slot_and_a_bad_one_comes_back(stage: Stage, tmp_path: Path) -> None:
    root = ext4_of(tmp_path, {"usr/thing": random.Random(1).randbytes(900_000)})
    stage.district.hub("release", "add", str(stage.releasing.bundle("0.2.0", root, form="plain")))
    stage.district.hub("rollout", "start", "0.2.0", "--site", SITE, "--at-once")

    until(stage.machine.wants_restart)
    assert (stage.machine.folder / "slot-B").read_bytes()[: len(root)] == root
    stage.restarted("0.2.0")
    assert stage.machine.slot == "B"
    assert stage.healthy() == 0
    stage.machine.mark_good()
    until(lambda: stage.rollout()["state"] == "done")
    assert stage.rollout()["sites"] == {"installed": 1}
    assert (stage.update_of_site()["version"], stage.update_of_site()["state"]) == ("0.2.0", "installed")

    stage.district.hub("release", "add", str(stage.releasing.bundle("0.3.0", root, form="plain")))
    stage.district.hub("rollout", "start", "0.3.0", "--site", SITE, "--at-once")
    until(stage.machine.wants_restart)
    stage.restarted("0.3.0")
    assert stage.machine.slot == "A"
    verdict = stage.machine.folder / "data" / "update" / "verdict.json"
    verdict.write_text(json.dumps({"words": ["screen"]}))  # what its health check has said
    stage.restarted("0.2.0")
    assert stage.machine.slot == "B"  # it was never marked good

    until(lambda: stage.rollout()["state"] == "stopped")
    assert stage.rollout()["failed"] == {SITE: "fell_back: screen"}
