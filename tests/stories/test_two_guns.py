"""Two guns at the intake, and a touch between them: an answer is for the parcel it was asked about, for no other."""

from __future__ import annotations

import asyncio

import pytest

from edge.model import Phone, Role, WaybillNo
from edge.parcels import find_active
from edge.steps import (
    AskCarrier,
    AskPhone,
    ChooseCarrier,
    GivePhone,
    Intent,
    Login,
    Logout,
    PutIn,
    RecordConsent,
    Refusal,
    Scanned,
    SetIntakeTarget,
    Step,
)
from tests.stories.point import OPERATOR, PIN, Point, waybill

UNSURE = "7700123456789"  # several carriers have such numbers


@pytest.fixture
def wang(point: Point) -> Phone:
    return Phone("13812345678")


async def scanned(point: Point, text: str) -> Step:
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    point.runner.submit(Scanned(text, "intake", "gun1"))
    await asyncio.sleep(1)
    return point.posted[-1]


async def between(point: Point, text: str, answer: Intent) -> None:
    """The other gun reads a label; the page still asks about the first one when it is answered."""
    point.runner.submit(Scanned(text, "intake", "gun2"))
    point.runner.submit(answer)
    await asyncio.sleep(5)


async def phone_of(point: Point, number: str) -> Phone | None:
    here = await point.store.run(find_active, WaybillNo(number))
    return None if here is None else here.phone


@pytest.mark.parametrize("other", [str(waybill(2)), UNSURE])
async def test_no_parcel_gets_the_phone_that_was_typed_for_another(point: Point, wang: Phone, other: str) -> None:
    asked = await scanned(point, str(waybill(1)))
    assert isinstance(asked, AskPhone)

    await between(point, other, GivePhone(asked.waybill_no, wang, consented=True))

    assert await phone_of(point, other) is None
    assert point.posted[-1] == Refusal("scan_again")


async def test_no_parcel_gets_the_carrier_that_was_chosen_for_another(point: Point) -> None:
    asked = await scanned(point, UNSURE)
    assert isinstance(asked, AskCarrier)

    await between(point, str(waybill(2)), ChooseCarrier(asked.waybill_no, "ZTO"))

    assert point.posted[-1] == Refusal("scan_again")
    assert point.desk.counter.learnt == {}


async def test_a_consent_is_for_the_parcel_that_was_telephoned_about(point: Point) -> None:
    parcel = await point.expected(1, consent="none")
    await scanned(point, str(waybill(1)))

    await between(point, UNSURE, RecordConsent(parcel, "shelf"))

    assert point.posted[-1] == Refusal("scan_again")
    assert (await point.parcel(parcel)).consent == "none"


async def test_an_answer_to_the_question_on_the_page_takes_the_parcel_in(point: Point, wang: Phone) -> None:
    await scanned(point, str(waybill(1)))
    asked = await scanned(point, str(waybill(2)))
    assert isinstance(asked, AskPhone)

    point.runner.submit(GivePhone(asked.waybill_no, wang, consented=True))
    await asyncio.sleep(3)
    point.board.close_door(1)
    await asyncio.sleep(5)

    assert await phone_of(point, str(waybill(2))) == wang


async def test_where_the_last_operator_sent_parcels_is_forgotten_with_them(point: Point) -> None:
    """The page of the next one begins with "automatic", and that is what happens."""
    await point.with_operator()
    parcel = await point.expected(1)
    for intent in (Login(PIN), SetIntakeTarget("shelf"), Logout(), Login(PIN)):
        point.runner.submit(intent)
        await asyncio.sleep(2)

    point.runner.submit(Scanned(str(waybill(1)), "intake"))
    await asyncio.sleep(3)

    assert isinstance(point.posted[-1], PutIn)
    assert (await point.parcel(parcel)).cell == 1
