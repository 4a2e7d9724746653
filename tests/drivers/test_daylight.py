"""Brightness by time of day: the schedule, and a panel that follows it and the calendar."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from drivers.base import Health
from drivers.daylight import always, read
from drivers.display import LedDisplay, Panel
from drivers.mistakes import Unfit
from drivers.ports import link_to
from drivers.sim.led import Led
from drivers.wire import onbon
from tests.links import LoopClock, Pipe, run_instantly

DAY = "06:30=12 19:00=5 22:30=off"


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute)  # noqa: DTZ001  the clock of a display is local time


@pytest.mark.parametrize(
    ("now", "level"),
    [(at(0), None), (at(6, 29), None), (at(6, 30), 12), (at(18, 59), 12), (at(19), 5), (at(22, 30), None)],
)
def test_a_level_holds_until_the_next_one(now: datetime, level: int | None) -> None:
    assert read(DAY, 15).level(now) == level


def test_one_level_holds_all_day() -> None:
    assert {always(8).level(at(hour)) for hour in range(24)} == {8}


@pytest.mark.parametrize(
    "text",
    ["", "6:30=5", "24:00=5", "06:60=5", "06:30=16", "06:30=-1", "06:30=on", "19:00=5 06:30=5", "06:30=5 06:30=6"],
)
def test_a_wrong_schedule_is_refused_in_words(text: str) -> None:
    with pytest.raises(Unfit, match="schedule"):
        read(text, 15)


class Calendar(LoopClock):
    """Local time that passes with the loop's, from a set moment on."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.began_s: float | None = None

    def local(self) -> datetime:
        now_s = asyncio.get_running_loop().time()
        self.began_s = now_s if self.began_s is None else self.began_s
        return self.start + timedelta(seconds=now_s - self.began_s)


def play(start: datetime, schedule: str, story: Callable[[LedDisplay, Led], Awaitable[None]]) -> None:
    led = Led()

    async def main() -> None:
        panel = Panel(brightness=read(schedule, 15))
        display = LedDisplay(Pipe(led).link("display"), panel, Calendar(start))
        await display.start()
        try:
            await story(display, led)
        finally:
            await display.stop()

    run_instantly(main())


def test_a_panel_follows_the_hours_and_is_dark_at_night() -> None:
    async def story(display: LedDisplay, led: Led) -> None:
        display.show(["A05"])
        await asyncio.sleep(60)
        assert (led.is_on, led.brightness) == (True, 12)
        await asyncio.sleep(3600)
        assert (led.is_on, led.brightness, led.shown()) == (True, 5, ["A05"])
        await asyncio.sleep(3.5 * 3600)
        assert (led.is_on, led.shown()) == (False, [])
        assert display.status().health is Health.OK
        await asyncio.sleep(8 * 3600)
        assert (led.is_on, led.brightness, led.shown()) == (True, 12, ["A05"])

    play(at(18, 30), DAY, story)


def test_a_panel_with_new_text_all_day_follows_the_hours_too() -> None:
    async def story(display: LedDisplay, led: Led) -> None:
        for each in range(1200):
            display.show([str(each)])
            await asyncio.sleep(3)
        assert led.brightness == 5

    play(at(18, 30), DAY, story)


def test_the_cards_clock_is_set_once_a_day() -> None:
    async def story(display: LedDisplay, led: Led) -> None:
        await asyncio.sleep(60)
        assert led.clock is not None
        assert led.clock.startswith("2026-11-22 23:5")
        led.clock = None
        await asyncio.sleep(600)
        assert str(led.clock).startswith("2026-11-23 00:0")
        led.clock = None
        await asyncio.sleep(20 * 3600)
        assert led.clock is None

    play(at(23, 55), "00:00=8", story)


def test_a_panel_switched_off_by_hand_is_switched_on_again() -> None:
    async def story(display: LedDisplay, led: Led) -> None:
        display.show(["A05"])
        await asyncio.sleep(5)
        led.is_on = False
        await asyncio.sleep(15)
        assert led.shown() == ["A05"]

    play(at(12), "00:00=8", story)


@pytest.mark.parametrize(
    ("error", "words"),
    [(5, "clock refused: check sum (noise on the line"), (17, "option device_type"), (3, "busy"), (77, "error 77")],
)
def test_a_refusal_is_told_in_words(error: int, words: str) -> None:
    async def story(display: LedDisplay, led: Led) -> None:
        obeyed = led._obey
        led._obey = lambda body: onbon.nack(error) if body[:2] == b"\xa2\x03" else obeyed(body)  # type: ignore[method-assign]
        display.show(["A05"])
        await asyncio.sleep(5)
        assert (display.status().health, led.shown()) == (Health.DEGRADED, ["A05"])
        assert words in display.status().hint

    play(at(12), "00:00=8", story)


def test_a_card_on_the_network_shows_and_is_found_again() -> None:
    led = Led()
    guests: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.append(writer)
        while chunk := await reader.read(4096):
            for reply in led.receive(chunk):
                writer.write(reply)

    async def until_shown(lines: list[str]) -> None:
        async with asyncio.timeout(20):
            while led.shown() != lines:
                await asyncio.sleep(0.02)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        display = LedDisplay(link_to("led", f"tcp://127.0.0.1:{port}", 0), Panel(), LoopClock())
        await display.start()
        display.show(["取件单 A05"])
        await until_shown(["取件单 A05"])
        guests[0].transport.abort()
        led.power_off()
        led.power_on()
        await until_shown(["取件单 A05"])
        await display.stop()
        server.close()
        for guest in guests:
            guest.transport.abort()
        await asyncio.sleep(0.05)

    asyncio.run(main())
