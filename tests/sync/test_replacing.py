"""Books that come back, without a line in between: wrong copies, histories that split, a power cut at every act."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_first_start import PROFILE, SITE
from test_first_start_killed import killed_at

from edge import events, keys, log, parcels, pickups
from edge.clock import SystemClock, SystemDice
from edge.config import Settings
from edge.first_files import Place
from edge.kept_copy import Books
from edge.model import Consent, OperatorId, ParcelId, Phone, SiteCode, WaybillNo
from edge.parcels import Arrival
from edge.replacing import Replacing
from edge.setup import begin
from edge.site_profile import Ground, settings_of
from edge.store import Keys, Store
from sync import kept
from sync.enrol import EnrolFault
from sync.hub import books, manifest
from sync.hub.intake import accept
from sync.hub.kept import Kept, Unfit
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore
from sync.kept import head_of
from sync.relay import Sender
from sync.wire import encode_batch

KEY = bytes(range(32))
DEVICE = bytes(range(32, 64))
OP = OperatorId("op1")
OpenHub = Callable[..., HubStore]
DAY_MS = 86_400_000


class Desk:
    """What the reception answers, asked without a line."""

    def __init__(self, store: HubStore, folder: Path) -> None:
        self.store = store
        self.kept = Kept(folder)
        self.asked = 0

    def ask_time(self) -> None:
        pass

    def say(self, what: str, content: Mapping[str, Any]) -> dict[str, Any]:
        self.asked += 1
        site = SiteCode(SITE)
        if what == "kept":
            told = dict(content)
            return self.kept.take(site, KEY, told) if "piece" in told else self.kept.give(site, int(told["at"]))
        after, mark = int(content["after"]), str(content["mark"])
        if content["way"] == "down":
            return books.down_facts(self.store, site, after, mark)
        return books.up(self.store, site, after, mark) | {"codes": books.codes(self.store, site)}


class Terminal:
    """Books in a folder, and what a person does with them."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self.desk = desk
        self.place = Place(folder / "point.toml", folder / "data", folder / "boot", folder / "media")
        self.place.data_dir.mkdir(parents=True, exist_ok=True)
        panel = {"width": 1280, "height": 800, "diagonal_inch": 10.1}
        ground = Ground(self.place.data_dir, None, panel, None)
        self.settings: Settings = settings_of(PROFILE.replace("positions = 2", "positions = 60"), Path("p"), ground)

    def open(self) -> Store:
        key_file = self.place.data_dir / keys.DEVICE_KEY
        if not key_file.exists():
            key_file.write_text(DEVICE.hex())
        store = Store(self.place.data_dir, SystemClock(), SystemDice(), Keys(KEY, keys.device_key(key_file)))
        store.open()
        store.run_now(begin, self.settings)
        return store

    def take_in(self, *numbers: int) -> dict[int, tuple[ParcelId, str]]:
        """Parcels nobody announced, onto the shelf; their ids and codes."""
        found = {}
        with closing(self.open()) as store:
            for number in numbers:
                arrival = Arrival(WaybillNo(f"SF{number:013d}"), "SF", OP, "shelf", Phone("13800001234"), Consent.SHELF)
                parcel = store.run_now(parcels.take_in, arrival)
                code = store.run_now(
                    lambda tx, who: tx.value("SELECT code FROM parcel WHERE id = ?", (who,)), parcel.id
                )
                found[number] = (parcel.id, str(code))
        return found

    def send(self) -> None:
        """Bring everything to the hub."""
        with closing(self.open()) as store:
            sender = Sender(store.run_now(log.cursor, log.UP))
            while items := store.run_now(log.read_after, sender.tip, 50, 100_000):
                mark = store.run_now(log.mark_at, items[-1].seq)
                assert mark is not None
                ack = accept(self.desk.store, SITE, encode_batch(sender.batch(items, mark)))
                assert ack.position.upto == items[-1].seq
                store.run_now(log.confirm, ack.position)

    def keep(self) -> None:
        with closing(self.open()):
            pass
        Books(SITE, self.place.data_dir, KEY, DEVICE).to_hub(self.desk.say, 1)

    def restore(self, got_on: Callable[[], None] = lambda: None) -> str:
        replacing = Replacing(self.place, SITE, KEY, self.desk, SystemClock())
        replacing.got_on = got_on
        return replacing.run(self.settings) if replacing.finds() else ""

    def parcels(self) -> dict[str, tuple[str, str]]:
        with closing(self.open()) as store:
            rows = store.run_now(lambda tx: tx.rows("SELECT id, state, code FROM parcel"))
        return {row["id"]: (row["state"], row["code"]) for row in rows}


