"""Codes that must never show: payment codes, pickup tokens, ID cards, phones; and that they never do."""

import json

import pytest

from edge.codes import Decision, Kind, recognise, to_json

TOKEN = "VP1:" + "ABCDEFGHIJKLMNOPQRSTUVWX27"
# 11010519491231002X is the example of the standard; the others are computed with its weights.
ID_CARD = "11010519491231002X"


def _id_card(first_17: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first_17 + "10X98765432"[sum(int(d) * w for d, w in zip(first_17, weights, strict=True)) % 11]


CLASH = _id_card("11010519491231004")

PAYMENT = [
    "120061098828009406",  # WeChat, sample of its documentation
    *(f"1{second}0000000000000001" for second in "012345"),
    "28763443825664394",  # Alipay, sample of its documentation
    *(prefix + "0" * 14 for prefix in ("25", "26", "27", "28", "29", "30")),
    "25" + "0" * 22,
    "62" + "0" * 17,
    "01" + "0" * 17,
    "51" + "0" * 16,
    "31" + "0" * 14,
    "31" + "0" * 15,
    "31" + "0" * 16,
]


@pytest.mark.parametrize("code", PAYMENT)
@pytest.mark.parametrize(
    "wrap", ["{}", "]C0{}\r", "]Q1{}\r\n", "\x02{}\x03", "{}\r{}\r", "\x1d{}", "YT8962646785389\r{}"]
)
@pytest.mark.parametrize("payment_open", [False, True])
def test_payment_code_is_a_secret_and_never_shows(code: str, wrap: str, payment_open: bool) -> None:
    found = recognise(wrap.format(code, code), payment_open=payment_open)

    assert (found.best.kind, found.decision) == (Kind.PAYMENT_CODE, Decision.SECRET)
    assert code == found.best.value
    shown = f"{found!r} {found} {found.candidates!r} {found.best} {json.dumps(to_json(found))}"
    assert code not in shown
    assert code[2:12] not in shown


@pytest.mark.parametrize(
    "text", ["1200 6109 8828 0094 06", "１２００６１０９８８２８００９４０６", "1200610988\x1b28009406"]
)
def test_payment_code_is_known_with_blanks_full_width_or_noise(text: str) -> None:
    assert recognise(text).decision is Decision.SECRET


@pytest.mark.parametrize(
    "text",
    [
        "16" + "0" * 16,
        "09" + "0" * 16,
        "10" + "0" * 15,
        "10" + "0" * 17,
        "24" + "0" * 14,
        "32" + "0" * 14,
        "25" + "0" * 13,
        "25" + "0" * 23,
        "62" + "0" * 16,
        "62" + "0" * 18,
        "01" + "0" * 16,
        "01" + "0" * 18,
        "51" + "0" * 15,
        "51" + "0" * 17,
        "31" + "0" * 13,
        "31" + "0" * 17,
    ],
)
def test_number_beside_the_payment_shapes_is_no_secret(text: str) -> None:
    assert recognise(text).decision is not Decision.SECRET


@pytest.mark.parametrize("text", ["]C1" + "12" + "240930" + "10" + "12345678", "]E3692345678901200123"])
def test_goods_the_gun_vouches_for_are_no_payment_code(text: str) -> None:
    assert Kind.PAYMENT_CODE not in {c.kind for c in recognise(text).candidates}


@pytest.mark.parametrize("prefix", ["]Z0", "]E0", "]I0", "]X0", "]h0"])
def test_payment_code_is_a_secret_whatever_the_gun_calls_it(prefix: str) -> None:
    assert recognise(prefix + PAYMENT[0]).decision is Decision.SECRET


def test_doubtful_gs1_of_payment_shape_is_a_secret() -> None:
    assert recognise("]C1" + "12" + "249930" + "10" + "12345678").decision is Decision.SECRET


def test_refused_payment_code_says_so() -> None:
    assert "refused" in recognise(PAYMENT[0]).best.why
    assert "refused" not in recognise(PAYMENT[0], payment_open=True).best.why


@pytest.mark.parametrize("code", [CLASH, _id_card("51010519491231004"), _id_card("31010519491231004")])
def test_number_of_a_person_that_is_shaped_as_a_payment_code_asks_and_stays_hidden(code: str) -> None:
    found = recognise(code)

    assert [c.kind for c in found.candidates] == [Kind.ID_CARD, Kind.PAYMENT_CODE]
    assert found.decision is Decision.ASK
    assert code not in f"{found!r} {found.candidates} {to_json(found)}"


def test_open_payment_decides_the_clash_for_the_payment_code() -> None:
    found = recognise(CLASH, payment_open=True)

    assert (found.best.kind, found.decision) == (Kind.PAYMENT_CODE, Decision.SECRET)


@pytest.mark.parametrize(
    "code",
    [
        CLASH[:17] + str((int(CLASH[17]) + 1) % 10),  # check digit
        _id_card("11010519491331004"),  # month
        _id_card("11010519490230004"),  # day
        _id_card("11010518491231001"),  # century
        _id_card("10010519491231004"),  # region
    ],
)
def test_payment_shape_without_a_sound_id_number_is_a_secret(code: str) -> None:
    assert recognise(code).decision is Decision.SECRET


@pytest.mark.parametrize(
    "code", [ID_CARD, ID_CARD.lower(), _id_card("44052419800101001"), _id_card("34052419800101001")]
)
def test_id_card_is_accepted_and_masked(code: str) -> None:
    found = recognise(code)

    assert (found.best.kind, found.best.value, found.decision) == (Kind.ID_CARD, code.upper(), Decision.ACCEPT)
    assert code.upper() not in f"{found!r} {found} {found.candidates}"
    assert found.is_sensitive


def test_id_card_with_a_wrong_check_character_asks() -> None:
    found = recognise("110105194912310021"[:17] + "Y")
    wrong = recognise(_id_card("44052419800101001")[:17] + "X")

    assert found.best.kind is Kind.UNKNOWN
    assert (wrong.best.kind, wrong.decision) == (Kind.ID_CARD, Decision.ASK)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_social_credit_code_is_accepted(code: str) -> None:
    found = recognise(code)

    assert (found.best.kind, found.decision) == (Kind.USCC, Decision.ACCEPT)


def test_social_credit_code_of_a_village_collective_is_accepted() -> None:
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    first_17 = "N2520115MF0A1B2C3"
    check = alphabet[(31 - sum(alphabet.index(c) * w for c, w in zip(first_17, weights, strict=True)) % 31) % 31]

    found = recognise(first_17 + check)

    assert (found.best.kind, found.decision) == (Kind.USCC, Decision.ACCEPT)


@pytest.mark.parametrize(
    "code", ["91350100M000100Y44", "91350100M000100Y4", "91350100I000100Y43", "913501A0M000100Y43"]
)
def test_unsound_social_credit_code_is_none(code: str) -> None:
    assert Kind.USCC not in {c.kind for c in recognise(code).candidates}


@pytest.mark.parametrize(
    "text",
    ["13800138000", "+8613800138000", "+86 13800138000", "008613800138000", "１３８００１３８０００", "19912345678"],
)
def test_mobile_number_is_accepted_and_masked(text: str) -> None:
    found = recognise(text)

    assert (found.best.kind, found.decision) == (Kind.PHONE, Decision.ACCEPT)
    assert "8001" not in f"{found!r} {found} {found.candidates}"


@pytest.mark.parametrize(
    "text",
    [
        "138****8000",
        "1******8000",
        "138******00",
        "13800138000-1234",
        "13800138000转1234",
        "13800138000#12",
        "95013000123-123456",
        "0571-12345678",
        "028-1234567",
        "400-123-4567",
        "4001234567",
        "14012345678",
        "8613800138000",
    ],
)
def test_masked_virtual_and_fixed_numbers_are_phones(text: str) -> None:
    assert recognise(text).best.kind is Kind.PHONE


@pytest.mark.parametrize(
    "text",
    [
        "12800138000",
        "1380013800",
        "138001380001",
        "138***8000",
        "138*****8000",
        "123456-12",
        "13800138000-1",
        "1" * 14 + "-12",
    ],
)
def test_number_beside_the_phone_shapes_is_no_phone(text: str) -> None:
    assert Kind.PHONE not in {c.kind for c in recognise(text).candidates}


@pytest.mark.parametrize("text", ["14012345678", "95013000123-123456", "8613800138000"])
def test_doubtful_phone_asks(text: str) -> None:
    assert recognise(text).decision is Decision.ASK


@pytest.mark.parametrize("wrap", ["{}", "]Q1{}\r", "{}\r{}\r"])
def test_pickup_token_is_accepted_and_never_shows(wrap: str) -> None:
    found = recognise(wrap.format(TOKEN, TOKEN))

    assert (found.best.kind, found.best.value, found.decision) == (Kind.PICKUP_TOKEN, TOKEN, Decision.ACCEPT)
    assert TOKEN[4:] not in f"{found!r} {found.candidates} {to_json(found)}"


def test_pickup_token_with_inverted_case_is_read() -> None:
    assert recognise(TOKEN.lower()).best.value == TOKEN


@pytest.mark.parametrize("token", [TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "1", "VP1:"])
def test_damaged_pickup_token_is_dropped_and_never_shows(token: str) -> None:
    found = recognise(token)

    assert (found.best.kind, found.decision) == (Kind.PICKUP_TOKEN, Decision.REJECT)
    assert to_json(found)["input"] == "secret"


def test_pickup_token_among_other_lines_is_kept_secret() -> None:
    found = recognise(f"{TOKEN}\rSF1385628716739")

    assert found.decision is Decision.SECRET
    assert TOKEN[4:] not in json.dumps(to_json(found))


def test_label_text_with_a_phone_is_sensitive() -> None:
    found = recognise("收件人\n13800138000\n某村")

    assert (found.best.kind, found.decision) == (Kind.UNKNOWN, Decision.ASK)
    assert found.is_sensitive
    assert not found.is_secret


@pytest.mark.parametrize("text", [PAYMENT[0], TOKEN, ID_CARD, "13800138000", "张三 13800138000", "SF1385628716739"])
def test_nothing_shown_in_a_log_repeats_the_text(text: str) -> None:
    found = recognise(text)

    shown = f"{found!r} {found} {found.candidates} {[c.why for c in found.candidates]}"
    assert text not in shown
    assert found.best.value not in shown
