"""The state tables against a second copy written down by hand, and the masks of personal values."""

from __future__ import annotations

import copy
import logging
import pickle
import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model import (
    BILL_MOVES,
    PARCEL_MOVES,
    AccountNo,
    Address,
    BillId,
    BillState,
    Fen,
    IllegalMove,
    Name,
    ParcelId,
    ParcelState,
    Phone,
    PickupCode,
    PickupToken,
    bill_moved,
    local_day,
    moved,
)
from edge.steps import AcceptBill, FindBill, HandOver, Login, PickUp, Scanned, Search

PARCEL = """
expected       parcel_arrived       arrived
arrived        parcel_shelved       on_shelf
arrived        parcel_deposited     in_locker
arrived        deposit_cancelled    expected
on_shelf       pickup_started       releasing
on_shelf       return_started       return_pending
on_shelf       parcel_excepted      exception
in_locker      pickup_started       releasing
in_locker      return_started       return_pending
in_locker      parcel_excepted      exception
releasing      parcel_picked_up     picked_up
releasing      pickup_failed        in_locker
releasing      pickup_left_on_shelf on_shelf
releasing      parcel_excepted      exception
return_pending parcel_returned      returned
return_pending parcel_excepted      exception
exception      parcel_picked_up     picked_up
exception      parcel_found         on_shelf
exception      parcel_found_in_cell in_locker
exception      return_started       return_pending
"""
BILL = """
unpaid   bill_accepted accepted
accepted bill_posted   posted
accepted bill_refused  refused
refused  bill_refunded reversed
"""


def table(text: str) -> dict[tuple[str, str], str]:
    return {(a, b): c for a, b, c in (line.split() for line in text.strip().splitlines())}


PARCEL_FACTS = sorted({fact for _, fact in table(PARCEL)} | {"parcel_expected", "door_opened", ""})
BILL_FACTS = sorted({fact for _, fact in table(BILL)} | {"bill_issued", ""})


@pytest.mark.parametrize("state", ParcelState)
@pytest.mark.parametrize("fact", PARCEL_FACTS)
def test_parcel_moves_as_the_table_says_and_not_otherwise(state: ParcelState, fact: str) -> None:
    told = table(PARCEL).get((state, fact))

    if told is None:
        with pytest.raises(IllegalMove) as caught:
            moved(state, fact)
        assert (caught.value.state, caught.value.move) == (state, fact)
    else:
        assert moved(state, fact) == told


@pytest.mark.parametrize("state", BillState)
@pytest.mark.parametrize("fact", BILL_FACTS)
def test_bill_moves_as_the_table_says_and_not_otherwise(state: BillState, fact: str) -> None:
    told = table(BILL).get((state, fact))

    if told is None:
        with pytest.raises(IllegalMove):
            bill_moved(state, fact)
    else:
        assert bill_moved(state, fact) == told


def test_tables_name_every_state() -> None:
    assert set(PARCEL_MOVES) == set(ParcelState)
    assert set(BILL_MOVES) == set(BillState)


@pytest.mark.parametrize(
    ("at", "day"),
    [(1_795_276_799_999, "2026-11-21"), (1_795_276_800_000, "2026-11-22"), (0, "1970-01-01")],
)
def test_the_day_is_that_of_china(at: int, day: str) -> None:
    assert local_day(at) == day


# --- masks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    held: object


MASKED = [
    Phone("13812345678"),
    Name("欧阳小兰"),
    Address("金溪村3组17号"),
    AccountNo("110203045566"),
    PickupCode("481516"),
    PickupToken("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
]
SECRET = ["1234567", "小兰", "17号", "11020304", "481516", "BCDEFG"]


@pytest.mark.parametrize(("value", "secret"), zip(MASKED, SECRET, strict=True))
def test_no_way_of_printing_shows_a_personal_value(value: Phone, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("edge.test").info("%s %r %s %s", value, value, [value], {"k": Holder(value)})

    texts = [str(value), repr(value), f"{value}", f"{value!r}", f"{value:>40}", f"{value}", format(value),
             str([value]), repr({"k": value}), repr(Holder(value)), str(ValueError(value)), caplog.text]  # fmt: skip

    assert [text for text in texts if secret in text] == []
    assert value.plain() not in "".join(texts)


@pytest.mark.parametrize("value", MASKED)
def test_personal_values_are_neither_pickled_nor_copied_deep(value: Phone) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(value)
    with pytest.raises(TypeError):
        copy.deepcopy(value)


@pytest.mark.parametrize(
    ("number", "villager", "operator"),
    [
        ("13812345678", "138******78", "1******5678"),
        ("+8613812345678", "+86*********78", "+*********5678"),
        ("1381234567", "**********", "**********"),
        ("138123456", "*********", "*********"),
        ("0912-345678", "***********", "***********"),
        ("12345", "*****", "*****"),
        ("", "", ""),
    ],
)
def test_a_phone_is_masked_for_villager_and_operator(number: str, villager: str, operator: str) -> None:
    assert (Phone(number).masked(), Phone(number).for_operator()) == (villager, operator)


@given(st.text("0123456789+- ", max_size=24))
def test_a_masked_phone_hides_at_least_six_digits_or_all(number: str) -> None:
    for shown in (Phone(number).masked(), Phone(number).for_operator()):
        hidden = sum(sign.isdigit() for sign in number) - sum(sign.isdigit() for sign in shown)

        assert len(shown) == len(number)
        assert hidden >= 6 or not any(sign.isdigit() for sign in shown)


@pytest.mark.parametrize(
    ("name", "shown"), [("王小二", "王*"), ("欧阳小兰", "欧阳*"), ("欧阳", "欧*"), ("王", "王*"), ("", "")]
)
def test_a_name_keeps_its_surname(name: str, shown: str) -> None:
    assert str(Name(name)) == shown


def test_equal_personal_values_are_equal_and_kinds_differ() -> None:
    assert Phone("13812345678") == Phone("13812345678")
    assert hash(Phone("13812345678")) == hash(Phone("13812345678"))
    assert Phone("481516") != PickupCode("481516")


@pytest.mark.parametrize(
    "intent",
    [
        Scanned("]Q3VP1:ABCDEFGHIJKLMNOPQRSTUVWXYZ", "home"),
        PickUp(PickupCode("482913"), "5678"),
        Search("5678"),
        Login("5678"),
        AcceptBill(BillId("b1"), Fen(100), "5678"),
        HandOver(ParcelId("p1"), "self", "5678"),
        FindBill("water", AccountNo("88015678")),
    ],
)
def test_the_loop_may_write_an_intent_into_a_trace_and_tells_nothing_of_a_person(intent: object) -> None:
    """asyncio writes the arguments of a callback that failed: no type of the log's mask knows a token."""
    told = repr(intent)

    assert not re.search("482913|VP1:|ABCD", told)
    assert "5678" not in told.replace("AccountNo(****5678)", "")
