"""Facts ahead of a backlog: lost, doubled, late, forged or true, the hub ends where it would have without them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, SITE, Forwarder, PrivateBroker
from points import Point
from test_hub_store import down_facts, give_bill, rows, write_and_send
from test_mqtt import PATIENCE_S, TerminalSide, doors, hub_task, running, until

from edge import events as ev
from edge.chain import Linked
from edge.model import LogId, Seq
from sync.advance import DOWN, LOOK_BACK, NEAR, UP, Advances
from sync.hub import report
from sync.hub.advances import SiteAdvances
from sync.hub.intake import Intake
from sync.hub.line import DownLine
from sync.hub.store import HubStore
from sync.hub.web import overview
from sync.relay import Receiver, digest
from sync.rhythm import Timing
from sync.wire import Ack, Batch, decode_batch, encode_ack, encode_batch

OpenHub = Callable[..., HubStore]
BILLS = 12


def notice(point: Point, seq: int) -> Batch:
    disk = point.disk
    return Batch(disk.log_id, Seq(seq), disk.mark_at(seq - 1), (disk.items[seq - 1],), disk.mark_at(seq), advance=True)


def in_turn(point: Point, first: int, last: int) -> Batch:
    disk = point.disk
    return Batch(
        disk.log_id, Seq(first), disk.mark_at(first - 1), tuple(disk.items[first - 1 : last]), disk.mark_at(last)
    )


def take(store: HubStore, *batches: Batch) -> list[Ack]:
    return Intake(store).accept([(SITE, encode_batch(batch)) for batch in batches])


def alarms(store: HubStore) -> set[str]:
    return {str(row["what"]) for row in rows(store, "SELECT what FROM alarm")}


def money(store: HubStore) -> list[ev.Fact]:
    return [fact for fact in down_facts(store) if isinstance(fact, ev.BillPosted | ev.BillRefused)]


# --- at the hub ---------------------------------------------------------------------------------------------------


def test_a_bill_is_posted_before_the_backlog_is_here_and_once(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    point.happened(*doors(300), ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"), *doors(20, "p"))

    [early] = take(store, notice(point, 301))

    assert (early.position.upto, early.why, early.advance) == (0, None, 301)
    assert money(store) == [ev.BillPosted("B1", "S-1", "0000000001")]
    assert report.status(store)["sites"][0]["facts"] == 0

    between, _, last = take(store, in_turn(point, 1, 200), notice(point, 301), in_turn(point, 201, 321))

    assert (between.position.upto, between.advance) == (200, 301)
    assert last.position.upto == 321
    assert money(store) == [ev.BillPosted("B1", "S-1", "0000000001")]
    assert report.status(store)["sites"][0]["digest"] == digest(point.disk.events())
    assert rows(store, "SELECT * FROM advance") == []
    assert rows(store, "SELECT * FROM unprojected") == []


def test_a_refund_whose_refusal_is_not_here_waits_for_its_turn(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.BillAccepted("B9", 100, "cash", "S-1", "op"), ev.BillRefunded("B9", "S-1", 100, "op"))

    take(store, notice(point, 2))
    assert rows(store, "SELECT state FROM advance") == [{"state": "shown"}]
    take(store, in_turn(point, 1, 2))

    assert rows(store, "SELECT fen, refunded FROM refusal") == [{"fen": 100, "refunded": 100}]
    assert rows(store, "SELECT * FROM unprojected") == []


def test_a_forced_door_is_seen_at_once_and_counted_once(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(*doors(300), ev.DoorForced(7, "Z-07"), ev.DoorOpened("later", 7))

    def forced() -> int:
        with store.reading() as tx:
            return overview.read(tx, {})[0].forced

    take(store, notice(point, 301))
    assert forced() == 1
    take(store, in_turn(point, 1, 200))
    assert forced() == 1
    take(store, in_turn(point, 201, 301))
    assert forced() == 1
    take(store, in_turn(point, 302, 302))
    assert forced() == 0


@pytest.mark.parametrize(
    "forge",
    [
        lambda true, _: replace(true, items=(true.items[0]._replace(body='{"bill":"B1","fen":1}'),)),
        lambda true, _: replace(true, first=Seq(300), items=(true.items[0]._replace(seq=Seq(300)),)),
        lambda true, _: replace(true, prev="ab" * 32),
        lambda true, _: replace(true, mark="ab" * 32),
        lambda _, other: notice(other, 301),
    ],
)
def test_a_forged_notice_does_nothing_but_ring(open_hub: OpenHub, tmp_path: Path, forge: Any) -> None:
    store, point, other = open_hub(), Point(), Point(key=b"o" * 32)
    give_bill(store, tmp_path)
    for each in (point, other):
        each.happened(*doors(300), ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"))

    [answer] = take(store, forge(notice(point, 301), other))

    assert (answer.why, answer.advance) == (None, 0)
    assert alarms(store) == {"bad_advance"}
    assert money(store) == []
    take(store, in_turn(point, 1, 200), in_turn(point, 201, 301))
    assert money(store) == [ev.BillPosted("B1", "S-1", "0000000001")]


def test_a_notice_of_which_no_database_keeps_the_body_stops_nobody(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(*doors(300))
    point.wrote("door_forced.1", "no json \0 at all")

    [answer] = take(store, notice(point, 301))

    assert (answer.why, answer.advance) == (None, 301)
    assert rows(store, "SELECT state, body FROM advance") == [{"state": "shown", "body": "no json \u2400 at all"}]


def test_a_log_that_holds_another_fact_than_its_notice_calls_a_person(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    point.happened(*doors(300))
    copied = point.copy_disk()
    point.happened(ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"))
    take(store, notice(point, 301))
    point.put_back(copied)
    point.happened(*doors(5, "another"))

    take(store, in_turn(point, 1, 200), in_turn(point, 201, 305))

    assert "advance_differs" in alarms(store)
    assert rows(store, "SELECT seq, state FROM advance") == [{"seq": 301, "state": "differs"}]
    assert money(store) == [ev.BillPosted("B1", "S-1", "0000000001")], "the cash of that card was taken"


def test_a_notice_of_a_renamed_log_settles_under_its_new_name(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    point.happened(*doors(300), ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"))
    take(store, in_turn(point, 1, 200), notice(point, 301))
    point.disk.log_id = LogId("renamed")

    take(store, notice(point, 301), in_turn(point, 201, 301), notice(point, 301))

    assert len(money(store)) == 1
    assert rows(store, "SELECT * FROM advance") == []
    assert "advance_differs" not in alarms(store)


def bills_and_doors(dice: random.Random) -> list[ev.Fact]:
    facts: list[ev.Fact] = []
    for number in range(600):
        match dice.randrange(8):
            case 0:
                facts.append(ev.BillAccepted(f"B{dice.randrange(BILLS + 2)}", 8_650, "cash", f"S-{number}", "op"))
            case 1:
                facts.append(ev.DoorForced(1 + number % 24, "Z"))
            case _:
                facts.append(ev.DoorOpened(f"o{number}", 1 + number % 24))
    return facts


def play(open_hub: OpenHub, tmp_path: Path, name: str, seed: int, *, with_notices: bool) -> tuple[Any, dict[str, int]]:
    """One history; what the hub holds at its end, and what befell the notices."""
    store, point, dice = open_hub(name), Point(), random.Random(seed)
    for bill in range(BILLS):
        give_bill(store, tmp_path, f"B{bill}")
    point.happened(*bills_and_doors(dice))
    urgent = [seq for seq, item in enumerate(point.disk.items, 1) if item.kind in UP]
    befell = {"sent": 0, "lost": 0, "doubled": 0, "late": 0, "forged": 0}
    late: list[Batch] = []
    for first in range(1, 601, 50):
        ahead = [notice(point, seq) for seq in urgent if seq > first and dice.random() < 0.2] if with_notices else []
        dice.shuffle(ahead)
        arriving: list[Batch] = []
        for each in ahead:
            befell["sent"] += 1
            what = dice.choice(["comes", "lost", "doubled", "late", "forged"])
            befell[what] = befell.get(what, 0) + 1
            arriving += {"comes": [each], "doubled": [each, each], "forged": [replace(each, prev="cd" * 32)]}.get(
                what, []
            )
            late += [each] if what == "late" else []
        arriving.insert(dice.randrange(len(arriving) + 1), in_turn(point, first, first + 49))
        take(store, *arriving, *([late.pop(0)] if late else []))
    postings = rows(store, "SELECT bill, count(*) AS n FROM posting GROUP BY bill ORDER BY bill")
    answers = sorted(fact.slip for fact in money(store))
    doors_ = rows(store, "SELECT cell, state, opening FROM door ORDER BY cell")
    order = [row["seq"] for row in rows(store, "SELECT seq FROM fact ORDER BY seq")]
    left = len(rows(store, "SELECT * FROM advance"))
    return (postings, answers, doors_, order, report.status(store)["sites"][0]["digest"], left), befell


@pytest.mark.parametrize("seed", range(4))
def test_any_fate_of_notices_ends_in_the_state_without_them(open_hub: OpenHub, tmp_path: Path, seed: int) -> None:
    plain, _ = play(open_hub, tmp_path, "plain", seed, with_notices=False)
    ahead, befell = play(open_hub, tmp_path, "ahead", seed, with_notices=True)

    assert all(count > 0 for count in befell.values()), befell
    assert ahead == plain
    postings, answers, _, order, _, left = ahead
    assert all(row["n"] == 1 for row in postings)
    assert len(answers) == len(set(answers)), "an acceptance was answered twice"
    assert order == list(range(1, 601))
    assert left == 0


def test_a_hub_that_forgets_what_it_did_ahead_is_found(
    open_hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SiteAdvances, "was_done", lambda *_: False)  # the seeded bug

    ahead, _ = play(open_hub, tmp_path, "ahead", 1, with_notices=True)

    assert len(ahead[1]) > len(set(ahead[1])), "an acceptance was answered twice, and it shows"


# --- which ones go, and when --------------------------------------------------------------------------------------


def linked(seq: int) -> Linked:
    point = Point()
    point.happened(ev.DoorForced(1, "Z"))
    return Linked("0" * 64, point.disk.items[0]._replace(seq=Seq(seq)), "ab" * 32)


def test_nothing_goes_ahead_to_a_release_that_knows_no_notices_or_without_a_backlog() -> None:
    advances = Advances()
    assert advances.look_after(Seq(0), Seq(10_000)) is None

    advances.answered(Seq(0), Seq(0))
    assert advances.look_after(Seq(10_000 - NEAR), Seq(10_000)) is None
    assert advances.look_after(Seq(0), Seq(10_000)) == 10_000 - LOOK_BACK

    advances.answered(None, Seq(0))
    assert advances.look_after(Seq(0), Seq(10_000)) is None


def test_what_was_looked_at_is_not_looked_at_again_and_what_went_in_turn_stays() -> None:
    advances = Advances()
    advances.answered(Seq(0), Seq(0))
    advances.found([linked(9_000), linked(9_500)], Seq(10_000))

    assert advances.look_after(Seq(0), Seq(10_000)) is None
    assert advances.look_after(Seq(0), Seq(10_001)) == 10_000
    assert [batch.first for batch in advances.outgoing(LogId("a"), Seq(9_200))] == [9_500]
    advances.begin()
    assert advances.look_after(Seq(0), Seq(10_001)) == 10_001 - LOOK_BACK


def test_a_window_of_one_keeps_the_order() -> None:
    advances = Advances(window=1, look_back=None)
    advances.answered(Seq(0), Seq(0))
    assert advances.look_after(Seq(3), Seq(100_000)) == 3
    advances.found([linked(5), linked(7)], Seq(100_000))

    assert [batch.first for batch in advances.outgoing(LogId("a"), Seq(3))] == [5]
    assert advances.outgoing(LogId("a"), Seq(3)) == []
    advances.answered(Seq(5), Seq(3))
    assert [batch.first for batch in advances.outgoing(LogId("a"), Seq(3))] == [7]


def test_answers_of_the_biller_overtake_a_manifest(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    parcel = {"carrier": "SF", "recipient": "王", "phone": None, "address": None, "consent": "shelf", "size": "S"}
    write_and_send(store, tmp_path, {"parcels": [{**parcel, "waybill_no": f"SF{n:013d}"} for n in range(3_000)]})
    point.happened(ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"))
    take(store, in_turn(point, 1, 1))
    line, receiver = DownLine(store, SITE, lambda: 0.0, Timing()), Receiver(KEY)
    line.peer_came()
    seen: list[str] = []
    have = None

    def carry(packed: bytes) -> bytes:
        nonlocal have
        batch = decode_batch(packed)
        if batch.advance:
            assert receiver.proves(batch)
            seen.append(batch.items[0].kind)
            return encode_ack(Ack(have, advance=batch.last))
        verdict = receiver.judge(batch, have)
        have = verdict.position
        seen.extend(item.kind for item in verdict.items)
        return encode_ack(verdict.answer())

    for _ in range(100):
        for packed in line.outgoing(0):
            line.on_ack(carry(packed), 0)

    assert seen.index("bill_posted.1") <= 1 + NEAR, "it came with the first pieces"
    assert seen.count("bill_posted.1") == 2, "once ahead, once in its turn"
    assert have is not None
    assert have.upto == 3_002
    assert set(DOWN) >= {"bill_posted.1"}


# --- over a slow line ---------------------------------------------------------------------------------------------


class SlowLine(Forwarder):
    """So many bytes a second, whatever waits."""

    CHUNK = 2_400
    RATE = 24_000

    async def lets_pass(self, size: int) -> bool:
        await asyncio.sleep(size / self.RATE)
        return True


def test_a_bill_does_not_wait_behind_a_backlog(broker: PrivateBroker, open_hub: Any, tmp_path: Path) -> None:
    store = open_hub()
    give_bill(store, tmp_path)
    left = 0

    async def scene() -> None:
        nonlocal left
        line = SlowLine(broker.port)
        await line.open()
        terminal = TerminalSide(line.port)
        terminal.happened(*doors(9_000))
        async with running(hub_task(store, broker.port), terminal.link.run()):
            await until(lambda: terminal.point.disk.cursor.upto >= 600, "the backlog drains")
            terminal.happened(ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"))
            await until(lambda: any(i.kind == "bill_posted.1" for i in terminal.port.applied.values()), "answered")
            left = 9_001 - terminal.point.disk.cursor.upto
            await until(lambda: terminal.is_drained, "drained")
        await line.close()
        assert report.status(store)["sites"][0]["digest"] == digest(terminal.point.disk.events())

    asyncio.run(asyncio.wait_for(scene(), 3 * PATIENCE_S))

    assert left > 2_000, "the answer was here while most of the backlog was not"
    assert money(store) == [ev.BillPosted("B1", "S-1", "0000000001")]
