"""Weighing with a ticket: what the scale says in words, what the customer sees, what is written down and printed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge import events
from edge.model import Fen, Rejected
from edge.steps import (
    Login,
    Logout,
    NotWeighed,
    PrintAgain,
    SetTare,
    ShowAmount,
    ShowBoard,
    Step,
    TareSet,
    Ticket,
    Weigh,
    WeighBoard,
    Weighed,
    Weighing,
)
from tests.stories.counter_point import CounterPoint
from tests.stories.point import OPERATOR, PIN, Point


@pytest.fixture
def point(tmp_path: Path) -> CounterPoint:
    return CounterPoint(tmp_path / "data")


async def logged_in(point: Point) -> None:
    await point.with_operator()
    await point.wants(Login(PIN))


async def weighed(point: Point, fen_per_kg: int | None = None, again: bool = False) -> Step:
    """The last step of a weighing."""
    steps = await point.wants(Weigh(None if fen_per_kg is None else Fen(fen_per_kg), again))
    assert steps[0] == Weighing()
    return steps[-1]


def ticket(step: Step) -> Ticket:
    assert isinstance(step, Weighed), step
    return step.ticket


async def test_goods_are_weighed_once_with_number_and_value(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(1250)

    seen = ticket(await weighed(point, 860))

    assert (seen.ticket, seen.net_g, seen.tare_g, seen.fen) == ("W000001", 1250, 0, 1075)
    assert (await point.facts())[-1] == events.GoodsWeighed("W000001", 1250, 0, 860, 1075, OPERATOR, None)


async def test_the_customer_sees_weight_and_value_in_turn_and_then_nothing(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(1250)
    await weighed(point, 860)

    seen = []
    for _ in range(8):
        await asyncio.sleep(1.5)
        seen.append((point.price.shown(), point.price.state()["lamp"]))
    await point.wants(ShowAmount(Fen(0), ""))
    await asyncio.sleep(1)

    assert [shown for at, shown in enumerate(seen) if shown not in seen[:at]] == [
        (["1.250"], "none"),
        (["10.75"], "total"),
    ]
    assert seen.count(seen[0]) in (4, 5)
    assert point.price.shown() == []
    await asyncio.sleep(10)
    assert point.price.shown() == []


async def test_without_a_price_the_customer_sees_the_weight_alone(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(29_995)
    await weighed(point)

    await asyncio.sleep(10)

    assert point.price.shown() == ["29.995"]


async def test_the_same_load_is_told_and_weighed_again_only_when_asked(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(1250)
    first = ticket(await weighed(point))

    assert await weighed(point) == NotWeighed("same_load")
    again = ticket(await weighed(point, again=True))

    assert (again.ticket, again.reweigh) == ("W000002", first.ticket)
    assert (await point.kinds()).count("goods_weighed") == 2


async def test_another_load_weighed_again_repeats_no_ticket(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(1250)
    await weighed(point)
    point.pan.put(0)
    await asyncio.sleep(2)
    point.pan.put(3000)

    assert ticket(await weighed(point, again=True)).reweigh is None


async def test_a_box_is_tared_and_stands_on_the_ticket(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(350)
    await asyncio.sleep(1)
    assert (await point.wants(SetTare()))[-1] == TareSet(350)
    point.pan.put(1600)

    seen = ticket(await weighed(point, 860))

    assert (seen.net_g, seen.tare_g, seen.fen) == (1250, 350, 1075)
    point.pan.put(0)
    await asyncio.sleep(2)
    assert (await point.wants(SetTare()))[-1] == TareSet(0)


@pytest.mark.parametrize("why", ["empty", "restless", "away", "silent", "garbled"])
async def test_what_cannot_be_weighed_is_told_and_takes_no_number(point: CounterPoint, why: str) -> None:
    await logged_in(point)
    point.pan.put(0 if why == "empty" else 1250)
    if why == "restless":
        point.pan.swing_g = 200
    if why == "away":
        point.pan_plug.unplug()
    if why == "silent":
        point.pan.is_off = True
    if why == "garbled":
        point.pan.breaks_check = True
    await asyncio.sleep(3)

    assert await weighed(point) == NotWeighed(why)
    assert "goods_weighed" not in await point.kinds()


async def test_a_scale_that_is_away_stops_nothing_else(point: CounterPoint) -> None:
    from edge.flows import money

    await logged_in(point)
    point.pan_plug.unplug()
    await asyncio.sleep(1)

    assert await weighed(point) == NotWeighed("away")
    bill = await point.billed()
    await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))
    await asyncio.sleep(10)
    assert point.told() == ["printing", "done"]
    point.pan_plug.replug()
    point.pan.put(500)
    await asyncio.sleep(5)
    assert ticket(await weighed(point)).net_g == 500


async def test_a_price_beyond_the_pad_is_refused(point: CounterPoint) -> None:
    await logged_in(point)

    for fen in (0, -1, 100_000):
        with pytest.raises(Rejected, match="wrong_amount"):
            await point.wants(Weigh(Fen(fen)))


async def test_nobody_weighs_without_a_login(point: CounterPoint) -> None:
    await logged_in(point)
    await point.wants(Logout())

    for intent in (Weigh(None), SetTare(), ShowBoard("weigh")):
        with pytest.raises(Rejected, match="login_first"):
            await point.wants(intent)


async def test_a_point_without_a_scale_says_so(tmp_path: Path) -> None:
    plain = Point(tmp_path / "plain")

    async with plain.running():
        await logged_in(plain)
        for intent in (Weigh(None), SetTare()):
            with pytest.raises(Rejected, match="no_scale"):
                await plain.wants(intent)


async def test_a_ticket_is_printed_and_printed_again_after_a_start(point: CounterPoint) -> None:
    await logged_in(point)
    point.pan.put(1250)
    seen = ticket(await weighed(point, 860))

    for _ in range(2):
        await point.wants(PrintAgain(seen.ticket))
        await asyncio.sleep(10)

    assert [slip[-1] for slip in point.paper.slips] == ["[128 W000001]"] * 2
    assert "补打 第 1 次" in " ".join(point.paper.slips[1])
    [board] = await point.wants(ShowBoard("weigh"))
    assert board == WeighBoard(seen, 0)


def noisy(seed: int) -> object:
    """Now and then bytes from nowhere between two frames, and now and then a frame lost."""
    dice = random.Random(seed)

    def shape(chunks: Sequence[bytes]) -> list[bytes]:
        whole = [chunk for chunk in chunks if dice.random() > 0.05]
        return [part for chunk in whole for part in (dice.randbytes(3) if dice.random() < 0.1 else b"", chunk) if part]

    return shape


@pytest.mark.parametrize("seed", range(4))
async def test_noise_on_the_line_never_makes_a_wrong_weight(tmp_path: Path, seed: int) -> None:
    point = CounterPoint(tmp_path / "noisy", noisy(seed), seed)  # type: ignore[arg-type]
    dice = random.Random(seed)

    async with point.running():
        await logged_in(point)
        for number in range(1, 6):
            grams = dice.randrange(100, 30_000, 5)
            point.pan.put(grams)
            seen = ticket(await weighed(point))
            assert (seen.ticket, seen.net_g) == (f"W{number:06d}", grams)
            point.pan.put(0)
            await asyncio.sleep(2)
        await point.sound()


async def test_a_pan_that_is_lifted_off_is_no_tare(point: CounterPoint) -> None:
    """Put back, the empty pan would be sold as goods."""
    await logged_in(point)
    point.pan.put(-400)
    await asyncio.sleep(1)

    assert (await point.wants(SetTare()))[-1] == TareSet(0)
    point.pan.put(0)
    await asyncio.sleep(2)
    assert await weighed(point) == NotWeighed("empty")


async def test_a_tare_the_technician_tried_stands_on_the_ticket(point: CounterPoint) -> None:
    from edge.model import OperatorId, Role
    from edge.steps import workbench as w
    from edge.workbench import Fittings
    from edge.workbench.bench import Part

    part = Part("yaohua_a9", "dev/scale", point.scale)
    point.desk.fit(Fittings((part,), point.dice, lambda _: ("locker", ""), _no_gun, point.posted.append))
    point.desk.counter.log_in(OperatorId("t-1"), Role.TECHNICIAN)
    point.pan.put(500)
    await asyncio.sleep(1)
    assert await point.wants(w.TareScale("scale")) == [w.Tared("scale", "weighed")]
    await logged_in(point)
    point.pan.put(1750)

    seen = ticket(await weighed(point, 860))

    assert (seen.net_g, seen.tare_g) == (1250, 500)


async def _no_gun(_code: str, _seconds: float) -> None:
    return None
