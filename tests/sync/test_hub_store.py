"""The hub keeps every fact once, understands it later, and books each bill once: on a real database file."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hub_places import Places, SqlitePlaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_logs import KEY, MemoryPort
from points import Point, exchange, hub_answers

from edge import events as ev
from edge.chain import GENESIS, Position, event_id
from edge.clock import SystemClock, SystemDice
from edge.model import AccountNo, LogId, Name, Phone, PickupCode, Seq, SiteCode
from sync.hub import down, manifest, report
from sync.hub.case import Case
from sync.hub.database import Database
from sync.hub.intake import Intake, accept
from sync.hub.line import DownLine
from sync.hub.projections import PROJECTIONS
from sync.hub.rows import Rows
from sync.hub.schema import DOOR, FACTS_IN_ORDER, MIGRATIONS
from sync.hub.sqlite_db import FILE, SqliteDatabase
from sync.hub.store import HubStore, StoreFault
from sync.relay import digest
from sync.rhythm import Timing
from sync.wire import MAX_PLAIN, Ack, Why, decode_batch, encode_ack, encode_batch

SITE = SiteCode("QJ-0001")
CODE = PickupCode("482913")
PHONE = "13800001234"
OpenHub = Callable[..., HubStore]


def rows(store: HubStore, sql: str, *parameters: object) -> list[dict[str, object]]:
    with store.reading() as tx:
        return list(tx.rows(sql, parameters))


def down_facts(store: HubStore) -> list[ev.Fact]:
    with store.reading() as tx:
        items = down.read_after(tx, SITE, Seq(0), 100_000, 10**9)
    return [ev.decode(ev.Encoded(item.kind, item.body, item.personal)) for item in items]


def give_bill(store: HubStore, tmp_path: Path, bill: str = "B1", fen: int = 8_650) -> None:
    row = {"bill_id": bill, "biller": "供电所", "kind": "power", "account_no": "5001234", "name": "王小明"}
    write_and_send(
        store, tmp_path, {"bills": [{**row, "address": None, "period": "2026-02", "fen": fen, "due": "2026-03-31"}]}
    )


def write_and_send(store: HubStore, tmp_path: Path, content: object) -> manifest.Sent:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(content, ensure_ascii=False))
    return manifest.send(store, SITE, file)


def parcel_row(number: int = 1) -> dict[str, object]:
    return {
        "waybill_no": f"SF{number:013d}",
        "carrier": "SF",
        "recipient": "王小明",
        "phone": PHONE,
        "address": "金溪村3组12号",
        "consent": "locker",
        "size": "M",
    }


# --- facts --------------------------------------------------------------------------------------------------------


def test_a_batch_sent_twice_is_kept_once(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.DoorOpened("o1", 1), ev.DoorClosed("o1", 1))
    packed = encode_batch(point.sender.batch(point.disk.items, point.disk.marks[-1]))

    first, second = accept(store, SITE, packed), accept(store, SITE, packed)

    assert first == second
    assert first.position.upto == 2
    assert len(rows(store, "SELECT 1 FROM fact")) == 2


def test_digests_at_both_ends_are_equal(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point(facts_per_batch=7)
    point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(50)))

    exchange(point, hub_answers(store, SITE))

    assert report.status(store)["sites"][0]["digest"] == digest(point.disk.events())


def test_an_unknown_kind_is_kept_and_told_and_does_not_block(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.wrote("thing_of_tomorrow.3", '{"x":1}')
    point.happened(ev.DoorOpened("o1", 1))

    exchange(point, hub_answers(store, SITE))

    assert point.disk.cursor.upto == 2
    assert down_facts(store) == [ev.FactRefused(event_id(point.disk.marks[0]), "unknown_kind")]
    assert rows(store, "SELECT state FROM door") == [{"state": "open"}]


@pytest.mark.parametrize(
    "body", ["no json", "[]", '{"opening":5,"cell":1}', '{"opening":"o"}', '{"opening":"o","cell":true}']
)
def test_a_body_that_does_not_fit_its_kind_is_kept_and_told(open_hub: OpenHub, body: str) -> None:
    store, point = open_hub(), Point()
    point.wrote("door_opened.1", body)

    exchange(point, hub_answers(store, SITE))

    assert [row["body"] for row in rows(store, "SELECT body FROM fact")] == [body]
    assert [fact.reason for fact in down_facts(store)] == ["bad_body"]


def test_a_poisonous_fact_is_undone_told_and_passed(open_hub: OpenHub, caplog: pytest.LogCaptureFixture) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.BillRefunded("never seen", "S1", 100, "op"))
    point.wrote("device_faulted.1", '{"device":"\\ud800","what":"x"}')  # half a character: no database keeps it
    point.happened(ev.DoorOpened("o2", 2))

    exchange(point, hub_answers(store, SITE))

    assert [fact.reason for fact in down_facts(store)] == ["not_refused", "failed"]
    assert rows(store, "SELECT cell FROM door") == [{"cell": 2}]
    assert point.disk.cursor == point.disk.head()
    assert "could not be applied" in caplog.text


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
def test_a_text_that_no_database_keeps_is_set_aside_and_its_fact_kept(open_hub: OpenHub, text: str) -> None:
    store, point = open_hub(), Point()
    point.wrote("parcel_picked_up.1", f'{{"parcel":"p{text}","by":"self","evidence":"sensor"}}')
    point.wrote("thing_of_tomorrow.1", "no json \0")
    point.happened(ev.DoorOpened("o2", 2))

    exchange(point, hub_answers(store, SITE))

    assert [fact.reason for fact in down_facts(store)] == ["failed", "bad_body"]
    assert [row["seq"] for row in rows(store, "SELECT seq FROM fact ORDER BY seq")] == [1, 2, 3]
    assert point.disk.cursor == point.disk.head()


def stumbles(rows_of_tx: Rows, case: Case, fact: ev.DoorForced) -> None:
    """A projection with a bug: it writes, tells, and then breaks the transaction of some databases."""
    rows_of_tx.put(DOOR, (case.site, fact.cell), state="forced", changed_at=case.at)
    case.down.append(ev.NoticeSent("p", "sms"))
    rows_of_tx.tx.execute("UPDATE site SET version = 'wrong'")
    rows_of_tx.tx.execute("INSERT INTO device (site, device, state, changed_at) VALUES ('x', 'y', NULL, 0)")


def test_a_bug_in_a_projection_takes_nothing_else_along(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(PROJECTIONS, ev.DoorForced, stumbles)
    store, point = open_hub(), Point()
    forced = [ev.DoorForced(cell, "sensor") for cell in (5, 6)]
    point.happened(ev.DoorOpened("o1", 1), forced[0], ev.DoorOpened("o2", 2), forced[1])

    exchange(point, hub_answers(store, SITE))

    assert [fact.reason for fact in down_facts(store)] == ["failed", "failed"]
    assert rows(store, "SELECT cell, state FROM door ORDER BY cell") == [
        {"cell": 1, "state": "open"}, {"cell": 2, "state": "open"}
    ]  # fmt: skip
    assert rows(store, "SELECT version FROM site") == [{"version": ""}]
    assert rows(store, "SELECT count(*) AS n FROM unprojected") == [{"n": 2}]
    assert "could not be applied" in caplog.text


def test_batches_of_many_sites_are_taken_in_one_transaction_each_answered_for_itself(open_hub: OpenHub) -> None:
    sites = [SiteCode(f"QJ-{n:04d}") for n in range(4)]
    store, points = open_hub(keys=dict.fromkeys(sites, KEY)), [Point(facts_per_batch=5) for _ in sites]
    for point in points:
        point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(12)))
    arrivals = [
        (site, encode_batch(batch))
        for site, point in zip(sites, points, strict=True)
        for batch in [point.outgoing()[0], *(point.on_ack(Ack(point.disk.cursor)) or point.outgoing())]
    ]
    intake = Intake(store)

    answers = intake.accept([*arrivals, (sites[0], b"garbage")])
    again = intake.accept(arrivals)
    cold = Intake(store).accept(arrivals)

    assert [answer.why for answer in answers] == [None] * len(arrivals) + [Why.BAD]
    assert {answer.position.upto for answer in again} == {12}
    assert again == cold
    assert len(rows(store, "SELECT 1 FROM fact")) == 48
    assert {site["digest"] for site in report.status(store)["sites"]} == {digest(points[0].disk.events())}


def test_a_batch_that_cannot_be_kept_calls_a_person_and_stops_its_own_site_alone(
    open_hub: OpenHub, caplog: pytest.LogCaptureFixture
) -> None:
    """A row of positions was lost, by a hand or a disk: the same facts once more must not end the hub of all."""
    sites = [SiteCode("QJ-0001"), SiteCode("QJ-0002")]
    store, points = open_hub(keys=dict.fromkeys(sites, KEY)), [Point(), Point()]
    for point in points:
        point.happened(ev.DoorOpened("o1", 1), ev.DoorOpened("o2", 2))
    arrivals = [
        (site, encode_batch(point.sender.batch(point.disk.items, point.disk.marks[-1])))
        for site, point in zip(sites, points, strict=True)
    ]
    Intake(store).accept(arrivals[:1])
    with store.transaction() as tx:
        tx.execute("DELETE FROM head WHERE site = 'QJ-0001'")

    answers = Intake(store).accept(arrivals)

    assert [answer.why for answer in answers] == [Why.BAD, None]
    assert answers[1].position.upto == 2
    assert rows(store, "SELECT site, what FROM alarm") == [{"site": "QJ-0001", "what": "unkept"}]
    assert len(rows(store, "SELECT 1 FROM fact")) == 4
    assert "could not be kept" in caplog.text


def test_a_personal_value_that_does_not_fit_its_digest_is_told(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.ParcelArrived("p1", "SF1", "SF", False, "op", 3, None, Phone(PHONE)))
    item = point.disk.items[0]
    salt, _ = item.personal["phone"]
    point.disk.items[0] = item._replace(personal={"phone": (salt, "13900009999")})

    exchange(point, hub_answers(store, SITE))

    assert [fact.reason for fact in down_facts(store)] == ["bad_body"]


def test_garbage_is_answered_and_leaves_an_alarm_and_nothing_else(open_hub: OpenHub) -> None:
    store = open_hub()

    answer = accept(store, SITE, b"\x00garbage")

    assert (answer.why, answer.position.upto) == (Why.BAD, 0)
    assert report.status(store)["alarms"][0]["what"] == "unreadable"
    assert rows(store, "SELECT 1 FROM fact") == []


def test_facts_signed_with_another_key_are_not_taken(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point(key=b"x" * 32)
    point.happened(ev.DoorOpened("o1", 1))

    exchange(point, hub_answers(store, SITE), rounds=3)

    assert "bad" in point.troubles
    assert rows(store, "SELECT 1 FROM fact") == []
    assert report.status(store)["alarms"][0]["what"] == "bad_chain"


# --- cards and backups --------------------------------------------------------------------------------------------


def test_a_restored_card_begins_a_new_log_and_raises_an_alarm(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.DoorOpened("o1", 1))
    old = point.copy_disk()
    exchange(point, hub_answers(store, SITE))
    point.happened(ev.DoorOpened("lost", 2))
    exchange(point, hub_answers(store, SITE))

    point.put_back(old)
    point.happened(ev.DoorOpened("new", 3))
    exchange(point, hub_answers(store, SITE))

    found = rows(store, "SELECT body, log_id FROM fact ORDER BY received_at, seq")
    assert sorted(json.loads(row["body"]).get("opening", "fork") for row in found) == ["fork", "lost", "new", "o1"]
    assert {alarm["what"] for alarm in report.status(store)["alarms"]} == {"fork"}


def test_two_live_copies_of_a_card_are_reported_as_a_clone_and_both_are_kept(open_hub: OpenHub) -> None:
    store, point, clone = open_hub(), Point(), Point()
    point.happened(ev.DoorOpened("o1", 1))
    exchange(point, hub_answers(store, SITE))
    clone.put_back(point.copy_disk())
    clone.new_names = iter([LogId("c1"), LogId("c2")])

    for n in range(3):
        point.happened(ev.DoorOpened(f"a{n}", 1))
        clone.happened(ev.DoorOpened(f"b{n}", 2))
        exchange(point, hub_answers(store, SITE))
        exchange(clone, hub_answers(store, SITE))

    whats = {alarm["what"] for alarm in report.status(store)["alarms"]}
    assert {"fork", "clone"} <= whats
    assert clone.forks == 1
    openings = {json.loads(row["body"]).get("opening") for row in rows(store, "SELECT body FROM fact")}
    assert {"a0", "a1", "a2", "b0", "b1", "b2"} <= openings


def test_a_new_card_without_history_is_taken_with_an_alarm(open_hub: OpenHub) -> None:
    store, point, fresh = open_hub(), Point(), Point()
    point.happened(ev.DoorOpened("o1", 1))
    exchange(point, hub_answers(store, SITE))
    fresh.disk.log_id = LogId("fresh")
    fresh.disk.cursor = Position(LogId("fresh"), Seq(0), GENESIS)
    fresh.restart()

    fresh.happened(ev.DoorOpened("o2", 2))
    exchange(fresh, hub_answers(store, SITE))

    assert len(rows(store, "SELECT 1 FROM fact")) == 2
    assert [alarm["what"] for alarm in report.status(store)["alarms"]] == ["new_card"]


def test_a_hub_restored_from_a_backup_gets_back_facts_and_money_once(
    open_hub: OpenHub, tmp_path: Path, places: Places
) -> None:
    store, point = open_hub(), Point(facts_per_batch=3)
    give_bill(store, tmp_path)
    point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(5)))
    exchange(point, hub_answers(store, SITE))
    store.close()
    places.copy("hub", "backup")
    store.open()
    point.happened(ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"), *(ev.DoorOpened(f"p{n}", n) for n in range(9)))
    exchange(point, hub_answers(store, SITE))

    restored = open_hub("backup")
    point.sender.on_timeout()
    exchange(point, hub_answers(restored, SITE))

    assert report.status(restored)["sites"][0]["digest"] == digest(point.disk.events())
    assert rows(restored, "SELECT bill, fen FROM posting") == [{"bill": "B1", "fen": 8_650}]
    assert point.forks == 0


def test_a_point_renamed_after_the_backup_still_finds_the_restored_hub(open_hub: OpenHub, places: Places) -> None:
    store, point = open_hub(), Point(facts_per_batch=3)
    point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(6)))
    exchange(point, hub_answers(store, SITE))
    old = point.copy_disk()
    point.happened(*(ev.DoorOpened(f"lost{n}", n) for n in range(3)))
    exchange(point, hub_answers(store, SITE))
    store.close()
    places.copy("hub", "backup")
    store.open()
    point.put_back(old)
    point.happened(*(ev.DoorOpened(f"p{n}", n) for n in range(7)))
    exchange(point, hub_answers(store, SITE))

    restored = open_hub("backup")
    point.restart()
    exchange(point, hub_answers(restored, SITE))

    held = {row["event"] for row in rows(restored, "SELECT event FROM fact")}
    assert set(point.disk.events()) <= held
    assert point.disk.cursor == point.disk.head()


def test_a_hub_that_lost_its_down_log_sends_it_again_and_nothing_is_applied_twice(
    open_hub: OpenHub, tmp_path: Path, places: Places
) -> None:
    store, port = open_hub(), MemoryPort()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(4)]})
    carry_down(store, port)
    store.close()
    places.copy("hub", "backup")
    store.open()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(4, 9)]})
    carry_down(store, port)

    restored = open_hub("backup")
    write_and_send(restored, tmp_path, {"parcels": [parcel_row(n) for n in range(20, 22)]})
    carry_down(restored, port)

    assert len(port.times_applied) == len(set(port.times_applied)) == 4 + 5 + 2
    assert "hub_restored" in {alarm["what"] for alarm in report.status(restored)["alarms"]}
    with restored.reading() as tx:
        assert down.head(tx, SITE) == port.down == down.cursor(tx, SITE)


def test_a_restored_card_meets_a_restored_hub_and_nothing_is_applied_twice(
    open_hub: OpenHub, tmp_path: Path, places: Places
) -> None:
    store, port = open_hub(), MemoryPort()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(3)]})
    carry_down(store, port)
    old_card = port.down
    store.close()
    places.copy("hub", "backup")
    store.open()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(3, 6)]})
    carry_down(store, port)
    restored = open_hub("backup")
    write_and_send(restored, tmp_path, {"parcels": [parcel_row(n) for n in range(20, 22)]})
    carry_down(restored, port)

    port.down = old_card  # the card is older than the new name of the hub's log, but knows where both began
    carry_down(restored, port)

    assert len(port.times_applied) == len(set(port.times_applied)) == 3 + 3 + 2
    with restored.reading() as tx:
        assert down.head(tx, SITE) == port.down


def test_a_point_that_lost_its_card_gets_the_whole_down_log(open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(450)]})
    carry_down(store, MemoryPort())
    fresh = MemoryPort()

    carry_down(store, fresh)

    assert len(fresh.applied) == 450


def carry_down(store: HubStore, port: MemoryPort) -> None:
    """The hub's line and a point's receiving half, joined by hand."""
    import asyncio

    from sync.link import Link
    from sync.mqtt import Broker, Message
    from sync.port import LinkSettings, Outside

    async def play() -> None:
        link = Link(
            LinkSettings(SITE, Broker("127.0.0.1", 1), KEY, "0"),
            port,
            Outside(lambda: 0, lambda: 0.5, lambda _info: None),
        )
        line = DownLine(store, SITE, lambda: 0.0, Timing())
        line.peer_came()
        for turn in range(40):
            for packed in line.outgoing(turn * 100):
                answer = await link._on_down(Message("", packed, False, 1, 1))
                line.on_ack(encode_ack(answer), turn * 100)

    asyncio.run(play())


# --- meaning ------------------------------------------------------------------------------------------------------


def test_a_parcel_laid_in_a_cell_is_told_to_the_recipient_once(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    write_and_send(store, tmp_path, {"parcels": [parcel_row()]})
    parcel = manifest.parcel_id(SITE, "SF", "SF0000000000001")
    point.happened(ev.ParcelArrived(parcel, "SF0000000000001", "SF", True, "op", 5, None))
    point.happened(ev.ParcelDeposited(parcel, 5, "sensor", CODE, None))
    point.happened(ev.DoorClosed("o", 5))

    exchange(point, hub_answers(store, SITE))
    point.sender.moved(Position(point.disk.log_id, Seq(0), GENESIS))
    exchange(point, hub_answers(store, SITE))

    assert rows(store, "SELECT phone, code, template, place FROM sms") == [
        {"phone": PHONE, "code": CODE.plain(), "template": "locker", "place": "5"}
    ]
    assert [fact for fact in down_facts(store) if isinstance(fact, ev.NoticeSent)] == [ev.NoticeSent(parcel, "sms")]


UNANNOUNCED = ("a1b2c3d4e5f60718", "SF0000000000001")
ABOUT_PARCEL = "SELECT parcel, carrier, recipient, phone, address, consent, size FROM parcel"


def came_unannounced(point: Point, carrier: str = "SF", phone: str = PHONE) -> None:
    """The operator took a parcel in by hand: its id is the point's own."""
    parcel, waybill_no = UNANNOUNCED
    point.happened(
        ev.ConsentRecorded(parcel, "shelf", "phone_call", "op"),
        ev.ParcelArrived(parcel, waybill_no, carrier, False, "op", None, "A-1-001", Phone(phone)),
        ev.ParcelShelved(parcel, "A-1-001", CODE, None),
    )


