"""A day of noise on the lines of scales, displays and printer: no crash, no growth, nothing believed that nobody said.

One simulated second is one burst of noise and one frame of the device.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from drivers.base import Display, Health, NoAnswer, NotThere, Refused, Weight
from drivers.display import LedDisplay, Panel
from drivers.panel import PanelDisplay
from drivers.paper import Cut, Printed, Text
from drivers.printer import SlipPrinter, draw
from drivers.settling import Rest, Settling
from drivers.sim.led import Led
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim, PanelSim
from drivers.sim.printer import Receipts
from drivers.sim.scale import Build, PanScale, Talk
from drivers.wire import alpha, onbon
from drivers.wire.armfly import ArmflyAscii, ArmflyModbus
from drivers.wire.cd5220 import Cd5220
from drivers.wire.equals import Equals
from drivers.wire.escpos import Form
from drivers.wire.led8 import Led8
from drivers.wire.panel import PanelWire
from drivers.wire.scale import Reading, ScaleWire
from drivers.wire.toledo import Toledo
from drivers.wire.yaohua_a9 import A9
from drivers.wire.yaohua_a12 import A12
from tests.links import LoopClock, Pipe, run_instantly
from tests.soak.ledger import Ledger

Count = Callable[[int, int], int]
SHORT, DAY = 600, 86_400  # simulated seconds
SCALES: list[tuple[Talk, Callable[[], ScaleWire]]] = [
    (Talk.A9, A9),
    (Talk.A9_ASKED, lambda: A9(address="A")),
    (Talk.A12, A12),
    (Talk.A12_ASKED, lambda: A12(asks=True)),
    (Talk.EQUALS, Equals),
    (Talk.TOLEDO, Toledo),
    (Talk.TOLEDO_PLAIN, lambda: Toledo(has_check=False)),
]
WIRES: dict[str, tuple[Callable[[], PanelWire], Callable[[], PanelSim]]] = {
    "led8": (Led8, Led8Sim),
    "cd5220": (Cd5220, Cd5220Sim),
    "alpha": (lambda: alpha.Alpha(alpha.Sign(answers=True)), AlphaSim),
    "armfly": (ArmflyAscii, ArmflySim),
    "armfly modbus": (ArmflyModbus, lambda: ArmflySim(form="modbus")),
}
# How often a slip may be on paper after what was told of it.
ALLOWED: dict[Printed | None, tuple[int, ...]] = {
    None: (0,), Printed.DONE: (1,), Printed.SENT: (1,), Printed.UNKNOWN: (0, 1)
}  # fmt: skip
GROWTH = 200_000  # bytes: what the interpreter itself moves about


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No log, and the printing library loaded before virtual time begins: a thread knows no virtual time."""
    draw([], Form())
    talkers = [logging.getLogger(f"drivers.{name}") for name in ("link", "panel", "display", "printer")]
    for each in talkers:
        each.disabled = True
    yield
    for each in talkers:
        each.disabled = False


def bursts(seconds: int) -> Iterator[bytes]:
    """Noise as lines have it: silence, single bytes, repeated ones, and what looks like the protocols' own marks."""
    dice = random.Random(86_400)
    for _ in range(seconds):
        match dice.randrange(4):
            case 0:
                yield dice.randbytes(dice.randrange(64))
            case 1:
                yield bytes((dice.randrange(256),)) * dice.randrange(64)
            case 2:
                yield bytes(dice.choices(b"\x02\x03\x0d\x0a=+-.0123456789wgk$#\x1b\x10\x04\x12\x5a\xa5", k=40))
            case _:
                yield b""


class Memory:
    """Watches that memory does not grow from the first tenth of a day to its end."""

    def __init__(self, seconds: int) -> None:
        self._at = seconds // 10
        self._base = 0

    def __enter__(self) -> Memory:
        tracemalloc.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            assert tracemalloc.get_traced_memory()[0] - self._base < GROWTH
        finally:
            tracemalloc.stop()

    def look(self, second: int) -> None:
        if second == self._at:
            self._base = tracemalloc.get_traced_memory()[0]


def calm(seconds: int, each: Callable[[int, bytes], None]) -> int:
    """Play the noise; returns how many bytes it was."""
    size = 0
    with Memory(seconds) as memory:
        for second, noise in enumerate(bursts(seconds)):
            each(second, noise)
            size += len(noise)
            memory.look(second)
    return size


