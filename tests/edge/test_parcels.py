"""Intake and collection, rule by rule: every state with every rule, and what each refusal leaves behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stockroom import (
    OPERATOR,
    PHONE,
    SOAK,
    Dice,
    Hub,
    arrival,
    code_of,
    disagreements,
    dump,
    expected,
    kinds,
    parcel_of,
    stored,
    waybill,
)

from edge import boards, cells, log, parcels, pickups, retention, shelves
from edge.model import (
    CellNo,
    Consent,
    IllegalMove,
    Parcel,
    ParcelId,
    ParcelState,
    Phone,
    PickupCode,
    PickupToken,
    Rejected,
)
from edge.parcels import Arrival
from edge.store import Store, Tx

P1 = ParcelId("p1")


class Undo(Exception):
    pass


def cell_row(store: Store, cell: int) -> tuple[str, str | None]:
    row = store.run_now(Tx.row, "SELECT state, parcel FROM cell WHERE cell = ?", (cell,))
    assert row is not None
    return row["state"], row["parcel"]


def refused(store: Store, code: str, rule: Callable[..., object], *args: object) -> Rejected:
    """The rule refuses with this code and changes nothing."""
    before = dump(store)
    with pytest.raises(Rejected) as caught:
        store.run_now(rule, *args)
    assert caught.value.code == code
    assert dump(store) == before
    return caught.value


# --- every state with every rule ----------------------------------------------------------------------------------


def bring(store: Store, hub: Hub, state: ParcelState) -> None:
    """Bring parcel 1 into a state by the rules; what has no rule yet is written down."""
    hub.tell(store, expected(1))
    if state is ParcelState.EXPECTED:
        return
    store.run_now(parcels.arrive, arrival(1, "shelf" if state is ParcelState.ON_SHELF else "auto"))
    if state is ParcelState.ARRIVED:
        return
    store.run_now(parcels.shelved, P1) if state is ParcelState.ON_SHELF else store.run_now(
        parcels.deposited, P1, "sensor"
    )
    if state in {ParcelState.ON_SHELF, ParcelState.IN_LOCKER}:
        return
    if state in {ParcelState.RETURN_PENDING, ParcelState.RETURNED}:
        store._strict = False
        store.run_now(Tx.execute, "UPDATE parcel SET state = ?", (state.value,))
        store._strict = True
        return
    store.run_now(pickups.begin_pickup, P1, "code")
    if state is ParcelState.PICKED_UP:
        store.run_now(pickups.picked_up, P1, "self", "sensor")
    elif state is ParcelState.EXCEPTION:
        store.run_now(pickups.excepted, P1, "unknown")


RULES: dict[str, Callable[[Tx], object]] = {
    "arrive": lambda tx: parcels.arrive(tx, arrival(1)),
    "shelved": lambda tx: parcels.shelved(tx, P1),
    "deposited": lambda tx: parcels.deposited(tx, P1, "sensor"),
    "cancel_deposit": lambda tx: parcels.cancel_deposit(tx, P1, "operator"),
    "begin_pickup": lambda tx: pickups.begin_pickup(tx, P1, "code"),
    "picked_up": lambda tx: pickups.picked_up(tx, P1, "self", "sensor"),
    "pickup_failed": lambda tx: pickups.pickup_failed(tx, P1, "stayed_closed"),
    "pickup_left": lambda tx: pickups.pickup_left(tx, P1),
    "excepted": lambda tx: pickups.excepted(tx, P1, "power_cut"),
    "resolve gone": lambda tx: pickups.resolve(tx, P1, "gone", OPERATOR),
    "resolve in_cell": lambda tx: pickups.resolve(tx, P1, "in_cell", OPERATOR),
    "resolve on_shelf": lambda tx: pickups.resolve(tx, P1, "on_shelf", OPERATOR),
}
S = ParcelState
ALLOWED = {
    ("arrive", S.EXPECTED): S.ARRIVED,
    ("deposited", S.ARRIVED): S.IN_LOCKER,
    ("cancel_deposit", S.ARRIVED): S.EXPECTED,
    ("begin_pickup", S.ON_SHELF): S.RELEASING,
    ("begin_pickup", S.IN_LOCKER): S.RELEASING,
    ("picked_up", S.RELEASING): S.PICKED_UP,
    ("pickup_failed", S.RELEASING): S.IN_LOCKER,
    ("excepted", S.ON_SHELF): S.EXCEPTION,
    ("excepted", S.IN_LOCKER): S.EXCEPTION,
    ("excepted", S.RELEASING): S.EXCEPTION,
    ("excepted", S.RETURN_PENDING): S.EXCEPTION,
    ("picked_up", S.EXCEPTION): S.PICKED_UP,
    ("resolve gone", S.EXCEPTION): S.PICKED_UP,
    ("resolve in_cell", S.EXCEPTION): S.IN_LOCKER,
    ("resolve on_shelf", S.EXCEPTION): S.ON_SHELF,
}  # the parcel lies in a cell, so it cannot be `shelved` or left on a shelf


@pytest.mark.parametrize("state", ParcelState)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_in_every_state(store: Store, hub: Hub, rule: str, state: ParcelState) -> None:
    bring(store, hub, state)
    before = dump(store)

    told = ALLOWED.get((rule, state))
    if told is None:
        with pytest.raises((IllegalMove, Rejected, AssertionError)):
            store.run_now(RULES[rule])
        assert dump(store) == before
    else:
        store.run_now(RULES[rule])
        assert parcel_of(store, 1).state is told
        assert len(dump(store)["fact"]) > len(before["fact"])
    agree(store)


def agree(store: Store) -> None:
    assert store.run_now(disagreements) == []


# --- intake -------------------------------------------------------------------------------------------------------


def test_a_parcel_gets_the_smallest_cell_that_fits(store: Store, hub: Hub) -> None:
    got = {}
    for number, size in enumerate(("S", "M", "S", "S", "L"), 1):
        hub.tell(store, expected(number, size=size))
        here = store.run_now(parcels.arrive, arrival(number))
        got[number] = here.cell or here.place

    # S to 1, M to 3, S to 2, then S has only the L cell 4 left, and L must go to the shelf
    assert got == {1: 1, 2: 3, 3: 2, 4: 4, 5: "A-1-001"}


@pytest.mark.parametrize(
    ("consent", "target", "where"),
    [
        ("locker", "auto", "cell"),
        ("locker", "locker", "cell"),
        ("locker", "shelf", "place"),
        ("shelf", "auto", "place"),
        ("shelf", "shelf", "place"),
        ("shelf", "locker", "no_free_cell"),
        ("none", "auto", "no_consent"),
        ("none", "locker", "no_consent"),
        ("none", "shelf", "no_consent"),
    ],
)
def test_consent_and_target_decide_where_a_parcel_goes(
    store: Store, hub: Hub, consent: str, target: str, where: str
) -> None:
    hub.tell(store, expected(1, consent=consent))

    if where.startswith("no_"):
        assert refused(store, where, parcels.arrive, arrival(1, target)).facts["parcel"] == "p1"
    else:
        here = store.run_now(parcels.arrive, arrival(1, target))
        assert (here.cell is not None, here.place is not None) == (where == "cell", where == "place")


def test_a_full_locker_sends_to_the_shelf_and_a_full_house_refuses(store: Store, hub: Hub) -> None:
    for number in range(1, 9):
        stored(store, hub, number)
    hub.tell(store, expected(9))

    assert [parcel_of(store, n).cell for n in range(1, 6)] == [1, 2, 3, 4, None]
    assert refused(store, "no_free_place", parcels.arrive, arrival(9))
    assert refused(store, "no_free_cell", parcels.arrive, arrival(9, "locker"))


def test_what_is_here_already_is_refused_with_its_place(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    stored(store, hub, 2, "shelf")

    assert refused(store, "already_in_stock", parcels.arrive, arrival(1)).facts == {"place": None, "cell": 1}
    assert refused(store, "already_in_stock", parcels.arrive, arrival(2)).facts == {"place": "A-1-001", "cell": None}


def test_what_nobody_announced_needs_a_phone_and_consent(store: Store) -> None:
    told = arrival(7)
    assert refused(store, "unknown_parcel", parcels.arrive, told).facts["waybill_no"] == waybill(7)
    without = Arrival(told.waybill_no, "SF", OPERATOR, "auto", Phone(PHONE), Consent.NONE)
    refused(store, "no_consent", parcels.arrive, without)

    here = store.run_now(parcels.arrive, Arrival(told.waybill_no, "SF", OPERATOR, "auto", Phone(PHONE), Consent.LOCKER))

    assert (here.state, here.cell, here.phone) == (S.ARRIVED, 3, Phone(PHONE))  # size unknown: M
    assert kinds(store) == ["consent_recorded", "parcel_arrived"]


def test_consent_by_telephone_opens_the_way(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1, consent="none"))
    store.run_now(parcels.record_consent, P1, Consent.SHELF, OPERATOR)

    assert store.run_now(parcels.arrive, arrival(1)).place == "A-1-001"


def test_a_cancelled_deposit_can_be_taken_in_again(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1))
    store.run_now(parcels.arrive, arrival(1))
    store.run_now(parcels.cancel_deposit, P1, "operator")
    assert cell_row(store, 1) == ("free", None)

    assert store.run_now(parcels.arrive, arrival(1)).cell == 1


def test_a_cell_that_fails_is_given_up_for_the_next(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1))
    store.run_now(parcels.arrive, arrival(1))

    seen = [store.run_now(parcels.cell_failed, P1, "stayed_closed") for _ in range(4)]

    assert [(p.cell, p.place) for p in seen] == [(2, None), (3, None), (4, None), (None, "A-1-001")]
    assert [cell_row(store, cell) for cell in (1, 2, 3, 4)] == [("out_of_service", None)] * 4
    assert kinds(store).count("cell_faulted") == 4
    agree(store)


def test_a_cell_that_fails_in_a_full_house_changes_nothing(store: Store, hub: Hub) -> None:
    for number in range(1, 9):
        if number != 4:
            stored(store, hub, number, "shelf" if number > 4 else "auto")
    hub.tell(store, expected(4))
    store.run_now(parcels.arrive, arrival(4))

    refused(store, "no_free_place", parcels.cell_failed, ParcelId("p4"), "stayed_closed")


def test_a_parcel_goes_to_the_shelf_when_no_door_opens(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1))
    store.run_now(parcels.arrive, arrival(1))

    here = store.run_now(parcels.to_shelf, P1)

    assert (here.cell, here.place, cell_row(store, 1)) == (None, "A-1-001", ("free", None))
    assert store.run_now(parcels.shelved, P1).state is S.ON_SHELF


def test_a_deposit_into_a_cell_that_failed_meanwhile_leaves_it_out_of_service(store: Store, hub: Hub) -> None:
    hub.tell(store, expected(1))
    store.run_now(parcels.arrive, arrival(1))
    store.run_now(cells.fault, CellNo(1), "wrong_door")

    store.run_now(parcels.deposited, P1, "sensor")

    assert cell_row(store, 1) == ("out_of_service", "p1")
    store.run_now(pickups.begin_pickup, P1, "code")
    store.run_now(pickups.picked_up, P1, "self", "sensor")
    assert cell_row(store, 1) == ("out_of_service", None)


# --- codes --------------------------------------------------------------------------------------------------------


def apart(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


@settings(max_examples=300 if SOAK else 6)
@given(seed=st.integers(0, 10**9))
def test_no_code_is_one_digit_from_a_live_one(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    from stockroom import Clock, furnish, new_store

    dice = Dice(seed)
    near = [f"{dice.code()[:5]}{n % 10}" for n in range(40)] + ["111111", "111112", "111121", "211111", "111111"]
    dice.codes = near
    store = new_store(tmp_path_factory.mktemp("codes"), Clock(), dice)
    store.open()
    store.run_now(furnish, "S" * 12, 12)
    hub = Hub()
    codes = [code_of(store, stored(store, hub, number).id) for number in range(1, 21)]
    store.close()

    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert min(apart(a, b) for i, a in enumerate(codes) for b in codes[:i]) >= 2


@pytest.mark.parametrize("near", ["123456", "023456", "103456", "120456", "123056", "123406", "123450"])
@pytest.mark.parametrize("anew", [False, True])
def test_a_code_like_a_live_one_is_not_given(store: Store, hub: Hub, dice: Dice, near: str, anew: bool) -> None:
    dice.codes = ["123456", near, "123065"]
    stored(store, hub, 1)
    if anew:
        store.close()
        store.open()

    assert code_of(store, stored(store, hub, 2).id) == "123065"
    assert store.run_now(disagreements) == []


def test_a_code_of_work_that_was_rolled_back_is_free(store: Store, hub: Hub, dice: Dice) -> None:
    def fails(tx: Tx) -> None:
        with tx.attempt():
            parcels.take_in(tx, arrival(1, "shelf"))
            raise Undo

    dice.codes = ["123456"] * 3
    hub.tell(store, expected(1))
    for work in (lambda tx: parcels.take_in(tx, arrival(1, "shelf")) and fails(tx), fails):
        with pytest.raises((Undo, Rejected)):
            store.run_now(work)
        assert store.run_now(disagreements) == []

    assert code_of(store, store.run_now(parcels.take_in, arrival(1, "shelf")).id) == "123456"


def test_the_index_in_memory_stays_off_the_card(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)
    tables = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'code_%'"

    assert store.run_now(Tx.value, tables) == 0
    assert store.run_now(Tx.value, "SELECT count(*) FROM code_tail") == 1
    assert store.run_now(Tx.value, "PRAGMA temp_store") == 2  # memory


def test_a_code_may_come_again_when_its_parcel_has_left(store: Store, hub: Hub, dice: Dice) -> None:
    dice.codes = ["111111", "111111"]
    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "sensor")

    assert code_of(store, stored(store, hub, 2).id) == "111111"


def test_no_code_at_all_is_a_loud_end_and_no_endless_search(store: Store, hub: Hub, dice: Dice) -> None:
    dice.codes = ["111111"] * 1002
    stored(store, hub, 1)
    hub.tell(store, expected(2))
    store.run_now(parcels.arrive, arrival(2))

    with pytest.raises(AssertionError, match="no free pickup code"):
        store.run_now(parcels.deposited, ParcelId("p2"), "sensor")


# --- who may collect ----------------------------------------------------------------------------------------------


def test_code_and_tail_name_the_parcel_and_all_of_that_person(store: Store, hub: Hub) -> None:
    one, two = stored(store, hub, 1), stored(store, hub, 2, "shelf")
    stored(store, hub, 3, phone="13999998000")

    found = store.run_now(pickups.identify, PickupCode(code_of(store, one.id)), "8000")

    assert found is not None
    assert [p.id for p in store.run_now(pickups.of_same_person, found)] == [one.id, two.id]
    assert kinds(store, 1) != ["pickup_refused"]


def test_wrong_tails_are_counted_until_the_staff_must_help(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    code = PickupCode(code_of(store, parcel.id))

    for _ in range(3):
        assert store.run_now(pickups.identify, code, "0000") is None
    assert kinds(store, 3) == ["pickup_refused"] * 3
    assert store.run_now(pickups.identify, code, "0000") is None  # a guesser is not told that the code was right
    refused(store, "ask_staff", pickups.identify, code, "8000")

    rows = store.run_now(Tx.rows, "SELECT body FROM fact WHERE kind = 'pickup_refused.1'")
    assert {row["body"] for row in rows} == {'{"parcel":"p1","why":"wrong_code"}'}
    assert store.run_now(pickups.by_token, PickupToken(store.run_now(Tx.value, "SELECT token FROM parcel"))) == parcel


def test_an_unknown_code_is_written_down_without_its_digits(store: Store, hub: Hub) -> None:
    stored(store, hub, 1)

    assert store.run_now(pickups.identify, PickupCode("000000"), "8000") is None

    assert store.run_now(Tx.value, "SELECT body FROM fact ORDER BY seq DESC LIMIT 1") == '{"why":"wrong_code"}'


def test_a_used_code_and_token_open_nothing(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    code, token = code_of(store, parcel.id), store.run_now(Tx.value, "SELECT token FROM parcel")
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "sensor")

    assert store.run_now(pickups.identify, PickupCode(code), "8000") is None
    assert store.run_now(pickups.by_token, PickupToken(token)) is None
    refused(store, "not_here", pickups.begin_pickup, parcel.id, "code")


@pytest.mark.parametrize(
    ("phone", "tail"),
    [
        ("0571-8888888-1", "8881"),
        ("18412345678-123", "8123"),
        ("+86-138-0013-8-0-0-0", "8000"),
        ("13800138000", "8000"),
    ],
)
def test_the_tail_of_a_phone_is_what_the_keys_can_type(store: Store, hub: Hub, phone: str, tail: str) -> None:
    """A manifest may write hyphens and extensions; the pad of the kiosk has digits alone."""
    parcel = stored(store, hub, 1, phone=phone)

    found = store.run_now(pickups.identify, PickupCode(code_of(store, parcel.id)), tail)

    assert found is not None
    assert found.id == parcel.id
    assert [line.id for line in store.run_now(boards.search, tail).parcels] == [parcel.id]


@pytest.mark.parametrize("tail", ["", "0", "800", "18000", "８０００", "80 0", "%", "_"])
def test_only_the_very_tail_counts(store: Store, hub: Hub, tail: str) -> None:
    parcel = stored(store, hub, 1)

    assert store.run_now(pickups.identify, PickupCode(code_of(store, parcel.id)), tail) is None


# --- going out ----------------------------------------------------------------------------------------------------


def test_a_parcel_that_left_by_an_open_door_keeps_its_cell_from_the_next(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    opening = store.run_now(cells.authorise, CellNo(1), "pickup", parcel.id, None)
    store.run_now(cells.opened, opening)
    store.run_now(cells.left_open, opening)
    store.run_now(pickups.picked_up, parcel.id, "self", "left_open")

    assert cell_row(store, 1) == ("out_of_service", None)
    assert store.run_now(cells.shut_later, CellNo(1)) == opening
    assert cell_row(store, 1) == ("free", None)


def test_a_failed_pick_up_leaves_the_code_valid(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    code = PickupCode(code_of(store, parcel.id))
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.pickup_failed, parcel.id, "stayed_closed")

    assert store.run_now(pickups.identify, code, "8000") == parcel


def behind_a_stuck_door(store: Store, hub: Hub) -> Parcel:
    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.pickup_failed, parcel.id, "stayed_closed")
    assert ("door_stuck", "1") in alarms(store)
    return parcel


def alarms(store: Store) -> set[tuple[str, str]]:
    return {(row["code"], row["subject"]) for row in store.run_now(Tx.rows, "SELECT * FROM alarm")}


@pytest.mark.parametrize(("found", "state"), [("gone", S.PICKED_UP), ("on_shelf", S.ON_SHELF)])
def test_a_parcel_behind_a_stuck_door_is_booked_out_with_the_key(
    store: Store, hub: Hub, found: str, state: ParcelState
) -> None:
    parcel = behind_a_stuck_door(store, hub)

    store.run_now(pickups.resolve, parcel.id, found, OPERATOR)

    assert parcel_of(store, 1).state is state
    assert cell_row(store, 1) == ("out_of_service", None)  # the lock stayed shut: nobody's parcel goes in there
    assert alarms(store) == {("cell_faulted", "1")}
    told = store.run_now(Tx.rows, "SELECT kind, body FROM fact ORDER BY seq DESC LIMIT 3")[::-1]
    assert [row["kind"] for row in told[:2]] == ["cell_faulted.1", "parcel_excepted.1"]
    assert '"why":"opened_by_key"' in told[1]["body"]
    assert f'"operator":"{OPERATOR}"' in told[2]["body"]
    agree(store)
    refused(store, "not_here", pickups.resolve, parcel.id, found, OPERATOR)


def test_the_key_is_for_stuck_doors_alone(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    for found in ("gone", "on_shelf", "in_cell"):
        refused(store, "not_here", pickups.resolve, parcel.id, found, OPERATOR)
    behind = stored(store, hub, 2)
    store.run_now(pickups.begin_pickup, behind.id, "code")
    store.run_now(pickups.pickup_failed, behind.id, "not_there")
    refused(store, "not_here", pickups.resolve, behind.id, "in_cell", OPERATOR)
    refused(store, "not_here", pickups.resolve, parcel.id, "gone", OPERATOR)  # the neighbour's door is not its own


def test_a_door_that_opened_after_all_is_not_stuck(store: Store, hub: Hub) -> None:
    parcel = behind_a_stuck_door(store, hub)
    assert store.run_now(boards.line, parcel.id).stuck

    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "sensor")

    assert alarms(store) == set()
    assert cell_row(store, 1) == ("free", None)


def test_a_parcel_that_is_still_in_the_cell_whose_door_opened_after_all_is_not_stuck(store: Store, hub: Hub) -> None:
    parcel = behind_a_stuck_door(store, hub)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    assert parcel.cell is not None
    store.run_now(cells.opened, store.run_now(cells.authorise, parcel.cell, "pickup", parcel.id, None))
    store.run_now(pickups.excepted, parcel.id, "power_cut")

    store.run_now(pickups.resolve, parcel.id, "in_cell", OPERATOR)

    assert alarms(store) == set()
    assert not store.run_now(boards.line, parcel.id).stuck
    refused(store, "not_here", pickups.resolve, parcel.id, "gone", OPERATOR)


def test_a_pick_up_that_a_power_cut_ended_leaves_no_stuck_door(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")

    store.run_now(pickups.pickup_failed, parcel.id, "power_cut")

    assert alarms(store) == set()
    refused(store, "not_here", pickups.resolve, parcel.id, "gone", OPERATOR)


@pytest.mark.parametrize(("found", "cell", "state"), [("in_cell", 1, S.IN_LOCKER), ("on_shelf", None, S.ON_SHELF)])
def test_a_parcel_that_was_looked_for_is_resolved_once(
    store: Store, hub: Hub, found: str, cell: int | None, state: ParcelState
) -> None:
    parcel = stored(store, hub, 1)
    code = code_of(store, parcel.id)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.excepted, parcel.id, "unknown")

    here: Parcel = store.run_now(pickups.resolve, parcel.id, found, OPERATOR)

    assert (here.state, here.cell) == (state, cell)
    assert code_of(store, parcel.id) == code
    agree(store)
    refused(store, "not_here", pickups.resolve, parcel.id, found, OPERATOR)
    assert store.run_now(Tx.rows, "SELECT * FROM alarm") == []


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_announcement_that_comes_after_its_parcel_expects_no_second_one(
    store: Store, hub: Hub, *, is_gone: bool
) -> None:
    """A week without a line: it was taken in as a stranger, and perhaps collected, before the hub could tell of it."""
    told = expected(1)
    here = store.run_now(
        parcels.take_in, Arrival(told.waybill_no, "SF", OPERATOR, "shelf", Phone(PHONE), Consent.SHELF)
    )
    if is_gone:
        store.run_now(pickups.begin_pickup, here.id, "operator")
        store.run_now(pickups.picked_up, here.id, "self", "handed_over", OPERATOR)

    hub.tell(store, told, expected(2))

    ids = store.run_now(Tx.rows, "SELECT id FROM parcel WHERE id <> ? ORDER BY id", (here.id,))
    assert [row["id"] for row in ids] == ["p2"]


def test_a_place_that_was_given_back_rests_longest(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1, "shelf")
    store.run_now(pickups.begin_pickup, parcel.id, "operator")
    store.run_now(pickups.picked_up, parcel.id, "self", "handed_over", OPERATOR)

    places = [stored(store, hub, number, "shelf").place for number in (2, 3, 4, 5)]

    assert places == ["A-1-002", "A-1-003", "A-1-004", "A-1-001"]
    assert not store.run_now(shelves.rested, "A-1-001")  # type: ignore[arg-type]


def test_nothing_is_put_on_a_shelf_that_was_taken_down(store: Store, hub: Hub) -> None:
    """The settings name fewer places after a start: what lies on the others stays, then they are gone."""
    fewer = [("A", "A-1-003")]
    here = stored(store, hub, 1, "shelf")
    store.run_now(shelves.lay_out, fewer)

    assert stored(store, hub, 2, "shelf").place == "A-1-003"
    hub.tell(store, expected(3))
    assert refused(store, "no_free_place", parcels.arrive, arrival(3, "shelf"))
    assert parcel_of(store, 1).place == here.place
    store.run_now(pickups.begin_pickup, here.id, "operator")
    store.run_now(pickups.picked_up, here.id, "self", "handed_over", OPERATOR)
    store.run_now(shelves.lay_out, fewer)
    assert refused(store, "no_free_place", parcels.arrive, arrival(3, "shelf"))


def test_a_place_of_a_shelf_that_was_taken_down_is_gone_with_its_parcel(store: Store, hub: Hub) -> None:
    """The terminal runs on for weeks: nothing is put there although it was free again before the next start."""
    here = stored(store, hub, 1, "shelf")
    store.run_now(shelves.lay_out, [("A", "A-1-003")])
    assert stored(store, hub, 2, "shelf").place == "A-1-003"

    store.run_now(pickups.begin_pickup, here.id, "operator")
    store.run_now(pickups.picked_up, here.id, "self", "handed_over", OPERATOR)

    hub.tell(store, expected(3))
    assert refused(store, "no_free_place", parcels.arrive, arrival(3, "shelf"))


def test_a_shelf_that_was_put_up_again_is_used_again(store: Store, hub: Hub) -> None:
    here = stored(store, hub, 1, "shelf")
    store.run_now(shelves.lay_out, [])
    store.run_now(shelves.lay_out, [("A", str(here.place))])

    store.run_now(pickups.begin_pickup, here.id, "operator")
    store.run_now(pickups.picked_up, here.id, "self", "handed_over", OPERATOR)

    assert stored(store, hub, 2, "shelf").place == here.place


# --- forgetting people --------------------------------------------------------------------------------------------


def test_people_are_forgotten_after_their_time_and_not_before(store: Store, hub: Hub) -> None:
    gone, here = stored(store, hub, 1), stored(store, hub, 2)
    store.run_now(pickups.begin_pickup, gone.id, "code")
    store.run_now(pickups.picked_up, gone.id, "self", "sensor")
    closed = store.run_now(Tx.value, "SELECT closed_at FROM parcel WHERE id = 'p1'")

    assert store.run_now(retention.erase_collected, closed + 1) == 0  # the hub must still get their facts
    store.run_now(log.confirm, store.run_now(log.head))
    assert store.run_now(retention.erase_collected, closed) == 0
    assert store.run_now(retention.erase_collected, closed + 1) == 1

    assert parcel_of(store, 1).phone is None
    assert parcel_of(store, 2) == here
    assert store.run_now(retention.erase_collected, closed + 1) == 0


def test_an_address_alone_is_forgotten_too(store: Store, hub: Hub) -> None:
    from edge import events
    from edge.model import Address

    hub.tell(store, events.ParcelExpected("p1", waybill(1), "SF", None, None, Address("3组17号"), "shelf", "S"))
    store.run_now(parcels.arrive, arrival(1))
    store.run_now(parcels.shelved, P1)
    store.run_now(pickups.begin_pickup, P1, "operator")
    store.run_now(pickups.picked_up, P1, "self", "handed_over", OPERATOR)

    store.run_now(log.confirm, store.run_now(log.head))
    store.run_now(retention.erase_collected, 2**60)

    assert store.run_now(Tx.value, "SELECT address FROM parcel") is None


def test_a_parcel_without_a_phone_is_not_given_out_for_six_digits(store: Store, hub: Hub) -> None:
    from edge import events

    hub.tell(store, events.ParcelExpected("p1", waybill(1), "SF", None, None, None, "shelf", "S"))
    store.run_now(parcels.arrive, arrival(1))
    store.run_now(parcels.shelved, P1)

    refused(store, "ask_staff", pickups.identify, PickupCode(code_of(store, P1)), "0000")


def test_a_code_is_forgotten_once_the_hub_has_it_and_it_was_used(store: Store, hub: Hub) -> None:
    parcel = stored(store, hub, 1)
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "sensor")
    assert store.run_now(retention.erase_used_codes) == 0  # the hub must still get it

    store.run_now(log.confirm, store.run_now(log.head))

    assert store.run_now(retention.erase_used_codes) == 1
    assert store.run_now(Tx.rows, "SELECT * FROM personal") == []
    assert store.run_now(log.verify) is None
