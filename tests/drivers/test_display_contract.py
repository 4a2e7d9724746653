"""One suite for what every display promises: each kind, built from settings, on pipes of every sort and a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.base import Display, Health
from drivers.build import DeviceSettings, build
from drivers.display import LedDisplay, Panel
from drivers.panel import PanelDisplay
from drivers.sim.host import Host, Terminal
from drivers.sim.led import Led
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim, PanelSim
from drivers.wire.alpha import Alpha
from drivers.wire.armfly import ArmflyAscii, ArmflyModbus
from drivers.wire.cd5220 import Cd5220
from drivers.wire.led8 import Led8
from drivers.wire.panel import PanelWire
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole

Sim = Led | PanelSim
WIRES: dict[str, Callable[[], PanelWire]] = {
    "led8": Led8,
    "cd5220": Cd5220,
    "alpha": Alpha,
    "armfly": ArmflyAscii,
    "armfly modbus": ArmflyModbus,
}
SIMS: dict[str, Callable[[], Sim]] = {
    "onbon": Led,
    "led8": Led8Sim,
    "cd5220": Cd5220Sim,
    "alpha": AlphaSim,
    "armfly": ArmflySim,
    "armfly modbus": lambda: ArmflySim(form="modbus"),
}
SHAPES: dict[str, tuple[Shape, int, bool]] = {
    "whole": (whole, 0, False),
    "byte by byte": (byte_by_byte, 0, False),
    "glued": (glued, 0, False),
    "lossy": (lossy(11, 0.1), 0, False),
    "slow": (whole, 100, False),
    "echoing": (whole, 0, True),
}


@dataclass
class Bench:
    display: Display
    sim: Sim
    plug: Callable[[bool], None]


Story = Callable[[Bench], Awaitable[None]]
every_kind = pytest.mark.parametrize("kind", SIMS)
every_way = pytest.mark.parametrize("way", [*SHAPES, "noisy", "terminal"])


def play(kind: str, way: str, folder: Path, story: Story) -> None:
    if way == "terminal":
        asyncio.run(on_terminal(kind, folder, story))
    else:
        run_instantly(in_memory(kind, way, story))


async def in_memory(kind: str, way: str, story: Story) -> None:
    shape, delay_ms, echo = SHAPES.get(way, (whole, 0, False))
    sim = SIMS[kind]()
    sim.line.delay_ms, sim.line.echoes = delay_ms, echo
    if way == "noisy":
        sim.line.garble(0.1, 3)
    pipe = Pipe(sim, shape)
    link = pipe.link("display", echo)
    display = LedDisplay(link, Panel(), LoopClock()) if kind == "onbon" else PanelDisplay(link, WIRES[kind]())
    await finish(display, story(Bench(display, sim, lambda on: (pipe.replug if on else pipe.unplug)())))


async def on_terminal(kind: str, folder: Path, story: Story) -> None:
    sim = SIMS[kind]()
    terminal = Terminal("display", sim, folder / "display")
    host = Host([terminal], None)
    await host.start()
    name, _, form = kind.partition(" ")
    settings = DeviceSettings("display", name, str(folder / "display"), options={"form": form} if form else {})
    display = build(settings, LoopClock())
    await finish(display, story(Bench(display, sim, lambda on: (terminal.replug if on else terminal.unplug)())))  # type: ignore[arg-type]
    await host.stop()


async def finish(display: Display, story: Awaitable[None]) -> None:
    await display.start()
    try:
        await story
    finally:
        async with asyncio.timeout(2):
            await display.stop()
            await display.stop()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(100):
        while not is_so():
            await asyncio.sleep(0.02)


@every_kind
@every_way
def test_the_newest_is_shown_and_comes_back_after_cable_and_power(kind: str, way: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.display.show(["11"])
        bench.display.show(["42"])
        await until(lambda: bench.sim.shown() == ["42"])

        bench.plug(False)
        bench.sim.power_off()
        await until(lambda: bench.display.status().health is Health.AWAY)
        bench.display.show(["43"])
        bench.sim.power_on()
        bench.plug(True)

        await until(lambda: bench.sim.shown() == ["43"])
        await until(lambda: bench.display.status().health is not Health.AWAY)
        bench.display.show([])
        await until(lambda: bench.sim.shown() == [])

    play(kind, way, tmp_path, story)


@every_kind
def test_showing_never_waits_for_a_display_that_is_not_there(kind: str, tmp_path: Path) -> None:
    async def story(bench: Bench) -> None:
        bench.plug(False)
        began = asyncio.get_running_loop().time()
        for each in range(1000):
            bench.display.show([str(each)])
        assert asyncio.get_running_loop().time() == began
        bench.plug(True)
        await until(lambda: bench.sim.shown() == ["999"])

    play(kind, "whole", tmp_path, story)
