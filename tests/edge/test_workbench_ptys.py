"""The whole terminal without its window, on simulated devices behind pseudo-terminals: the technician at the tools."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from plain_point import CABINET, point_with

from drivers.sim.cli import main as sim
from edge.app import Kiosk
from edge.config import load
from edge.model import CellNo
from edge.steps import Intent, LoggedIn, Login, Logout
from edge.steps import workbench as w
from ui.bridge import Bridge, ScanRead

ROOT = Path(__file__).parents[2]
PIN = "918273"
DEVICES = {
    "locker": ("lock_8a80", 'polarity = "short_when_open"', 'cells = 24\nreply = "8a"\nauto_close_s = 1'),
    "led": ("onbon", "", ""),
    "gun": ("serial_scanner", "", ""),
    "printer": ("escpos", "", ""),
    "scale": ("yaohua_a9", "", ""),
}
Shown = TypeVar("Shown")
pytestmark = [pytest.mark.logs("locker", "led", "gun", "printer", "scale", "dev/"), pytest.mark.timeout(90)]


class Terminal:
    """A kiosk of this process, its devices in another one."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._control, self._capsys = folder / "sim.sock", capsys
        point, bench = point_with(CABINET), 'control = "sim.sock"\n'
        for name, (kind, options, handles) in DEVICES.items():
            lines = f'\n[devices.{name}]\nkind = "{kind}"\npath = "dev/{name}"\n'
            point += f"{lines}{options}\n"
            bench += f"{lines}{options}\n{handles}\n"
        (folder / "point.toml").write_text(point)
        (folder / "sim.toml").write_text(bench)
        done = subprocess.run(
            [sys.executable, "-m", "edge.cli", "operator", "add", "--id", "t-1", "--role", "technician", "--pin-stdin",
             "--config", str(folder / "point.toml")],
            cwd=ROOT, input=PIN + "\n", text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.sim = subprocess.Popen(
            [sys.executable, "-m", "drivers.sim.cli", "--config", folder / "sim.toml"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.sim.stdout is not None
        for _ in DEVICES:
            json.loads(self.sim.stdout.readline())
        self.bridge, self._seen = Bridge(), list[Any]()
        self.kiosk = Kiosk(load(folder / "point.toml"), self.bridge, headless=False)
        self.kiosk.start()
        assert self.kiosk.ready.wait(20)

    def ask(self, intent: Intent) -> None:
        self.bridge.on_intent(intent)

    def poke(self, *words: str) -> Any:
        assert sim(["poke", "--control", str(self._control), *words]) == 0
        return json.loads(self._capsys.readouterr().out)

    def next(self, kind: type[Shown], fits: Callable[[Shown], bool] = lambda _: True, seconds: float = 20.0) -> Shown:
        """The next thing of a kind that came to the window. Errors: AssertionError when the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._seen += self.bridge.take()
            for item in self._seen:
                if isinstance(item, kind) and fits(item):
                    self._seen.remove(item)
                    return item
            time.sleep(0.05)
        raise AssertionError(f"no {kind.__name__} among {self._seen}")

    def came(self, kind: type) -> bool:
        self._seen += self.bridge.take()
        return any(isinstance(item, kind) for item in self._seen)

    def end(self) -> None:
        self.kiosk.stop()
        self.sim.terminate()
        self.sim.communicate(timeout=20)


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    made = Terminal(tmp_path, capsys)
    try:
        yield made
    finally:
        made.end()


def test_every_tool_works_on_its_device_and_scans_go_nowhere_else(terminal: Terminal) -> None:
    terminal.ask(Login(PIN))
    terminal.next(LoggedIn)
    terminal.ask(w.OpenTool("raw"))
    assert [d.name for d in terminal.next(w.ToolShown).devices] == ["gun"]
    terminal.poke("gun", "send", "]C1SF1300000000001")
    read = terminal.next(w.RawRead)
    assert (read.text, read.ended, read.scanner) == ("]C1SF1300000000001", "\r", "gun")
    assert not terminal.came(ScanRead)

    terminal.ask(w.OpenTool("display"))
    terminal.ask(w.TryDisplay("led", "lines"))
    assert terminal.next(w.DisplayTried).health == "ok"

    terminal.ask(w.TryPrinter("printer"))
    assert terminal.next(w.PrinterTried, seconds=40).outcome in ("done", "sent")

    terminal.ask(w.OpenTool("scale"))
    terminal.poke("scale", "put", "1200")
    seen = terminal.next(w.ScaleSeen, lambda pan: pan.is_stable and bool(pan.grams))
    assert seen.grams == 1200

    terminal.ask(w.OpenTool("doors"))
    assert {cell.door for cell in terminal.next(w.DoorsSeen).cells} == {"closed"}
    terminal.ask(w.OpenCell(CellNo(7), "doors", "repair", PIN))
    stages = [terminal.next(w.CellTried).stage for _ in range(3)]
    assert stages == ["opening", "open", "shut"]

    terminal.ask(Logout())
    terminal.poke("gun", "send", "]C1SF1300000000001")
    terminal.next(ScanRead)
