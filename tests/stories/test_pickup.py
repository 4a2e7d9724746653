"""Operation B: a villager collects by code, token or over the counter. The steps, the record, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from edge import events, guard
from edge.flows import pickup
from edge.flows.pickup import Hands
from edge.model import CellNo, OperatorId, Parcel, ParcelState, PickupCode, PickupToken, Rejected, Role
from edge.steps import (
    CallStaff,
    CancelFlow,
    Checking,
    DoorIsShut,
    DoorStillOpen,
    FetchFromShelf,
    HandOver,
    OpeningDoor,
    ParcelsBoard,
    ParcelsFound,
    PickUp,
    Refusal,
    Remind,
    ResolveException,
    Scanned,
    Step,
    TakeParcel,
    TakeParcels,
    Thanks,
)
from tests.stories.point import (
    KEYS,
    OPERATOR,
    PHONE,
    PIN,
    Fittings,
    Point,
    goes_away,
    line,
    shuts_the_door,
    waybill,
)

TAIL = PHONE[-4:]
NO_SENSOR = Fittings(has_door_sensor=False)


def confirms(point: Point, step: Step) -> None:
    if hasattr(step, "seconds"):
        point.later(3, point.board.close_door, step.cell)
        point.later(4, point.runner.submit, DoorIsShut(step.cell))


def scans(*numbers: int) -> Callable[[Point, Step], None]:
    """The operator fetches these parcels from the shelf, one by one."""
    waiting = list(numbers)

    def person(point: Point, step: Step) -> None:
        shuts_the_door(point, step)
        if isinstance(step, FetchFromShelf) and waiting:
            number = waybill(waiting.pop(0))
            point.later(5, point.site.scans.put_nowait, number)

    return person


async def by_code(point: Point, parcel: str) -> PickUp:
    return PickUp(await point.code(parcel), TAIL)


async def test_a_parcel_is_collected_by_code_and_phone_tail(point: Point) -> None:
    parcel = await point.deposited()
    facts = len(await point.kinds())

    steps = await point.wants(await by_code(point, parcel.id))

    assert steps == [Checking(), Checking(), OpeningDoor(CellNo(1)), TakeParcel(CellNo(1), 45, 0), Thanks(1)]
    assert (await point.parcel(parcel.id)).state is ParcelState.PICKED_UP
    assert await point.cell(1) == ("free", None, None)
    assert await point.kinds(after=facts) == [
        "pickup_tried", "pickup_started", "door_authorised", "door_opened", "door_closed", "parcel_picked_up"
    ]  # fmt: skip


async def test_a_parcel_is_collected_by_its_token_without_a_try(point: Point) -> None:
    parcel = await point.deposited()
    token = await point.store.run(lambda tx: tx.value("SELECT token FROM parcel WHERE id = ?", (parcel.id,)))

    steps = await point.wants(Scanned(f"VP1:{token}", "standby", "gun"))

    assert steps == [Checking(), OpeningDoor(CellNo(1)), TakeParcel(CellNo(1), 45, 0), Thanks(1)]
    assert "pickup_tried" not in await point.kinds()


async def test_a_used_code_opens_nothing(point: Point) -> None:
    parcel = await point.deposited()
    intent = await by_code(point, parcel.id)
    await point.wants(intent)

    with pytest.raises(Rejected, match="wrong_code"):
        await point.wants(intent)
    assert point.board.pulses == {1: 2}  # one deposit, one pick-up


async def test_several_parcels_are_offered_and_given_door_after_door(point: Point) -> None:
    first, second = await point.deposited(1), await point.deposited(2, size="M")
    third = await point.shelved(3)

    steps = await point.wants(await by_code(point, second.id))

    assert [type(step) for step in steps] == [Checking, ParcelsFound]
    assert [each.id for each in steps[-1].parcels] == [second.id, third.id, first.id]

    grant = steps[-1].grant
    steps = await point.wants(TakeParcels((first.id, second.id, third.id), grant), scans(3))

    assert steps == [
        Checking(),
        OpeningDoor(CellNo(2)),
        TakeParcel(CellNo(2), 45, 2),
        OpeningDoor(CellNo(1)),
        TakeParcel(CellNo(1), 45, 1),
        FetchFromShelf((line(3, state="releasing", place="A-1-001"),)),
        Thanks(3),
    ]


async def test_a_grant_is_used_once_and_only_for_what_it_names(point: Point) -> None:
    first, _ = await point.deposited(1), await point.deposited(2)
    stranger = await point.deposited(3, phone="13900000000")
    grant = (await point.wants(await by_code(point, first.id)))[-1].grant

    with pytest.raises(Rejected, match="grant_over"):
        await point.wants(TakeParcels((stranger.id,), grant))
    with pytest.raises(Rejected, match="grant_over"):
        await point.wants(TakeParcels((first.id,), grant))
    assert point.board.pulses.total() == 3


async def test_a_grant_ends_with_its_time(point: Point) -> None:
    first, _ = await point.deposited(1), await point.deposited(2)
    grant = (await point.wants(await by_code(point, first.id)))[-1].grant
    await asyncio.sleep(point.site.times.grant_s + 1)

    with pytest.raises(Rejected, match="grant_over"):
        await point.wants(TakeParcels((first.id,), grant))


# --- shelf --------------------------------------------------------------------------------------------------------


async def test_a_parcel_on_the_shelf_is_handed_out_by_scanning_it(point: Point) -> None:
    parcel = await point.shelved()

    steps = await point.wants(await by_code(point, parcel.id), scans(1))

    assert steps == [
        Checking(),
        Checking(),
        FetchFromShelf((line(state="releasing", place="A-1-001"),)),
        Thanks(1),
    ]
    assert (await point.parcel(parcel.id)).state is ParcelState.PICKED_UP


async def test_the_wrong_parcel_is_said_at_once_and_written_down(point: Point) -> None:
    parcel = await point.shelved(1)
    await point.shelved(2, phone="13900000000")

    steps = await point.wants(await by_code(point, parcel.id), scans(2, 1))

    here = FetchFromShelf((line(1, state="releasing", place="A-1-001"),))
    assert steps == [Checking(), Checking(), here, Refusal("wrong_parcel"), here, Thanks(1)]
    assert (await point.parcel("p-0002")).state is ParcelState.ON_SHELF
    assert "pickup_mismatch" in await point.kinds()


async def test_nobody_fetches_the_parcel_and_it_stays_with_its_code(point: Point) -> None:
    parcel = await point.shelved()
    intent = await by_code(point, parcel.id)

    steps = await point.wants(intent, goes_away)

    assert [type(step) for step in steps] == [Checking, Checking, FetchFromShelf]
    assert (await point.parcel(parcel.id)).state is ParcelState.ON_SHELF
    assert (await point.wants(intent, scans(1)))[-1] == Thanks(1)


async def test_the_operator_hands_a_parcel_over_the_counter(point: Point) -> None:
    parcel = await point.shelved()

    await pickup.hand_over(point.site, parcel.id, Hands("proxy", OPERATOR))

    fact = (await point.facts())[-1]
    assert (fact.by, fact.evidence, fact.operator) == ("proxy", "handed_over", OPERATOR)


async def test_what_lies_in_a_cell_is_not_handed_over_the_counter(point: Point) -> None:
    parcel = await point.deposited()

    with pytest.raises(Rejected, match="not_allowed"):
        await pickup.hand_over(point.site, parcel.id, Hands("self", OPERATOR))
    assert (await point.parcel(parcel.id)).state is ParcelState.IN_LOCKER


async def after_three_wrong_tails(point: Point) -> Parcel:
    """A parcel in a cell whose recipient has typed the wrong tail three times: now even the right one is refused."""
    parcel = await point.deposited()
    code = await point.code(parcel.id)
    for _ in range(3):
        with pytest.raises(Rejected, match="wrong_code"):
            await point.wants(PickUp(code, "0000"))
    with pytest.raises(Rejected, match="ask_staff"):
        await point.wants(PickUp(code, TAIL))
    return parcel


async def who_must_ask(point: Point) -> Parcel:
    """A parcel in a cell whose recipient has typed the wrong tail three times; the operator has logged in."""
    parcel = await after_three_wrong_tails(point)
    await point.with_operator()
    point.desk.counter.log_in(OPERATOR, Role.OPERATOR)
    return parcel


async def test_the_operator_who_checked_the_person_opens_the_cell_for_them(point: Point) -> None:
    """Three wrong tails, no telephone, a code that nobody was told: the parcel does not stay in its cell for ever."""
    parcel = await who_must_ask(point)

    steps = await point.wants(HandOver(parcel.id, "proxy", PIN))

    assert steps == [OpeningDoor(CellNo(1)), TakeParcel(CellNo(1), 45, 0), Thanks(1)]
    told = {type(fact): fact for fact in await point.facts()}
    assert told[events.DoorAuthorised].operator == OPERATOR
    assert told[events.PickupStarted].by == "operator"
    gone = told[events.ParcelPickedUp]
    assert (gone.by, gone.evidence, gone.operator) == ("proxy", "sensor", OPERATOR)
    assert await point.cell(1) == ("free", None, None)


@pytest.mark.parametrize("pin", ["", "000000"])
async def test_a_session_that_was_left_open_opens_no_cell(point: Point, pin: str) -> None:
    parcel = await who_must_ask(point)

    with pytest.raises(Rejected, match="wrong_pin"):
        await point.wants(HandOver(parcel.id, "self", pin))
    assert point.board.pulses == {1: 1}
    assert (await point.parcel(parcel.id)).state is ParcelState.IN_LOCKER


async def test_a_technician_opens_no_cell_with_a_parcel_in_it(point: Point) -> None:
    parcel = await who_must_ask(point)
    hashed = guard.hash_pin("918273", KEYS.device)
    await point.store.run(guard.add_operator, OperatorId("t-1"), Role.TECHNICIAN, hashed)

    with pytest.raises(Rejected, match="not_allowed"):
        await point.wants(HandOver(parcel.id, "self", "918273"))
    assert point.board.pulses == {1: 1}


async def test_a_cell_that_does_not_open_for_the_operator_keeps_its_parcel(point: Point) -> None:
    parcel = await who_must_ask(point)
    point.board.jam(1)

    steps = await point.wants(HandOver(parcel.id, "self", PIN))

    assert steps == [OpeningDoor(CellNo(1)), CallStaff(CellNo(1), "stayed_closed")]
    assert (await point.parcel(parcel.id)).state is ParcelState.IN_LOCKER


async def test_what_the_key_got_out_of_a_dead_lock_is_booked_out(point: Point) -> None:
    parcel = await who_must_ask(point)
    point.board.jam(1)
    await point.wants(HandOver(parcel.id, "self", PIN))
    assert "door_stuck:1" in await point.alarms()

    (board,) = await point.wants(ResolveException(parcel.id, "gone"))

    assert isinstance(board, ParcelsBoard)
    assert board.parcels == ()
    assert (await point.parcel(parcel.id)).state is ParcelState.PICKED_UP
    assert point.board.pulses == {1: 2}  # the deposit and the try: no further door for a parcel that is out
    assert "door_stuck:1" not in await point.alarms()


# --- refusals -----------------------------------------------------------------------------------------------------


async def test_a_wrong_code_opens_nothing_and_takes_a_try(point: Point) -> None:
    await point.deposited()

    for left in range(5, 0, -1):
        with pytest.raises(Rejected, match="wrong_code"):
            await point.wants(PickUp(PickupCode("000000"), TAIL))
        assert (await point.kinds()).count("pickup_tried") == 6 - left
    with pytest.raises(Rejected) as caught:
        await point.wants(PickUp(PickupCode("000000"), TAIL))

    assert (caught.value.code, caught.value.facts) == ("locked_out", {"minutes": 5})
    assert point.board.pulses == {1: 1}


async def test_when_tries_are_used_up_even_the_right_code_waits(point: Point) -> None:
    parcel = await point.deposited()
    intent = await by_code(point, parcel.id)
    for _ in range(5):
        with pytest.raises(Rejected, match="wrong_code"):
            await point.wants(PickUp(PickupCode("000000"), TAIL))

    with pytest.raises(Rejected, match="locked_out"):
        await point.wants(intent)
    await asyncio.sleep(301)

    assert (await point.wants(intent))[-1] == Thanks(1)


async def test_the_wrong_tail_is_a_wrong_code_and_three_of_them_need_the_staff(point: Point) -> None:
    await after_three_wrong_tails(point)

    assert point.board.pulses == {1: 1}


async def test_a_foreign_token_opens_nothing(point: Point) -> None:
    await point.deposited()

    with pytest.raises(Rejected, match="wrong_code"):
        await pickup.identify_token(point.site, PickupToken("A" * 26))


# --- faults of devices --------------------------------------------------------------------------------------------


async def test_the_code_stays_valid_when_the_door_does_not_open(point: Point) -> None:
    parcel = await point.deposited()
    intent = await by_code(point, parcel.id)
    point.board.jam(1)

    steps = await point.wants(intent)

    assert steps == [Checking(), Checking(), OpeningDoor(CellNo(1)), CallStaff(CellNo(1), "stayed_closed")]
    assert (await point.parcel(parcel.id)).state is ParcelState.IN_LOCKER

    point.board.jam(1, is_jammed=False)

    assert (await point.wants(intent))[-1] == Thanks(1)


async def test_a_mute_board_gives_nothing_out_and_the_code_stays_valid(point: Point) -> None:
    parcel = await point.deposited()
    point.board.line.mute()

    steps = await point.wants(await by_code(point, parcel.id))

    assert steps[-1] == CallStaff(CellNo(1), "not_there")
    assert (await point.parcel(parcel.id)).state is ParcelState.IN_LOCKER
    assert point.board.asked == {1: 1}  # the deposit


async def test_a_pulse_nobody_can_tell_the_end_of_needs_eyes(point: Point) -> None:
    parcel = await point.deposited()
    point.board.line.mute(after_moves=1)

    steps = await point.wants(await by_code(point, parcel.id))

    assert steps[-1] == CallStaff(CellNo(1), "unknown")
    assert (await point.parcel(parcel.id)).state is ParcelState.EXCEPTION
    assert "parcel_excepted" in await point.alarms()
    assert point.board.asked == {1: 2}


async def test_whoever_knows_code_and_tail_of_a_parcel_in_doubt_is_sent_to_the_operator(point: Point) -> None:
    """The code was right: nobody is told that it was wrong, and no try is taken."""
    parcel = await point.deposited()
    point.board.line.mute(after_moves=1)
    intent = await by_code(point, parcel.id)
    await point.wants(intent)
    token = await point.store.run(lambda tx: tx.value("SELECT token FROM parcel WHERE id = ?", (parcel.id,)))

    for _ in range(7):
        with pytest.raises(Rejected, match="ask_staff"):
            await point.wants(intent)
    with pytest.raises(Rejected, match="ask_staff"):
        await pickup.identify_token(point.site, PickupToken(token))
    assert point.board.asked == {1: 2}


async def test_another_door_that_opens_is_an_alarm_and_nobody_goes_on(point: Point) -> None:
    first, second = await point.deposited(1), await point.deposited(2)
    point.board.wrong_door(1, 4)
    grant = (await point.wants(await by_code(point, first.id)))[-1].grant

    steps = await point.wants(TakeParcels((first.id, second.id), grant))

    assert steps == [Checking(), OpeningDoor(CellNo(1)), CallStaff(CellNo(1), "wrong_door")]
    assert {"wrong_door:1", "wrong_door:4"} <= set(await point.alarms())
    assert (await point.parcel(first.id)).state is ParcelState.EXCEPTION
    assert (await point.parcel(second.id)).state is ParcelState.IN_LOCKER


async def test_unplugged_while_the_door_stands_open_the_parcel_counts_as_taken_and_the_cell_rests(point: Point) -> None:
    parcel = await point.deposited()

    def pulls_the_plug(point: Point, step: Step) -> None:
        if isinstance(step, TakeParcel):
            point.later(2, point.board_plug.unplug)

    steps = await point.wants(await by_code(point, parcel.id), pulls_the_plug)

    assert steps[-2:] == [DoorStillOpen(CellNo(1)), Thanks(1)]
    assert await point.cell(1) == ("out_of_service", None, "door_left_open")


async def test_a_short_silence_at_half_time_costs_the_villager_no_time(point: Point) -> None:
    parcel = await point.deposited()

    def muted_for_a_while(point: Point, step: Step) -> None:
        if isinstance(step, TakeParcel):
            point.later(20, point.board.line.mute)
            point.later(26, point.board.line.unmute)
            point.later(40, point.shut, 1)

    steps = await point.wants(await by_code(point, parcel.id), muted_for_a_while)

    assert steps[-2:] == [Remind(CellNo(1)), Thanks(1)]
    assert await point.cell(1) == ("free", None, None)


async def test_a_door_left_open_is_thanked_for_and_its_cell_rests_until_it_is_shut(point: Point) -> None:
    parcel = await point.deposited()

    steps = await point.wants(await by_code(point, parcel.id), goes_away)

    assert steps[-3:] == [Remind(CellNo(1)), DoorStillOpen(CellNo(1)), Thanks(1)]
    assert await point.cell(1) == ("out_of_service", None, "door_left_open")
    assert "door_left_open:1" in await point.alarms()

    point.shut(1)
    await asyncio.sleep(3)

    assert await point.cell(1) == ("free", None, None)
    assert await point.alarms() == ()


@pytest.mark.parametrize("point", [NO_SENSOR], indirect=True)
async def test_without_door_sensors_the_villager_says_that_the_door_is_shut(point: Point) -> None:
    from edge.flows import intake
    from tests.stories.point import arrival

    await point.expected()
    await point.play(intake.take_in(point.site, arrival()), confirms)

    steps = await point.wants(await by_code(point, "p-0001"), confirms)

    assert steps[-2:] == [TakeParcel(CellNo(1), 45, 0), Thanks(1)]
    assert [fact.evidence for fact in await point.facts() if hasattr(fact, "evidence")] == ["confirmed", "confirmed"]


async def test_a_door_that_nobody_opened_is_an_alarm(point: Point) -> None:
    await point.deposited()

    point.board.open_by_hand(1)
    await asyncio.sleep(3)

    assert "forced_door:1" in await point.alarms()
    assert "door_forced" in await point.kinds()


@pytest.mark.parametrize("commit", range(1, 7))
async def test_pressing_back_never_leaves_a_pick_up_half_done(point: Point, commit: int) -> None:
    """Pressed while a commit is under way: the parcel is taken or still here, and never in between."""
    parcel = await point.deposited()
    intent = await by_code(point, parcel.id)
    point.at_commit(commit, point.runner.submit, CancelFlow())

    point.runner.submit(intent)
    point.later(5, point.shut, 1)
    await asyncio.sleep(70)

    assert (await point.parcel(parcel.id)).state in (ParcelState.IN_LOCKER, ParcelState.PICKED_UP)
    assert await point.unfinished() == ()


async def test_pressing_back_while_the_operator_fetches_leaves_the_parcel_on_the_shelf(point: Point) -> None:
    parcel = await point.shelved()

    point.runner.submit(await by_code(point, parcel.id))
    await asyncio.sleep(5)
    assert isinstance(point.posted[-1], FetchFromShelf)
    point.runner.submit(CancelFlow())
    await asyncio.sleep(5)

    assert (await point.parcel(parcel.id)).state is ParcelState.ON_SHELF
