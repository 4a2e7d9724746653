"""Operation A: a parcel comes in. Every step on the screen, and what is written down, for the good and the bad days."""

from __future__ import annotations

import pytest

from drivers.sim.lock_board import Reply
from drivers.wire.lock import Polarity
from edge.flows import intake
from edge.model import CellNo, ParcelState, Rejected
from edge.steps import CallStaff, Checking, DoorIsShut, DoorStillOpen, PutIn, Remind, Step, Stored
from tests.links import byte_by_byte, glued
from tests.stories.point import Fittings, Point, arrival, goes_away, line, shuts_the_door

BOARDS = [
    Fittings(reply=reply, polarity=polarity, shape=shape)
    for reply, polarity, shape in (
        (Reply.ANSWER, Polarity.SHORT_WHEN_LOCKED, byte_by_byte),
        (Reply.PUSH, Polarity.SHORT_WHEN_LOCKED, glued),
        (Reply.NONE, Polarity.SHORT_WHEN_OPEN, byte_by_byte),
        (Reply.ANSWER, Polarity.SHORT_WHEN_OPEN, glued),
    )
]
NO_SENSOR = Fittings(has_door_sensor=False)
NO_SHELF = Fittings(sizes=("S", "M"), places=0)


def confirms(point: Point, step: Step) -> None:
    """At a board without door sensors a person says that the door is shut."""
    if isinstance(step, PutIn):
        point.later(3, point.board.close_door, step.cell)
        point.later(4, point.runner.submit, DoorIsShut(step.cell))


async def test_a_parcel_goes_into_the_smallest_cell_that_takes_it(point: Point) -> None:
    parcel = await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps == [
        Checking(),
        PutIn(line(state="arrived", cell=1), CellNo(1), 60),
        Stored(line(state="in_locker", cell=1), 1, await point.code(parcel)),
    ]
    assert await point.cell(1) == ("occupied", parcel, None)
    assert await point.kinds(after=1) == [
        "parcel_arrived", "door_authorised", "door_opened", "door_closed", "parcel_deposited"
    ]  # fmt: skip


async def test_the_display_shows_the_masked_name_and_the_cell(point: Point) -> None:
    await point.deposited()

    import asyncio

    await asyncio.sleep(2)

    shown = "".join(point.led.shown())
    assert "王*" in shown
    assert "小明" not in shown
    assert "1" in shown


@pytest.mark.parametrize("point", BOARDS, indirect=True)
async def test_every_kind_of_board_takes_a_parcel(point: Point) -> None:
    parcel = await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert [type(step) for step in steps] == [Checking, PutIn, Stored]
    assert (await point.parcel(parcel)).state is ParcelState.IN_LOCKER
    assert point.board.pulses == {1: 1}


@pytest.mark.parametrize("point", [NO_SENSOR], indirect=True)
async def test_without_door_sensors_the_operator_says_that_the_door_is_shut(point: Point) -> None:
    parcel = await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()), confirms)

    assert steps == [
        Checking(),
        PutIn(line(state="arrived", cell=1), CellNo(1), 60),
        Stored(line(state="in_locker", cell=1), 1, await point.code(parcel)),
    ]
    assert (await point.facts())[-1].evidence == "confirmed"


@pytest.mark.parametrize("point", [NO_SENSOR], indirect=True)
async def test_without_door_sensors_nobody_gets_less_time_than_was_promised(point: Point) -> None:
    def slow(point: Point, step: Step) -> None:
        if isinstance(step, PutIn):
            point.later(step.seconds - 5, point.runner.submit, DoorIsShut(step.cell))

    await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()), slow)

    assert [type(step) for step in steps] == [Checking, PutIn, Remind, Stored]


@pytest.mark.parametrize("point", [NO_SENSOR], indirect=True)
async def test_a_confirmation_from_before_the_pulse_counts_for_nothing(point: Point) -> None:
    await point.expected()
    point.runner.submit(DoorIsShut(CellNo(1)))  # the button was pressed twice at the parcel before

    steps = await point.play(intake.take_in(point.site, arrival()), goes_away)

    assert [type(step) for step in steps] == [Checking, PutIn, Remind, DoorStillOpen, CallStaff]


@pytest.mark.parametrize("point", [Fittings(has_locker=False)], indirect=True)
async def test_without_a_locker_the_parcel_gets_a_place_on_the_shelf(point: Point) -> None:
    parcel = await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps == [Checking(), Stored(line(state="on_shelf", place="A-1-001"), 1, await point.code(parcel))]
    assert await point.kinds(after=1) == ["parcel_arrived", "parcel_shelved"]


async def test_who_agreed_to_the_shelf_alone_gets_no_cell(point: Point) -> None:
    await point.expected(consent="shelf")

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert [type(step) for step in steps] == [Checking, Stored]
    assert point.board.pulses == {}


# --- refusals: nothing changes ------------------------------------------------------------------------------------


