"""One suite for what every device promises: built from settings, on a real terminal and on pipes in memory."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from drivers.base import Display, DoorChanged, Health, Locker, NotThere, Opening, Scanner
from drivers.base import Door as DoorState
from drivers.build import DeviceSettings, build
from drivers.cabinet import JointLocker, Part
from drivers.display import LedDisplay
from drivers.display import Panel as LedPanel
from drivers.locker import BoardLocker, Cabinet
from drivers.scanner import SerialScanner
from drivers.sim.device import SimDevice
from drivers.sim.host import Host, Terminal
from drivers.sim.kerong import Cu16Board, Cu16Cabinet
from drivers.sim.led import Led
from drivers.sim.lock_board import LockBoard
from drivers.sim.scanner import Gun
from drivers.wire.kerong_cu16 import KerongCu16
from drivers.wire.lock import Polarity
from drivers.wire.lock_8a80 import Board8A80
from drivers.wire.scans import LineScans
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, run_instantly, whole


class WallClock:
    def ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def local(self) -> datetime:
        return datetime(2026, 11, 22, 14, 30, 5)  # noqa: DTZ001


class House:
    """One device of each kind, and the hands that move their other ends."""

    locker: Locker
    display: Display
    scanner: Scanner

    def __init__(self) -> None:
        self.board, self.led, self.gun = LockBoard(), Led(), Gun()

    async def start(self) -> None:
        for device in (self.locker, self.display, self.scanner):
            await device.start()

    async def stop(self) -> None:
        for device in (self.locker, self.display, self.scanner):
            async with asyncio.timeout(2):  # as the contract says
                await device.stop()
                await device.stop()

    def tick(self) -> None:
        """Let the simulated devices say what they have to say."""

    def plug(self, is_plugged: bool) -> None:
        raise NotImplementedError


class MemoryHouse(House):
    def __init__(self, shape: Shape, delay_ms: int, echo: bool) -> None:
        super().__init__()
        self.pipes = {name: Pipe(each, shape) for name, each in (("l", self.board), ("d", self.led), ("s", self.gun))}
        for pipe in self.pipes.values():
            pipe.device.line.delay_ms = delay_ms
            pipe.device.line.echoes = echo
        links = {name: pipe.link(name, echo) for name, pipe in self.pipes.items()}
        clock = LoopClock()
        self.locker = BoardLocker(links["l"], Board8A80(), Cabinet(24, Polarity.SHORT_WHEN_LOCKED), clock)
        self.display = LedDisplay(links["d"], LedPanel(), clock)
        self.scanner = SerialScanner(links["s"], LineScans(), clock)

    def tick(self) -> None:
        for pipe in self.pipes.values():
            pipe.tick()

    def plug(self, is_plugged: bool) -> None:
        for pipe in self.pipes.values():
            (pipe.replug if is_plugged else pipe.unplug)()


class TerminalHouse(House):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        devices: dict[str, SimDevice] = {"l": self.board, "d": self.led, "s": self.gun}
        self.terminals = [Terminal(name, device, folder / name) for name, device in devices.items()]
        self.host = Host(self.terminals, None)
        kinds = {"l": "lock_8a80", "d": "onbon", "s": "serial_scanner"}
        fast = {"s": {"memory": "none"}}  # the story below scans faster than a person can
        built = {
            n: build(DeviceSettings(n, kind, str(folder / n), options=fast.get(n, {})), WallClock())
            for n, kind in kinds.items()
        }
        self.locker, self.display, self.scanner = built["l"], built["d"], built["s"]  # type: ignore[assignment]

    async def start(self) -> None:
        await self.host.start()
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.host.stop()

    def plug(self, is_plugged: bool) -> None:
        for terminal in self.terminals:
            (terminal.replug if is_plugged else terminal.unplug)()


class JointMemoryHouse(MemoryHouse):
    """Its cabinet has a second lock device of another make, which has the cells behind those of the first."""

    def __init__(self, shape: Shape, delay_ms: int, echo: bool) -> None:
        super().__init__(shape, delay_ms, echo)
        second = Pipe(Cu16Board(Cu16Cabinet(12, 12)), shape)
        second.device.line.delay_ms = delay_ms
        second.device.line.echoes = echo
        wired = Cabinet(12, Polarity.SHORT_WHEN_LOCKED)
        other = BoardLocker(second.link("k", echo), KerongCu16(12), wired, LoopClock())
        self.pipes["k"] = second
        self.locker = JointLocker("both", [Part(self.locker, range(1, 25)), Part(other, range(25, 37))])


class JointTerminalHouse(TerminalHouse):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.terminals.append(Terminal("k", Cu16Board(Cu16Cabinet(12, 12)), folder / "k"))
        self.host = Host(self.terminals, None)
        built = build(DeviceSettings("k", "kerong_cu16", str(folder / "k"), options={"ways": 12}), WallClock())
        parts = [Part(self.locker, range(1, 25)), Part(built, range(25, 37))]  # type: ignore[arg-type]
        self.locker = JointLocker("both", parts)


Story = Callable[[House], Awaitable[None]]
MEMORY: dict[str, tuple[Shape, int, bool]] = {
    "whole": (whole, 0, False),
    "byte by byte": (byte_by_byte, 0, False),
    "glued": (glued, 0, False),
    "lossy": (lossy(11, 0.05), 0, False),
    "slow": (whole, 100, False),
    "echoing": (whole, 0, True),
}


@pytest.fixture(params=[*MEMORY, "terminal", *(f"two makes, {each}" for each in MEMORY), "two makes, terminal"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], House]:
    async def main(house: House, story: Story) -> None:
        await house.start()
        try:
            await story(house)
        finally:
            await house.stop()

    def run(story: Story) -> House:
        is_joint, pipe = request.param.startswith("two makes"), request.param.removeprefix("two makes, ")
        if pipe == "terminal":
            house: House = (JointTerminalHouse if is_joint else TerminalHouse)(tmp_path)
            asyncio.run(main(house, story))
        else:
            house = (JointMemoryHouse if is_joint else MemoryHouse)(*MEMORY[pipe])
            run_instantly(main(house, story))
        return house

    return run


async def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.02)


def test_a_locker_opens_watches_and_closes(play: Callable[[Story], House]) -> None:
    async def story(house: House) -> None:
        changes = house.locker.changes()
        await asyncio.sleep(0.3)
        assert await house.locker.open(7) is Opening.OPEN
        assert (await house.locker.doors())[7] is DoorState.OPEN
        assert await house.locker.until_closed(7, 0.2) is DoorState.OPEN
        asyncio.get_running_loop().call_later(0.3, house.board.close_door, 7)
        assert await house.locker.until_closed(7, 20) is DoorState.CLOSED
        async with asyncio.timeout(20):
            seen = [await anext(changes), await anext(changes)]
        assert seen == [DoorChanged(7, DoorState.OPEN, True), DoorChanged(7, DoorState.CLOSED, True)]

    assert play(story).board.pulses == {7: 1}


def test_a_display_shows_the_newest(play: Callable[[Story], House]) -> None:
    async def story(house: House) -> None:
        house.display.show(["旧"])
        house.display.show(["取件单 A05", "7号柜"])
        await until(lambda: house.led.shown() == ["取件单 A05", "7号柜"])

    play(story)


def test_a_scanner_yields_codes_whole_and_in_order(
    play: Callable[[Story], House], request: pytest.FixtureRequest
) -> None:
    codes = [f"SF{number:013}" for number in range(40)]
    seen: list[str] = []

    async def story(house: House) -> None:
        await asyncio.sleep(0.2)
        for code in codes:
            house.gun.send(code)
        house.tick()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                async for read in house.scanner.reads():
                    seen.append(read.text)  # noqa: PERF401  the stream has no end, the time-out ends it

    play(story)
    if "lossy" in request.node.name:  # plain lines carry no check: what the line swallows is gone, and no more
        assert [code for code in codes if code in seen] == seen
        assert len(seen) > 30
    else:
        assert seen == codes


def test_all_devices_are_away_without_their_ports_and_come_back(play: Callable[[Story], House]) -> None:
    async def story(house: House) -> None:
        devices = (house.locker, house.display, house.scanner)
        house.display.show(["A05"])
        await until(lambda: all(each.status().health is not Health.AWAY for each in devices))

        house.plug(is_plugged=False)
        house.led.power_off()
        await until(lambda: all(each.status().health is Health.AWAY for each in devices))
        with pytest.raises(NotThere):
            await house.locker.open(1)

        house.led.power_on()
        house.plug(is_plugged=True)
        await until(lambda: all(each.status().health is not Health.AWAY for each in devices))
        await until(lambda: house.led.shown() == ["A05"])
        await asyncio.sleep(1.2)
        assert await house.locker.open(1) is Opening.OPEN

    assert play(story).board.pulses == {1: 1}


def test_devices_stop_while_their_ports_are_away(play: Callable[[Story], House]) -> None:
    async def story(house: House) -> None:
        house.plug(is_plugged=False)
        await asyncio.sleep(0.3)

    play(story)