@pytest.mark.parametrize("carrier", ["SF", "ZTO"])
def test_a_manifest_behind_its_parcel_completes_it_at_both_ends_once(
    open_hub: OpenHub, tmp_path: Path, carrier: str
) -> None:
    store, point = open_hub(), Point()
    came_unannounced(point, carrier)
    exchange(point, hub_answers(store, SITE))

    sent = [write_and_send(store, tmp_path, {"parcels": [parcel_row()]}) for _ in range(2)]

    assert sent == [manifest.Sent(1, 0, 0, 0), manifest.Sent(0, 0, 0, 1)]
    parcel, waybill_no = UNANNOUNCED
    told = [fact for fact in down_facts(store) if isinstance(fact, ev.ParcelExpected)]
    assert [(fact.parcel, fact.waybill_no, fact.recipient) for fact in told] == [(parcel, waybill_no, Name("王小明"))]
    assert rows(store, ABOUT_PARCEL) == [
        {"parcel": parcel, "carrier": "SF", "recipient": "王小明", "phone": PHONE, "address": "金溪村3组12号",
         "consent": "shelf", "size": "M"}
    ]  # fmt: skip


def test_a_manifest_and_an_unannounced_parcel_that_cross_become_one_parcel(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    came_unannounced(point, phone="13900009999")
    write_and_send(store, tmp_path, {"parcels": [parcel_row()]})

    exchange(point, hub_answers(store, SITE))

    assert rows(store, ABOUT_PARCEL) == [
        {"parcel": UNANNOUNCED[0], "carrier": "SF", "recipient": "王小明", "phone": PHONE, "address": "金溪村3组12号",
         "consent": "shelf", "size": "M"}
    ]  # fmt: skip
    assert write_and_send(store, tmp_path, {"parcels": [parcel_row()]}) == manifest.Sent(0, 0, 0, 1)


def test_a_manifest_behind_a_parcel_that_has_left_tells_the_point_no_name(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    came_unannounced(point)
    point.happened(ev.ParcelPickedUp(UNANNOUNCED[0], "self", "handed_over"))
    exchange(point, hub_answers(store, SITE))

    assert write_and_send(store, tmp_path, {"parcels": [parcel_row()]}) == manifest.Sent(0, 0, 0, 1)


def test_a_code_is_forgotten_when_the_parcel_is_taken_and_never_rests_in_the_log(
    open_hub: OpenHub, tmp_path: Path
) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.ParcelArrived("p", "X1234", "ZTO", False, "op", 5, None, Phone(PHONE)))
    point.happened(ev.ParcelDeposited("p", 5, "sensor", CODE, None))
    exchange(point, hub_answers(store, SITE))
    assert rows(store, "SELECT code FROM sms") == [{"code": CODE.plain()}]

    point.happened(ev.ParcelPickedUp("p", "self", "sensor"))
    exchange(point, hub_answers(store, SITE))

    assert rows(store, "SELECT code FROM sms") == [{"code": None}]
    assert all(CODE.plain() not in str(row) for row in rows(store, "SELECT * FROM fact"))


def test_a_bill_is_posted_once_whatever_is_accepted(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    point.happened(
        ev.BillAccepted("B1", 8_650, "cash", "S-1", "op"),
        ev.BillAccepted("B1", 8_650, "cash", "S-2", "op"),
        ev.BillAccepted("B9", 100, "cash", "S-3", "op"),
        ev.BillRefunded("B1", "S-2", 8_650, "op"),
    )

    exchange(point, hub_answers(store, SITE))

    assert [fact for fact in down_facts(store) if not isinstance(fact, ev.BillIssued)] == [
        ev.BillPosted("B1", "S-1", "0000000001"),
        ev.BillRefused("B1", "S-2", "already_paid"),
        ev.BillRefused("B9", "S-3", "unknown_bill"),
    ]
    assert report.status(store)["money"] == {
        "posted": {"bills": 1, "fen": 8_650},
        "refused": {"bills": 2, "fen": 8_750},
        "unposted": {"bills": 0, "fen": 0},
    }
    assert rows(store, "SELECT state FROM bill") == [{"state": "posted"}]


def test_a_wrong_amount_is_refused(open_hub: OpenHub, tmp_path: Path) -> None:
    store, point = open_hub(), Point()
    give_bill(store, tmp_path)
    point.happened(ev.BillAccepted("B1", 8_649, "cash", "S-1", "op"))

    exchange(point, hub_answers(store, SITE))

    assert down_facts(store)[-1] == ev.BillRefused("B1", "S-1", "wrong_amount")


def test_one_bill_taken_at_two_points_is_posted_once(open_hub: OpenHub, tmp_path: Path) -> None:
    other = SiteCode("QJ-0002")
    store = open_hub(keys={SITE: KEY, other: b"o" * 32})
    give_bill(store, tmp_path)
    manifest.send(store, other, tmp_path / "manifest.json")
    here, there = Point(), Point(key=b"o" * 32)
    for point, slip in ((here, "S-1"), (there, "T-1")):
        point.happened(ev.BillAccepted("B1", 8_650, "cash", slip, "op"))

    exchange(here, hub_answers(store, SITE))
    exchange(there, hub_answers(store, other))

    assert rows(store, "SELECT slip FROM posting") == [{"slip": "S-1"}]
    assert rows(store, "SELECT slip, reason FROM refusal") == [{"slip": "T-1", "reason": "already_paid"}]


def test_money_in_a_fact_that_cannot_be_read_is_reported_as_unposted(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.wrote("bill_accepted.2", '{"bill":"B1","fen":500}')

    exchange(point, hub_answers(store, SITE))

    assert report.status(store)["money"]["unposted"] == {"bills": 1, "fen": 500}


def test_listed_facts_mask_personal_values(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(ev.ParcelArrived("p", "X1234", "ZTO", False, "op", 5, None, Phone(PHONE)))
    point.wrote("thing_of_tomorrow.1", "{}", {"phone": ("00", PHONE)})
    exchange(point, hub_answers(store, SITE))

    listed = list(report.facts(store, SITE))

    assert listed[0]["personal"] == {"phone": "138******34"}
    assert listed[1]["personal"] == {"phone": "*"}
    assert {"event", "log", "seq", "kind", "body", "at", "hash"} <= listed[0].keys()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(ev.KINDS)),
    st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=8), st.none()), max_size=4),
)
def test_no_body_of_any_kind_stops_the_hub(open_hub: OpenHub, kind: str, body: dict[str, object]) -> None:
    store, point = open_hub("fuzz"), Point()
    point.disk.log_id = LogId("fuzz")
    with store.transaction() as tx:
        for table in ("fact", "head", "down", "unprojected"):
            tx.execute(f"DELETE FROM {table}")
    point.wrote(kind, ev.canonical(body))
    point.happened(ev.DoorOpened("o", 1))

    exchange(point, hub_answers(store, SITE))

    assert point.disk.cursor.upto == 2