async def refused(point: Point, target: str = "auto", number: int = 1) -> Rejected:
    facts = await point.kinds()
    with pytest.raises(Rejected) as caught:
        await point.play(intake.take_in(point.site, arrival(number, target)))
    assert await point.kinds() == facts
    assert point.board.pulses.total() <= len([kind for kind in facts if kind == "door_authorised"])
    return caught.value


async def test_a_parcel_that_lies_here_is_not_taken_twice(point: Point) -> None:
    await point.deposited()

    refusal = await refused(point)

    assert (refusal.code, refusal.facts) == ("already_in_stock", {"place": None, "cell": 1})


async def test_a_parcel_nobody_announced_needs_a_phone(point: Point) -> None:
    assert (await refused(point, number=9)).code == "unknown_parcel"


async def test_without_consent_a_parcel_is_not_taken(point: Point) -> None:
    await point.expected(consent="none")

    assert (await refused(point)).code == "no_consent"


async def test_a_full_locker_is_told_to_who_wants_a_cell(point: Point) -> None:
    for number in range(1, 5):
        await point.deposited(number, size="S")
    await point.expected(5)

    assert (await refused(point, "locker", 5)).code == "no_free_cell"


async def test_a_large_parcel_never_gets_a_small_cell(point: Point) -> None:
    await point.deposited(1, size="L")
    await point.expected(2, size="L")

    assert (await refused(point, "locker", 2)).code == "no_free_cell"


async def test_a_full_house_refuses(point: Point) -> None:
    for number in range(1, 4):
        await point.shelved(number)
    await point.expected(4, consent="shelf")

    assert (await refused(point, number=4)).code == "no_free_place"


# --- faults of devices --------------------------------------------------------------------------------------------


async def test_a_jammed_door_sends_the_parcel_to_the_next_cell(point: Point) -> None:
    parcel = await point.expected()
    point.board.jam(1)

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps == [
        Checking(),
        CallStaff(CellNo(1), "stayed_closed"),
        PutIn(line(state="arrived", cell=2), CellNo(2), 60),
        Stored(line(state="in_locker", cell=2), 1, await point.code(parcel)),
    ]
    assert await point.cell(1) == ("out_of_service", None, "stayed_closed")
    assert point.board.asked == {1: 1, 2: 1}


async def test_with_every_door_jammed_the_shelf_must_do(point: Point) -> None:
    await point.expected()
    for cell in range(1, 5):
        point.board.jam(cell)

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert [type(step) for step in steps] == [Checking, CallStaff, CallStaff, CallStaff, CallStaff, Stored]
    assert steps[-1].parcel == line(state="on_shelf", place="A-1-001")
    assert set(point.board.asked.values()) == {1}


@pytest.mark.parametrize("point", [NO_SHELF], indirect=True)
async def test_with_no_room_left_the_parcel_is_expected_again_and_the_faults_are_kept(point: Point) -> None:
    parcel = await point.expected()
    point.board.jam(1)
    point.board.jam(2)

    with pytest.raises(Rejected, match="no_free_place"):
        await point.play(intake.take_in(point.site, arrival()))

    assert (await point.parcel(parcel)).state is ParcelState.EXPECTED
    assert await point.cell(1) == ("out_of_service", None, "stayed_closed")
    assert await point.cell(2) == ("out_of_service", None, "stayed_closed")


async def test_a_board_that_goes_mute_after_the_pulse_is_unknown_and_never_pulsed_again(point: Point) -> None:
    await point.expected()
    point.board.line.mute(after_moves=1)

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps[1] == CallStaff(CellNo(1), "unknown")
    assert point.board.asked == {1: 1}
    assert (await point.cell(1))[0] == "out_of_service"
    assert isinstance(steps[-1], Stored)


async def test_a_mute_board_gets_no_pulse_and_the_shelf_must_do(point: Point) -> None:
    await point.expected()
    point.board.line.mute()

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert {step.why for step in steps if isinstance(step, CallStaff)} == {"not_there"}
    assert point.board.asked == {}
    assert isinstance(steps[-1], Stored)


async def test_a_board_without_a_plug_gets_no_pulse(point: Point) -> None:
    await point.expected()
    point.board_plug.unplug()

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert {step.why for step in steps if isinstance(step, CallStaff)} == {"not_there"}
    assert isinstance(steps[-1], Stored)


async def test_a_slow_board_takes_the_parcel_all_the_same(point: Point) -> None:
    await point.expected()
    point.board.line.delay_ms = 200

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert [type(step) for step in steps] == [Checking, PutIn, Stored]


@pytest.mark.parametrize("seed", range(6))
async def test_a_garbling_cable_never_doubles_a_pulse_and_the_parcel_gets_its_room(point: Point, seed: int) -> None:
    parcel = await point.expected()
    point.board.line.garble(0.15, seed)

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert max(point.board.asked.values()) == 1
    assert isinstance(steps[-1], Stored | CallStaff)
    assert (await point.parcel(parcel)).state in (ParcelState.IN_LOCKER, ParcelState.ON_SHELF, ParcelState.ARRIVED)


