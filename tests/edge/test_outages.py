"""Outages and their reconciliation sheets: seen by the facts that waited, counted by both sides, checked by a code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stockroom import KEYS, Clock

from edge import events, log, outages
from edge.chain import Position, event_id
from edge.events import encode
from edge.model import LogId, Seq
from edge.sheet import (
    Figures,
    Settled,
    Sheet,
    Stretch,
    code_of,
    confirmation,
    same_code,
    tally,
)
from edge.store import Store, Tx

HOUR = 3_600_000
SITE = "QJ-0001"
END = Position(LogId("abc"), Seq(9), "12" * 32)
FIGURES = Figures(9, 3, 2, 1, 8_650, 1, 8_650, 0, 0, "ab" * 32)


def happen(store: Store, how_many: int) -> None:
    for _ in range(how_many):
        store.run_now(log.append, events.HelpCalled("home"))


def confirm(store: Store, back: int = 0) -> None:
    """The hub has all but the last `back` facts."""

    def all_but(tx: Tx) -> None:
        at = log.head(tx)
        upto = Seq(at.upto - back)
        outages.confirmed(tx, Position(at.log_id, upto, log.mark_at(tx, upto) or ""))

    store.run_now(all_but)


def sheet(store: Store) -> Sheet | None:
    return store.run_now(outages.newest, SITE)


def answer(store: Store, change: Callable[[Figures], Figures] = lambda same: same, key: bytes = KEYS.link) -> None:
    found = sheet(store)
    assert found is not None
    store.run_now(outages.answered, confirmation(key, found.stretch, change(found.ours)))


@pytest.fixture
def reconnected(store: Store, clock: Clock) -> Store:
    """Four facts waited for two days; the hub has them now."""
    happen(store, 1)
    confirm(store)
    happen(store, 4)
    clock.advance(48 * HOUR)
    confirm(store)
    return store


def test_an_outage_of_an_hour_makes_a_sheet_when_the_backlog_is_confirmed(reconnected: Store) -> None:
    found = sheet(reconnected)

    assert found is not None
    assert (found.stretch.after, found.stretch.end.upto, found.ours.facts, found.days) == (1, 5, 4, 2)
    assert reconnected.run_now(outages.is_due)


def test_a_shorter_one_makes_none(store: Store, clock: Clock) -> None:
    happen(store, 4)
    clock.advance(HOUR - 1)
    confirm(store)

    assert sheet(store) is None
    assert not store.run_now(outages.is_due)


def test_a_point_that_had_nothing_to_say_was_not_away(store: Store, clock: Clock) -> None:
    happen(store, 1)
    confirm(store)
    clock.advance(48 * HOUR)
    happen(store, 1)
    confirm(store)

    assert sheet(store) is None


def test_there_is_no_sheet_before_the_last_fact_of_the_backlog(store: Store, clock: Clock) -> None:
    happen(store, 6)
    clock.advance(2 * HOUR)
    confirm(store, back=3)
    before = sheet(store)
    happen(store, 2)  # what happens meanwhile belongs to no outage
    confirm(store, back=2)

    found = sheet(store)
    assert before is None
    assert found is not None
    assert (found.stretch.after, found.stretch.end.upto) == (0, 6)


def test_a_wall_clock_that_jumps_makes_no_outage(store: Store, clock: Clock) -> None:
    happen(store, 2)
    clock.wall += 10 * 365 * 24 * HOUR
    confirm(store)

    assert sheet(store) is None


def test_the_end_of_an_outage_is_a_fact_for_the_hub(reconnected: Store) -> None:
    def last(tx: Tx) -> str:
        return [item.kind for item, _ in log.items(tx)][-1]

    assert reconnected.run_now(last) == "outage_ended.1"


def test_the_same_figures_at_the_hub_agree(reconnected: Store) -> None:
    answer(reconnected)

    found = sheet(reconnected)
    assert found is not None
    assert found.agrees
    assert found.differences == ()


def test_other_figures_at_the_hub_are_named(reconnected: Store) -> None:
    answer(reconnected, lambda ours: replace(ours, parcels_in=7, digest="00" * 32))

    found = sheet(reconnected)
    assert found is not None
    assert found.is_genuine
    assert found.differences == ("parcels_in", "digest")
    assert not found.agrees


def test_an_answer_under_another_key_is_not_the_hubs(reconnected: Store) -> None:
    answer(reconnected, key=b"x" * 32)

    found = sheet(reconnected)
    assert found is not None
    assert not found.is_genuine
    assert not found.agrees


def test_a_sheet_is_due_once(reconnected: Store) -> None:
    reconnected.run_now(outages.shown)
    answer(reconnected)

    assert not reconnected.run_now(outages.is_due)


def test_a_stick_makes_its_sheet_at_once(store: Store, clock: Clock) -> None:
    happen(store, 5)
    clock.advance(30 * HOUR)
    stretch = store.run_now(lambda tx: Stretch(SITE, 0, log.head(tx)))
    happen(store, 3)  # after the stick was written
    store.run_now(lambda tx: log.confirm(tx, stretch.end))
    counted = [(event_id(mark), item.kind, item.body) for item, mark in store.run_now(lambda tx: list(log.items(tx)))]
    fact = confirmation(KEYS.link, stretch, tally(counted[:5], Settled()))

    for _ in range(2):  # and a stick that is read twice makes one
        store.run_now(outages.from_stick, encode(fact, lambda: b"").body)

    found = sheet(store)
    assert found is not None
    assert found.agrees
    assert (found.stretch.end.upto, found.days, found.hours) == (5, 1, 6)
    assert store.run_now(log.head).upto == 9  # five, three, and one end of the outage


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"log":"x"}', "\0"])
def test_a_stick_without_a_readable_answer_makes_none(store: Store, body: str) -> None:
    store.run_now(outages.from_stick, body)

    assert sheet(store) is None


def test_figures_count_parcels_and_money() -> None:
    taken = events.BillAccepted("B1", 8_650, "cash", "S1", "op")
    body = encode(taken, lambda: b"").body
    counted = [
        ("a", "parcel_arrived.1", "{}"), ("b", "parcel_arrived.2", "{}"), ("c", "parcel_picked_up.1", "{}"),
        ("d", "bill_accepted.1", body), ("e", "bill_accepted.1", "no JSON"), ("f", "of_a_later_release.1", "{}"),
    ]  # fmt: skip

    found = tally(counted, Settled(1, 8_650))

    assert (found.facts, found.parcels_in, found.parcels_out) == (6, 2, 1)
    assert (found.accepted, found.accepted_fen, found.posted_fen, found.refused) == (2, 8_650, 8_650, 0)


@pytest.mark.parametrize(
    "other",
    [
        Stretch("QJ-0002", 0, END), Stretch(SITE, 1, END), Stretch(SITE, 0, replace(END, log_id=LogId("abd"))),
        Stretch(SITE, 0, replace(END, upto=Seq(8))), Stretch(SITE, 0, replace(END, mark="13" * 32)),
    ],
)  # fmt: skip
def test_a_code_belongs_to_one_place(other: Stretch) -> None:
    assert code_of(KEYS.link, other, FIGURES) != code_of(KEYS.link, Stretch(SITE, 0, END), FIGURES)


@pytest.mark.parametrize("name", [each for each in Figures.__slots__ if each != "digest"])
def test_a_code_belongs_to_every_figure(name: str) -> None:
    stretch = Stretch(SITE, 0, END)
    changed = replace(FIGURES, **{name: getattr(FIGURES, name) + 1})

    assert code_of(KEYS.link, stretch, changed) != code_of(KEYS.link, stretch, FIGURES)


@given(st.binary(min_size=32, max_size=32))
def test_a_code_is_typed_as_people_type(key: bytes) -> None:
    code = code_of(key, Stretch(SITE, 0, END), FIGURES)

    assert len(code) == 9
    assert not set(code) & set("ILOU")
    assert same_code(code.lower().replace("-", " ").replace("0", "o").replace("1", "l"), code)
    assert not same_code(code[:-1], code)
