"""After the hub has forgotten: books that come back to a new terminal, and an old copy that hears the hub again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hub_places import Places
from memory_logs import KEY
from test_forgetting import ACCOUNT, ADDRESS, NAME, PHONE, SITE, Clock, District, bill_row, ident, parcel_row
from test_replacing import OP, Desk, Terminal

from edge import bills, events, inbox, log, parcels, pickups, retention
from edge.clock import SystemDice
from edge.model import AccountNo, BillId, Consent, Fen, Phone, Rejected, WaybillNo
from edge.parcels import Arrival
from edge.store import Tx
from sync.hub import down, forgetter
from sync.hub.forgetting import Forgotten
from sync.hub.store import HubStore
from sync.relay import Receiver
from sync.wire import Batch, decode_batch, encode_batch

B1, B2 = BillId("B1"), BillId("B2")
LEFT, OPEN = ident(1), ident(2)
Turned = dict[str, dict[str, Any]]


@dataclass
class Village:
    """A hub with its days, and the terminal of its one point."""

    district: District
    old: Terminal
    new: Terminal

    def hear(self, terminal: Terminal) -> None:
        """The terminal gets what the hub's log holds beyond what it has, by the bytes of the wire, and proves it."""
        with closing(terminal.open()) as store:
            at = store.run_now(log.cursor, log.DOWN)
            with self.district.store.reading() as tx:
                end, items = down.head(tx, SITE), down.read_after(tx, SITE, at.upto, 1_000, 10**6)
            batch = decode_batch(encode_batch(Batch(end.log_id, items[0].seq, at.mark, items, end.mark)))
            verdict = Receiver(KEY).judge(batch, at if at.upto else None)
            assert verdict.why is None
            assert len(verdict.marks) == len(items)
            store.run_now(log.apply_down, end.log_id, verdict.items, verdict.marks, inbox.apply)

    def rows(self, terminal: Terminal, table: str) -> Turned:
        with closing(terminal.open()) as store:
            assert store.run_now(log.verify) is None
            return {row["id"]: row for row in store.run_now(Tx.rows, f"SELECT * FROM {table}")}


@pytest.fixture
def village(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Village]:
    """One parcel left and one bill posted; one of each is open, and one parcel came unannounced."""
    monkeypatch.setattr(forgetter, "REST_S", 0)
    clock = Clock()
    store = HubStore(places.database("hub"), clock, SystemDice(), {SITE: KEY})
    store.open()
    district = District(store, clock, tmp_path)
    district.round()
    desk = Desk(store, tmp_path / "kept")
    district.send({"parcels": [parcel_row(1), parcel_row(2)], "bills": [bill_row(1), bill_row(2)]})
    yield Village(district, Terminal(tmp_path / "old", desk), Terminal(tmp_path / "new", desk))
    store.close()


def work(village: Village, terminal: Terminal) -> None:
    """Take in all three, give the first one out, take the money of the first bill; the hub hears of it."""
    with closing(terminal.open()) as store:
        for number, phone in ((1, None), (2, None), (3, Phone(PHONE))):
            arrival = Arrival(WaybillNo(f"SF{number:013d}"), "SF", OP, "shelf", phone, Consent.SHELF)
            store.run_now(parcels.take_in, arrival)
        store.run_now(pickups.begin_pickup, LEFT, "operator")
        store.run_now(pickups.picked_up, LEFT, "self", "handed_over", OP)
        store.run_now(bills.accept, B1, Fen(8_650), OP)
    terminal.send()
    village.hear(terminal)


def months_pass(village: Village) -> None:
    assert village.district.days(100) == Forgotten(parcels=1, bills=1, facts=0, announcements=2)


def is_whole(village: Village, terminal: Terminal) -> None:
    """Open parcels and bills have their people, the others their state; nothing of the forgotten is there."""
    here = village.rows(terminal, "parcel")
    [stranger] = here.keys() - {LEFT, OPEN}
    assert {name: row["state"] for name, row in here.items()} == {
        LEFT: "picked_up", OPEN: "on_shelf", stranger: "on_shelf"
    }  # fmt: skip
    assert [here[LEFT][name] for name in ("recipient", "phone", "address", "code")] == [None] * 4
    assert [here[OPEN][name] for name in ("recipient", "phone", "address")] == [NAME, PHONE, ADDRESS]
    assert here[stranger]["phone"] == PHONE
    sent = {row["parcel"]: row["code"] for row in village.district.rows("SELECT * FROM sms")}
    assert (here[OPEN]["code"], here[stranger]["code"]) == (sent[OPEN], sent[stranger])
    told = village.rows(terminal, "bill")
    assert (told["B1"]["state"], told["B1"]["fen"], told["B1"]["name"]) == ("posted", 8_650, "")
    assert told["B1"]["serial"] == "0000000001"
    assert (told["B2"]["state"], told["B2"]["name"], told["B2"]["account_no"]) == ("unpaid", NAME, ACCOUNT)