async def test_another_door_that_opens_stops_the_intake(point: Point) -> None:
    parcel = await point.expected()
    point.board.wrong_door(1, 3)

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps == [Checking(), CallStaff(CellNo(1), "wrong_door")]
    assert point.board.asked == {1: 1}  # nobody goes on before a person has looked
    assert (await point.cell(1))[0] == (await point.cell(3))[0] == "out_of_service"
    assert {"wrong_door:1", "wrong_door:3"} <= set(await point.alarms())
    assert (await point.parcel(parcel)).cell == 2

    steps = await point.play(intake.take_in(point.site, arrival()))  # the operator scans it again

    assert steps[-1].parcel == line(state="in_locker", cell=2)


async def test_unplugged_between_pulse_and_answer_the_door_is_unknown(point: Point) -> None:
    await point.expected()
    pulsed = point.board.receive

    def pulls_the_plug(chunk: bytes) -> list[bytes]:
        replies = pulsed(chunk)
        if chunk[0] == 0x8A:
            point.later(0, point.board_plug.unplug)
            return []
        return replies

    point.board.receive = pulls_the_plug  # type: ignore[method-assign]

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps[1] == CallStaff(CellNo(1), "unknown")
    assert point.board.asked == {1: 1}
    assert isinstance(steps[-1], Stored)


async def test_a_door_left_open_leaves_the_parcel_arrived_until_the_operator_goes_on(point: Point) -> None:
    parcel = await point.expected()

    steps = await point.play(intake.take_in(point.site, arrival()), goes_away)

    assert steps == [
        Checking(),
        PutIn(line(state="arrived", cell=1), CellNo(1), 60),
        Remind(CellNo(1)),
        DoorStillOpen(CellNo(1)),
        CallStaff(CellNo(1), "left_open"),
    ]
    assert (await point.parcel(parcel)).state is ParcelState.ARRIVED
    assert "door_left_open:1" in await point.alarms()

    steps = await point.play(intake.take_in(point.site, arrival()), shuts_the_door)

    assert [type(step) for step in steps] == [Checking, PutIn, Stored]
    assert (await point.parcel(parcel)).state is ParcelState.IN_LOCKER


async def test_a_door_that_is_shut_later_ends_its_opening(point: Point) -> None:
    import asyncio

    await point.expected()
    await point.play(intake.take_in(point.site, arrival()), goes_away)

    point.shut(1)
    await asyncio.sleep(3)

    assert await point.unfinished() == ()
    assert "door_left_open:1" not in await point.alarms()


async def test_a_cancelled_deposit_frees_its_cell(point: Point) -> None:
    import asyncio

    parcel = await point.expected()
    await point.play(intake.take_in(point.site, arrival()), goes_away)
    point.shut(1)
    await asyncio.sleep(3)

    await intake.cancel(point.site, await point.parcel(parcel))

    assert (await point.parcel(parcel)).state is ParcelState.EXPECTED
    assert await point.cell(1) == ("free", None, None)


async def test_a_cell_whose_door_stands_open_is_not_given_out_after_a_cancelled_deposit(point: Point) -> None:
    import asyncio

    parcel = await point.expected()
    await point.play(intake.take_in(point.site, arrival()), goes_away)

    await intake.cancel(point.site, await point.parcel(parcel))

    assert await point.cell(1) == ("out_of_service", None, "door_left_open")
    assert "door_closed" not in await point.kinds()  # nobody has seen it shut

    point.shut(1)
    await asyncio.sleep(3)

    assert await point.cell(1) == ("free", None, None)


async def test_what_has_been_stored_can_not_be_cancelled(point: Point) -> None:
    parcel = await point.deposited()

    with pytest.raises(Rejected, match="not_allowed"):
        await intake.cancel(point.site, parcel)


async def test_an_answer_that_names_a_lock_nobody_has_is_a_wrong_door_all_the_same(point: Point) -> None:
    await point.expected()
    point.board.jam(1)
    pulsed = point.board.receive

    def names_lock_20(chunk: bytes) -> list[bytes]:
        replies = pulsed(chunk)
        return [b"\x8a\x01\x14\x11\x8e"] if chunk[0] == 0x8A else replies

    point.board.receive = names_lock_20  # type: ignore[method-assign]

    steps = await point.play(intake.take_in(point.site, arrival()))

    assert steps[1] == CallStaff(CellNo(1), "wrong_door")
    assert (await point.cell(1))[0] == "out_of_service"
    assert await point.unfinished() == ()


async def test_a_technician_opens_an_empty_cell_with_an_audit_row(point: Point) -> None:
    from tests.stories.point import OPERATOR

    point.later(3, point.shut, 2)

    outcome = await intake.service(point.site, CellNo(2), OPERATOR)

    assert outcome == "open"
    assert await point.kinds(after=1) == ["door_authorised", "door_opened", "door_closed"]


async def test_a_technician_does_not_open_a_cell_that_holds_a_parcel(point: Point) -> None:
    from tests.stories.point import OPERATOR

    parcel = await point.deposited()

    with pytest.raises(Rejected, match="not_allowed"):
        await intake.service(point.site, parcel.cell, OPERATOR)
