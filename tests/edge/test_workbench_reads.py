"""What the raw view may show: nothing that is worth money, nothing that names a person, all else as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Flaw, Read
from edge.codes import recognise
from edge.steps.workbench import MASKED
from edge.workbench.reads import MOST_SIGNS, masked, shown

PAYMENT = "134567890123456789"
PHONE = "13812345678"
ID_CARD = "110101199003078515"


def seen(text: str) -> str:
    return shown(Read(text, "gun", 0), {}).text


@pytest.mark.parametrize("text", [
    "]C1SF1300000000001", "YT7512345678903", "]E06901234567892", "]C1\x1d0106901234567892", "773123456789012",
    "https://example.cn/a", "@MNUDEF;",
])  # fmt: skip
def test_what_is_printed_for_all_to_see_stays_as_it_came(text: str) -> None:
    assert seen(text) == text


@pytest.mark.parametrize("text", [
    PAYMENT, f"]Q3{PAYMENT}", "1345 6789 0123 4567 89", f"{PAYMENT}\n", "VP1:" + "A" * 26, "VP1:AAA",
])  # fmt: skip
def test_of_a_secret_not_one_sign_is_shown(text: str) -> None:
    raw = shown(Read(text, "gun", 0), {})
    body = raw.text.removeprefix("]Q3")

    assert set(body) <= {MASKED, " ", "\n"}
    assert raw.hidden == "secret"


@pytest.mark.parametrize("text", [
    PHONE, f"]Q3{PHONE}", ID_CARD, "0086" + PHONE, f"收件人 {PHONE}", f'{{"tel":"{PHONE}","id":"{ID_CARD}"}}',
    f"{PHONE}-1234", "138 1234 5678",
])  # fmt: skip
def test_of_a_persons_number_at_most_the_tail_is_shown(text: str) -> None:
    raw = shown(Read(text, "gun", 0), {})

    assert "1381234" not in raw.text.replace(" ", "")
    assert "11010119900307" not in raw.text
    assert raw.hidden in ("personal", "secret")  # an identity card may have the shape of a payment code


def test_a_name_in_a_label_is_hidden_behind_its_first_sign() -> None:
    assert seen("收件人欧阳秀英\nYT7512345678903").startswith("收" + MASKED * 6)


@pytest.mark.parametrize("around", ["{}{}", "X{}{}", "{} {}", "00{}{}"])
def test_glued_payment_codes_are_two_payment_codes(around: str) -> None:
    assert PAYMENT[:14] not in seen(around.format(PAYMENT, PAYMENT))


def test_signs_keep_their_places_and_control_signs_stay_visible() -> None:
    text = f"]Q3{PHONE}\x1d\r"

    assert len(seen(text)) == len(text)
    assert seen(text)[-2:] == "\x1d\r"


def test_a_flaw_and_the_facts_of_the_driver_come_through() -> None:
    raw = shown(Read("", "gun/2", 0, flaw=Flaw.DAMAGED, took_ms=0, ended="\r"), {})

    assert (raw.flaw, raw.scanner, raw.took_ms, raw.ended) == ("damaged", "gun/2", None, "\r")


@given(st.text(max_size=200))
def test_masking_never_fails_and_never_shows_what_was_not_there(text: str) -> None:
    after, _ = masked(text, recognise(text))

    assert len(after) == len(text)
    assert all(new in (old, MASKED) for old, new in zip(text, after, strict=True))


@given(st.text(alphabet="ABC]\x1d 0", max_size=30), st.text(alphabet="XYZ\n;", max_size=20))
def test_a_phone_among_other_signs_is_hidden(before: str, behind: str) -> None:
    assert PHONE not in seen(f"{before}:{PHONE}{behind}")


def test_a_long_code_is_cut() -> None:
    assert len(seen("A" * 3000)) == MOST_SIGNS


@pytest.mark.parametrize("text", [
    "138 - 1234 - 5678", "138.1234.5678", "138/1234/5678", "1\x003812345678", "1\x1d3\x1d8\x1d12345678",
    "https://ucmp.sf-express.com/x?p1=SF1300000000001&tel=13812345678",
    "MMM={'k1':'010','k5':'SF1300000000001','k6':'张三','k7':'13812345678'}",
])  # fmt: skip
def test_a_phone_is_hidden_however_it_is_grouped_and_beside_a_sure_waybill(text: str) -> None:
    raw = shown(Read(text, "gun", 0), {})

    assert "1381234" not in "".join(sign for sign in raw.text if sign.isalnum())
    assert "三" not in raw.text
    assert raw.hidden == "personal"


def test_beside_a_sure_waybill_the_number_itself_stays() -> None:
    assert "SF1300000000001" in seen("https://ucmp.sf-express.com/x?p1=SF1300000000001&tel=13812345678")


@pytest.mark.parametrize("text", ["(0791)1234567", "0791 1234567", "电话:0791 - 12345678"])
def test_a_fixed_line_is_hidden(text: str) -> None:
    assert "1234" not in "".join(sign for sign in seen(text) if sign.isalnum())[:8]
