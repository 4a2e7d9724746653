"""The crash tables: killed at every step, started again, and found as the tables say.

Every operation is killed before and after each commit, before and after its pulse, at each step on the screen and while
it waits for a person. Each corpse is then started with the door shut, standing open, and with a silent board.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge import boards
from edge.flows import intake, money
from edge.model import BillId, BillState, Fen, ParcelState, Rejected
from edge.steps import PickUp, Stored, Thanks
from tests.stories.killing import Corpse, all_corpses
from tests.stories.patient_loop import run_patiently
from tests.stories.point import OPERATOR, PHONE, SIZES, Fittings, Point, arrival, waybill

PARCEL = "p-0001"
DOORS = ("shut", "open", "silent", "no_sensor")
PROOF = {"Stored": "parcel_deposited", "Thanks": "parcel_picked_up", "SlipShown": "bill_accepted",
         "OpeningDoor": "door_authorised", "PutIn": "door_opened", "TakeParcel": "door_opened"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restart:
    """A corpse that was started again. `since` are the facts of the operation that were on disk at its death."""

    point: Point
    corpse: Corpse
    since: list[str]
    door: str

    @property
    def was_pulsed(self) -> bool:
        return bool(self.corpse.asked)

    def asked_since(self) -> int:
        return self.point.board.asked.total() - self.corpse.asked.total()


Judge = Callable[[Restart], Awaitable[None]]


def prepared(tmp_path: Path, prepare: Callable[[Point], Awaitable[dict[str, Any]]]) -> tuple[Path, dict[str, Any], int]:
    """A data folder before the operation, the order for the victim, and how many facts are in it."""
    point = Point(tmp_path / "before")

    async def story() -> tuple[dict[str, Any], int]:
        async with point.running():
            return await prepare(point), len(await point.kinds())

    order, facts = run_patiently(story())
    return point.folder, order, facts


def judged(corpse: Corpse, facts: int, door: str, judge: Judge) -> None:
    """Start a corpse again with this door and let the table judge it."""
    folder = corpse.folder.with_name(f"{corpse.folder.name}-{door}")
    shutil.copytree(corpse.folder, folder)
    point = Point(folder, Fittings(SIZES, has_door_sensor=door != "no_sensor"), seed=2)
    point.clock.boot = "b0070002"
    point.board.asked, point.board.sent = corpse.asked.copy(), corpse.asked.copy()
    if door == "open":
        point.board.open_doors |= set(corpse.asked)
    if door == "silent":
        point.board.line.mute()

    async def story() -> None:
        asked = point.board.asked.copy()
        async with point.running():
            assert point.board.asked == asked, "a start pulsed a door"
            kinds = await point.kinds(after=facts)
            since = kinds[: kinds.index("terminal_started")]
            for step in corpse.shown:
                assert step not in PROOF or PROOF[step] in since, f"{step} was shown and is not on disk"
            await judge(Restart(point, corpse, since, door))
            await point.sound()

    run_patiently(story())


def all_judged(tmp_path: Path, order: dict[str, Any], template: Path, facts: int, judge: Judge) -> list[Corpse]:
    corpses = asyncio.run(all_corpses(template, order))
    for corpse in corpses:
        assert corpse.unaudited == (), corpse.place
        assert sum(corpse.asked.values()) <= 1, corpse.place
        for door in DOORS:
            if door == "open" and not corpse.asked:
                continue  # a door that nobody pulsed is shut
            try:
                judged(corpse, facts, door, judge)
            except AssertionError as error:
                raise AssertionError(f"killed {corpse.place}, door {door}: {error}") from error
    return corpses


# --- A ------------------------------------------------------------------------------------------------------------


async def deposit_is_as_the_table_says(now: Restart) -> None:
    point = now.point
    parcel = await point.parcel(PARCEL)
    if "parcel_deposited" in now.since:
        assert parcel.state is ParcelState.IN_LOCKER
        assert await point.cell(1) == ("occupied", PARCEL, None)
        return
    if "parcel_arrived" not in now.since:
        assert parcel.state is ParcelState.EXPECTED
        assert await point.cell(1) == ("free", None, None)
    else:
        assert parcel.state is ParcelState.ARRIVED
        assert await point.cell(1) == ("reserved", PARCEL, None)
        board = await point.store.run(boards.day)
        assert [line.id for line in board.pending_deposits] == [PARCEL]
    stands_open = now.door == "open" and "door_authorised" in now.since
    assert ("door_left_open:1" in await point.alarms()) is stands_open
    if now.door in ("shut", "open"):
        steps = await point.play(intake.take_in(point.site, arrival()))
        assert isinstance(steps[-1], Stored)
        assert (await point.parcel(PARCEL)).state is ParcelState.IN_LOCKER
        assert now.asked_since() == 1
        await asyncio.sleep(3)
        assert await point.unfinished() == ()


def test_a_deposit_killed_at_every_step_goes_on(tmp_path: Path) -> None:
    async def prepare(point: Point) -> dict[str, Any]:
        await point.expected()
        return {"operation": "deposit"}

    template, order, facts = prepared(tmp_path, prepare)

    corpses = all_judged(tmp_path, order, template, facts, deposit_is_as_the_table_says)

    assert len([corpse for corpse in corpses if corpse.died]) >= 15


# --- B ------------------------------------------------------------------------------------------------------------


async def pickup_is_as_the_table_says(now: Restart) -> None:
    point = now.point
    state = (await point.parcel(PARCEL)).state
    if "parcel_picked_up" in now.since:
        assert state is ParcelState.PICKED_UP
        return
    if "pickup_started" not in now.since:
        assert state is ParcelState.IN_LOCKER
        await collected_after_all(now)
        return
    if now.door in ("silent", "no_sensor"):
        assert state is ParcelState.EXCEPTION
        assert "parcel_excepted" in await point.alarms()
    elif now.door == "open":
        assert state is ParcelState.RELEASING
        point.shut(1)
        await asyncio.sleep(3)
        await taken_by_the_look_of_the_door(point)
    elif "door_opened" in now.since:
        await taken_by_the_look_of_the_door(point)
    else:
        assert state is ParcelState.IN_LOCKER
        assert "check_cell:1" in await point.alarms()
        await collected_after_all(now)


async def taken_by_the_look_of_the_door(point: Point) -> None:
    assert (await point.parcel(PARCEL)).state is ParcelState.PICKED_UP
    assert (await point.facts())[-1].evidence == "reconciled"
    assert await point.cell(1) == ("free", None, None)
    assert await point.unfinished() == ()


async def collected_after_all(now: Restart) -> None:
    """The code is as good as before; a door is only moved for it now."""
    if now.door not in ("shut", "open"):
        return
    code = await now.point.code(PARCEL)
    steps = await now.point.wants(PickUp(code, PHONE[-4:]))
    assert steps[-1] == Thanks(1)
    assert now.asked_since() == 1


async def tries_did_not_come_back(now: Restart) -> None:
    row = await now.point.store.run(lambda tx: tx.row("SELECT * FROM attempt WHERE scope = 'pickup'"))
    tried, compared = "pickup_tried" in now.since, "pickup_started" in now.since
    assert (row is not None) is tried
    if row is not None and not compared and len(now.since) == 1 and not now.corpse.shown:
        assert row["credit"] in (4 * 300_000, 5 * 300_000)  # taken; or given back with the right code
        if now.corpse.place in ("after_commit 1", "before_commit 2"):
            assert row["credit"] == 4 * 300_000  # a power cut before the comparison costs the try


def test_a_pick_up_by_code_killed_at_every_step_ends_as_the_table_says(tmp_path: Path) -> None:
    async def prepare(point: Point) -> dict[str, Any]:
        parcel = await point.deposited()
        return {"operation": "by_code", "code": (await point.code(parcel.id)).plain()}

    async def judge(now: Restart) -> None:
        await tries_did_not_come_back(now)
        await pickup_is_as_the_table_says(now)

    template, order, facts = prepared(tmp_path, prepare)

    corpses = all_judged(tmp_path, order, template, facts, judge)

    assert len([corpse for corpse in corpses if corpse.died]) >= 15


def test_a_pick_up_by_token_killed_at_every_step_ends_as_the_table_says(tmp_path: Path) -> None:
    async def prepare(point: Point) -> dict[str, Any]:
        parcel = await point.deposited()
        sql = "SELECT token FROM parcel WHERE id = ?"
        return {"operation": "by_token", "token": await point.store.run(lambda tx: tx.value(sql, (parcel.id,)))}

    template, order, facts = prepared(tmp_path, prepare)

    corpses = all_judged(tmp_path, order, template, facts, pickup_is_as_the_table_says)

    assert len([corpse for corpse in corpses if corpse.died]) >= 12


async def shelf_is_as_the_table_says(now: Restart) -> None:
    state = (await now.point.parcel(PARCEL)).state
    assert state is (ParcelState.PICKED_UP if "parcel_picked_up" in now.since else ParcelState.ON_SHELF)
    if state is ParcelState.ON_SHELF:
        assert (await now.point.code(PARCEL)) is not None
    assert now.asked_since() == 0


def test_a_pick_up_from_the_shelf_killed_at_every_step_leaves_the_parcel_there_or_gone(tmp_path: Path) -> None:
    async def prepare(point: Point) -> dict[str, Any]:
        parcel = await point.shelved()
        return {"operation": "by_code", "code": (await point.code(parcel.id)).plain(), "waybill": waybill(1)}

    template, order, facts = prepared(tmp_path, prepare)

    corpses = all_judged(tmp_path, order, template, facts, shelf_is_as_the_table_says)

    assert len([corpse for corpse in corpses if corpse.died]) >= 10


# --- C ------------------------------------------------------------------------------------------------------------

BILL = BillId("bill-0001")


async def bill_is_as_the_table_says(now: Restart) -> None:
    point = now.point
    shown = await point.play(money.show_unseen(point.site))
    if "bill_accepted" in now.since:
        assert (await point.bill(BILL)).state is BillState.ACCEPTED
        unseen = [] if "slip_issued" in now.since else ["000001"]
        assert [step.slip for step in shown] == unseen
        assert await point.play(money.show_unseen(point.site)) == []
        with pytest.raises(Rejected, match="already_accepted"):
            await point.play(money.accept(point.site, BILL, Fen(4280), OPERATOR))
    else:
        assert shown == []
        assert (await point.bill(BILL)).state is BillState.UNPAID
        steps = await point.play(money.accept(point.site, BILL, Fen(4280), OPERATOR))
        assert steps[-1].slip == "000001"


async def billed(point: Point) -> dict[str, Any]:
    await point.billed()
    return {"operation": "bill", "bill": BILL, "fen": 4280}


def test_a_bill_killed_at_every_step_is_taken_once_and_its_slip_is_shown(tmp_path: Path) -> None:
    template, order, facts = prepared(tmp_path, billed)

    corpses = all_judged(tmp_path, order, template, facts, bill_is_as_the_table_says)

    assert len([corpse for corpse in corpses if corpse.died]) >= 7


def test_a_start_that_is_killed_itself_shows_the_slip_at_the_next_one(tmp_path: Path) -> None:
    """Killed twice: after the cash, and again at every step of showing the slip."""
    template, order, facts = prepared(tmp_path, billed)

    async def twice() -> list[Corpse]:
        first = next(c for c in await all_corpses(template, order, ("after_commit",)) if c.died)
        return await all_corpses(first.folder, {**order, "operation": "start"}, ("before_commit", "after_commit"))

    for corpse in asyncio.run(twice()):
        judged(corpse, facts, "shut", bill_is_as_the_table_says)


# --- proof that the judges bite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["after_pulse", "waiting"])
def test_a_start_that_does_not_settle_anything_would_be_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async def prepare(point: Point) -> dict[str, Any]:
        parcel = await point.deposited()
        return {"operation": "by_code", "code": (await point.code(parcel.id)).plain()}

    async def nothing(_site: Any) -> None:
        """Seeded bug."""

    template, order, facts = prepared(tmp_path, prepare)
    [corpse] = [c for c in asyncio.run(all_corpses(template, order, (kind,))) if c.died]
    monkeypatch.setattr("tests.stories.point.reconcile", nothing)

    with pytest.raises(AssertionError):
        judged(corpse, facts, "shut", pickup_is_as_the_table_says)
