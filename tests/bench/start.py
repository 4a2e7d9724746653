"""CPU seconds from exec to the first frame of the kiosk: user and system time of its process when it says it is ready.

Wall time is told beside it: on a shared machine it says more about the neighbours. The floor is Python and a bare Kivy
window with one label, first frame drawn and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import point_store
from district_bench import BenchStand
from process import cpu_s
from stand import ROOT
from table import Figure, Rounds, number

WANTED_S = 1.5  # CPU, the order
PARCELS = 100_000
STOP_S = 60.0  # it empties its log file into a large database first, on a disk that may be busy
BARE = """
import os, tempfile
os.environ.update(KIVY_NO_ARGS="1", KIVY_NO_CONFIG="1", KIVY_NO_FILELOG="1", KIVY_NO_CONSOLELOG="1",
                  KIVY_HOME=tempfile.mkdtemp())
from kivy.app import App
from kivy.uix.label import Label
from kivy.core.window import Window
class Bare(App):
    def build(self):
        Window.bind(on_flip=lambda *_: print('{"ready": true}', flush=True))
        return Label(text="ready")
Bare().run()
"""


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    rounds = 3 if quick else 7
    stand = BenchStand(folder / "d")
    kiosk: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    script = folder / "bare.py"
    script.write_text(BARE, "utf-8")
    try:
        stand.open_district()
        stand.start_sim()
        stand.enrol()
        command = [sys.executable, "-m", "edge.cli", "run", "--config", str(stand.point_toml)]
        _start(stand, command)  # the first one makes the database and the caches of the font
        for _ in range(rounds):
            kiosk.append(_start(stand, command))
            bare.append(_start(stand, [sys.executable, str(script)]))
        _fill(stand, PARCELS // 10 if quick else PARCELS)
        full = [_start(stand, command) for _ in range(3)]
    finally:
        stand.close()
    floor = Rounds(tuple(cpu for cpu, _ in bare))
    wall = Rounds(tuple(wall for _, wall in kiosk))
    note = f"wall {wall.text('s')}; bare Python and Kivy window {floor.text('s')} CPU; limit: the order's number"
    extra = {"wall": list(wall.values), "bare_kivy_cpu": list(floor.values)}
    asked = Rounds((WANTED_S,))
    many = (
        f"with {number(PARCELS / (10 if quick else 1))} parcels in the database (its check at start); told, not judged"
    )
    cpu = Rounds(tuple(cpu for cpu, _ in kiosk))
    return [
        Figure("start", "s CPU", cpu, asked, at_most=1.0, note=note, extra=extra),
        Figure("start_full", "s CPU", Rounds(tuple(cpu for cpu, _ in full)), asked, note=many),
    ]


def _start(stand: BenchStand, command: list[str]) -> tuple[float, float]:
    """Run a program until it says it is ready; tell CPU and wall seconds until then."""
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        child = subprocess.Popen(
            command, cwd=ROOT, env=stand.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            assert child.stdout is not None
            for line in child.stdout:
                if line.startswith(b"{") and json.loads(line).get("ready"):
                    return cpu_s(child.pid), time.monotonic() - began
            errors.seek(0)
            raise RuntimeError(f"no ready line: {errors.read()[-500:].decode(errors='replace')}")
        finally:
            child.terminate()
            child.wait(STOP_S)


def _fill(stand: BenchStand, parcels: int) -> None:
    store = stand.store()
    try:
        point_store.expect(store, 0, parcels)
        point_store.backlog(store, parcels)
    finally:
        store.close()
