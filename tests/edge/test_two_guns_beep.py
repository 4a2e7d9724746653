"""Two guns on pseudo-terminals before a whole terminal without its window: each hears what became of its own code."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_point import CONFIG

from edge.app import Kiosk
from edge.config import load
from edge.model import Phone
from edge.steps import GivePhone, Login, Scanned, Stored
from ui.bridge import Bridge, ScanRead

ROOT = Path(__file__).parents[2]
PIN = "918273"
HERE, NOT_HERE = "SF1300000000001", "SF1300000000002"
GUN = '\n[devices.{name}]\nkind = "serial_scanner"\npath = "{path}"\nbell = true\n'
pytestmark = [pytest.mark.logs("gun", "dev/"), pytest.mark.timeout(90)]


class Gun:
    """The other end of a gun's wire."""

    def __init__(self) -> None:
        self._end, self._kiosks = pty.openpty()
        tty.setraw(self._kiosks)
        self.path = os.ttyname(self._kiosks)

    def reads(self, text: str) -> None:
        os.write(self._end, text.encode() + b"\r")

    def bells(self, seconds: float) -> int:
        """How often it was told to beep until it was quiet for so long."""
        count = 0
        while select.select([self._end], [], [], seconds)[0]:
            count += os.read(self._end, 64).count(b"\x07")
        return count

    def close(self) -> None:
        os.close(self._end)
        os.close(self._kiosks)


@pytest.fixture
def guns() -> Iterator[tuple[Gun, Gun]]:
    made = Gun(), Gun()
    yield made
    for gun in made:
        gun.close()


@pytest.fixture
def bridge(tmp_path: Path, guns: tuple[Gun, Gun]) -> Iterator[Bridge]:
    point = tmp_path / "point.toml"
    point.write_text(CONFIG + "".join(GUN.format(name=f"gun{n}", path=gun.path) for n, gun in enumerate(guns, 1)))
    subprocess.run(
        [sys.executable, "-m", "edge.cli", "operator", "add", "--id", "op-1", "--role", "operator", "--pin-stdin",
         "--config", str(point)],
        cwd=ROOT, input=PIN + "\n", text=True, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    window = Bridge()
    kiosk = Kiosk(load(point), window, headless=False)
    kiosk.start()
    assert kiosk.ready.wait(20)
    yield window
    kiosk.stop()


def next_of(bridge: Bridge, kind: type, count: int = 1) -> list[object]:
    """So many things of a kind that came to the window. Errors: AssertionError when they do not come."""
    seen: list[object] = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        seen += [item for item in bridge.take() if isinstance(item, kind)]
        if len(seen) >= count:
            return seen
        time.sleep(0.02)
    raise AssertionError(f"no {kind.__name__}")


def test_each_gun_hears_what_became_of_its_own_code(bridge: Bridge, guns: tuple[Gun, Gun]) -> None:
    """Both were read before the first was answered: the one that is here, and one that is not."""
    bridge.on_intent(Login(PIN))
    bridge.on_intent(Scanned(HERE, "intake"))
    bridge.on_intent(GivePhone(HERE, Phone("13812345678"), consented=True))
    next_of(bridge, Stored)

    guns[0].reads(HERE)
    first = next_of(bridge, ScanRead)
    guns[1].reads(NOT_HERE)
    for read in (*first, *next_of(bridge, ScanRead)):
        assert isinstance(read, ScanRead)
        bridge.on_intent(Scanned(read.text, "handover", read.scanner))

    assert (guns[0].bells(2), guns[1].bells(1)) == (1, 3)
