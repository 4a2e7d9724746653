"""The LED display on virtual time: newest wins, and the text comes back after every kind of absence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.base import Health
from drivers.daylight import always
from drivers.display import LedDisplay, Panel, layout
from drivers.sim.led import Led
from drivers.wire import onbon
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole

Story = Callable[[LedDisplay, Led, Pipe], Awaitable[None]]


def play(story: Story, shape: Shape = whole, echo: bool = False) -> Led:
    led = Led()
    led.line.echoes = echo
    pipe = Pipe(led, shape)

    async def main() -> None:
        display = LedDisplay(pipe.link("display", echo), Panel(brightness=always(5)), LoopClock())
        await display.start()
        try:
            await story(display, led, pipe)
        finally:
            await display.stop()
            await display.stop()

    run_instantly(main())
    return led


@pytest.mark.parametrize("shape", [whole, byte_by_byte, glued, lossy(3, 0.3)])
@pytest.mark.parametrize("echo", [False, True])
def test_what_is_shown_arrives_however_the_bytes_do(shape: Shape, echo: bool) -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["取件单 A05", "请到3号"])
        await asyncio.sleep(120)
        assert led.shown() == ["取件单 A05", "请到3号"]

    play(story, shape, echo)


def test_a_card_is_set_up_before_it_shows() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        led.is_on = False
        display.show(["你好"])
        await asyncio.sleep(1)
        assert led.shown() == ["你好"]
        assert (led.is_on, led.brightness, led.clock) == (True, 5, "2026-11-22 14:30:05")
        assert display.status().health is Health.OK

    play(story)


def test_the_newest_text_wins_and_what_lies_between_is_not_sent() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        await asyncio.sleep(1)
        before = led.updates
        for number in range(1000):
            display.show([f"A{number}"])
        await asyncio.sleep(1)
        assert led.shown() == ["A999"]
        assert led.updates - before <= 2

    play(story)


def test_no_lines_clear_the_panel() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["A"])
        await asyncio.sleep(1)
        display.show([])
        await asyncio.sleep(1)
        assert led.shown() == []
        before = led.updates
        await asyncio.sleep(60)
        assert led.updates == before

    play(story)


def test_a_card_that_lost_its_memory_unnoticed_shows_again() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["A05"])
        await asyncio.sleep(1)
        led.power_off()
        led.power_on()
        await asyncio.sleep(15)
        assert led.shown() == ["A05"]

    play(story)


def test_a_card_without_power_is_away_and_shows_the_newest_when_it_is_back() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["A05"])
        await asyncio.sleep(1)
        led.power_off()
        display.show(["A06"])
        await asyncio.sleep(60)
        assert display.status().health is Health.AWAY
        led.power_on()
        await asyncio.sleep(15)
        assert led.shown() == ["A06"]
        assert display.status().health is Health.OK

    play(story)


def test_an_unplugged_cable_is_away_and_the_text_comes_back_with_it() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["A05"])
        await asyncio.sleep(1)
        pipe.unplug()
        led.areas.clear()
        await asyncio.sleep(5)
        assert display.status().health is Health.AWAY
        pipe.replug()
        await asyncio.sleep(10)
        assert led.shown() == ["A05"]

    play(story)


def test_a_cable_absent_at_the_start_blocks_nobody() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["A05"])
        assert display.status().health is Health.AWAY
        pipe.replug()
        await asyncio.sleep(10)
        assert led.shown() == ["A05"]

    led = Led()
    pipe = Pipe(led)
    pipe.unplug()

    async def main() -> None:
        display = LedDisplay(pipe.link("display"), Panel(), LoopClock())
        await display.start()
        await story(display, led, pipe)
        await display.stop()

    run_instantly(main())


def test_a_card_that_cannot_report_gets_its_text_again_and_again() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        obeyed = led._obey
        led._obey = lambda payload: onbon.nack(2) if payload[:2] == b"\xa2\x02" else obeyed(payload)  # type: ignore[method-assign]
        display.show(["A05"])
        await asyncio.sleep(15)
        led.areas.clear()
        await asyncio.sleep(15)
        assert led.shown() == ["A05"]

    play(story)


def test_a_refused_setting_degrades_and_the_text_is_shown_all_the_same() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        obeyed = led._obey
        led._obey = lambda payload: onbon.nack(14) if payload[:2] == b"\xa2\x03" else obeyed(payload)  # type: ignore[method-assign]
        display.show(["A05"])
        await asyncio.sleep(1)
        assert led.shown() == ["A05"]
        assert display.status().health is Health.DEGRADED
        assert "date or time" in display.status().hint

    play(story)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_a_garbling_cable_delays_the_text_and_never_falsifies_it(rate: float) -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        led.line.garble(rate, seed=5)
        for number in range(30):
            display.show([f"A{number}"])
            for _ in range(30):
                await asyncio.sleep(1)
                assert led.shown() in ([], *[[f"A{n}"] for n in range(30)])
        led.line.garble(0, 0)
        await asyncio.sleep(60)
        assert led.shown() == ["A29"]

    play(story)


@pytest.mark.parametrize(
    ("lines", "moves"),
    [(["取件单"], False), (["12345678", "取件单A"], False), (["取件单 A05 请"], True), (["1", "2", "3"], True)],
)
def test_text_that_does_not_fit_moves(lines: list[str], moves: bool) -> None:
    packets = onbon.Parser().feed(onbon.framed(onbon.Packet(1, onbon.PC, layout(lines, Panel(64, 32)))))
    led = Led()
    led._obey(packets[0].payload)

    assert (led.areas[0].motion == 3) is moves


def test_a_flood_of_text_is_cut() -> None:
    async def story(display: LedDisplay, led: Led, pipe: Pipe) -> None:
        display.show(["长" * 100_000] * 1000)
        await asyncio.sleep(5)
        assert 0 < len("".join(led.shown())) <= 8 * 122

    play(story)
