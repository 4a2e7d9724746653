"""The arithmetic of the table: ratios, verdicts, ranks, slopes. No timing here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the benches beside this file: tests/ is no package

from table import Figure, Rounds, number, percentile, slope, table


def test_ratio_of_paired_rounds_is_the_median_of_the_rounds_ratios() -> None:
    figure = Figure("f", "/s", Rounds((10, 90, 50)), Rounds((20, 100, 1_000)))

    assert figure.ratio == 0.5


def test_ratio_against_a_single_limit_uses_the_median() -> None:
    assert Figure("f", "ms", Rounds((80, 120, 90)), Rounds((100,))).ratio == 0.9


@pytest.mark.parametrize(
    ("value", "at_least", "at_most", "verdict"),
    [
        (59, 0.6, None, "MISSED"),
        (60, 0.6, None, "ok"),
        (100, None, 1.0, "ok"),
        (101, None, 1.0, "MISSED"),
        (5, None, None, "-"),
    ],
)
def test_a_figure_is_missed_below_its_floor_or_above_its_ceiling(
    value: float, at_least: float | None, at_most: float | None, verdict: str
) -> None:
    figure = Figure("f", "", Rounds((value,)), Rounds((100,)), at_least, at_most)

    assert figure.verdict == verdict
    assert figure.missed is (verdict == "MISSED")


@pytest.mark.parametrize(
    ("value", "fails", "verdict"), [(160, False, "ok"), (90, False, "MISSED (known)"), (59, True, "MISSED")]
)
def test_a_known_miss_is_told_and_fails_once_it_grows(value: float, fails: bool, verdict: str) -> None:
    figure = Figure("f", "", Rounds((value,)), Rounds((100,)), at_least=1.5, known=(0.6, "decision 0"))

    assert (figure.fails, figure.verdict) == (fails, verdict)
    assert ("as decision 0 tells" in table([figure])) is (verdict == "MISSED (known)")


def test_the_99th_percentile_is_a_value_that_occurred() -> None:
    values = [float(n) for n in range(1, 201)]

    assert percentile(values, 0.99) == 198
    assert percentile(values, 0.5) == 100
    assert percentile([7.0], 0.99) == 7


def test_slope_ignores_a_single_leap() -> None:
    assert slope([(1, 10), (2, 12), (3, 14), (4, 900), (5, 18), (6, 20)]) == 2


def test_table_lines_up_and_keeps_notes() -> None:
    lines = table([Figure("scan_in", "/s", Rounds((700, 600)), Rounds((1_000,)), 0.6, note="why")]).splitlines()

    assert lines[0].split() == ["figure", "measured", "limit", "ratio", "wanted"]
    assert lines[1].split() == ["scan_in", "650", "/s", "(600-700)", "1000", "/s", "0.65", ">=", "0.6", "ok"]
    assert lines[2] == "  scan_in: why"


def test_numbers_are_short() -> None:
    assert [number(n) for n in (0, 0.01234, 1.5, 99.96, 4_262.4)] == ["0", "0.0123", "1.5", "100", "4262"]