@pytest.mark.parametrize(("talk", "make"), SCALES, ids=lambda each: getattr(each, "value", ""))
def test_a_scale_in_noise_comes_to_rest_at_its_weight_alone(
    talk: Talk, make: Callable[[], ScaleWire], count: Count, ledger: Ledger
) -> None:
    codec, pan, settling = make(), PanScale(Build(talk)), Settling(Rest())
    pan.put(1250)
    rested: set[int] = set()

    def each(second: int, noise: bytes) -> None:
        readings = [*codec.feed(noise), *codec.feed(pan._frame())]
        for reading in readings:
            if isinstance(reading, Reading):
                settling.take(Weight(reading.grams, second * 1000, reading.is_moving, reading.is_net, reading.is_over))
                resting = settling.at_rest(second * 1000)
                if resting is not None:
                    rested.add(resting.grams)

    size = calm(seconds := count(SHORT, DAY), each)
    ledger.note("R18", "scale noise", size, len(rested - {1250}), scale_noise_hours=seconds / 3600)
    assert rested == {1250}


def test_noise_is_no_answer_of_a_card_or_a_sign(count: Count, ledger: Ledger) -> None:
    parser = onbon.Parser()
    answers = [
        step.is_answer for wire in (ArmflyAscii(), ArmflyModbus()) for step in [*wire.setup(), *wire.put(("42",))]
    ]
    believed = 0

    def each(second: int, noise: bytes) -> None:
        nonlocal believed
        believed += len(parser.feed(noise)) + len(alpha.read_back(noise))
        believed += sum(is_answer is not None and is_answer(noise) for is_answer in answers)

    size = calm(seconds := count(SHORT, DAY), each)
    ledger.note("R18", "display noise", size, believed, display_noise_hours=seconds / 3600)
    assert believed == 0
    assert len(parser._buffer) <= 2 * onbon.MAX_PACKET


def test_simulated_displays_and_the_printer_live_through_noise(count: Count) -> None:
    sims = (Led8Sim(), Cd5220Sim(), AlphaSim(), ArmflySim(), ArmflySim(form="modbus"), Receipts())

    def each(second: int, noise: bytes) -> None:
        for sim in sims:
            sim.receive(noise)
        sims[-1].poke("new_roll", [])

    calm(count(SHORT, DAY), each)


async def babbled(pipe: Pipe, seconds: int, every: int = 1) -> int:
    """Let the line babble at the driver, and every ten minutes be pulled; returns how many bytes it was."""
    size = 0
    with Memory(seconds) as memory:
        for second, noise in enumerate(bursts(seconds)):
            await asyncio.sleep(1)
            if pipe._port is not None and noise and second % every == 0:
                pipe._port.deliver([noise])
                size += len(noise)
            if second % 600 == 599:
                pipe.unplug()
                await asyncio.sleep(0.3)
                pipe.replug()
            memory.look(second)
    return size


@pytest.mark.parametrize("kind", ["onbon", *WIRES])
def test_a_display_on_a_babbling_line_shows_its_text_all_day(kind: str, count: Count, ledger: Ledger) -> None:
    sim: Led | PanelSim = Led() if kind == "onbon" else WIRES[kind][1]()
    pipe = Pipe(sim)
    link = pipe.link("display")
    display: Display = (
        LedDisplay(link, Panel(), LoopClock()) if kind == "onbon" else PanelDisplay(link, WIRES[kind][0]())
    )

    async def main(seconds: int) -> int:
        await display.start()
        display.show(["42"])
        size = await babbled(pipe, seconds)
        await asyncio.sleep(60)  # quiet
        assert sim.shown() == ["42"]
        assert display.status().health is not Health.AWAY
        await display.stop()
        return size

    size = run_instantly(main(seconds := count(SHORT, DAY)))
    ledger.note("R18", "display noise", size, 0, display_noise_hours=seconds / 3600)


@pytest.mark.parametrize("answers", [True, False])
def test_a_printer_on_a_babbling_line_prints_no_slip_twice_and_claims_none(
    answers: bool, count: Count, ledger: Ledger
) -> None:
    sim = Receipts(answers=answers)
    pipe = Pipe(sim)
    printer = SlipPrinter(pipe.link("printer"), Form())
    told: Counter[Printed | None] = Counter()
    wrong: list[str] = []

    async def prints(seconds: int) -> None:
        for number in range(seconds // 60):
            await asyncio.sleep(50)
            outcome: Printed | None = None
            # Noise reads as an open cover: a status byte carries no check.
            with contextlib.suppress(NoAnswer, NotThere, Refused):
                outcome = await printer.print([Text(f"n{number}"), Cut()])
            told[outcome] += 1
            if sim.slips.count([f"n{number}"]) not in ALLOWED[outcome]:
                wrong.append(f"n{number} {outcome}")
            sim.slips.clear()

    async def main(seconds: int) -> int:
        await printer.start()
        printing = asyncio.create_task(prints(seconds))
        # One that never answers must not be taken for one that does: that takes four bursts of noise in four seconds.
        size = await babbled(pipe, seconds, every=1 if answers else 3)
        await printing
        await printer.stop()
        return size

    size = run_instantly(main(seconds := count(SHORT, DAY)))
    ledger.note("R18", "printer noise", size, len(wrong), printer_noise_hours=seconds / 3600, slips=told.total())
    assert wrong == []
    assert told.total() - told[None] > told.total() / 4