# --- the disk -----------------------------------------------------------------------------------------------------


def test_a_full_disk_takes_nothing_by_half_and_later_everything(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point(facts_per_batch=50)
    if not isinstance(store.database, SqliteDatabase):
        pytest.skip("the size of a PostgreSQL database cannot be limited")
    point.happened(*(ev.DoorOpened("o" * 500 + str(n), n) for n in range(400)))
    with store.reading() as tx:
        pages = tx.value("PRAGMA page_count")
    store.database.limit_pages(pages + 30)

    with pytest.raises(StoreFault) as fault:
        exchange(point, hub_answers(store, SITE))

    assert fault.value.code == "full"
    kept = rows(store, "SELECT count(*) AS n FROM fact")[0]["n"]
    assert kept == rows(store, "SELECT upto FROM head")[0]["upto"]
    assert kept % 50 == 0
    store.database.limit_pages(10**6)
    point.sender.on_timeout()
    exchange(point, hub_answers(store, SITE))
    assert rows(store, "SELECT count(*) AS n FROM fact") == [{"n": 400}]


def test_a_damaged_database_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    places = SqlitePlaces(tmp_path)
    hub_at(places.database("hub")).close()
    (tmp_path / "hub" / FILE).write_bytes(b"this is no database" * 1000)

    with pytest.raises(StoreFault) as fault:
        hub_at(places.database("hub"))

    assert fault.value.code == "corrupt"


def test_a_database_of_a_newer_release_is_left_alone(places: Places) -> None:
    hub_at(places.database("hub")).close()
    newer = places.database("hub")
    newer.open((*MIGRATIONS, "CREATE TABLE thing_of_tomorrow (x INTEGER)"))
    newer.close()

    with pytest.raises(StoreFault, match="newer"):
        hub_at(places.database("hub"))


def door_life(dice: random.Random) -> list[ev.Fact]:
    """Doors and cells of three cells in any order."""
    makes: list[Callable[[int], ev.Fact]] = [
        lambda cell: ev.DoorAuthorised("o1", cell, "deposit", None, "op1"),
        lambda cell: ev.DoorOpened("o1", cell),
        lambda cell: ev.DoorClosed("o2", cell),
        lambda cell: ev.DoorForced(cell, "open"),
        lambda cell: ev.CellFaulted(cell, "jammed"),
        lambda cell: ev.CellRestored(cell, "op1", "mended"),
    ]
    return [dice.choice(makes)(dice.randint(1, 3)) for _ in range(40)]


@pytest.mark.parametrize("seed", range(10))
def test_doors_stand_as_after_each_fact_alone(tmp_path: Path, seed: int) -> None:
    facts, stood = door_life(random.Random(seed)), []
    for per_batch in (1, 7, 40):
        store = hub_at(SqlitePlaces(tmp_path).database(f"hub{per_batch}"))
        point = Point(KEY, facts_per_batch=per_batch)
        point.happened(*facts)
        exchange(point, hub_answers(store, SITE), rounds=60)
        stood.append(rows(store, "SELECT * FROM door ORDER BY cell"))
        store.close()

    assert stood[0] == stood[1] == stood[2]
    assert {row["cell"] for row in stood[0]} == {1, 2, 3}


def test_facts_of_an_older_database_are_put_in_order_and_go_on(places: Places) -> None:
    store, point = hub_at(places.database("hub")), Point(KEY, facts_per_batch=10)
    point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(25)), ev.BillRefunded("B-never", "S-1", 100, "op1"))
    exchange(point, hub_answers(store, SITE))
    kept = {table: rows(store, f"SELECT * FROM {table}") for table in ("site", "head", "fact", "unprojected", "down")}
    store.close()
    older = places.database("older")
    older.open(MIGRATIONS[: MIGRATIONS.index(FACTS_IN_ORDER)])
    with older.transaction() as session:
        for table, held in kept.items():
            for row in reversed(held):
                values = {name: value for name, value in row.items() if (table, name) != ("unprojected", "seq")}
                names, marks = ", ".join(values), ", ".join("?" * len(values))
                session.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
    older.close()

    again = hub_at(places.database("older"))
    assert [row["seq"] for row in kept["unprojected"]] == [26]
    assert {table: rows(again, f"SELECT * FROM {table}") for table in kept} == kept
    point.happened(ev.DoorClosed("o1", 1))
    exchange(point, hub_answers(again, SITE))
    assert rows(again, "SELECT count(*) AS n, max(seq) AS upto FROM fact") == [{"n": 27, "upto": 27}]
    again.close()


