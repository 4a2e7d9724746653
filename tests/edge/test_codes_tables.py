"""The tables behind recognition, row by row: lengths, prefixes, provinces, weights, GS1 identifiers."""

import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.codes import Decision, Kind, recognise
from edge.codes.carriers import waybills
from edge.codes.check_digits import id_check_is_right, looks_like_id_card, uscc_is_valid
from edge.codes.gs1 import elements

GS = "\x1d"
PROVINCES = {
    *(11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46),
    *(50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91),
}
# Three-digit mobile prefixes held for valid by the phone library the shapes were compared with.
IN_SERVICE = {
    *range(130, 140),
    *(145, 147, 162, 165, 166, 167),
    *range(150, 154),
    *range(155, 160),
    *range(170, 174),
    *range(175, 179),
    *range(180, 194),
    *range(195, 200),
}
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


# One row for each length at the edge of a shape: (number, couriers expected, in order).
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0" * 7, []),
        ("0" * 8, ["DEPPON"]),
        ("0" * 9, ["DEPPON"]),
        ("0" * 10, ["DEPPON", "ZJS", "YTO"]),
        ("0" * 11, []),
        ("0" * 12, ["SF", "STO", "ZTO", "YTO", "ANE", "YMDD", "ZTOKY", "UC", "TTK", "SUER", "FEDEX"]),
        ("0" * 13, ["YUNDA"]),
        ("0" * 14, []),
        ("0" * 15, []),
        *((f"{prefix}00000000000", ["STO", "YUNDA"]) for prefix in (33, 37, 55, 66, 77, 88)),
        ("5" + "0" * 12, ["EMS", "YUNDA"]),
        ("5" + "0" * 13, ["BEST"]),
        ("5" + "0" * 14, ["BEST"]),
        ("5" + "0" * 15, []),
        *((f"{prefix}00000000000000", ["JT"]) for prefix in (55, 56, 59)),
        ("58" + "0" * 14, ["JT", "BEST"]),
        ("57" + "0" * 14, []),
        ("6" + "0" * 13, ["BEST"]),
        ("6" + "0" * 14, []),
        *((first + "0" * 17, ["YTO"]) for first in "678"),
        ("9" + "0" * 17, []),
        *((first + "0" * 12, ["BEST"]) for first in "BDE"),
        ("A" + "0" * 12, ["BEST", "ZJS"]),
        ("C" + "0" * 12, []),
        ("K8" + "0" * 11, ["BEST"]),
        ("KY" + "0" * 9, []),
        ("KY" + "0" * 10, ["KYE"]),
        ("KY" + "0" * 13, ["KYE"]),
        ("KY" + "0" * 14, []),
        ("JJD" + "0" * 11, []),
        ("JJD" + "0" * 12, ["DHL"]),
        ("JJD" + "0" * 20, ["DHL"]),
        ("JJD" + "0" * 21, []),
        ("JD" + "0" * 16, ["DHL"]),
        ("JD" + "0" * 17, []),
        ("JD" + "0" * 18, ["DHL"]),
        ("3" + "0" * 14, ["YUNDA"]),
        ("4" + "0" * 14, ["YUNDA"]),
        ("99" + "0" * 13, ["FENGWANG", "CAINIAO"]),
        ("90" + "0" * 13, ["CAINIAO"]),
    ],
)
def test_shape_names_its_couriers_in_order(number: str, expected: list[str]) -> None:
    found = sorted(waybills(number, {}), key=lambda c: -c.confidence)

    assert [c.carrier for c in found] == expected


@pytest.mark.parametrize(
    "number", ["0" * 12, "55" + "0" * 11, "5" + "0" * 13, "55" + "0" * 14, "B" + "0" * 12, "KY" + "0" * 10]
)
def test_old_or_shared_shape_is_never_sure(number: str) -> None:
    assert recognise(f"]C0{number}").decision is Decision.ASK


@pytest.mark.parametrize("region", range(100))
def test_id_card_begins_with_a_province(region: int) -> None:
    assert looks_like_id_card(f"{region:02}052419800101001X") is (region in PROVINCES)


@pytest.mark.parametrize(("year", "plausible"), [("1899", False), ("1900", True), ("2099", True), ("2100", False)])
def test_id_card_is_of_someone_born_since_1900(year: str, plausible: bool) -> None:
    assert looks_like_id_card(f"440524{year}0101001X") is plausible


@given(st.text(string.digits, min_size=17, max_size=17))
def test_id_check_follows_iso_7064_mod_11_2(first_17: str) -> None:
    # The published weights are the powers of two mod 11; computed here so that no table is compared with itself.
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(first_17))
    right = next(c for c in "0123456789X" if (total + (10 if c == "X" else int(c))) % 11 == 1)

    assert [c for c in "0123456789X" if id_check_is_right(first_17 + c)] == [right]