def works_on(village: Village, terminal: Terminal) -> None:
    """The day goes on: the open ones are handed out and paid, and the hub takes all of it."""
    with closing(terminal.open()) as store:
        store.run_now(pickups.begin_pickup, OPEN, "operator")
        store.run_now(pickups.picked_up, OPEN, "self", "handed_over", OP)
        [found] = store.run_now(bills.find, "", AccountNo(ACCOUNT))
        for nobodys in ("", "*", "****", "****4567"):
            with pytest.raises(Rejected):
                store.run_now(bills.find, "water", AccountNo(nobodys))
        store.run_now(bills.accept, found.id, Fen(8_650), OP)
    terminal.send()
    village.hear(terminal)
    assert village.rows(terminal, "bill")["B2"]["state"] == "posted"
    assert village.district.rows("SELECT * FROM unprojected") == []
    assert village.district.days(31) == Forgotten(parcels=1, bills=1, announcements=2)


def test_a_replaced_terminal_without_a_copy_gets_all_that_is_open(village: Village) -> None:
    village.hear(village.old)
    work(village, village.old)
    months_pass(village)

    assert village.new.restore() == "facts"

    is_whole(village, village.new)
    works_on(village, village.new)


def test_a_replaced_terminal_with_an_old_copy_gets_all_that_is_open(village: Village) -> None:
    village.old.keep()  # before it heard of anything
    village.hear(village.old)
    work(village, village.old)
    months_pass(village)

    assert village.new.restore() == "hub"

    is_whole(village, village.new)
    works_on(village, village.new)


def test_a_copy_from_before_the_pick_up_forgets_again_what_it_brings_back(village: Village) -> None:
    village.hear(village.old)
    village.old.keep()
    work(village, village.old)
    months_pass(village)

    assert village.new.restore() == "hub"
    left = village.rows(village.new, "parcel")[LEFT]
    assert (left["state"], left["phone"]) == ("picked_up", PHONE)  # of the copy; its time is over here, too
    with closing(village.new.open()) as store:
        store.run_now(retention.erase_collected, left["closed_at"] + 1)
        posted = store.run_now(Tx.value, "SELECT accepted_at FROM bill WHERE id = 'B1'")
        store.run_now(retention.erase_settled_bills, posted + 1)

    is_whole(village, village.new)
    works_on(village, village.new)


def test_a_card_put_back_to_its_first_day_hears_the_log_of_the_hub_again(village: Village) -> None:
    """The announcements come without people where the hub has forgotten them; nothing waits for them and nobody is
    made up.
    """
    with closing(village.old.open()):
        pass
    first_day = village.old.place.data_dir.with_name("first day")
    shutil.copytree(village.old.place.data_dir, first_day)
    village.hear(village.old)
    work(village, village.old)
    months_pass(village)
    shutil.rmtree(village.old.place.data_dir)
    first_day.replace(village.old.place.data_dir)

    village.hear(village.old)

    here = village.rows(village.old, "parcel")
    people = {name: [here[name][each] for each in ("recipient", "phone", "address")] for name in (LEFT, OPEN)}
    assert people == {LEFT: [None] * 3, OPEN: [NAME, PHONE, ADDRESS]}
    told = village.rows(village.old, "bill")
    assert (told["B1"]["name"], told["B1"]["account_no"]) == ("", "****")
    assert (told["B2"]["name"], told["B2"]["account_no"]) == (NAME, ACCOUNT)
    with closing(village.old.open()) as store:
        [found] = store.run_now(bills.find, "", AccountNo(ACCOUNT))
    assert found.id == B2


def test_a_point_that_is_silent_for_five_weeks_loses_nothing(village: Village) -> None:
    """It works without a line; the hub knows nothing of what has left, so all its people are there still."""
    village.hear(village.old)
    assert village.district.days(35) == Forgotten()

    assert village.new.restore() == ""  # nothing was ever told
    work(village, village.old)
    assert village.district.days(29) == Forgotten()
    assert village.district.days(2) == Forgotten(parcels=1, bills=1, announcements=2)


def test_an_erased_announcement_alone_makes_a_parcel_without_people(village: Village) -> None:
    """Whatever comes: an announcement without its people is one of a parcel that nobody has to be told of."""
    told = events.encode(
        events.ParcelExpected("p9", "SF9", "SF", None, Phone(PHONE), None, "shelf", "S"), lambda: b"s" * 16
    )
    erased = events.decode(events.Encoded(told.kind, told.body, {}))
    with closing(village.old.open()) as store:
        store.run_now(inbox.apply, erased)
        row = store.run_now(Tx.row, "SELECT state, phone FROM parcel WHERE id = 'p9'")

    assert row == {"state": "expected", "phone": None}
