"""What stands on paper: everything the payer needs, nothing that a finder may read, and it can be drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.paper import BarCode, Cut, Line, Text
from drivers.printer import draw
from drivers.sim.printer import Receipts
from drivers.wire.escpos import Form
from edge import slips
from edge.model import AccountNo, BillId, BillState, Fen, Name
from edge.slips import Letterhead
from edge.steps import BillLine, SlipShown, Ticket
from ui import papers

AT = 1_782_869_400_000  # 2026-07-01 09:30 in Beijing
BILL = BillLine(
    BillId("b1"),
    "国网重庆市电力公司",
    "power",
    AccountNo("500239000001"),
    Name("司马相如"),
    "2026年6月",
    Fen(8650),
    "accepted",
)
SHOWN = SlipShown(BILL, "000123", "op1", AT, posted=False, check="9f31c2d0")
TICKET = Ticket("W000007", 12_345, 350, Fen(860), Fen(10_617), "op1", AT, "9f31c2d0", "W000006")


def head(lang: str = "zh", phone: str = "023-79001234") -> Letterhead:
    return Letterhead(lambda key, **slots: papers.say(key, lang, **slots), "金溪村服务点", phone)


def words(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines if isinstance(line, Text)]


def on_paper(lines: tuple[Line, ...]) -> list[str]:
    """What a printer of 58 mm puts on its paper."""
    sim = Receipts()
    sim.receive(draw(lines, Form()))
    return sim.slips[-1]


def test_an_acceptance_slip_says_all_that_a_payer_needs() -> None:
    said = words(slips.bill_slip(head(), SHOWN, 0))

    assert said == [
        "金溪村服务点", "受理凭证", "已代收 待销账", "单号：000123", "收费单位：国网重庆市电力公司", "电费  2026年6月",
        "户名：司马*", "户号：****0001", "金额 ￥86.50", "大写：捌拾陆元伍角", "付款方式：现金",
        "钱已收下，联网后销账，请保管好。", "时间：2026-07-01 09:30", "经办：op1", "校验码：9f31c2d0", "本单不是发票。",
        "咨询电话：023-79001234",
    ]  # fmt: skip


def test_its_number_stands_there_as_a_bar_code_and_the_paper_is_cut() -> None:
    assert slips.bill_slip(head(), SHOWN, 0)[-2:] == (BarCode("000123"), Cut())
    assert on_paper(slips.bill_slip(head(), SHOWN, 0))[-1] == "[128 000123]"


@pytest.mark.parametrize(("state", "title", "said"), [
    ("accepted", "受理凭证", "已代收 待销账"), ("posted", "缴费凭证", "已销账"),
    ("refused", "受理凭证", "未收成 待退款"), ("reversed", "受理凭证", "已退款"),
])  # fmt: skip
def test_a_reprint_says_what_became_of_the_bill_since(state: str, title: str, said: str) -> None:
    found = words(slips.bill_slip(head(), replace(SHOWN, bill=replace(BILL, state=state)), 1))

    assert found[1:4] == [title, "补打 第 1 次", said]


def test_an_original_is_not_marked_as_a_copy() -> None:
    assert not any("补打" in line for line in words(slips.bill_slip(head(), SHOWN, 0)))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("state", [each for each in BillState if each is not BillState.UNPAID])
def test_every_state_has_its_slip_in_both_languages(lang: str, state: BillState) -> None:
    shown = replace(SHOWN, bill=replace(BILL, state=state.value))

    assert on_paper(slips.bill_slip(head(lang), shown, 2))


def test_no_full_name_and_no_account_is_on_paper() -> None:
    text = " ".join(words(slips.bill_slip(head(), SHOWN, 0)))

    assert "相如" not in text
    assert "50023900" not in text


def test_a_bill_whose_payer_was_forgotten_has_no_empty_line() -> None:
    forgotten = replace(SHOWN, bill=replace(BILL, name=Name(""), account_no=AccountNo("****0001")))

    assert [line for line in words(slips.bill_slip(head(phone=""), forgotten, 1)) if re.search("[：:]$", line)] == []


def test_a_ticket_says_weight_price_value_and_what_it_is_not() -> None:
    said = words(slips.weighing_slip(head(), TICKET, 0))

    assert said == [
        "金溪村服务点", "称重单", "单号：W000007", "复称，原单：W000006", "毛重：12.695 kg", "皮重：0.350 kg",
        "净重 12.345 kg", "单价：￥8.60 / kg",
        "金额 ￥106.17", "大写：壹佰零陆元壹角柒分", "金额四舍五入到分", "时间：2026-07-01 09:30",
        "经办：op1", "校验码：9f31c2d0", "只证明重量，没有收钱付钱。有异议请当场再称。", "本单不是发票。",
        "咨询电话：023-79001234",
    ]  # fmt: skip


def test_a_ticket_without_price_or_tare_says_neither() -> None:
    plain = replace(TICKET, tare_g=0, fen_per_kg=None, fen=None, reweigh=None)

    said = " ".join(words(slips.weighing_slip(head(), plain, 0)))

    assert "重量 12.345 kg" in said
    assert not any(word in said for word in ("金额", "皮重", "毛重", "净重", "复称"))


def test_a_weight_tared_at_the_instrument_is_net_of_nobody_knows_what() -> None:
    said = " ".join(words(slips.weighing_slip(head("en"), replace(TICKET, tare_g=None), 3)))

    assert "Net 12.345 kg" in said
    assert "Copy no. 3" in said
    assert "Tare" not in said


@pytest.mark.parametrize("lang", ["zh", "en"])
@given(grams=st.integers(1, 300_000), fen=st.integers(0, 10**10), tare=st.none() | st.integers(0, 9999))
def test_every_ticket_can_be_drawn_on_narrow_paper(lang: str, grams: int, fen: int, tare: int | None) -> None:
    ticket = replace(TICKET, net_g=grams, fen=Fen(fen), tare_g=tare)

    paper = on_paper(slips.weighing_slip(head(lang), ticket, 0))

    assert "[128 W000007]" in paper
    assert f"{grams // 1000}.{grams % 1000:03d} kg" in "".join(line.removeprefix("[big] ") for line in paper)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_customer_display_gets_latin_signs_that_fit_its_twenty_columns(lang: str) -> None:
    """The dearest goods on the largest scale: a cut line would show a wrong amount."""
    say = partial(papers.say, lang=lang)

    price, value = say("price.yuan", fen=99_999), say("price.yuan", fen=29_999_700)
    lines = [say("price.weight", grams=300_000), say("price.unit"), say("price.by", price=price, value=value)]

    assert lines == ["300.000", "kg", "kg x999.99=299997.00"]
    assert max(map(len, lines)) == 20
