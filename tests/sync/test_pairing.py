"""A headless kiosk that is not yet enrolled, with a real reception and broker, until its facts are at the hub."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from plain_point import SHELF, point_with
from tls_district import HOST, ROOT, TlsDistrict

PATIENCE_S = 40.0
LINE = """[hub]
host = "{host}"
port = {port}
enrol_port = {reception}
ca_fingerprint = "{fingerprint}"
"""


def until(look: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if look():
            return True
        time.sleep(0.2)
    return False


def point(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge.cli", *words, "--config", str(folder / "point.toml")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_an_unenrolled_kiosk_works_asks_by_itself_and_sends_everything_once_it_is_approved(tmp_path: Path) -> None:
    district = TlsDistrict(tmp_path)
    district.start()
    folder = tmp_path / "point"
    folder.mkdir()
    line = LINE.format(
        host=HOST, port=district.port, reception=district.reception_port,
        fingerprint=district.authority.fingerprint(),
    )  # fmt: skip
    (folder / "point.toml").write_text(point_with(SHELF, line, profile="shelf_only"), "utf-8")
    command = [sys.executable, "-m", "edge.cli", "run", "--headless", "--config", str(folder / "point.toml")]
    with (folder / "said").open("wb") as said:
        kiosk = subprocess.Popen(command, cwd=ROOT, stdout=said)
    hub = subprocess.Popen(
        [sys.executable, "-m", "sync.hub.cli", "run", "--config", str(district.settings_file)], cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert until(lambda: bool(district.hub("enrolments")))
        unenrolled = json.loads(point(folder, "status").stdout)
        assert json.loads(point(folder, "log", "verify").stdout)["ok"] is True

        [asking] = district.hub("enrolments")
        district.hub("approve", asking["code"], "--site", "QJ-0001")

        assert until(lambda: json.loads(point(folder, "status").stdout or '{"pending": 1}')["pending"] == 0)
        status = json.loads(point(folder, "status").stdout)
        assert status["facts"] > unenrolled["facts"]
        assert (folder / "said").read_text().count('"ready": true') == 2  # it began anew by itself
        assert json.loads(point(folder, "log", "verify").stdout)["ok"] is True
        digests = {site["site"]: site["digest"] for site in district.hub("status")[0]["sites"]}
        assert digests["QJ-0001"] == status["digest"]
    finally:
        for child in (kiosk, hub):
            child.send_signal(signal.SIGTERM)
            child.wait(20)
        district.stop()
