"""Doors: authorised before they move, for one cell and one parcel, once; and every outcome has its record."""

from __future__ import annotations

import pytest
from stockroom import OPERATOR, Hub, arrival, disagreements, dump, expected, kinds, stored

from edge import cells, log, parcels, pickups
from edge.model import CellNo, ParcelId, Rejected
from edge.store import Store, Tx

P1, P2 = ParcelId("p1"), ParcelId("p2")


def cell(store: Store, number: int) -> dict[str, object]:
    row = store.run_now(Tx.row, "SELECT state, parcel, why FROM cell WHERE cell = ?", (number,))
    assert row is not None
    return row


def alarms(store: Store) -> set[tuple[str, str]]:
    return {(row["code"], row["subject"]) for row in store.run_now(Tx.rows, "SELECT code, subject FROM alarm")}


STATES = ("expected", "arrived", "in_locker", "releasing", "exception", "picked_up")
MAY = {("arrived", "deposit"), ("releasing", "pickup"), ("exception", "found")}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("purpose", ["deposit", "pickup", "found", "service"])
def test_a_door_is_opened_for_its_parcel_in_its_state_alone(store: Store, hub: Hub, state: str, purpose: str) -> None:
    hub.tell(store, expected(1))
    steps = [
        lambda: store.run_now(parcels.arrive, arrival(1)),
        lambda: store.run_now(parcels.deposited, P1, "sensor"),
        lambda: store.run_now(pickups.begin_pickup, P1, "code"),
        lambda: store.run_now(pickups.excepted, P1, "unknown"),
        lambda: store.run_now(pickups.picked_up, P1, "operator", "operator"),
    ]
    for step in steps[: STATES.index(state)]:
        step()
    before = dump(store)
    parcel = None if purpose == "service" else P1
    allowed = (state, purpose) in MAY or (purpose == "service" and state in {"expected", "picked_up"})

    if allowed:
        opening = store.run_now(cells.authorise, CellNo(1), purpose, parcel, OPERATOR)  # type: ignore[arg-type]
        assert kinds(store, 1) == ["door_authorised"]
        assert [u.id for u in store.run_now(cells.unfinished)] == [opening]
    else:
        with pytest.raises(Rejected, match="not_allowed"):
            store.run_now(cells.authorise, CellNo(1), purpose, parcel, OPERATOR)  # type: ignore[arg-type]
        assert dump(store) == before


@pytest.mark.parametrize(
    ("number", "purpose", "parcel"),
    [(2, "deposit", P1), (1, "deposit", P2), (1, "deposit", None), (99, "deposit", P1), (99, "service", None),
     (3, "pickup", None), (0, "service", None), (-1, "service", None)],
)  # fmt: skip
def test_no_other_cell_and_no_other_parcel(
    store: Store, hub: Hub, number: int, purpose: str, parcel: ParcelId | None
) -> None:
    hub.tell(store, expected(1), expected(2))
    store.run_now(parcels.arrive, arrival(1))
    before = dump(store)

    with pytest.raises(Rejected, match="not_allowed"):
        store.run_now(cells.authorise, CellNo(number), purpose, parcel, OPERATOR)  # type: ignore[arg-type]

    assert dump(store) == before


@pytest.fixture
def opening(store: Store, hub: Hub) -> str:
    hub.tell(store, expected(1))
    store.run_now(parcels.arrive, arrival(1))
    return store.run_now(cells.authorise, CellNo(1), "deposit", P1, OPERATOR)


def test_an_opening_has_one_outcome(store: Store, opening: str) -> None:
    store.run_now(cells.opened, opening)
    before = dump(store)

    for again in (
        lambda: store.run_now(cells.opened, opening),
        lambda: store.run_now(cells.not_opened, opening, "unknown"),
        lambda: store.run_now(cells.wrong_door, opening, [2]),
    ):
        with pytest.raises(AssertionError, match="already has an outcome"):
            again()

    assert dump(store) == before


def test_an_opening_that_came_to_nothing_is_over(store: Store, opening: str) -> None:
    store.run_now(cells.not_opened, opening, "stayed_closed")

    assert store.run_now(cells.unfinished) == ()
    with pytest.raises(AssertionError):
        store.run_now(cells.opened, opening)


def test_an_opening_nobody_authorised_is_a_bug(store: Store) -> None:
    with pytest.raises(KeyError):
        store.run_now(cells.opened, "nobody")