def hub_at(database: Database) -> HubStore:
    store = HubStore(database, SystemClock(), SystemDice(), {SITE: KEY})
    store.open()
    return store


def test_intake_and_a_file_sent_at_the_same_time_both_arrive_whole(
    open_hub: OpenHub, tmp_path: Path, places: Places
) -> None:
    store, point = open_hub(), Point(facts_per_batch=10)
    point.happened(*(ev.DoorOpened(f"o{n}", n) for n in range(300)))
    file = tmp_path / "big.json"
    file.write_text(json.dumps({"parcels": [parcel_row(n) for n in range(2_000)]}))
    sent: list[manifest.Sent] = []

    def other_process() -> None:
        other = hub_at(places.database("hub"))
        sent.append(manifest.send(other, SITE, file))
        other.close()

    thread = threading.Thread(target=other_process)
    thread.start()
    exchange(point, hub_answers(store, SITE), rounds=100)
    thread.join(30)

    assert sent[0].parcels == 2_000
    assert store.changed_elsewhere()
    assert rows(store, "SELECT count(*) AS n FROM fact") == [{"n": 300}]
    assert len(down_facts(store)) == 2_000


def test_the_down_log_is_a_whole_chain(open_hub: OpenHub, tmp_path: Path) -> None:
    store, port = open_hub(), MemoryPort()
    write_and_send(store, tmp_path, {"parcels": [parcel_row(n) for n in range(3)], "bills": [], "notices": []})

    carry_down(store, port)

    expected = [ev.decode(ev.Encoded(i.kind, i.body, i.personal)) for i in port.applied.values()]
    assert [fact.recipient for fact in expected] == [Name("王小明")] * 3
    assert down_facts(store) == expected
    assert AccountNo("1") != Name("1")


