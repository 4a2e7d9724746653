"""The units: how far they are shut, what they must leave open, and that systemd understands them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted([*ROOT.glob("packaging/systemd/*.service"), *ROOT.glob("packaging/hub/systemd/*.service")])
THRESHOLD = "30"  # exposure 3.0
KIOSK = ROOT / "packaging/systemd/village-point.service"
# Major numbers from the kernel's Documentation/admin-guide/devices.txt.
DEVICES = {"tty, ttyS": 4, "input": 13, "frame buffer": 29, "sound": 116, "ttyACM": 166, "usblp": 180, "ttyUSB": 188,
           "ttyAMA": 204, "drm": 226}  # fmt: skip

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def settings(unit: Path) -> list[tuple[str, str]]:
    lines = [line for line in unit.read_text(encoding="utf-8").splitlines() if "=" in line and line[0] not in "#;["]
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def test_there_are_units_of_the_kiosk_and_of_the_hub() -> None:
    assert len(UNITS) >= 7


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_exposure_is_three_at_most(unit: Path) -> None:
    asked = ["systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={THRESHOLD}", unit]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout.splitlines()[-1] if done.stdout else done.stderr
    assert "Overall exposure level" in done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path) -> None:
    asked = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)

    wrong = [line for line in done.stderr.splitlines() if unit.name.split("@")[0].split(".")[0] in line]
    assert [line for line in wrong if "is not executable" not in line] == []  # the program is not installed here


def test_the_kiosk_may_keep_its_threads_on_a_core() -> None:
    """The call is one of `@resources`, which are taken away before: refused, all works and every commit is slower."""
    filters = [value for key, value in settings(KIOSK) if key == "SystemCallFilter"]

    assert filters.index("sched_setaffinity") > filters.index("~@privileged @resources")


def test_a_unit_with_a_mistake_is_noticed(tmp_path: Path) -> None:
    """The two checks above can fail."""
    unit = tmp_path / "village-point.service"
    unit.write_text(
        KIOSK.read_text().replace("ProtectSystem=strict", "ProtectSystem=strickt").replace("User=village", "")
    )

    score = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15", unit]
    verify = ["systemd-analyze", "verify", "--man=no", unit]
    assert subprocess.run(score, capture_output=True, timeout=60, check=False).returncode != 0
    told = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False).stderr
    assert "strickt" in told


def test_the_kiosk_hears_of_plugs_and_reads_the_board() -> None:
    found = dict(settings(KIOSK))

    assert "AF_NETLINK" in found["RestrictAddressFamilies"].split()  # else a plug is noticed seconds later
    assert "ProcSubset" not in found  # the doctor reads /proc/meminfo, the store the boot id
    assert "PrivateDevices" not in found
    assert "MemoryDenyWriteExecute" not in found  # llvmpipe compiles in memory


def test_the_kiosk_may_open_each_kind_of_device_and_no_other() -> None:
    allowed = {value for key, value in settings(KIOSK) if key == "DeviceAllow"}

    assert dict(settings(KIOSK))["DevicePolicy"] == "closed"
    assert allowed == {f"char-{major} rw" for major in DEVICES.values()}


def test_a_kiosk_that_hangs_or_falls_is_started_again_within_limits() -> None:
    found = dict(settings(KIOSK))

    assert found["Type"] == "notify"
    assert found["Restart"] == "always"
    assert int(found["WatchdogSec"]) > 2 * 10 + 5  # edge/watchdog.py is silent for 25 s at most while all is well
    assert int(found["StartLimitBurst"]) * int(found["RestartSec"]) < int(found["StartLimitIntervalSec"])