def test_a_door_left_open_is_shut_later(store: Store, opening: str) -> None:
    store.run_now(cells.opened, opening)
    store.run_now(cells.left_open, opening)
    assert alarms(store) == {("door_left_open", "1")}

    assert store.run_now(cells.shut_later, CellNo(1)) == opening
    assert store.run_now(cells.shut_later, CellNo(1)) is None

    assert alarms(store) == set()
    assert cell(store, 1)["state"] == "reserved"
    assert kinds(store, 2) == ["door_left_open", "door_closed"]


def test_a_shut_door_ends_every_opening_of_its_cell(store: Store, opening: str) -> None:
    """The operator goes on with a deposit whose door had been left open: two openings, one door."""
    store.run_now(cells.opened, opening)
    store.run_now(cells.left_open, opening)
    second = store.run_now(cells.authorise, CellNo(1), "deposit", P1, OPERATOR)
    store.run_now(cells.opened, second)

    assert store.run_now(cells.shut_later, CellNo(1)) == second
    assert store.run_now(cells.unfinished) == ()


def test_another_door_than_the_authorised_one(store: Store, hub: Hub, opening: str) -> None:
    stored(store, hub, 2)

    store.run_now(cells.wrong_door, opening, [2, 2, 17])  # 17: the board has more locks than the cabinet has cells

    assert [(cell(store, n)["state"], cell(store, n)["parcel"]) for n in (1, 2, 3)] == [
        ("out_of_service", "p1"), ("out_of_service", "p2"), ("free", None),
    ]  # fmt: skip
    assert {("wrong_door", n) for n in ("1", "2", "17")} <= alarms(store)
    assert kinds(store).count("cell_faulted") == 2
    assert store.run_now(cells.unfinished) == ()


def test_a_forced_door_is_told_and_changes_no_cell(store: Store) -> None:
    before = dump(store)["cell"]

    store.run_now(cells.forced, CellNo(3), "open")

    assert dump(store)["cell"] == before
    assert alarms(store) == {("forced_door", "3")}
    assert kinds(store) == ["door_forced"]


def test_a_forced_door_that_is_only_counted_rings_and_writes_nothing_while_it_rings(store: Store) -> None:
    store.run_now(cells.forced_again, CellNo(3))
    assert alarms(store) == {("forced_door", "3")}
    before = store.run_now(lambda tx: tx.value("SELECT total_changes()"))

    store.run_now(cells.forced_again, CellNo(3))

    assert store.run_now(lambda tx: tx.value("SELECT total_changes()")) == before
    assert kinds(store) == []


def test_service_takes_a_cell_out_and_back(store: Store, hub: Hub) -> None:
    store.run_now(cells.fault, CellNo(1), "stayed_closed")
    store.run_now(cells.forced, CellNo(1), "open")
    assert stored(store, hub, 1).cell == 2

    store.run_now(cells.to_service, CellNo(1), True, "lock changed", OPERATOR)
    assert alarms(store) == set()
    assert stored(store, hub, 2).cell == 1
    for number in (1, 99):
        with pytest.raises(Rejected, match="not_allowed"):
            store.run_now(cells.to_service, CellNo(number), False, "full", OPERATOR)
    store.run_now(cells.to_service, CellNo(3), False, "hinge", OPERATOR)
    assert stored(store, hub, 3).cell == 4


def test_a_smaller_cabinet_keeps_what_lies_in_the_old_cells(store: Store, hub: Hub) -> None:
    stored(store, hub, 1, size="L")

    store.run_now(cells.lay_out, "M")

    assert [row["cell"] for row in store.run_now(Tx.rows, "SELECT cell FROM cell")] == [1, 4]
    assert cell(store, 4)["parcel"] == "p1"
    assert store.run_now(log.verify) is None


@pytest.mark.parametrize("way", ["picked_up", "cancelled"])
def test_a_cell_that_is_no_more_goes_with_its_parcel(store: Store, hub: Hub, way: str) -> None:
    """Until the next start it would have been given to the next parcel."""
    if way == "picked_up":
        stored(store, hub, 1, size="L")
    else:
        hub.tell(store, expected(1, size="L"))
        store.run_now(parcels.arrive, arrival(1, "locker"))
    store.run_now(cells.lay_out, "M")

    if way == "picked_up":
        store.run_now(pickups.begin_pickup, P1, "code")
        store.run_now(pickups.picked_up, P1, "self", "sensor")
    else:
        store.run_now(parcels.cancel_deposit, P1, "operator")

    assert [row["cell"] for row in store.run_now(Tx.rows, "SELECT cell FROM cell")] == [1]
    assert store.run_now(cells.smallest_free, "L") is None


