"""Operation C, the rest of its table: the line comes back and dies at every step, and the bill is posted once.

The real log of the point, the real sender, the real hub with its biller; the test carries the bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import inbox, log
from edge.flows import money
from edge.model import BillId, BillState, Fen, SiteCode
from sync.hub import down
from sync.hub.intake import accept
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.relay import Move, Sender
from sync.wire import Ack, encode_batch
from tests.stories.patient_loop import run_patiently
from tests.stories.point import KEYS, OPERATOR, Point, PointClock, SeededDice

SITE = SiteCode("YN-01")
BILL = BillId("bill-0001")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStore]:
    store = HubStore(SqliteDatabase(tmp_path / "hub"), PointClock(), SeededDice(9), {SITE: KEYS.link})
    store.open()
    with store.transaction() as tx:
        tx.execute(
            "INSERT INTO bill (site, bill, biller, sort, account_no, name, period, fen, due, state, changed_at) VALUES"
            " (?, ?, 'water-co', 'water', '8800120001', '', '2026-10', 4280, '2026-11-30', 'unpaid', 0)",
            (SITE, BILL),
        )
    yield store
    store.close()


async def sent(point: Point, sender: Sender) -> bytes:
    """The batch with all that is pending, as it goes on the wire."""
    at = sender.cursor
    items = await point.store.run(log.read_after, at.upto, 200, 65536)
    sender._must_ask = False  # the line is known to be there
    mark = await point.store.run(log.mark_at, items[-1].seq)
    assert mark is not None
    return encode_batch(sender.batch(items, mark))


async def heard(point: Point, sender: Sender, ack: Ack) -> Move:
    """What the point makes of an answer; its cursor is written only by the caller."""
    own = {seq: await point.store.run(log.mark_at, seq) for seq in sender.needs(ack)}
    step = sender.on_ack(ack, own)
    if step.move is Move.CONFIRM:
        await point.store.run(log.confirm, step.position)
    if step.move is Move.FORK:
        sender.moved(await point.store.run(log.fork, step.position))
    return step.move


async def fresh(point: Point) -> Sender:
    """A sender as after a start: from the cursor that was written."""
    return Sender(await point.store.run(log.cursor, log.UP))


async def told_by(hub: HubStore, point: Point) -> None:
    """Everything the hub has for the point arrives, twice."""
    for _ in range(2):
        with hub.reading() as tx:
            name = down.head(tx, SITE).log_id
            items = down.read_after(tx, SITE, (await point.store.run(log.cursor, log.DOWN)).upto, 200, 65536)
            marks = [down.mark_at(tx, SITE, item.seq) or "" for item in items]
        await point.store.run(log.apply_down, name, items, marks, inbox.apply)


async def posted_once(hub: HubStore, point: Point) -> None:
    await told_by(hub, point)
    assert (await point.bill(BILL)).state is BillState.POSTED
    slip = await point.store.run(money.slip, BILL)
    assert (slip.slip, slip.posted) == ("000001", True)
    with hub.reading() as tx:
        assert tx.value("SELECT count(*) FROM posting") == 1
        assert tx.value("SELECT count(*) FROM refusal") == 0
        taken = tx.value("SELECT count(*) FROM fact WHERE kind = 'bill_accepted.1'")
    assert taken == 1
    assert await point.store.run(log.pending) == 0


@contextmanager
def offline_bill(tmp_path: Path) -> Iterator[Point]:
    point = Point(tmp_path / "data")

    async def story() -> None:
        async with point.running():
            await point.billed()
            await point.play(money.accept(point.site, BILL, Fen(4280), OPERATOR))

    run_patiently(story())
    yield point


CUTS = ("before the hub's commit", "before the answer arrives", "before the cursor is written", "nowhere")


@pytest.mark.parametrize("cut", CUTS)
def test_a_bill_taken_offline_is_posted_once_wherever_the_line_dies(tmp_path: Path, hub: HubStore, cut: str) -> None:
    async def story(point: Point) -> None:
        async with point.running():
            sender = await fresh(point)
            payload = await sent(point, sender)
            if cut != "before the hub's commit":
                ack = accept(hub, SITE, payload)
            if cut == "before the cursor is written":
                own = {seq: await point.store.run(log.mark_at, seq) for seq in sender.needs(ack)}
                assert sender.on_ack(ack, own).move is Move.CONFIRM
            if cut == "nowhere":
                assert await heard(point, sender, ack) is Move.CONFIRM
        async with point.running():  # the power was away
            sender = await fresh(point)
            if await point.store.run(log.pending):
                await heard(point, sender, accept(hub, SITE, await sent(point, sender)))
            await posted_once(hub, point)
            await point.sound()

    with offline_bill(tmp_path) as point:
        run_patiently(story(point))


def test_an_old_copy_of_the_card_is_noticed_and_the_repeats_are_ignored(tmp_path: Path, hub: HubStore) -> None:
    async def story(point: Point) -> None:
        shutil.copytree(point.folder, tmp_path / "copy")
        async with point.running():
            sender = await fresh(point)
            await heard(point, sender, accept(hub, SITE, await sent(point, sender)))
        shutil.rmtree(point.folder)
        shutil.copytree(tmp_path / "copy", point.folder)
        point.clock.boot = "b0070009"
        async with point.running():
            sender = await fresh(point)
            assert await heard(point, sender, accept(hub, SITE, await sent(point, sender))) is Move.FORK
            assert "fork" in "".join(await point.alarms())
            await heard(point, sender, accept(hub, SITE, await sent(point, sender)))
            await posted_once(hub, point)
            await point.sound()
        with hub.reading() as tx:
            assert "fork" in {row["what"] for row in tx.rows("SELECT what FROM alarm")}

    with offline_bill(tmp_path) as point:
        run_patiently(story(point))


def test_what_the_biller_refuses_goes_on_the_refund_list(tmp_path: Path, hub: HubStore) -> None:
    async def story(point: Point) -> None:
        with hub.transaction() as tx:
            tx.execute("DELETE FROM bill")
        async with point.running():
            sender = await fresh(point)
            await heard(point, sender, accept(hub, SITE, await sent(point, sender)))
            await told_by(hub, point)
            assert (await point.bill(BILL)).state is BillState.REFUSED
            assert [alarm.split()[0] for alarm in await point.alarms()] == ["refund"]

    with offline_bill(tmp_path) as point:
        run_patiently(story(point))
