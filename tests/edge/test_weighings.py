"""Weighings: whole grams, whole fen, half up; a number each, and no number twice."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stockroom import OPERATOR, Clock, Dice, dump, furnish, kinds, new_store

from edge import events, log, weighings
from edge.events import Encoded
from edge.model import Fen, Rejected
from edge.store import Store
from edge.weighings import Load

PRICES = st.integers(0, 99_999).map(Fen)
GRAMS = st.integers(0, 300_000)


@pytest.mark.parametrize(
    ("fen_per_kg", "grams", "fen"),
    [(860, 1250, 1075), (860, 12_345, 10_617), (1, 499, 0), (1, 500, 1), (3, 500, 2), (99_999, 1, 100), (0, 5, 0)],
)
def test_value_is_price_times_weight_rounded_half_up(fen_per_kg: int, grams: int, fen: int) -> None:
    assert weighings.value(Fen(fen_per_kg), grams) == fen


@given(PRICES, GRAMS)
def test_value_is_never_off_by_more_than_half_a_fen_and_a_tie_goes_up(fen_per_kg: Fen, grams: int) -> None:
    exact = Fraction(fen_per_kg * grams, 1000)

    off = weighings.value(fen_per_kg, grams) - exact

    assert Fraction(-1, 2) < off <= Fraction(1, 2)


@given(PRICES, GRAMS, GRAMS)
def test_more_goods_never_cost_less(fen_per_kg: Fen, grams: int, more: int) -> None:
    assert weighings.value(fen_per_kg, grams + more) >= weighings.value(fen_per_kg, grams)


@pytest.mark.parametrize(("fen_per_kg", "grams"), [(-1, 5), (5, -1)])
def test_a_negative_price_or_weight_is_a_bug(fen_per_kg: int, grams: int) -> None:
    with pytest.raises(ValueError, match=" g"):
        weighings.value(Fen(fen_per_kg), grams)


def test_a_weighing_gets_its_number_and_its_fact_in_one_commit(store: Store) -> None:
    first = store.run_now(weighings.weighed, Load(1250, 350), Fen(860), OPERATOR)
    again = store.run_now(weighings.weighed, Load(1245, 350), Fen(860), OPERATOR, first.ticket)

    assert (first.ticket, first.net_g, first.tare_g, first.fen) == ("W000001", 1250, 350, 1075)
    assert (again.ticket, again.reweigh) == ("W000002", "W000001")
    assert kinds(store, 2) == ["goods_weighed", "goods_weighed"]
    assert store.run_now(weighings.newest) == again
    [fact] = [
        events.decode(Encoded(item.kind, item.body, {})) for item, _ in store.run_now(lambda tx: list(log.items(tx)))
    ][-1:]
    assert fact == events.GoodsWeighed("W000002", 1245, 350, 860, 1071, OPERATOR, "W000001")


def test_goods_can_be_weighed_without_a_price(store: Store) -> None:
    ticket = store.run_now(weighings.weighed, Load(29_995, None), None, OPERATOR)

    assert (ticket.fen_per_kg, ticket.fen, ticket.tare_g) == (None, None, None)


def test_a_load_of_nothing_takes_no_number(store: Store) -> None:
    before = dump(store)

    with pytest.raises(ValueError, match="0 g"):
        store.run_now(weighings.weighed, Load(0), None, OPERATOR)
    assert dump(store) == before


def test_an_unknown_ticket_is_refused(store: Store) -> None:
    with pytest.raises(Rejected, match="unknown_slip"):
        store.run_now(weighings.load_ticket, "W000007")
    assert store.run_now(weighings.newest) is None


@given(st.lists(st.sampled_from(("weigh", "fail", "restart")), min_size=1, max_size=12))
def test_no_ticket_number_is_used_twice_and_none_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, history: list[str]
) -> None:
    """Whatever happens between them: a transaction that fails, a program that starts again."""
    folder = tmp_path_factory.mktemp("weighings")
    store = new_store(folder, Clock(), Dice())
    store.open()
    store.run_now(furnish)
    numbers = []
    try:
        for act in history:
            if act == "weigh":
                numbers.append(store.run_now(weighings.weighed, Load(100), None, OPERATOR).ticket)
            elif act == "fail":
                with pytest.raises(ZeroDivisionError):
                    store.run_now(_weighed_and_failed)
            else:
                store.close()
                store = new_store(folder, Clock(), Dice())
                store.open()
        assert numbers == [f"W{number:06d}" for number in range(1, len(numbers) + 1)]
    finally:
        store.close()


def _weighed_and_failed(tx: object) -> None:
    weighings.weighed(tx, Load(100), None, OPERATOR)  # type: ignore[arg-type]
    raise ZeroDivisionError
