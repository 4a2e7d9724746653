"""R17: a clock that is wrong by ten years, stands at 1970 or does not run opens, pays, unlocks and blocks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from stockroom import (
    MINUTE,
    NOON,
    Clock,
    Dice,
    Hub,
    bill,
    code_of,
    disagreements,
    expected,
    furnish,
    kinds,
    new_store,
    stored,
)

from edge import bills, boards, cells, events, guard, log, pickups, retention, updates
from edge.counter import Counter
from edge.model import BillId, CellNo, Fen, OperatorId, ParcelState, PickupCode, Rejected, Role
from edge.store import Store
from edge.updates import State

DAY = 24 * 3_600_000
YEARS = 10 * 365 * DAY
CLOCKS = {
    "right": Clock,
    "ten years slow": lambda: Clock(wall=NOON - YEARS, synced=False),
    "ten years fast": lambda: Clock(wall=NOON + YEARS, synced=False),
    "1970": lambda: Clock(wall=0, now=0, synced=False),
    "stopped": lambda: Clock(stopped=True, synced=False),
}
JUMPS = {"stays": 0, "back ten years": -YEARS, "on ten years": YEARS}


@pytest.fixture(params=CLOCKS.values(), ids=CLOCKS)
def odd(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


@pytest.fixture
def shop(odd: Clock, tmp_path: Path) -> Store:
    store = new_store(tmp_path / "odd", odd, Dice())
    store.open()
    store.run_now(furnish)
    return store


def ordered(name: str, now: int) -> events.UpdateOrdered:
    """A release is ordered, for two weeks from now."""
    return events.UpdateOrdered(name, "0.2.0", "village-terminal-amd64", "ab" * 32, now + 14 * DAY, False)


def at_the_same_time(store: Store, odd: Clock, jump: int) -> str:
    """A morning at the counter; the clock is set in the middle of it. Returns what was written down."""
    hub = Hub()
    parcel, other = stored(store, hub, 1), stored(store, hub, 2, "shelf", phone="13911112222")
    hub.tell(store, bill(1), bill(2), expected(3))
    odd.wall = max(0, odd.wall + jump)
    store.run_now(guard.take_try)
    found = store.run_now(pickups.identify, PickupCode(code_of(store, parcel.id)), "8000")
    assert found is not None
    store.run_now(pickups.begin_pickup, found.id, "code")
    opening = store.run_now(cells.authorise, CellNo(1), "pickup", found.id, None)
    store.run_now(cells.opened, opening)
    store.run_now(cells.closed, opening)
    store.run_now(pickups.picked_up, found.id, "self", "sensor")
    store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))
    with pytest.raises(Rejected):
        store.run_now(bills.accept, BillId("b1"), Fen(100), OperatorId("op1"))
    hub.tell(store, events.BillPosted("b1", "000001", "S1"))
    store.run_now(pickups.begin_pickup, other.id, "operator")
    store.run_now(pickups.pickup_left, other.id)
    store.run_now(boards.day)
    store.run_now(boards.search, "")
    return " ".join(kinds(store))


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_a_morning_is_the_same_under_every_clock(
    shop: Store, odd: Clock, jump: int, store: Store, clock: Clock
) -> None:
    assert at_the_same_time(shop, odd, jump) == at_the_same_time(store, clock, 0)

    assert shop.run_now(log.verify) is None
    assert shop.run_now(disagreements) == []
    assert shop.run_now(bills.load, BillId("b1")).state == "posted"
    shop.close()


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_locks_run_on_monotonic_time_alone(shop: Store, odd: Clock, jump: int) -> None:
    for _ in range(5):
        shop.run_now(guard.take_try)
        shop.run_now(guard.take_pin_try)
    odd.wall = max(0, odd.wall + jump)

    for locked in (guard.take_try, guard.take_pin_try):
        with pytest.raises(Rejected, match="locked_out"):
            shop.run_now(locked)
    odd.advance(5 * MINUTE)
    shop.run_now(guard.take_try)
    shop.run_now(guard.take_pin_try)
    shop.close()


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_sessions_and_grants_run_on_monotonic_time_alone(shop: Store, odd: Clock, jump: int) -> None:
    counter = Counter(odd)
    counter.log_in(OperatorId("op1"), Role.OPERATOR)
    parcel = stored(shop, Hub(), 1)
    counter.grant("g1", (parcel,), "code", 120_000)
    odd.wall = max(0, odd.wall + jump)

    assert counter.operator() == "op1"
    odd.advance(119_000)
    assert counter.redeem("g1", (parcel.id,)) == ((parcel,), "code")
    with pytest.raises(Rejected, match="grant_over"):
        counter.redeem("g1", (parcel.id,))
    counter.grant("g2", (parcel,), "code", 120_000)
    odd.advance(120_001)
    with pytest.raises(Rejected, match="grant_over"):
        counter.redeem("g2", (parcel.id,))
    odd.advance(10 * 60 * MINUTE)
    with pytest.raises(Rejected, match="login_first"):
        counter.operator()
    shop.close()


def test_a_clock_ahead_forgets_nobody_whose_parcel_is_here(store: Store, clock: Clock, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    clock.wall += YEARS

    store.run_now(retention.erase_collected, clock.wall)

    assert store.run_now(boards.line, parcel.id).phone is not None
    assert store.run_now(pickups.state_of, parcel.id) is ParcelState.IN_LOCKER


def test_a_release_ordered_after_the_clock_was_put_back_is_the_one_to_carry_out(
    store: Store, clock: Clock, hub: Hub
) -> None:
    clock.wall += YEARS
    hub.tell(store, ordered("first", clock.wall))
    store.run_now(updates.move, "first", State.REFUSED, events.UpdateRefused("first", "0.2.0", "disk_full"))
    clock.wall -= YEARS

    hub.tell(store, ordered("second", clock.wall))

    order = store.run_now(updates.current)
    assert order is not None
    assert order.id == "second"


def test_order_is_the_sequence_number_whatever_the_time(shop: Store, odd: Clock) -> None:
    for wall in (NOON, 0, NOON + YEARS, 5):
        odd.wall = wall
        shop.run_now(log.append, events.HelpCalled(str(wall)))

    items = shop.run_now(log.read_after, 0, 10, 10_000)  # type: ignore[arg-type]
    assert [item.stamp.at for item in items] == [NOON, 0, NOON + YEARS, 5]
    assert shop.run_now(log.verify) is None
    shop.close()
