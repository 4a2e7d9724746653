"""Prefixes of several guns behind one dongle."""

from __future__ import annotations

import pytest

from drivers.mistakes import Unfit
from drivers.wire.prefixes import GunPrefixes, read_prefixes


@pytest.mark.parametrize(
    ("text", "gun", "rest"),
    [
        ("A:SF1", "A", "SF1"),
        ("B:SF1", "B", "SF1"),
        ("]C0A:SF1", "A", "]C0SF1"),
        ("A:]C0SF1", "A", "]C0SF1"),
        ("SF1", None, "SF1"),
        ("]C0SF1", None, "]C0SF1"),
        ("a:SF1", None, "a:SF1"),
        ("\x02CSF1", "C", "SF1"),
        ("A:", "A", ""),
        ("", None, ""),
    ],
)
def test_the_prefix_names_the_gun_and_is_taken_off(text: str, gun: str | None, rest: str) -> None:
    assert read_prefixes("A:, B:, \x02C").split(text) == (gun, rest)


def test_the_longest_prefix_wins() -> None:
    guns = GunPrefixes(["A:", "A:1:"])

    assert (guns.split("A:1:X"), guns.split("A:X")) == (("A1", "X"), ("A", "X"))


def test_without_prefixes_nothing_is_taken_off() -> None:
    assert read_prefixes("").split("A:SF1") == (None, "A:SF1")


@pytest.mark.parametrize("option", ["A", "JD", ":", "A:,", "A:,A:", "A:,A-", "ABCDEFGH:", "柜:"])
def test_a_prefix_that_a_code_could_begin_with_is_refused(option: str) -> None:
    with pytest.raises(Unfit, match="prefix"):
        read_prefixes(option)
