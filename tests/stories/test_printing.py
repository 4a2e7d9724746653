"""Slips on paper: after the commit, beside the flow, once; whatever the printer does, the money stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import events, prints
from edge.flows import money
from edge.model import BillId, BillState, Fen, Rejected
from edge.steps import AcceptBill, Login, PrintAgain, ShowBoard, SlipShown
from tests.stories.counter_point import CounterPoint
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, PIN, Point, told

Break = Callable[[CounterPoint], None]


@pytest.fixture
def point(tmp_path: Path) -> CounterPoint:
    return CounterPoint(tmp_path / "data")


def out_of_paper(point: CounterPoint) -> None:
    point.paper.lines_left = 0


def cover_open(point: CounterPoint) -> None:
    point.paper.is_open = True


def jammed(point: CounterPoint) -> None:
    point.paper.has_error = True


def unplugged(point: CounterPoint) -> None:
    point.paper_plug.unplug()


def switched_off(point: CounterPoint) -> None:
    point.paper.power_off()


def mended(point: CounterPoint) -> None:
    point.paper.poke("new_roll", [])
    point.paper.is_open = point.paper.has_error = False
    point.paper.has_power = True
    point.paper_plug.replug()


BROKEN: dict[str, Break] = {
    "paper": out_of_paper, "cover": cover_open, "fault": jammed, "away": unplugged, "silent": switched_off,
}  # fmt: skip


async def paid(point: Point, number: int = 1, fen: int = 4280) -> BillId:
    bill = await point.billed(number, fen)
    await point.play(money.accept(point.site, bill, Fen(fen), OPERATOR))
    return bill


async def test_cash_taken_puts_its_slip_on_paper_with_the_number_it_has(point: CounterPoint) -> None:
    bill = await point.billed()

    steps = await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))
    await asyncio.sleep(10)

    assert steps[-1].printed == "printing"
    assert point.told() == ["printing", "done"]
    [slip] = point.paper.slips
    assert slip[-1] == "[128 000001]"
    assert not any("补打" in line for line in slip)
    assert (await point.kinds())[-4:] == ["bill_accepted", "slip_issued", "print_started", "print_ended"]


async def test_the_screen_goes_on_while_the_printer_works(point: CounterPoint) -> None:
    """The next person does not wait for paper: the flow has ended before the first byte."""
    point.paper.confirms = False  # the printer takes its whole time
    bill = await point.billed()
    await point.with_operator()

    point.runner.submit(AcceptBill(bill, Fen(4280), PIN))
    await asyncio.sleep(0.01)
    while point.runner.busy:
        await asyncio.sleep(0.01)

    assert any(isinstance(step, SlipShown) for step in point.posted)
    assert point.told() in ([], ["printing"])


@pytest.mark.parametrize("why", BROKEN)
async def test_a_printer_that_cannot_leaves_the_money_alone_and_says_why(point: CounterPoint, why: str) -> None:
    BROKEN[why](point)
    await asyncio.sleep(1)

    bill = await paid(point)
    await asyncio.sleep(30)

    assert (await point.bill(bill)).state is BillState.ACCEPTED
    assert point.told()[-1] == why
    assert point.paper.slips == []
    assert (await point.facts())[-1] == events.PrintEnded("000001", 0, why)


@pytest.mark.parametrize("why", BROKEN)
async def test_after_the_hand_movement_the_same_slip_is_printed_as_the_original(point: CounterPoint, why: str) -> None:
    BROKEN[why](point)
    await asyncio.sleep(1)
    await paid(point)
    await asyncio.sleep(30)

    mended(point)
    await asyncio.sleep(15)
    await point.wants(PrintAgain("000001"))
    await asyncio.sleep(15)

    assert point.told()[-1] == "done"
    [slip] = point.paper.slips
    assert slip[-1] == "[128 000001]"
    assert not any("补打" in line for line in slip)


async def test_paper_that_ends_in_mid_slip_is_unknown_and_the_next_print_a_copy(point: CounterPoint) -> None:
    point.paper.lines_left = 6
    await paid(point)
    await asyncio.sleep(60)
    assert point.told() == ["printing", "unknown"]

    point.paper.power_off()  # the roll is changed with the power off: half a slip is lost
    point.paper.on_paper = []
    mended(point)
    await asyncio.sleep(15)
    await point.wants(PrintAgain("000001"))
    await asyncio.sleep(15)

    assert "补打 第 1 次" in " ".join(point.paper.slips[-1])


async def test_a_printer_that_never_answers_gets_the_slip_and_nothing_is_claimed(point: CounterPoint) -> None:
    point.paper.answers = False
    point.paper_plug.unplug()
    await asyncio.sleep(1)
    point.paper_plug.replug()  # another printer, which has never said a word
    await asyncio.sleep(15)

    await paid(point)
    await asyncio.sleep(30)

    assert point.told() == ["printing", "sent"]
    assert len(point.paper.slips) == 1


async def test_the_operator_prints_a_slip_again_with_its_number_and_that_is_a_fact(point: CounterPoint) -> None:
    await paid(point)
    await point.with_operator()
    await point.wants(Login(PIN))
    await asyncio.sleep(10)

    await point.wants(ShowBoard("bills"))
    await point.wants(PrintAgain("000001"))
    await asyncio.sleep(10)

    assert [slip[-1] for slip in point.paper.slips] == ["[128 000001]"] * 2
    assert "补打 第 1 次" in " ".join(point.paper.slips[1])
    assert (await point.facts())[-2:] == [
        events.PrintStarted("000001", 1, OPERATOR),
        events.PrintEnded("000001", 1, "done"),
    ]
    assert (await point.kinds()).count("bill_accepted") == 1


async def test_a_slip_printed_after_the_biller_booked_it_says_so(point: CounterPoint) -> None:
    bill = await paid(point)
    await asyncio.sleep(10)
    await point.store.run(told, events.BillPosted(bill, "000001", "S-77"))

    await point.wants(PrintAgain("000001"))
    await asyncio.sleep(10)

    assert "[big] 已销账" in point.paper.slips[1]


async def test_whoever_paid_tries_three_times_then_the_operator_must_come(point: CounterPoint) -> None:
    out_of_paper(point)
    await paid(point)
    for _ in range(2):
        await asyncio.sleep(10)
        await point.wants(PrintAgain("000001"))
    await asyncio.sleep(10)

    with pytest.raises(Rejected, match="login_first"):
        await point.wants(PrintAgain("000001"))


async def test_a_slip_on_its_way_is_not_sent_beside_itself(point: CounterPoint) -> None:
    await paid(point)

    with pytest.raises(Rejected, match="busy"):
        await point.wants(PrintAgain("000001"))
    await asyncio.sleep(10)
    assert len(point.paper.slips) == 1


async def test_a_number_that_nobody_gave_is_not_printed(point: CounterPoint) -> None:
    for slip in ("000009", "W000009", ""):
        with pytest.raises(Rejected, match="unknown_slip"):
            await point.wants(PrintAgain(slip))


async def test_ten_payments_while_the_printer_hangs_are_all_taken(point: CounterPoint) -> None:
    """The queue is bounded: what it cannot take is not begun, and can be printed later."""
    point.paper.confirms = False  # each slip waits its full time for a mark that never comes
    steps = []
    for number in range(1, 13):
        bill = await point.billed(number, 100)
        steps += await point.play(money.accept(point.site, bill, Fen(100), OPERATOR))

    shown = [step.printed for step in steps if isinstance(step, SlipShown)]
    assert shown[0] == "printing"
    assert shown[-1] == "never"
    await asyncio.sleep(600)
    assert len(point.paper.slips) == shown.count("printing")
    await point.wants(PrintAgain("000012"))
    await asyncio.sleep(60)
    assert point.paper.slips[-1][-1] == "[128 000012]"


async def test_without_a_printer_all_is_as_before(tmp_path: Path) -> None:
    plain = Point(tmp_path / "plain")

    async with plain.running():
        bill = await plain.billed()
        steps = await plain.play(money.accept(plain.site, bill, Fen(4280), OPERATOR))
        with pytest.raises(Rejected, match="no_printer"):
            await plain.wants(PrintAgain("000001"))
        facts = (await plain.kinds())[-2:]

    assert steps[-1].printed == ""
    assert facts == ["bill_accepted", "slip_issued"]


def test_a_program_stopped_in_a_print_shows_the_slip_at_its_next_start_and_prints_nothing(tmp_path: Path) -> None:
    first, second = CounterPoint(tmp_path / "data"), CounterPoint(tmp_path / "data", seed=2)
    first.paper.confirms = False
    second.clock.boot = "b0070002"

    async def ends_in_a_print() -> None:
        async with first.running():
            await paid(first)
            await asyncio.sleep(3)
            assert first.told() == ["printing"]

    async def next_start() -> None:
        async with second.running():
            shown = await second.play(money.show_unseen(second.site))
            await asyncio.sleep(30)
            assert [(step.slip, step.printed) for step in shown] == [("000001", "unknown")]
            assert second.paper.slips == []
            assert await second.play(money.show_unseen(second.site)) == []
            await second.wants(PrintAgain("000001"))
            await asyncio.sleep(30)
            assert "补打 第 1 次" in " ".join(second.paper.slips[0])
            await second.sound()

    run_patiently(ends_in_a_print())
    run_patiently(next_start())


@pytest.mark.parametrize("slip", ["D0-12", "C-00112233445566aa", "000077"])
def test_a_sheet_or_record_cut_off_in_its_print_keeps_no_point_from_starting(tmp_path: Path, slip: str) -> None:
    """The number of a reconciliation sheet, of a commissioning record, of a bill that did not come back with others."""
    point = CounterPoint(tmp_path / "data")

    async def ends_in_a_print() -> None:
        async with point.running():
            await point.store.run(prints.begin, slip, OPERATOR)

    async def next_start() -> None:
        async with point.running():
            assert await point.store.run(prints.last, slip) == "unknown"
            assert await point.play(money.show_unseen(point.site)) == []

    run_patiently(ends_in_a_print())
    run_patiently(next_start())
