"""Slips on paper: the original once, copies numbered, nothing that a power cut broke off taken for printed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stockroom import Clock, Dice, dump, furnish, kinds, new_store

from edge import prints
from edge.model import Rejected
from edge.prints import NOTHING, Run
from edge.store import Store

OUTCOMES = (prints.DONE, prints.SENT, prints.UNKNOWN, *NOTHING)


def printed(store: Store, outcome: str, slip: str = "000001", operator: str = "op1") -> Run:
    run = store.run_now(prints.begin, slip, operator)
    store.run_now(prints.ended, run, outcome)
    return run


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_comes_after_a_print_is_a_copy_unless_nothing_can_have_come_out(store: Store, outcome: str) -> None:
    printed(store, outcome)

    assert printed(store, prints.DONE).copy == int(outcome not in NOTHING)


def test_copies_are_counted_for_each_slip_alone(store: Store) -> None:
    copies = [printed(store, prints.DONE, slip).copy for slip in ("000001", "000001", "000002", "000001", "W000001")]

    assert copies == [0, 1, 0, 2, 0]


def test_a_print_is_a_fact_before_and_after(store: Store) -> None:
    run = store.run_now(prints.begin, "000001", "op1")
    before = kinds(store, 1)
    store.run_now(prints.ended, run, prints.DONE)

    assert before == ["print_started"]
    assert kinds(store, 2) == ["print_started", "print_ended"]


def test_a_slip_under_way_is_not_printed_beside_itself(store: Store) -> None:
    store.run_now(prints.begin, "000001", "op1")
    before = dump(store)

    with pytest.raises(Rejected, match="busy"):
        store.run_now(prints.begin, "000001", "op1")
    assert dump(store) == before
    store.run_now(prints.begin, "000002", "op1")


def test_without_an_operator_a_slip_is_tried_three_times_and_an_operator_goes_on(store: Store) -> None:
    for _ in range(prints.MOST_UNASKED):
        printed(store, prints.PAPER, operator="")

    with pytest.raises(Rejected, match="login_first"):
        printed(store, prints.DONE, operator="")
    assert printed(store, prints.DONE).copy == 0


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_newest_print_says_how_a_slip_fares(store: Store, outcome: str) -> None:
    assert store.run_now(prints.last, "000001") == prints.NEVER
    printed(store, prints.DONE)
    store.run_now(prints.begin, "000001", "op1")
    assert store.run_now(prints.last, "000001") == "printing"
    store.run_now(prints.cut_off)
    printed(store, outcome)

    assert store.run_now(prints.last, "000001") == outcome


def test_a_print_cut_off_by_a_power_cut_is_unknown_and_the_next_one_a_copy(store: Store) -> None:
    store.run_now(prints.begin, "000001", "op1")
    printed(store, prints.DONE, "000002")

    assert store.run_now(prints.cut_off) == ("000001",)
    assert store.run_now(prints.last, "000001") == prints.UNKNOWN
    assert printed(store, prints.DONE).copy == 1


@given(st.lists(st.tuples(st.sampled_from(("a", "b")), st.sampled_from((*OUTCOMES, "cut"))), max_size=12))
def test_at_most_one_print_that_may_have_come_out_is_the_original(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, str]]
) -> None:
    store = new_store(tmp_path_factory.mktemp("prints"), Clock(), Dice())
    store.open()
    try:
        store.run_now(furnish)
        out: dict[str, list[int]] = {"a": [], "b": []}
        for slip, outcome in history:
            with suppress(Rejected):
                run = store.run_now(prints.begin, slip, "op1")
                if outcome == "cut":
                    store.run_now(prints.cut_off)
                else:
                    store.run_now(prints.ended, run, outcome)
                if outcome not in NOTHING:
                    out[slip].append(run.copy)
        assert all(copies == list(range(len(copies))) for copies in out.values())
    finally:
        store.close()
