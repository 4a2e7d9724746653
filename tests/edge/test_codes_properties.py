"""Whatever a gun may type, recognition answers, keeps its form, and hides what must be hidden."""

import json
import string
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.codes import Decision, Kind, recognise, same_label, to_json
from edge.codes.check_digits import gtin_is_valid, id_check_is_right, looks_like_id_card, s10_check_digit, s10_fault

digits = st.text(string.digits, min_size=1, max_size=40)
plain = st.text(string.ascii_letters + string.digits + " -,#:;*@$%.='{}/?&", max_size=60)
prefix = st.sampled_from(
    ["", "]C0", "]C1", "]E0", "]E3", "]Q1", "]Q3", "]d2", "]I1", "]e0", "]X0", "]YF", "]Z0", "]", "\x1d", "\x02"]
)
head = st.sampled_from(
    [
        "",
        "SF",
        "JD",
        "JDX0",
        "DPK",
        "VP1:",
        "MMM={'k5':'",
        "http://",
        "https://mini.ems.com.cn/",
        "nls",
        "%%%",
        "@",
        "1",
        "69",
        "138",
        "00",
    ]
)
tail = st.sampled_from(["", "\r", "\n", "\r\n", "\t", "\x03", "\x1d", "\rSF1385628716739", "-1-2-", "'}", "CN", "转12"])
structured = st.builds(lambda *parts: "".join(parts), prefix, head, digits | plain, tail)
anything = st.text(st.characters(), max_size=80) | structured


def _is_well_formed(text: str, *, payment_open: bool = False) -> None:
    found = recognise(text, payment_open=payment_open)

    assert found.input == text
    assert found.candidates
    order = [c.confidence for c in found.candidates]
    assert order == sorted(order, reverse=True)
    assert all(0 <= c.confidence <= 1 and c.why for c in found.candidates)
    assert not (found.decision is Decision.ACCEPT and found.best.kind is Kind.UNKNOWN)
    assert (Kind.PAYMENT_CODE in {c.kind for c in found.candidates}) <= found.is_secret
    assert json.loads(json.dumps(to_json(found))) == to_json(found)


@given(anything, st.booleans())
@example("\ud800", False)
@example("]", False)
@example("]YF", True)
@example("MMM={'k5':'", False)
@example("http://\u2028", False)
def test_any_text_gets_a_well_formed_answer(text: str, payment_open: bool) -> None:
    _is_well_formed(text, payment_open=payment_open)


@given(structured)
def test_the_log_form_never_repeats_the_text(text: str) -> None:
    found = recognise(text)

    longest = max((c.value for c in found.candidates), key=len)
    if len(longest) > 20:
        assert longest not in f"{found!r} {found} {found.candidates} {[c.why for c in found.candidates]}"


@given(structured)
def test_terminators_change_nothing_but_the_input(text: str) -> None:
    with_end = recognise(text + "\r\n")

    assert (with_end.candidates, with_end.decision) == (recognise(text).candidates, recognise(text).decision)


@given(st.from_regex(r"1[0-5][0-9]{16}|(?:2[5-9]|30)[0-9]{14,22}|62[0-9]{17}|01[0-9]{17}", fullmatch=True))
def test_payment_shape_never_shows(code: str) -> None:
    found = recognise(code)

    assert found.is_secret
    assert code not in f"{found!r} {json.dumps(to_json(found))}"


@given(st.text(string.digits, min_size=8, max_size=8), st.sampled_from(["CN", "DE", "US"]))
def test_postal_number_holds_for_one_check_digit_only(serial: str, country: str) -> None:
    right = s10_check_digit(serial)

    faults = [s10_fault(f"RR{serial}{check}{country}") for check in range(10)]

    assert [check for check, fault in enumerate(faults) if fault == ""] == [right]


@pytest.mark.parametrize(
    ("serial", "check"),
    [
        ("47312482", 9),
        ("12345678", 5),
        ("00000000", 5),
        ("00000001", 4),
        ("10000000", 3),
        ("20000000", 6),
        ("11111111", 5),
        ("00000008", 0),
        ("00000034", 5),
    ],
)
def test_postal_check_digit_follows_the_published_vectors(serial: str, check: int) -> None:
    assert s10_check_digit(serial) == check


@given(st.text(string.digits, min_size=7, max_size=17))
def test_product_number_holds_for_one_check_digit_only(stem: str) -> None:
    assert sum(gtin_is_valid(stem + check) for check in string.digits) == 1


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_id_number_holds_for_one_check_character_only(born: date, place: int) -> None:
    stem = f"522401{born:%Y%m%d}{place:03}"

    assert all(looks_like_id_card(stem + check) for check in "0123456789X")
    assert sum(id_check_is_right(stem + check) for check in "0123456789X") == 1


@given(structured, structured, st.integers(-10, 3000))
def test_any_two_scans_get_one_answer(first: str, second: str, gap_ms: int) -> None:
    found = same_label(recognise(first), recognise(second), gap_ms)

    assert found.candidates
    if recognise(second).is_secret:
        assert found == recognise(second)


def test_hostile_texts_come_to_an_end() -> None:
    patterns = [
        "http://" + "a" * 4000 + " ",
        "nls0" + "a" * 4000 + "é",
        "@AAA" + "a" * 4000 + "x",
        "%" * 4096,
        "M={" + "'k5'" * 1000,
        "M={" + "'k5':'" * 680,
        "]C1" + "10A\x1d" * 127,
        "1\n2\n3\n" * 600,
        "-1" * 2048,
        "1" * 4096,
        "1*" * 2048,
        "]E0" + "9" * 509,
        "\ufdfa" * 4096,
        "\u0344" * 4096,
        "]" * 4096,
        "]Y0" * 1365,
        "A " * 15,
        "0571-" * 800,
        "\x1d" * 4095 + "1",
        "ｓ" * 4096,
    ]

    for turn in range(250):
        for pattern in patterns:
            text = pattern[: 4096 - turn] + pattern[:turn]
            assert recognise(text).candidates
