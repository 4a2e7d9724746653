"""Every kind of the table over every sort of pipe: built from settings, it does its work, once, and comes back.

What each contract promises in detail is in the suites beside this one; here nothing is left out. A kind without a row
fails, so does a row whose device is not built by the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from drivers.base import Device, Health, NoAnswer, NotThere, Opening, Refused, Settled, WrongDoor
from drivers.build import KINDS, DeviceSettings, Options, build
from drivers.display import LedDisplay
from drivers.link import Link
from drivers.locker import BoardLocker
from drivers.outbox import ReadingScanner
from drivers.panel import PanelDisplay
from drivers.paper import Cut, Printed, Text
from drivers.printer import SlipPrinter, draw
from drivers.scale import SerialScale
from drivers.sim.cabinet import CabinetSim
from drivers.sim.command_guns import HoneywellGun, NewlandGun
from drivers.sim.device import SimDevice
from drivers.sim.host import Host, Terminal
from drivers.sim.led import Led
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim, PanelSim
from drivers.sim.printer import Receipts
from drivers.sim.scale import Build, PanScale, Talk
from drivers.sim.scanner import Gun
from drivers.sim.ssi_gun import Layout, SsiGun
from drivers.wire.escpos import Form
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, noisy, run_instantly, whole
from tests.lock_makes import MAKES

TRIES = 12  # on a cable that swallows and babbles
PATIENCE_S = 120


@dataclass(frozen=True)
class Row:
    """One kind in one way of behaving."""

    kind: str
    sim: Callable[[], SimDevice]
    options: Options = field(default_factory=dict)


ROWS: dict[str, Row] = {
    **{name: Row(make.kind, lambda make=make: make.sim(make.ways), make.options) for name, make in MAKES.items()},  # type: ignore[misc]
    "onbon": Row("onbon", Led),
    "led8": Row("led8", Led8Sim),
    "cd5220": Row("cd5220", Cd5220Sim),
    "alpha": Row("alpha", AlphaSim),
    "armfly": Row("armfly", ArmflySim),
    "armfly modbus": Row("armfly", lambda: ArmflySim(form="modbus"), {"form": "modbus"}),
    "A9": Row("yaohua_a9", lambda: PanScale(Build(Talk.A9))),
    "A9 asked": Row("yaohua_a9", lambda: PanScale(Build(Talk.A9_ASKED)), {"mode": "command"}),
    "A12": Row("yaohua_a12", lambda: PanScale(Build(Talk.A12))),
    "A12 asked": Row("yaohua_a12", lambda: PanScale(Build(Talk.A12_ASKED)), {"mode": "command"}),
    "equals": Row("scale_equals", lambda: PanScale(Build(Talk.EQUALS))),
    "toledo": Row("toledo", lambda: PanScale(Build(Talk.TOLEDO))),
    "toledo without check": Row("toledo", lambda: PanScale(Build(Talk.TOLEDO_PLAIN)), {"has_check": False}),
    "lines": Row("serial_scanner", Gun),
    "ssi": Row("ssi_scanner", SsiGun, {"aim": False}),
    "ssi cordless": Row("ssi_scanner", lambda: SsiGun(Layout.CORDLESS), {"aim": False, "wake": True}),
    "newland": Row("newland_scanner", NewlandGun),
    "honeywell": Row("honeywell_scanner", HoneywellGun),
    "escpos": Row("escpos", Receipts),
    "escpos mute": Row("escpos", lambda: Receipts(answers=False)),
}
PIPES: dict[str, tuple[Shape, int, bool]] = {
    "whole": (whole, 0, False),
    "byte by byte": (byte_by_byte, 0, False),
    "glued": (glued, 0, False),
    "lossy": (lossy(11, 0.05), 0, False),
    "noisy": (noisy(7, 0.05), 0, False),
    "slow": (whole, 80, False),
    "echoing": (whole, 0, True),
    "vanishing": (whole, 0, False),
}
BAD = ("lossy", "noisy")


def test_every_kind_of_the_table_has_a_row() -> None:
    # A loudspeaker is a program: test_speaker.py. Keyboards are no pipe: test_scanner.py, and test_uinput.py where the
    # kernel makes keyboards.
    assert {row.kind for row in ROWS.values()} == set(KINDS) - {
        "evdev_scanner",
        "alsa_speaker",
    }  # nodes and a player, no wire


async def does_its_work(device: Device, sim: SimDevice, number: int) -> bool:
    """Let it do once what it is there for; tells whether that is certain. `number` differs each time."""
    match device, sim:
        case BoardLocker(), CabinetSim():
            return await opens(device, sim, 1 + number % len(device.cells))
        case SlipPrinter(), Receipts():
            return await prints(device, sim, f"n{number}")
        case SerialScale(), PanScale():
            sim.put(0)
            await asyncio.sleep(1)
            sim.put(1000 + 100 * number)
            weighing = await device.weigh(20)
            assert weighing.grams in (None, 1000 + 100 * number)
            return weighing.outcome is Settled.WEIGHED
        case ReadingScanner(), _:
            sim.poke("send", [f"SF{number:013}"])
            return await reads(device, f"SF{number:013}")
        case ((LedDisplay() | PanelDisplay()), (Led() | PanelSim())):
            device.show([str(10 + number)])
            return await shows(sim, str(10 + number))
    raise AssertionError(f"nobody knows what {device} is there for")


async def opens(locker: BoardLocker, board: CabinetSim, cell: int) -> bool:
    asked = board.asked[cell]
    board.close_door(cell)
    await asyncio.sleep(1)
    outcome: Opening | None = None
    with suppress(NotThere, Refused, WrongDoor):
        outcome = await locker.open(cell)
    assert board.asked[cell] <= asked + 1
    assert outcome is not Opening.OPEN or cell in board.open_doors
    return outcome is Opening.OPEN


async def prints(printer: SlipPrinter, receipts: Receipts, word: str) -> bool:
    outcome: Printed | None = None
    with suppress(NoAnswer, NotThere, Refused):
        outcome = await printer.print([Text(word), Cut()])
    await asyncio.sleep(1)  # the last bytes are on their way
    times = receipts.slips.count([word])
    assert times == (outcome is not None)
    return outcome is (Printed.DONE if receipts.answers else Printed.SENT)


async def reads(scanner: ReadingScanner, code: str) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            async for read in scanner.reads():
                if read.text.removeprefix("]C0") == code:
                    return True
    return False


async def shows(sim: Led | PanelSim, word: str) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while sim.shown() != [word]:
                await asyncio.sleep(0.05)
            return True
    return False


async def ticked(pipe: Pipe) -> None:
    while True:
        pipe.tick()
        await asyncio.sleep(0.02)


async def until_there(device: Device) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while device.status().health is Health.AWAY:
            await asyncio.sleep(0.05)


@pytest.fixture(autouse=True, scope="module")
def _library() -> None:
    draw([], Form())  # loaded before virtual time begins: a thread knows no virtual time


@pytest.mark.parametrize("way", PIPES)
@pytest.mark.parametrize("name", ROWS)
def test_it_does_its_work_over_every_pipe(name: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, (shape, delay_ms, echo) = ROWS[name], PIPES[way]
    sim = row.sim()
    sim.line.delay_ms, sim.line.echoes = delay_ms, echo
    pipe = Pipe(sim, shape)

    def link_to(name: str, _path: str, _baud: int, _echo: bool) -> Link:
        return pipe.link(name, echo)

    monkeypatch.setattr("drivers.kinds.link_to", link_to)

    async def main() -> None:
        device = build(DeviceSettings("it", row.kind, "/dev/it", None, row.options), LoopClock())
        await device.start()
        ticking = asyncio.create_task(ticked(pipe))
        try:
            await asyncio.sleep(3)
            if way == "vanishing":
                await vanished(device, pipe, sim)
            done = 0
            for number in range(1, TRIES if way in BAD else 3):
                done += await does_its_work(device, sim, number)
            assert done >= (TRIES / 2 if way in BAD else 2)
        finally:
            ticking.cancel()
            async with asyncio.timeout(2):  # as the contract says
                await device.stop()
                await device.stop()

    run_instantly(main())


async def vanished(device: Device, pipe: Pipe, sim: SimDevice) -> None:
    """The plug is pulled in the middle of the work, and put back."""
    working = asyncio.create_task(does_its_work(device, sim, 0))
    asyncio.get_running_loop().call_later(0.03, pipe.unplug)
    with suppress(NoAnswer, NotThere, AssertionError):
        await working
    async with asyncio.timeout(PATIENCE_S):
        while device.status().health is not Health.AWAY:
            await asyncio.sleep(0.05)
    pipe.replug()
    await until_there(device)
    await asyncio.sleep(2)


def test_all_kinds_at_once_on_real_terminals_come_back_under_other_names(tmp_path: Path) -> None:
    rows = {row.kind: row for row in ROWS.values()}  # one of each kind
    sims = {kind: row.sim() for kind, row in rows.items()}
    terminals = {kind: Terminal(kind, sim, tmp_path / kind) for kind, sim in sims.items()}
    squatter = Terminal("squatter", Gun(), tmp_path / "squatter")

    async def works(kind: str, device: Device, number: int) -> None:
        await until_there(device)
        await asyncio.sleep(0.3)
        assert await does_its_work(device, sims[kind], number), kind

    async def main() -> None:
        host = Host(list(terminals.values()), None)
        await host.start()
        devices = {
            kind: build(DeviceSettings(kind, kind, str(tmp_path / kind), None, rows[kind].options), LoopClock())
            for kind in rows
        }
        for device in devices.values():
            await device.start()
        await asyncio.gather(*(works(kind, device, 1) for kind, device in devices.items()))
        was = {kind: terminal.path.readlink() for kind, terminal in terminals.items()}
        for terminal in terminals.values():
            terminal.unplug()
        await asyncio.sleep(0.1)
        assert {device.status().health for device in devices.values()} == {Health.AWAY}
        squatter.replug()  # takes the first name that became free, so that all others move on
        for terminal in terminals.values():
            terminal.replug()
        assert all(terminal.path.readlink() != was[kind] for kind, terminal in terminals.items())
        await asyncio.gather(*(works(kind, device, 2) for kind, device in devices.items()))
        for device in devices.values():
            await device.stop()
        squatter.unplug()
        await host.stop()

    asyncio.run(main())