@given(
    st.text(USCC_ALPHABET, min_size=2, max_size=2),
    st.text(string.digits, min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
)
def test_social_credit_check_follows_mod_31_of_powers_of_three(office: str, region: str, body: str) -> None:
    first_17 = office + region + body
    total = sum(USCC_ALPHABET.index(sign) * 3**place for place, sign in enumerate(first_17))
    right = USCC_ALPHABET[-total % 31]

    assert [c for c in USCC_ALPHABET if uscc_is_valid(first_17 + c)] == [right]


@pytest.mark.parametrize("prefix", range(120, 200))
def test_mobile_prefix_in_service_is_sure_and_another_asks(prefix: int) -> None:
    found = recognise(f"{prefix}00138000")

    assert (found.best.kind is Kind.PHONE) is (prefix >= 130)
    assert (found.decision is Decision.ACCEPT) is (prefix in IN_SERVICE)


@pytest.mark.parametrize(
    "text", ["0571-12345678", "028-1234567", "400-123-4567", "138****8000", "13800138000-12", "13800138000-123456"]
)
def test_written_form_of_a_phone_is_sure(text: str) -> None:
    assert recognise(text).decision is Decision.ACCEPT


FIXED = {
    "00": 18,
    "01": 14,
    "02": 14,
    "20": 2,
    "410": 13,
    "414": 13,
    "422": 3,
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6),
    **{f"310{n}": 6 for n in range(6)},
}


@pytest.mark.parametrize(("identifier", "length"), FIXED.items())
def test_gs1_field_of_fixed_length_ends_by_itself(identifier: str, length: int) -> None:
    value = "0" * length

    found = elements(f"{identifier}{value}10AB")

    assert found is not None
    assert found.pairs == ((identifier, value), ("10", "AB"))
    assert elements(f"{identifier}{value[:-1]}") is None
    assert elements(f"{identifier}{value[:-1]}A") is None


OPEN = {
    "10": 20,
    "21": 20,
    "240": 30,
    "251": 30,
    "400": 30,
    "90": 30,
    **{f"9{n}": 90 for n in range(1, 10)},
    "30": 8,
    "37": 8,
    **{f"392{n}": 15 for n in range(10)},
    **{f"703{n}": 30 for n in range(10)},
}


@pytest.mark.parametrize(("identifier", "longest"), OPEN.items())
def test_gs1_field_of_open_length_ends_at_the_separator(identifier: str, longest: int) -> None:
    value = "1" * longest

    found = elements(f"{identifier}{value}{GS}20{'01'}")

    assert found is not None
    assert found.pairs == ((identifier, value), ("20", "01"))
    assert elements(f"{identifier}{value}1") is None
    assert elements(f"{identifier}") is None


@pytest.mark.parametrize(
    ("identifier", "lengths"),
    [("423", {3, 6, 9, 12, 15}), ("7003", {10}), ("7006", {6}), ("7007", {6, 12}), ("8008", {8, 10, 12})],
)
def test_gs1_field_of_stepped_length_takes_no_other(identifier: str, lengths: set[int]) -> None:
    assert {n for n in range(1, 20) if elements(identifier + "1" * n) is not None} == lengths


@pytest.mark.parametrize("identifier", ["03", "14", "18", "3106", "391", "411", "424", "7005", "8007", "AB", ""])
def test_unknown_gs1_identifier_is_no_element_string(identifier: str) -> None:
    assert elements(identifier + "0" * 14) is None if identifier else elements("") is None


@pytest.mark.parametrize(
    ("payload", "doubts"),
    [
        ("17240930", 0),
        ("17240900", 0),
        ("17241231", 0),
        ("17240131", 0),
        ("17240132", 1),
        ("17241301", 1),
        ("17240001", 1),
        ("7007240901240932", 1),
        ("7007243201240901", 1),
        ("0106901234567892", 0),
        ("0106901234567893", 1),
        ("17240001" + "0106901234567893", 2),
    ],
)
def test_doubtful_gs1_field_keeps_the_others(payload: str, doubts: int) -> None:
    found = elements(payload)

    assert found is not None
    assert len(found.doubts) == doubts


def test_doubtful_gs1_is_still_the_best_reading() -> None:
    found = recognise("]C117241330")

    assert (found.best.kind, found.best.value) == (Kind.GS1, "(17)241330")


@pytest.mark.parametrize("text", ["444010688260", "6901234567892", "12345678", "3720159483221", "991234567890123"])
def test_candidates_come_best_first(text: str) -> None:
    order = [c.confidence for c in recognise(text).candidates]

    assert all(before >= after for before, after in pairwise(order))
