"""What is decided when the books of a terminal are brought back; the whole way is in tests/sync/test_replacing.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from stockroom import Clock, Dice, Hub, arrival, code_of, expected, furnish, new_store, stored

from drivers.base import Door
from edge import cells, events, log, parcels, pickups, rebuild
from edge.flows import reconcile
from edge.model import ParcelId
from edge.rebuild import Rebuild
from edge.store import Store, Tx


def replayed(old: Store, new: Store, parcel: ParcelId) -> None:
    """The facts of one terminal become the tables of the next."""
    items = old.run_now(lambda tx: list(log.items(tx)))
    new.open()
    new.run_now(furnish)
    assert new.run_now(rebuild.replay, items, Rebuild({parcel: "482913"}))


def test_a_code_in_place_of_a_lost_one_is_not_one_digit_from_a_live_one(tmp_path: Path) -> None:
    dice = Dice(1)
    store = new_store(tmp_path, Clock(), dice)
    store.open()
    store.run_now(furnish, "S" * 4, 12)
    hub = Hub()
    lost, live = stored(store, hub, 1), stored(store, hub, 2)
    kept = code_of(store, live.id)
    store.run_now(forget, lost.id)
    dice.codes = [kept, kept[:5] + str((int(kept[5]) + 1) % 10), "000000" if kept[0] != "0" else "999999"]

    work = Rebuild({})
    store.run_now(finish, work)

    given = code_of(store, lost.id)
    store.close()
    assert sum(a != b for a, b in zip(given, kept, strict=True)) >= 2
    assert work.to_check == {lost.id}


def forget(tx: Tx, parcel: str) -> None:
    tx.bookkeeping = True
    tx.update("parcel", ("id", parcel), {"code": None})


def finish(tx: Tx, work: Rebuild) -> None:
    tx.bookkeeping = True
    rebuild.finish(tx, work)


@pytest.mark.logs("could not be brought back")
@pytest.mark.parametrize("door", [Door.CLOSED, Door.OPEN, Door.UNKNOWN])
def test_an_opening_for_a_parcel_that_did_not_come_back_keeps_no_point_from_starting(
    tmp_path: Path, door: Door
) -> None:
    old, new = (new_store(tmp_path / name, Clock(), Dice(1)) for name in ("old", "new"))
    old.open()
    old.run_now(furnish)
    old.run_now(log.append, events.DoorAuthorised("o-1", 1, "pickup", "nobody", None))
    items = old.run_now(lambda tx: list(log.items(tx)))
    old.close()
    new.open()
    new.run_now(furnish)

    assert new.run_now(rebuild.replay, items, Rebuild({}))
    new.run_now(reconcile._settle, {1: door})

    assert new.run_now(cells.unfinished) == ()
    new.close()


def test_a_parcel_in_a_cell_that_the_new_settings_do_not_name_keeps_its_cell(tmp_path: Path) -> None:
    """As on a terminal whose cabinet was made smaller around it: its door is not there, which a person is told."""
    hub, (old, new) = Hub(), (new_store(tmp_path / name, Clock(), Dice(1)) for name in ("old", "new"))
    old.open()
    old.run_now(furnish)
    parcel = stored(old, hub, 1)
    items = old.run_now(lambda tx: list(log.items(tx)))
    old.close()
    new.open()
    new.run_now(furnish, "")

    assert new.run_now(rebuild.replay, items, Rebuild({parcel.id: "482913"}))
    new.run_now(pickups.begin_pickup, parcel.id, "code")
    assert new.run_now(cells.authorise, parcel.cell, "pickup", parcel.id, None)
    new.run_now(pickups.picked_up, parcel.id, "self", "operator")
    new.run_now(cells.lay_out, "")
    assert new.run_now(Tx.rows, "SELECT * FROM cell") == []
    new.close()


def test_a_broken_cell_whose_door_was_left_open_comes_back_broken(tmp_path: Path) -> None:
    hub, (old, new) = Hub(), (new_store(tmp_path / name, Clock(), Dice(1)) for name in ("old", "new"))
    old.open()
    old.run_now(furnish)
    parcel = stored(old, hub, 1)
    assert parcel.cell == 1
    old.run_now(cells.fault, parcel.cell, "wrong_door")
    old.run_now(pickups.begin_pickup, parcel.id, "code")
    opening = old.run_now(cells.authorise, parcel.cell, "pickup", parcel.id, None)
    old.run_now(cells.opened, opening)
    old.run_now(cells.left_open, opening)
    old.run_now(pickups.picked_up, parcel.id, "self", "left_open")
    old.run_now(cells.shut_later, parcel.cell)

    replayed(old, new, parcel.id)

    was, now = (store.run_now(Tx.rows, "SELECT * FROM cell") for store in (old, new))
    assert now == was
    assert now[0]["why"] == "wrong_door"
    old.close()
    new.close()


@pytest.mark.parametrize(("why", "stuck"), [("stayed_closed", {"1"}), ("power_cut", set())])
@pytest.mark.parametrize("opens", [True, False])
def test_the_same_doors_are_stuck_as_before(tmp_path: Path, why: str, stuck: set[str], *, opens: bool) -> None:
    hub, (old, new) = Hub(), (new_store(tmp_path / name, Clock(), Dice(1)) for name in ("old", "new"))
    old.open()
    old.run_now(furnish)
    parcel = stored(old, hub, 1)
    assert parcel.cell == 1
    old.run_now(pickups.begin_pickup, parcel.id, "code")
    old.run_now(pickups.pickup_failed, parcel.id, why)
    if opens:
        old.run_now(pickups.begin_pickup, parcel.id, "code")
        opening = old.run_now(cells.authorise, parcel.cell, "pickup", parcel.id, None)
        old.run_now(cells.opened, opening)

    replayed(old, new, parcel.id)

    for store in (old, new):
        told = store.run_now(Tx.rows, "SELECT subject FROM alarm WHERE code = 'door_stuck'")
        assert {row["subject"] for row in told} == (set() if opens else stuck)
        store.close()


def test_a_cell_that_broke_while_its_parcel_was_on_the_way_in_comes_back_broken(tmp_path: Path) -> None:
    hub, (old, new) = Hub(), (new_store(tmp_path / name, Clock(), Dice(1)) for name in ("old", "new"))
    old.open()
    old.run_now(furnish)
    hub.tell(old, expected(1))
    parcel = old.run_now(parcels.arrive, arrival(1, "locker"))
    assert parcel.cell == 1
    old.run_now(cells.fault, parcel.cell, "wrong_door")
    old.run_now(parcels.deposited, parcel.id, "sensor")

    replayed(old, new, parcel.id)

    was, now = (store.run_now(Tx.rows, "SELECT * FROM cell") for store in (old, new))
    assert now == was
    assert (now[0]["state"], now[0]["parcel"]) == ("out_of_service", parcel.id)
    old.close()
    new.close()
