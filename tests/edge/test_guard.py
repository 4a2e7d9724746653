"""Tries are counted before anything is compared, survive a restart, and follow no wall clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stockroom import MINUTE, SOAK, Clock, Dice, furnish, kinds, new_store

from edge import guard
from edge.model import OperatorId, Rejected, Role
from edge.store import Store
from ui.viewmodels.states import PIN_MAX

YEARS = 10 * 365 * 24 * 3_600_000


def tries(store: Store, most: int = 50) -> int:
    """How many tries are given until one is refused."""
    for number in range(most):
        try:
            store.run_now(guard.take_try)
        except Rejected as refusal:
            if refusal.code != "locked_out":
                raise
            return number
    return most


def wait(store: Store) -> int:
    with pytest.raises(Rejected) as caught:
        store.run_now(guard.take_try)
    minutes = caught.value.facts["minutes"]
    assert isinstance(minutes, int)
    return minutes


def test_five_tries_are_free_then_one_in_five_minutes(store: Store, clock: Clock) -> None:
    assert tries(store) == 5
    assert wait(store) == 5

    clock.advance(5 * MINUTE - 1)
    assert wait(store) == 1
    clock.advance(1)
    assert tries(store) == 1

    clock.advance(11 * MINUTE)
    assert tries(store) == 2
    clock.advance(1000 * MINUTE)
    assert tries(store) == 5
    assert kinds(store).count("pickup_tried") == 13


def test_a_right_code_costs_nothing(store: Store) -> None:
    for _ in range(20):
        store.run_now(guard.take_try)
        store.run_now(guard.give_back_try)

    assert tries(store) == 5


def test_giving_back_never_lays_up_more_than_five(store: Store) -> None:
    for _ in range(10):
        store.run_now(guard.give_back_try)

    assert tries(store) == 5


def test_a_refused_try_changes_nothing(store: Store, clock: Clock) -> None:
    tries(store)
    clock.advance(4 * MINUTE)
    before = len(kinds(store))

    for _ in range(20):
        wait(store)

    assert len(kinds(store)) == before
    clock.advance(MINUTE)
    assert tries(store) == 1


def test_the_count_survives_closing_and_a_cut_right_after_the_try(store: Store, clock: Clock, tmp_path: Path) -> None:
    """The try is committed before anything is compared: the files of that moment already have it."""
    for used in range(1, 6):
        store.run_now(guard.take_try)
        cut = tmp_path / f"cut{used}"
        shutil.copytree(store.folder, cut)
        again = new_store(cut, clock, Dice(2))
        again.open()
        assert tries(again) == 5 - used
        again.close()
    store.close()
    store.open()
    assert tries(store) == 0


def test_a_restart_gives_only_the_time_since_it(store: Store, clock: Clock) -> None:
    tries(store)

    clock.restart("b0070002", up_ms=4 * MINUTE)
    assert wait(store) == 1
    clock.advance(MINUTE)
    assert tries(store) == 1

    for number in range(3, 30):  # pulling the plug again and again wins nothing
        clock.restart(f"b00700{number:02d}", up_ms=20_000)
        assert tries(store) == 0


@pytest.mark.parametrize("jump", [-YEARS, YEARS, None])
def test_the_wall_clock_neither_locks_nor_unlocks(store: Store, clock: Clock, jump: int | None) -> None:
    tries(store)
    clock.wall = 0 if jump is None else clock.wall + jump

    assert wait(store) == 5
    clock.advance(5 * MINUTE)
    assert tries(store) == 1


def test_a_monotonic_clock_that_runs_back_gives_nothing(store: Store, clock: Clock) -> None:
    tries(store)
    clock.now -= 50 * MINUTE

    assert tries(store) == 0


@settings(max_examples=500 if SOAK else 8)
@given(steps=st.lists(st.sampled_from(["try", "wait 1", "wait 7", "restart", "jump"]), max_size=40))
def test_never_more_tries_than_the_time_allows(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    clock = Clock()
    store = new_store(tmp_path_factory.mktemp("guard"), clock, Dice())
    store.open()
    store.run_now(furnish)
    passed, given_out, boots = 0, 0, 0
    for step in steps:
        if step == "try":
            given_out += tries(store, 1)
        elif step == "restart":
            boots += 1
            clock.restart(f"boot{boots:04d}", up_ms=MINUTE)
            passed += 1
        elif step == "jump":
            clock.wall -= YEARS
        else:
            passed += int(step[5:])
            clock.advance(int(step[5:]) * MINUTE)
    store.close()

    assert given_out <= 5 + passed // 5 + (passed % 5 > 0)


# --- PINs ---------------------------------------------------------------------------------------------------------


def pin_wait(store: Store) -> int:
    with pytest.raises(Rejected) as caught:
        store.run_now(guard.take_pin_try)
    minutes = caught.value.facts["minutes"]
    assert isinstance(minutes, int)
    return minutes


def test_wrong_pins_lock_for_one_five_fifteen_minutes_then_hours(store: Store, clock: Clock) -> None:
    for _ in range(5):
        store.run_now(guard.take_pin_try)
    seen = []
    for _ in range(6):
        minutes = pin_wait(store)
        seen.append(minutes)
        clock.advance(minutes * MINUTE - 1)
        assert pin_wait(store) == 1
        clock.advance(1)
        store.run_now(guard.take_pin_try)

    assert seen == [1, 5, 15, 60, 60, 60]


def test_a_right_pin_clears_the_count(store: Store) -> None:
    for _ in range(4):
        store.run_now(guard.take_pin_try)
    store.run_now(guard.logged_in, OperatorId("op1"), Role.OPERATOR)

    for _ in range(5):
        store.run_now(guard.take_pin_try)
    assert pin_wait(store) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda clock: setattr(clock, "wall", clock.wall + YEARS),
        lambda clock: setattr(clock, "wall", 0),
        lambda clock: clock.restart("b0070002", up_ms=30_000),
        lambda clock: setattr(clock, "now", 0),
    ],
)
def test_neither_clock_nor_plug_opens_a_pin_lock(store: Store, clock: Clock, change: Callable[[Clock], None]) -> None:
    for _ in range(5):
        store.run_now(guard.take_pin_try)
    change(clock)
    store.close()
    store.open()

    assert pin_wait(store) == 1


def test_codes_and_pins_are_counted_apart(store: Store) -> None:
    tries(store)

    store.run_now(guard.take_pin_try)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "1",
        "12345",
        "123456",
        "987654",
        "000000",
        "111111",
        "abcdef",
        "１２３４５７",
        "12345 ",
        "-12345",
        "908172635",
    ],
)
def test_weak_pins_are_refused(pin: str) -> None:
    with pytest.raises(Rejected, match="weak_pin"):
        guard.check_pin_form(pin)


@pytest.mark.parametrize("pin", ["271828", "112233", "90817263"])
def test_other_pins_are_taken(pin: str) -> None:
    guard.check_pin_form(pin)


def test_every_pin_that_is_taken_can_be_typed_on_the_screen() -> None:
    assert guard.MAX_PIN == PIN_MAX


def test_a_pin_fits_only_itself_on_its_own_device() -> None:
    hashed = guard.hash_pin("271828", b"k" * 32)

    assert guard.fits(hashed, "271828", b"k" * 32)
    assert not guard.fits(hashed, "271829", b"k" * 32)
    assert not guard.fits(hashed, "271828", b"j" * 32)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "271828" not in hashed
    assert guard.hash_pin("271828", b"k" * 32) != hashed


def test_a_damaged_hash_lets_nobody_in_and_keeps_nobody_out() -> None:
    for text in ("", "x", "$argon2id$", guard.hash_pin("271828", b"k" * 32)[:-5]):
        assert not guard.fits(text, "271828", b"k" * 32)


def test_a_person_added_again_has_the_new_pin(store: Store) -> None:
    store.run_now(guard.add_operator, OperatorId("op1"), Role.OPERATOR, "one")
    store.run_now(guard.add_operator, OperatorId("op1"), Role.TECHNICIAN, "two")

    assert store.run_now(guard.operators) == (("op1", Role.TECHNICIAN, "two"),)
    assert kinds(store) == ["operator_added"] * 2