def test_a_down_batch_carries_the_positions_of_the_log(open_hub: OpenHub, tmp_path: Path) -> None:
    store = open_hub()
    write_and_send(store, tmp_path, {"parcels": [parcel_row()]})
    line = DownLine(store, SITE, lambda: 0.0, Timing())
    line.peer_came()

    [question] = [decode_batch(packed) for packed in line.outgoing(0)]

    assert (question.first, question.prev, question.items) == (1, GENESIS, ())


def test_a_fact_of_ours_that_is_too_large_to_travel_stops_its_site_alone(open_hub: OpenHub) -> None:
    """A point may make us answer with nearly all that one message can hold; the hub of the others goes on."""
    store, point = open_hub(), Point()
    point.happened(ev.OutageEnded("x" * (MAX_PLAIN - 450), 0, 0, GENESIS, 0, 0))
    exchange(point, hub_answers(store, SITE))
    [sheet] = down_facts(store)
    assert isinstance(sheet, ev.SheetConfirmed)
    line = DownLine(store, SITE, lambda: 0.0, Timing())
    line.peer_came()

    for turn in range(3):
        for _ in line.outgoing(turn * 100_000):
            with store.reading() as tx:
                log_id = down.head(tx, SITE).log_id
            line.on_ack(encode_ack(Ack(Position(log_id, Seq(0), GENESIS))), turn * 100_000)
        assert line.outgoing(turn * 100_000 + 1) == []

    assert {row["what"] for row in rows(store, "SELECT what FROM alarm")} == {"down_too_large"}
