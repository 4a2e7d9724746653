"""Two scans within a moment are most likely two codes of one label."""

import pytest

from edge.codes import Decision, Kind, Recognition, recognise, same_label

SF = recognise("]C0SF1385628716739")
OLD = recognise("]C0444010688260")
ZTO = recognise("]C073610555582883")
ORDER_NUMBER = recognise("]C02024093012345678901234567890")
ROUTE = recognise("]C0710-A05-00")


@pytest.mark.parametrize("gap_ms", [0, 1, 1500])
@pytest.mark.parametrize(
    "second", [OLD, ORDER_NUMBER, ROUTE, recognise("]E06901234567892"), recognise("https://a.cn/x")]
)
def test_second_code_of_a_label_does_not_replace_a_sure_waybill(second: Recognition, gap_ms: int) -> None:
    assert same_label(SF, second, gap_ms) is SF


@pytest.mark.parametrize("gap_ms", [1501, 60_000, -1])
def test_second_code_after_the_moment_counts_by_itself(gap_ms: int) -> None:
    assert same_label(SF, OLD, gap_ms) is OLD


def test_sure_waybill_replaces_a_doubtful_one() -> None:
    assert same_label(OLD, SF, 700) is SF


def test_two_sure_waybills_ask_with_both() -> None:
    found = same_label(SF, ZTO, 700)

    assert [c.carrier for c in found.candidates] == ["SF", "ZTO"]
    assert found.decision is Decision.ASK


def test_two_doubtful_numbers_ask_with_both() -> None:
    found = same_label(OLD, recognise("]C03720159483221"), 700)

    assert {c.value for c in found.candidates} == {"444010688260", "3720159483221"}
    assert found.decision is Decision.ASK


def test_same_number_twice_is_the_first_scan() -> None:
    assert same_label(SF, recognise("SF1385628716739"), 300) is SF


def test_package_number_of_the_same_waybill_adds_its_piece() -> None:
    package = recognise("JDX024407261700-1-3-")

    assert same_label(recognise("JDX024407261700"), package, 300) is package
    assert same_label(package, recognise("JDX024407261700"), 300) is package


@pytest.mark.parametrize(
    "text",
    [
        "120061098828009406",
        "VP1:" + "A" * 26,
        "13800138000",
        "11010519491231002X",
        "%%%EBM",
        "",
        "a\x1bb",
        "wxp://f2f0abc",
    ],
)
def test_what_no_label_bears_counts_by_itself(text: str) -> None:
    second = recognise(text)

    assert same_label(SF, second, 300) is second


def test_after_no_waybill_the_second_counts() -> None:
    assert same_label(ROUTE, OLD, 300) is OLD


def test_international_number_is_a_parcels_number_too() -> None:
    parcel = recognise("RB123456785GB")

    assert parcel.best.kind is Kind.S10
    assert same_label(parcel, ORDER_NUMBER, 300) is parcel