def test_a_cabinet_made_smaller_and_whole_again_is_as_it_was(store: Store, hub: Hub) -> None:
    stored(store, hub, 1, size="L")
    hub.tell(store, expected(2))
    store.run_now(parcels.arrive, arrival(2, "locker"))
    before = store.run_now(Tx.rows, "SELECT * FROM cell")
    sizes = "".join(row["size"] for row in before)

    for cabinet in ("", sizes):
        store.run_now(cells.lay_out, cabinet)

    assert store.run_now(Tx.rows, "SELECT * FROM cell") == before
    store.run_now(parcels.deposited, ParcelId("p2"), "sensor")
    assert store.run_now(disagreements) == []


def test_a_broken_cell_whose_door_was_left_open_is_not_given_out_once_it_is_shut(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    store.run_now(cells.fault, CellNo(1), "wrong_door")
    store.run_now(pickups.begin_pickup, P1, "code")
    opening = store.run_now(cells.authorise, CellNo(1), "pickup", P1, None)
    store.run_now(cells.opened, opening)
    store.run_now(cells.left_open, opening)
    store.run_now(pickups.picked_up, P1, "self", "left_open")

    store.run_now(cells.shut_later, CellNo(1))

    assert cell(store, 1) == {"state": "out_of_service", "parcel": None, "why": "wrong_door"}
    assert stored(store, hub, 2).cell == 2


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_a_cell_that_was_out_of_service_is_so_in_the_cabinet_made_whole_again(
    store: Store, hub: Hub, times: int, *, holds: bool
) -> None:
    if holds:
        stored(store, hub, 1, size="L")
    store.run_now(cells.fault, CellNo(4), "wrong_door")
    before = store.run_now(Tx.rows, "SELECT * FROM cell")

    for cabinet in (*[""] * times, "SSML"):
        store.run_now(cells.lay_out, cabinet)

    assert cell(store, 4) == {"state": "out_of_service", "parcel": "p1" if holds else None, "why": "wrong_door"}
    assert store.run_now(Tx.rows, "SELECT * FROM cell") == before
    assert alarms(store) == {("cell_faulted", "4")}


@pytest.mark.parametrize("found", ["gone", "on_shelf"])
def test_nobody_puts_a_cell_that_is_no_more_into_use(store: Store, hub: Hub, found: str) -> None:
    """Its parcel came out by the key; no door of the cabinet failed."""
    stored(store, hub, 1, size="L")
    store.run_now(cells.lay_out, "M")
    store.run_now(pickups.begin_pickup, P1, "code")
    store.run_now(pickups.pickup_failed, P1, "not_there")
    for in_service in (True, False):
        with pytest.raises(Rejected, match="not_allowed"):
            store.run_now(cells.to_service, CellNo(4), in_service, "other", OPERATOR)

    store.run_now(pickups.resolve, P1, found, OPERATOR)

    assert [row["cell"] for row in store.run_now(Tx.rows, "SELECT cell FROM cell")] == [1]
    assert alarms(store) == set()
    store.run_now(cells.lay_out, "SSML")
    assert cell(store, 4) == {"state": "free", "parcel": None, "why": None}


def test_a_deposit_into_a_cell_that_is_no_more_leaves_nothing_of_it(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1, size="L"))
    store.run_now(parcels.arrive, arrival(1, "locker"))
    store.run_now(cells.lay_out, "M")

    store.run_now(parcels.cell_failed, P1, "not_there")

    with pytest.raises(Rejected, match="not_allowed"):
        store.run_now(cells.to_service, CellNo(4), True, "other", OPERATOR)
    assert alarms(store) == set()
    store.run_now(cells.lay_out, "SSML")
    assert cell(store, 4) == {"state": "free", "parcel": None, "why": None}


def test_a_parcel_is_occupied_only_in_its_own_cell(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)

    with pytest.raises(AssertionError):
        store.run_now(cells.occupy, CellNo(2), P1)
