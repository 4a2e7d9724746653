"""A day of noise on the lines of scales, displays and printer: no crash, no growth, nothing believed that nobody said.

One simulated second is one burst of noise and one frame of the device. `make soak` plays 24 hours, `make test` minutes.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from drivers.base import Weight
from drivers.settling import Rest, Settling
from drivers.sim.panels import AlphaSim, ArmflySim, Cd5220Sim, Led8Sim
from drivers.sim.printer import Receipts
from drivers.sim.scale import Build, PanScale, Talk
from drivers.wire import alpha, onbon
from drivers.wire.equals import Equals
from drivers.wire.scale import Reading, ScaleWire
from drivers.wire.toledo import Toledo
from drivers.wire.yaohua_a9 import A9
from drivers.wire.yaohua_a12 import A12

MINUTES = pytest.mark.parametrize("seconds", [600, pytest.param(86_400, marks=pytest.mark.soak)])
SCALES: list[tuple[Talk, Callable[[], ScaleWire]]] = [
    (Talk.A9, A9),
    (Talk.A12, A12),
    (Talk.EQUALS, Equals),
    (Talk.TOLEDO, Toledo),
    (Talk.TOLEDO_PLAIN, lambda: Toledo(has_check=False)),
]
GROWTH = 200_000  # bytes: what the interpreter itself moves about


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


def calm(seconds: int, each: Callable[[int, bytes], None]) -> None:
    """Play the noise and see that memory has not grown from its first tenth to its end."""
    tracemalloc.start()
    try:
        base = 0
        for second, noise in enumerate(bursts(seconds)):
            each(second, noise)
            if second == seconds // 10:
                base = tracemalloc.get_traced_memory()[0]
        assert tracemalloc.get_traced_memory()[0] - base < GROWTH
    finally:
        tracemalloc.stop()


@MINUTES
@pytest.mark.parametrize(("talk", "make"), SCALES, ids=lambda each: getattr(each, "value", ""))
def test_a_scale_in_noise_comes_to_rest_at_its_weight_alone(
    talk: Talk, make: Callable[[], ScaleWire], seconds: int
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

    calm(seconds, each)
    assert rested == {1250}


@MINUTES
def test_noise_is_no_answer_of_a_card_or_a_sign(seconds: int) -> None:
    parser = onbon.Parser()

    def each(second: int, noise: bytes) -> None:
        assert parser.feed(noise) == []
        assert alpha.read_back(noise) == []

    calm(seconds, each)
    assert len(parser._buffer) <= 2 * onbon.MAX_PACKET


@MINUTES
def test_simulated_displays_and_the_printer_live_through_noise(seconds: int) -> None:
    sims = (Led8Sim(), Cd5220Sim(), AlphaSim(), ArmflySim(), ArmflySim(form="modbus"), Receipts())

    def each(second: int, noise: bytes) -> None:
        for sim in sims:
            sim.receive(noise)
        sims[-1].poke("new_roll", [])

    calm(seconds, each)
