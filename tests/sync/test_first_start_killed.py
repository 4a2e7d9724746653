"""The first start with the power cut at each durable act, and the whole of it through the real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_first_start import PROFILE, SITE, Blank
from tls_district import ROOT, TlsDistrict

from edge.clock import SystemClock, SystemDice
from edge.config import load
from edge.model import SiteCode
from sync.hub.cli_enrolment import authority_of
from sync.hub.config import load as load_hub
from sync.hub.enrolment import Enrolments
from sync.hub.place import database_of
from sync.hub.store import HubStore

PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsDistrict]:
    made = TlsDistrict(tmp_path_factory.mktemp("district"))
    made.start_reception()
    file = made.folder / "profile.toml"
    file.write_text(PROFILE.split("[devices")[0], "utf-8")
    made.hub("profile", "set", "--site", SITE, str(file))
    yield made
    made.stop()


@pytest.fixture
def approve(district: TlsDistrict) -> Iterator[Callable[[str], object]]:
    settings = load_hub(district.settings_file)
    store = HubStore(database_of(settings), SystemClock(), SystemDice(), settings.keys())
    store.open()
    tables = Enrolments(store, authority_of(settings), 90)
    yield lambda code: tables.approve(code, SiteCode(SITE), replace=True)
    store.close()


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do it in another process that dies at its `number`-th durable act; tell whether it died."""
    child = os.fork()
    if child == 0:
        left = [number]

        def counted(act: Callable[..., Any]) -> Callable[..., Any]:
            def counting(*words: Any, **more: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return act(*words, **more)

            return counting

        os.fsync, os.write = counted(os.fsync), counted(os.write)
        os.replace, os.rename = counted(os.replace), counted(os.rename)
        Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)  # type: ignore[method-assign]
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_killed_at_every_durable_act_it_goes_on_at_the_next_start(
    district: TlsDistrict, tmp_path: Path, approve: Callable[[str], object], stride: int
) -> None:
    kills = {"asking": 0, "let in": 0}
    for number in range(1, 200, stride):
        blank = Blank(district, tmp_path / f"asking-{number}")
        blank.district_toml(blank.stick)
        was_killed = killed_at(number, blank.turn)
        blank.anew()
        told = blank.turn()
        assert told.state == "waiting", number
        approve(told.code)  # the reception lets few devices of one address wait
        if not was_killed:
            break
        kills["asking"] += 1
    for number in range(1, 200, stride):
        blank = Blank(district, tmp_path / f"let-in-{number}")
        blank.district_toml(blank.place.boot)
        approve(blank.turn().code)
        blank.anew()
        was_killed = killed_at(number, blank.turn)
        blank.anew()
        if not blank.place.config.exists():
            assert blank.turn().state == "starting", number
        assert load(blank.place.config).site == SITE, number
        if not was_killed:
            break
        kills["let in"] += 1

    assert min(kills.values()) >= 12 // stride, kills


def until(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen")


def test_the_program_itself_goes_from_a_blank_card_to_a_running_kiosk(district: TlsDistrict, tmp_path: Path) -> None:
    blank = Blank(district, tmp_path)
    blank.district_toml(blank.place.boot)
    place = blank.place
    said = tmp_path / "said"
    command = [
        sys.executable, "-m", "edge.cli", "run", "--headless", "--config", str(place.config), "--data",
        str(place.data_dir), "--boot", str(place.boot), "--sticks", str(place.sticks),
    ]  # fmt: skip
    with said.open("wb") as out:
        kiosk = subprocess.Popen(command, cwd=ROOT, stdout=out)
    try:
        lines = until(lambda: [json.loads(line) for line in said.read_text().splitlines()])
        waiting = until(lambda: [each for each in lines if each["code"]])[0]
        district.hub("approve", waiting["code"], "--site", SITE, "--replace")

        until(lambda: '"ready": true' in said.read_text())

        states = [json.loads(line).get("state") for line in said.read_text().splitlines()]
        assert states == ["waiting", "starting", None]
        assert kiosk.poll() is None  # the same process, and no restart
        assert load(place.config).site == SITE
        assert (place.data_dir / "point.db").exists()
    finally:
        kiosk.send_signal(signal.SIGTERM)
        assert kiosk.wait(20) == 0
