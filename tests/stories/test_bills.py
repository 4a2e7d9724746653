"""Operation C: a bill is taken in cash while the line is away. The slip follows the commit, the biller comes later."""

from __future__ import annotations

import asyncio

import pytest

from edge import bills, events
from edge.flows import money
from edge.model import AccountNo, BillId, BillState, Fen, Rejected
from edge.reserve import BALLAST
from edge.steps import AcceptBill, BillsFound, CancelFlow, Checking, FindBill, SlipShown
from tests.stories.point import OPERATOR, PIN, Point, told


async def slip_of(point: Point, bill: BillId) -> SlipShown:
    return await point.store.run(money.slip, bill)


async def test_a_bill_is_found_paid_and_its_slip_shown(point: Point) -> None:
    bill = await point.billed()
    await point.with_operator()

    found = await point.wants(FindBill("water", AccountNo("8800120001")))
    steps = await point.wants(AcceptBill(bill, Fen(4280), PIN))

    assert [type(step) for step in found] == [Checking, BillsFound]
    assert found[-1].bills[0].fen == 4280
    assert steps == [Checking(), await slip_of(point, bill)]
    assert (steps[-1].slip, steps[-1].posted, steps[-1].operator) == ("000001", False, OPERATOR)
    assert (await point.bill(bill)).state is BillState.ACCEPTED
    assert (await point.kinds())[-2:] == ["bill_accepted", "slip_issued"]


async def test_an_accepted_bill_is_posted_later_under_the_same_number(point: Point) -> None:
    bill = await point.billed()
    await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))

    await point.store.run(told, events.BillPosted(bill, "000001", "S-77"))
    await point.store.run(told, events.BillPosted(bill, "000001", "S-77"))

    slip = await slip_of(point, bill)
    assert (slip.slip, slip.posted) == ("000001", True)


async def test_a_refused_bill_goes_on_the_refund_list_and_back_to_the_payer(point: Point) -> None:
    bill = await point.billed()
    await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))

    await point.store.run(told, events.BillRefused(bill, "000001", "paid elsewhere"))
    assert "refund" in await point.alarms()
    await point.store.run(bills.refunded, bill, OPERATOR)

    assert (await point.bill(bill)).state is BillState.REVERSED
    assert await point.alarms() == ()


async def test_an_unknown_account_is_not_guessed_at(point: Point) -> None:
    await point.billed()

    with pytest.raises(Rejected, match="unknown_bill"):
        await point.wants(FindBill("", AccountNo("8800129999")))


async def test_a_bill_is_taken_once(point: Point) -> None:
    bill = await point.billed()
    await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))

    with pytest.raises(Rejected) as caught:
        await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))
    with pytest.raises(Rejected, match="already_accepted"):
        await point.wants(FindBill("", AccountNo("8800120001")))

    assert caught.value.facts == {"slip": "000001", "posted": 0}
    assert (await point.kinds()).count("bill_accepted") == 1


async def test_another_amount_than_the_bill_is_refused(point: Point) -> None:
    bill = await point.billed()

    with pytest.raises(Rejected, match="wrong_amount"):
        await point.play(money.accept(point.site, bill, Fen(4279), OPERATOR))
    assert (await point.bill(bill)).state is BillState.UNPAID


async def test_a_wrong_pin_takes_no_money_and_counts(point: Point) -> None:
    bill = await point.billed()
    await point.with_operator()

    for _ in range(5):
        with pytest.raises(Rejected, match="wrong_pin"):
            await point.wants(AcceptBill(bill, Fen(4280), "000000"))
    with pytest.raises(Rejected, match="locked_out"):
        await point.wants(AcceptBill(bill, Fen(4280), PIN))

    assert (await point.bill(bill)).state is BillState.UNPAID
    await asyncio.sleep(61)
    assert isinstance((await point.wants(AcceptBill(bill, Fen(4280), PIN)))[-1], SlipShown)


async def test_on_the_reserve_of_a_full_disk_no_money_is_taken(point: Point) -> None:
    bill = await point.billed()
    (point.folder / BALLAST).unlink()

    with pytest.raises(Rejected, match="disk_low"):
        await point.play(money.accept(point.site, bill, Fen(4280), OPERATOR))


@pytest.mark.parametrize("commit", range(1, 7))
async def test_pressing_back_never_takes_cash_without_a_slip(point: Point, commit: int) -> None:
    """Pressed while a commit is under way: nothing was taken, or the slip stands on the screen."""
    await point.with_operator()
    bill = await point.billed()
    point.at_commit(commit, point.runner.submit, CancelFlow())

    point.runner.submit(AcceptBill(bill, Fen(4280), PIN))
    await asyncio.sleep(5)

    is_taken = (await point.bill(bill)).state is BillState.ACCEPTED
    assert is_taken is any(isinstance(step, SlipShown) for step in point.posted)