@pytest.fixture
def desk(open_hub: OpenHub, tmp_path: Path) -> Desk:
    return Desk(open_hub(), tmp_path / "kept")


@pytest.fixture
def old(desk: Desk, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "old", desk)


@pytest.fixture
def new(desk: Desk, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "new", desk)


def test_a_new_site_has_nothing_to_bring_back(new: Terminal) -> None:
    assert new.restore() == ""
    assert not (new.place.data_dir / "point.db").exists()


def test_all_comes_back_from_facts_alone(old: Terminal, new: Terminal) -> None:
    told = old.take_in(*range(40))
    old.send()

    assert new.restore() == "facts"
    assert new.parcels() == {parcel: ("on_shelf", code) for parcel, code in told.values()}


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_parcel_that_came_before_its_announcement_comes_back_under_its_own_name(
    old: Terminal, new: Terminal, tmp_path: Path, *, is_gone: bool
) -> None:
    """The hub has announced it under another id, which the old terminal passed over: without the line, as always."""
    row = {"waybill_no": f"SF{1:013d}", "carrier": "SF", "recipient": "王小明", "phone": "13800001234", "address": None,
           "consent": "shelf", "size": "S"}  # fmt: skip
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"parcels": [row]}))
    manifest.send(old.desk.store, SITE, file)
    told = old.take_in(1)
    parcel, code = told[1]
    if is_gone:
        with closing(old.open()) as store:
            store.run_now(pickups.begin_pickup, parcel, "operator")
            store.run_now(pickups.picked_up, parcel, "self", "handed_over", OP)
    old.send()

    assert new.restore() == "facts"

    assert new.parcels() == {parcel: ("picked_up", None) if is_gone else ("on_shelf", code)}


def test_what_lies_on_a_shelf_that_the_new_settings_do_not_name_can_be_given_out(old: Terminal, new: Terminal) -> None:
    told = old.take_in(1, 2, 3)
    old.send()
    new.settings = replace(new.settings, shelves=(replace(new.settings.shelves[0], positions=1),))
    assert new.restore() == "facts"

    with closing(new.open()) as store:
        for parcel, _ in told.values():
            store.run_now(pickups.begin_pickup, parcel, "operator")
            store.run_now(pickups.picked_up, parcel, "self", "handed_over", OP)
    with closing(new.open()) as store:
        assert store.run_now(lambda tx: tx.value("SELECT count(*) FROM place")) == 1
    assert {state for state, _ in new.parcels().values()} == {"picked_up"}


def test_a_copy_that_is_ahead_of_the_hub_wins_and_the_rest_goes_up(old: Terminal, new: Terminal) -> None:
    told = old.take_in(1)
    old.send()
    told |= old.take_in(2, 3)
    old.keep()

    assert new.restore() == "hub"
    assert set(new.parcels()) == {parcel for parcel, _ in told.values()}
    with closing(new.open()) as store:
        assert store.run_now(log.pending) > 4
    new.send()
    with new.desk.store.reading() as tx:
        assert tx.value("SELECT COUNT(*) FROM fact WHERE kind = 'parcel_arrived.1'") == 3
        assert tx.value("SELECT COUNT(*) - COUNT(DISTINCT seq) FROM fact") == 0


