"""Simple displays on virtual time: newest wins, and the content comes back after every kind of absence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.base import Health, Lamp
from drivers.panel import UNCONFIRMED, PanelDisplay
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim, PanelSim
from drivers.wire.alpha import Alpha, Sign
from drivers.wire.armfly import ArmflyAscii, ArmflyModbus
from drivers.wire.cd5220 import Cd5220
from drivers.wire.led8 import Led8
from drivers.wire.panel import PanelWire
from tests.links import Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole

Story = Callable[[PanelDisplay, PanelSim, Pipe], Awaitable[None]]
KINDS: dict[str, tuple[Callable[[], PanelWire], Callable[[], PanelSim]]] = {
    "led8": (Led8, Led8Sim),
    "cd5220": (Cd5220, Cd5220Sim),
    "alpha": (Alpha, AlphaSim),
    "alpha that answers": (lambda: Alpha(Sign(answers=True)), AlphaSim),
    "armfly ascii": (ArmflyAscii, ArmflySim),
    "armfly modbus": (ArmflyModbus, lambda: ArmflySim(form="modbus")),
}
ANSWERING = [kind for kind in KINDS if KINDS[kind][0]().answers]
every_kind = pytest.mark.parametrize("kind", KINDS)


def play(kind: str, story: Story, shape: Shape = whole, echo: bool = False) -> PanelSim:
    wire, sim = KINDS[kind][0](), KINDS[kind][1]()
    sim.line.echoes = echo
    pipe = Pipe(sim, shape)

    async def main() -> None:
        display = PanelDisplay(pipe.link("display", echo), wire)
        await display.start()
        try:
            await story(display, sim, pipe)
        finally:
            async with asyncio.timeout(2):
                await display.stop()
                await display.stop()

    run_instantly(main())
    return sim


@every_kind
@pytest.mark.parametrize("shape", [whole, byte_by_byte, glued, lossy(3, 0.2)])
@pytest.mark.parametrize("echo", [False, True])
def test_what_is_shown_arrives_however_the_bytes_do(kind: str, shape: Shape, echo: bool) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["42"])
        await asyncio.sleep(120)
        assert sim.shown() == ["42"]
        display.price(1230, Lamp.TOTAL)
        await asyncio.sleep(120)
        assert sim.shown() == ["12.30"]
        display.show([])
        await asyncio.sleep(120)
        assert sim.shown() == []

    play(kind, story, shape, echo)


@every_kind
def test_the_newest_wins_and_what_lies_between_is_not_sent(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        await asyncio.sleep(5)
        display.show(["0"])
        await asyncio.sleep(2)
        once = sim.updates
        for each in range(1000):
            display.show([f"{each}"])
            display.price(each, Lamp.NONE)
        display.show(["77"])
        await asyncio.sleep(5)
        assert sim.shown() == ["77"]
        assert sim.updates - once <= 3 * (40 if kind == "cd5220" else 1)  # that one counts signs

    play(kind, story)


@every_kind
def test_content_comes_back_after_power_was_lost_unnoticed(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["42"])
        await asyncio.sleep(5)
        sim.power_off()
        sim.power_on()
        await asyncio.sleep(12)
        assert sim.shown() == ["42"]

    play(kind, story)


@every_kind
def test_the_newest_content_comes_back_with_the_cable(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["42"])
        await asyncio.sleep(5)
        pipe.unplug()
        sim.power_off()
        display.show(["43"])
        await asyncio.sleep(5)
        assert display.status().health is Health.AWAY
        sim.power_on()
        pipe.replug()
        await asyncio.sleep(15)
        assert sim.shown() == ["43"]
        assert display.status().health is Health.OK

    play(kind, story)


@pytest.mark.parametrize("kind", ANSWERING)
def test_a_display_that_answers_is_away_while_it_is_silent(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["42"])
        await asyncio.sleep(5)
        assert (display.status().health, display.status().hint) == (Health.OK, "")
        sim.power_off()
        await asyncio.sleep(30)
        assert display.status().health is Health.AWAY
        assert "silent" in display.status().hint
        sim.power_on()
        await asyncio.sleep(15)
        assert sim.shown() == ["42"]
        assert display.status().health is Health.OK

    play(kind, story)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ANSWERING])
def test_a_display_that_never_answers_says_that_nothing_is_confirmed(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["42"])
        await asyncio.sleep(5)
        assert (display.status().health, display.status().hint) == (Health.OK, UNCONFIRMED)

    play(kind, story)


def test_a_sign_that_still_shows_its_text_is_left_alone() -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["A05"])
        await asyncio.sleep(5)
        before = sim.updates
        await asyncio.sleep(120)
        assert sim.updates == before

    play("alpha that answers", story)


def test_a_lamp_shines_beside_the_amount_and_goes_out_with_it() -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        assert isinstance(sim, Led8Sim)
        display.price(500, Lamp.CHANGE)
        await asyncio.sleep(1)
        assert (sim.shown(), sim.lamp) == (["5.00"], "change")
        display.show([])
        await asyncio.sleep(1)
        assert (sim.shown(), sim.lamp) == ([], "none")

    play("led8", story)


@every_kind
def test_a_garbling_cable_delays_and_heals(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        sim.line.garble(0.4, seed=5)
        for each in range(20):
            display.show([f"{each}"])
            await asyncio.sleep(15)
        sim.line.garble(0, 0)
        await asyncio.sleep(60)
        assert sim.shown() == ["19"]

    play(kind, story)


@every_kind
def test_a_flood_of_text_does_no_harm(kind: str) -> None:
    async def story(display: PanelDisplay, sim: PanelSim, pipe: Pipe) -> None:
        display.show(["长9A\x00\x1b" * 100_000] * 1000)
        await asyncio.sleep(15)
        display.show(["7"])
        await asyncio.sleep(15)
        assert sim.shown() == ["7"]

    play(kind, story)
