"""One suite for what every scale promises: each protocol, on pipes of every kind and on a real terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.base import Garbled, Health, NoAnswer, NotThere, Refused, Scale, Settled, Weighing
from drivers.scale import SerialScale
from drivers.sim.host import Host, Terminal
from drivers.sim.scale import Build, PanScale, Talk
from drivers.wire.equals import Equals
from drivers.wire.scale import ScaleWire
from drivers.wire.toledo import Toledo
from drivers.wire.yaohua_a9 import A9
from drivers.wire.yaohua_a12 import A12
from tests.links import LoopClock, Pipe, Shape, byte_by_byte, glued, lossy, noisy, run_instantly, whole

WIRES: dict[Talk, Callable[[], ScaleWire]] = {
    Talk.A9: A9,
    Talk.A9_ASKED: lambda: A9(address="A"),
    Talk.A12: A12,
    Talk.A12_ASKED: lambda: A12(asks=True),
    Talk.EQUALS: Equals,
    Talk.TOLEDO: Toledo,
    Talk.TOLEDO_PLAIN: lambda: Toledo(has_check=False),
}


@dataclass
class Bench:
    scale: Scale
    pan: PanScale
    plug: Callable[[bool], None]


Story = Callable[[Bench], Awaitable[None]]


SHAPES: dict[str, tuple[Shape, int, bool]] = {
    "whole": (whole, 0, False),
    "byte by byte": (byte_by_byte, 0, False),
    "glued": (glued, 0, False),
    "lossy": (lossy(11, 0.05), 0, False),
    "noisy": (noisy(7, 0.05), 0, False),
    "slow": (whole, 80, False),
    "echoing": (whole, 0, True),
}


def play(talk: Talk, pipe_kind: str, story: Story, build: Build | None = None) -> None:
    shape, delay_ms, echo = SHAPES[pipe_kind]
    pan = PanScale(build or Build(talk))
    pan.line.delay_ms, pan.line.echoes = delay_ms, echo
    pipe = Pipe(pan, shape)

    async def main() -> None:
        scale = SerialScale(pipe.link("scale", echo), WIRES[talk](), LoopClock())
        await scale.start()
        ticking = asyncio.create_task(_tick(pipe))
        try:
            await story(Bench(scale, pan, lambda on: (pipe.replug if on else pipe.unplug)()))
        finally:
            ticking.cancel()
            async with asyncio.timeout(2):
                await scale.stop()
                await scale.stop()

    run_instantly(main())


async def _tick(pipe: Pipe) -> None:
    while True:
        pipe.tick()
        await asyncio.sleep(0.02)


def play_on_terminal(talk: Talk, folder: Path, story: Story) -> None:
    from drivers.ports import link_to

    pan = PanScale(Build(talk))
    terminal = Terminal("scale", pan, folder / "scale")

    async def main() -> None:
        host = Host([terminal], None)
        await host.start()
        scale = SerialScale(link_to("scale", str(folder / "scale"), 9600), WIRES[talk](), LoopClock())
        await scale.start()
        try:
            await story(Bench(scale, pan, lambda on: (terminal.replug if on else terminal.unplug)()))
        finally:
            await scale.stop()
            await host.stop()

    asyncio.run(main())


every_wire = pytest.mark.parametrize("talk", WIRES, ids=lambda talk: talk.value)
every_pipe = pytest.mark.parametrize("pipe_kind", SHAPES)


async def two_equal_parcels(bench: Bench) -> None:
    bench.pan.put(1250)  # lies there before anybody asks
    assert await bench.scale.weigh(20) == Weighing(Settled.WEIGHED, 1250, False, 1)
    assert (await bench.scale.weigh(1)).outcome is Settled.SAME_LOAD
    assert await bench.scale.weigh(20, again=True) == Weighing(Settled.WEIGHED, 1250, False, 1)
    bench.pan.put(0)
    await asyncio.sleep(1)
    bench.pan.put(1250)
    assert await bench.scale.weigh(20) == Weighing(Settled.WEIGHED, 1250, False, 2)


@every_wire
@every_pipe
def test_two_equal_parcels_are_two_and_one_is_one(talk: Talk, pipe_kind: str) -> None:
    play(talk, pipe_kind, two_equal_parcels)


@pytest.mark.parametrize("talk", [Talk.A9, Talk.A9_ASKED], ids=lambda talk: talk.value)
def test_a_scale_on_a_real_terminal_weighs(talk: Talk, tmp_path: Path) -> None:
    play_on_terminal(talk, tmp_path, two_equal_parcels)


@every_wire
def test_a_restless_pan_is_not_weighed_and_an_empty_one_says_so(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        assert (await bench.scale.weigh(2)).outcome is Settled.EMPTY
        bench.pan.put(5000)
        bench.pan.swing_g = 400
        assert await bench.scale.weigh(3) == Weighing(Settled.RESTLESS)
        bench.pan.swing_g = 0
        assert (await bench.scale.weigh(3)).grams == 5000

    play(talk, "whole", story)


@every_wire
def test_a_box_is_counted_as_zero_until_the_pan_is_empty(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(400)
        assert await bench.scale.tare(5) == Weighing(Settled.WEIGHED, 400)
        bench.pan.put(1400)
        assert await bench.scale.weigh(5) == Weighing(Settled.WEIGHED, 1000, True, 1)
        bench.pan.put(0)
        await asyncio.sleep(1)
        newest = bench.scale.weight()
        assert newest is not None
        assert (newest.grams, newest.is_net) == (-400, True)
        assert (await bench.scale.tare(5)).outcome is Settled.EMPTY
        bench.pan.put(1400)
        assert await bench.scale.weigh(5) == Weighing(Settled.WEIGHED, 1400, False, 2)

    play(talk, "whole", story)


@every_wire
def test_an_unplugged_scale_is_away_comes_back_and_gives_no_parcel_twice(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(1250)
        await bench.scale.weigh(5)
        bench.plug(False)
        await asyncio.sleep(0.1)
        assert bench.scale.status().health is Health.AWAY
        with pytest.raises(NotThere):
            await bench.scale.weigh(5)
        await asyncio.sleep(2)
        assert bench.scale.weight() is None
        bench.plug(True)
        await asyncio.sleep(2)
        assert bench.scale.status().health is Health.OK
        assert (await bench.scale.weigh(2)).outcome is Settled.SAME_LOAD

    play(talk, "whole", story)


@every_wire
def test_a_silent_scale_and_one_without_sense_are_told_apart(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(1250)
        await bench.scale.weigh(5)
        bench.pan.line.mute()
        await asyncio.sleep(1.2)
        assert bench.scale.status().health is Health.AWAY
        with pytest.raises(NoAnswer):
            await bench.scale.weigh(2, again=True)
        bench.pan.line.unmute()
        bench.pan._frame = lambda: b"\xfe\xff\xfd\xfe\xff\xfd"  # type: ignore[method-assign]  # as at a wrong baud
        await asyncio.sleep(2)
        with pytest.raises(Garbled, match="baud"):
            await bench.scale.weigh(2, again=True)

    play(talk, "whole", story)


@pytest.mark.parametrize("talk", [Talk.A12, Talk.TOLEDO])
def test_pounds_are_refused_in_words(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(1250)
        bench.pan.unit = "lb"
        with pytest.raises(Refused, match="weighs in lb"):
            await bench.scale.weigh(2)
        assert bench.scale.status().health is Health.DEGRADED
        bench.pan.unit = "kg"
        assert (await bench.scale.weigh(5)).grams == 1250

    play(talk, "whole", story)


def test_an_overload_is_told_by_a_scale_that_can_tell() -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(35_000)
        assert await bench.scale.weigh(2) == Weighing(Settled.OVERLOAD)

    play(Talk.TOLEDO, "whole", story)


@pytest.mark.parametrize("talk", [Talk.A9, Talk.A9_ASKED, Talk.TOLEDO], ids=lambda talk: talk.value)
def test_frames_with_a_wrong_check_are_no_weights(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(1250)
        bench.pan.breaks_check = True
        with pytest.raises(Garbled):
            await bench.scale.weigh(5)

    play(talk, "whole", story)


@every_wire
def test_a_stream_joined_in_the_middle_of_a_frame_is_read(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(1250)
        bench.pan.join_at(5)
        assert (await bench.scale.weigh(5)).grams == 1250

    play(talk, "whole", story)


@every_wire
def test_readings_are_handed_on_in_order_and_only_the_newest_kept(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.sleep(30)
        bench.pan.put(700)
        await asyncio.sleep(1)
        readings = bench.scale.weights()
        seen = [(await anext(readings)).grams for _ in range(60)]
        assert set(seen) == {0, 700}
        assert seen == sorted(seen)

    play(talk, "whole", story)


@every_wire
@pytest.mark.parametrize("places", range(5))
def test_decimal_places_do_not_change_the_grams(talk: Talk, places: int) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.put(9000)
        assert (await bench.scale.weigh(5)).grams == 9000

    play(talk, "whole", story, Build(talk, places=places, division_g=1000))


@every_wire
def test_a_bad_cable_delays_a_weight_and_never_falsifies_it(talk: Talk) -> None:
    async def story(bench: Bench) -> None:
        bench.pan.line.garble(0.2, 3)
        for grams in range(1000, 9000, 400):
            bench.pan.put(0)
            await asyncio.sleep(2)
            bench.pan.put(grams)
            weighing = await bench.scale.weigh(60)
            assert (weighing.outcome, weighing.grams) == (Settled.WEIGHED, grams)

    play(talk, "whole", story)