def test_a_spoiled_copy_is_passed_over(old: Terminal, new: Terminal) -> None:
    told = old.take_in(1)
    old.send()
    old.keep()
    [file] = new.desk.kept.folder.glob("*.kept")
    file.write_bytes(file.read_bytes()[:-40] + bytes(40))

    assert new.restore() == "facts"
    assert new.parcels() == {parcel: ("on_shelf", code) for parcel, code in told.values()}


@pytest.mark.parametrize("by_copy", [True, False])
def test_books_that_come_back_in_many_answers_say_with_each_that_they_come(
    old: Terminal, new: Terminal, by_copy: bool
) -> None:
    """A watchdog that hears nothing for three minutes begins anew, and years over a slow line take longer."""
    old.take_in(*range(60))
    old.send()
    if by_copy:
        old.keep()
    before, heard = new.desk.asked, []

    assert new.restore(lambda: heard.append(1)) == ("hub" if by_copy else "facts")
    assert len(heard) >= new.desk.asked - before - 3  # but for the questions how large a copy is


@pytest.mark.parametrize("damage", [b"no database at all", b""])
def test_a_damaged_backup_is_not_what_the_hub_keeps(old: Terminal, new: Terminal, damage: bytes) -> None:
    told = old.take_in(1)
    old.keep()
    [good] = (old.place.data_dir / "backup").glob("point-*.db")
    good.with_name("point-000002-000000000999.db").write_bytes(damage or good.read_bytes()[:5_000])

    old.keep()

    assert new.restore() == "hub"
    assert set(new.parcels()) == {parcel for parcel, _ in told.values()}


def test_of_a_split_history_the_newest_line_comes_back(old: Terminal, new: Terminal, tmp_path: Path) -> None:
    """The card was put back once: two histories share their beginning, and only one goes on."""
    shared = old.take_in(1)
    old.keep()
    old.send()
    lost = old.take_in(2)
    old.send()
    put_back = Terminal(tmp_path / "put back", old.desk)
    with closing(old.open()) as store:
        wrong_end = store.run_now(log.head)
    with old.desk.store.transaction() as tx:  # what the hub heard after the copy is not there for this restoration
        held = tx.value("SELECT upto FROM head")
        tx.execute("UPDATE head SET upto = 2, mark = (SELECT hash FROM fact WHERE seq = 2)")
    assert put_back.restore() == "hub"
    with old.desk.store.transaction() as tx:
        tx.execute("UPDATE head SET upto = ?, mark = ?", (held, wrong_end.mark))
    ours = put_back.take_in(3)
    put_back.send()

    assert new.restore() in ("hub", "facts")
    found = set(new.parcels())
    assert {parcel for parcel, _ in (shared | ours).values()} <= found
    assert lost[2][0] not in found


def test_parcels_whose_code_nobody_knows_are_on_the_operators_list(old: Terminal, new: Terminal) -> None:
    told = old.take_in(1, 2)
    old.send()
    parcel, _ = told[1]
    with new.desk.store.transaction() as tx:
        tx.execute("UPDATE sms SET code = NULL WHERE parcel = ?", (parcel,))

    new.restore()

    with closing(new.open()) as store:
        place = store.run_now(lambda tx: tx.value("SELECT place FROM parcel WHERE id = ?", (parcel,)))
        rows = store.run_now(
            lambda tx: [row["subject"] for row in tx.rows("SELECT * FROM alarm WHERE code = 'check_parcel'")]
        )
        assert rows == [place]
        store.run_now(pickups.begin_pickup, parcel, "operator")
        store.run_now(pickups.picked_up, parcel, "self", "handed_over", OP)
        assert store.run_now(lambda tx: tx.value("SELECT COUNT(*) FROM alarm WHERE code = 'check_parcel'")) == 0


def test_killed_at_any_durable_act_it_begins_anew_or_is_there(tmp_path: Path) -> None:
    store = HubStore(SqliteDatabase(tmp_path / "hub"), SystemClock(), SystemDice(), {SiteCode(SITE): KEY})
    store.open()  # a database in a file: no server is asked from two processes over one connection
    old = Terminal(tmp_path / "old", Desk(store, tmp_path / "kept"))
    told = old.take_in(1, 2)
    old.send()
    old.keep()
    kills = 0
    for number in range(2, 200, 5):
        new = Terminal(tmp_path / f"new-{number}", old.desk)
        if not killed_at(number, new.restore):
            break
        kills += 1
        replacing = Replacing(new.place, SITE, KEY, new.desk, SystemClock())
        if not replacing.is_over:
            assert new.restore() == "hub"
        assert new.parcels() == {parcel: ("on_shelf", code) for parcel, code in told.values()}

    assert kills >= 3
    store.close()


def test_the_hub_takes_a_copy_in_pieces_and_nothing_that_is_none(old: Terminal, desk: Desk) -> None:
    site = SiteCode(SITE)
    with pytest.raises(Unfit):
        desk.kept.take(site, KEY, {"digest": "0" * 64, "size": 3, "at": 0, "piece": base64.b64encode(b"abc").decode()})
    assert desk.kept.take(site, KEY, {"digest": "1" * 64, "size": 9, "at": 3, "piece": "AAAA"}) == {
        "at": 0,
        "whole": False,
    }
    old.take_in(1)
    old.keep()
    first = desk.kept.give(site, 0)
    old.keep()

    assert first["size"] > 0
    assert desk.kept.give(site, 0)["digest"] != first["digest"]
    assert sorted(file.suffix for file in desk.kept.folder.iterdir()) == [".kept", ".old"]


def test_a_copy_goes_on_where_its_line_broke_until_it_is_a_day_old(old: Terminal, desk: Desk) -> None:
    """Each attempt seals anew with other bytes, so the one that was begun is kept; a village line breaks often."""
    with closing(old.open()) as store:
        store.run_now(log.append, events.HelpCalled(random.Random(1).randbytes(150_000).hex()))
    books_here = Books(SITE, old.place.data_dir, KEY, DEVICE)
    begun: list[int] = []

    def whole(what: str, content: Mapping[str, Any]) -> dict[str, Any]:
        begun.append(content["at"])
        return desk.say(what, content)

    def cut(what: str, content: Mapping[str, Any]) -> dict[str, Any]:
        told = whole(what, content)
        if len(begun) % 3 == 0:
            raise EnrolFault("line", "the third answer was lost")
        return told

    with pytest.raises(EnrolFault):
        books_here.to_hub(cut, 1)
    [part] = desk.kept.folder.glob("*.part")
    have = part.stat().st_size
    upto = books_here.to_hub(whole, DAY_MS // 2)
    assert begun[:3] == [0, 65_536, 131_072]
    assert begun[3:5] == [0, have] == [0, 3 * 65_536]
    assert upto == books_here.newest_upto() > 0
    assert list((old.place.data_dir / "kept").iterdir()) == []

    begun.clear()
    with pytest.raises(EnrolFault):
        books_here.to_hub(cut, DAY_MS)
    first = desk.kept.give(SiteCode(SITE), 0)["digest"]
    books_here.to_hub(whole, 3 * DAY_MS)
    [file] = desk.kept.folder.glob("*.kept")
    assert head_of(file, KEY).made == 3 * DAY_MS
    assert desk.kept.give(SiteCode(SITE), 0)["digest"] != first


def test_a_copy_says_what_it_is_only_to_the_key_of_its_site(old: Terminal, tmp_path: Path) -> None:
    old.take_in(1)
    stick = tmp_path / "stick"
    stick.mkdir()
    books_ = Books(SITE, old.place.data_dir, KEY, DEVICE)
    books_.to_stick(stick, 7)
    file = books_.to_stick(stick, 8)

    assert kept.on(stick, KEY) == [file]
    assert kept.on(stick, bytes(32)) == []
    head = kept.head_of(file, KEY)
    assert (head.site, head.made, head.device_key) == (SITE, 8, DEVICE.hex())
    assert b"13800001234" not in file.read_bytes()
