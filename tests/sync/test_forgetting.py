"""The hub forgets people in time, and nobody too early: on a real database of either kind."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hub_places import Places, PostgresPlaces
from memory_logs import KEY
from points import Point, exchange, hub_answers

from edge import events as ev
from edge.chain import GENESIS, walk
from edge.clock import SystemDice
from edge.mistakes import ConfigError
from edge.model import AccountNo, Address, LogId, Ms, Name, Phone, PickupCode, PickupToken, SiteCode, Stamp
from sync.hub import cli, down, forgetter, forgetting, lived, manifest, report, walks
from sync.hub.app import Hub, HubOutside
from sync.hub.config import load
from sync.hub.forgetter import Forgetter
from sync.hub.forgetting import Forgotten, would_forget
from sync.hub.purpose import ENDINGS, RULES
from sync.hub.schema import FORGETTING, MIGRATIONS
from sync.hub.store import HubStore, StoreFault
from sync.mqtt import Broker
from sync.relay import digest
from tests.mistakes import english

SITE, OTHER = SiteCode("QJ-0001"), SiteCode("QJ-0002")
DAY = 24 * 3_600_000
START = 1_790_000_000_000
PHONE, NAME, ADDRESS, ACCOUNT = "13800001234", "王小明", "金溪村3组12号", "5001234567"
VALUES: dict[Any, Any] = {
    Phone: Phone(PHONE), Name: Name(NAME), Address: Address(ADDRESS), AccountNo: AccountNo(ACCOUNT),
    PickupCode: PickupCode("482913"), PickupToken: PickupToken("A" * 26),
}  # fmt: skip
PERSONAL = sorted(kind for kind, cls in ev.KINDS.items() if ev.personal_of(cls))
OpenAt = Callable[..., "District"]


class Clock:
    """A hub's clock as the test sets it; the machine's own count goes on."""

    def __init__(self) -> None:
        self.at, self.count = START, 0

    def stamp(self) -> Stamp:
        return Stamp(self.at, "0a1b2c3d", Ms(self.count), True)

    def ms(self) -> Ms:
        return Ms(self.count)

    def passes(self, ms: int) -> None:
        self.at += ms
        self.count += ms


class District:
    """A hub, its days, and what a point tells it."""

    def __init__(self, store: HubStore, clock: Clock, folder: Path) -> None:
        self.store, self.clock, self.folder = store, clock, folder
        self.points = {site: Point() for site in store.keys}
        self.forgetter = Forgetter(store, 30, lambda: store.keys)

    def round(self) -> Forgotten:
        return asyncio.run(self.forgetter.go_round())

    def days(self, count: int) -> Forgotten:
        """So many days pass, each with a round; of more than forty only the last, and each tenth."""
        done = Forgotten()
        for left in range(count, 0, -1):
            self.clock.passes(DAY)
            if count <= 40 or left % 10 == 1:
                done += self.round()
            else:
                self.forgetter._note_day()
        return done

    def happened(self, *facts: ev.Fact, site: SiteCode = SITE) -> None:
        self.points[site].happened(*facts)
        exchange(self.points[site], hub_answers(self.store, site))

    def send(self, content: dict[str, Any], site: SiteCode = SITE) -> manifest.Sent:
        file = self.folder / "manifest.json"
        file.write_text(json.dumps(content, ensure_ascii=False))
        return manifest.send(self.store, site, file)

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        with self.store.reading() as tx:
            return list(tx.rows(sql, parameters))

    def personal(self, table: str, site: SiteCode = SITE) -> int:
        return int(
            self.rows(f"SELECT count(*) AS n FROM {table} WHERE site = ? AND personal IS NOT NULL", site)[0]["n"]
        )

    def parcel(self, ident: str) -> dict[str, Any]:
        return self.rows("SELECT * FROM parcel WHERE site = ? AND parcel = ?", SITE, ident)[0]

    def everything(self) -> str:
        """Every value of every row a person could stand in."""
        tables = ("fact", "down", "parcel", "sms", "bill", "holding")
        return json.dumps([self.rows(f"SELECT * FROM {table}") for table in tables], ensure_ascii=False)


@pytest.fixture(autouse=True)
def without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetter, "REST_S", 0)


@pytest.fixture
def open_at(places: Places, tmp_path: Path) -> Iterator[OpenAt]:
    opened: list[HubStore] = []

    def opening(name: str = "hub", clock: Clock | None = None, sites: tuple[SiteCode, ...] = (SITE,)) -> District:
        clock = clock or Clock()
        store = HubStore(places.database(name), clock, SystemDice(), dict.fromkeys(sites, KEY))
        store.open()
        opened.append(store)
        return District(store, clock, tmp_path)

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def district(open_at: OpenAt) -> District:
    made = open_at()
    made.round()
    return made


def parcel_row(number: int = 1) -> dict[str, Any]:
    return {
        "waybill_no": f"SF{number:013d}", "carrier": "SF", "recipient": NAME, "phone": PHONE, "address": ADDRESS,
        "consent": "locker", "size": "M",
    }  # fmt: skip


def bill_row(number: int = 1) -> dict[str, Any]:
    return {
        "bill_id": f"B{number}", "biller": "供电所", "kind": "power", "account_no": ACCOUNT, "name": NAME,
        "address": ADDRESS, "period": "2026-02", "fen": 8_650, "due": "2026-03-31",
    }  # fmt: skip


def ident(number: int = 1) -> str:
    return manifest.parcel_id(SITE, "SF", f"SF{number:013d}")


def comes(number: int = 1, parcel: str | None = None, *, expected: bool = True) -> list[ev.Fact]:
    name = parcel or ident(number)
    phone = None if expected else Phone(PHONE)
    return [
        ev.ParcelArrived(name, f"SF{number:013d}", "SF", expected, "op1", 3, None, phone),
        ev.ParcelDeposited(name, 3, "sensor", PickupCode("482913"), PickupToken("A" * 26)),
    ]


def goes(number: int = 1, parcel: str | None = None) -> ev.Fact:
    return ev.ParcelPickedUp(parcel or ident(number), "self", "sensor")


def paid(number: int = 1, fen: int = 8_650) -> ev.Fact:
    return ev.BillAccepted(f"B{number}", fen, "cash", f"S{number}", "op1")


# --- what goes, and when ------------------------------------------------------------------------------------------


def test_people_of_a_parcel_that_left_go_after_thirty_days_and_the_chain_holds(district: District) -> None:
    district.send({"parcels": [parcel_row(1), parcel_row(2)]})
    district.happened(*comes(1), *comes(2), *comes(3, "stranger", expected=False), goes(1), goes(3, "stranger"))
    before = district.rows("SELECT site, seq, event, body, hash FROM fact ORDER BY seq")
    told = district.rows("SELECT site, seq, event, body, hash FROM down ORDER BY seq")

    assert district.days(29) == Forgotten()
    assert PHONE in json.dumps(district.parcel(ident(1)))
    assert district.days(2) == Forgotten(parcels=2, bills=0, facts=1, announcements=1)

    for name in (ident(1), "stranger"):
        gone = district.parcel(name)
        assert [gone[column] for column in ("state", "recipient", "phone", "address")] == ["picked_up", *[None] * 3]
    kept = district.parcel(ident(2))
    assert [kept[column] for column in ("recipient", "phone", "address")] == [NAME, PHONE, ADDRESS]
    messages = {row["parcel"]: (row["phone"], row["code"]) for row in district.rows("SELECT * FROM sms")}
    assert messages == {ident(1): (None, None), "stranger": (None, None), ident(2): (PHONE, "482913")}
    assert district.rows("SELECT site, seq, event, body, hash FROM fact ORDER BY seq") == before
    assert district.rows("SELECT site, seq, event, body, hash FROM down ORDER BY seq") == told
    items = [down.item_of(row) for row in district.rows("SELECT * FROM down ORDER BY seq")]
    assert walk(KEY, GENESIS, items) == [row["hash"] for row in told]
    assert report.status(district.store)["sites"][0]["digest"] == digest(district.points[SITE].disk.events())
    assert all("personal" not in fact for fact in report.facts(district.store, SITE))


def test_a_parcel_that_lies_here_keeps_its_people_however_old(district: District) -> None:
    district.send({"parcels": [parcel_row(1), parcel_row(2)]})
    district.happened(*comes(1), ev.ParcelExcepted(ident(1), "not found"))

    assert district.days(200) == Forgotten()

    assert (district.personal("down"), district.parcel(ident(1))["phone"]) == (2, PHONE)
    district.happened(goes(1))
    assert district.days(31) == Forgotten(parcels=1, announcements=1)


def test_payers_go_when_the_bill_is_posted_or_the_cash_given_back(district: District) -> None:
    district.send({"bills": [bill_row(number) for number in (1, 2, 3, 4)]})
    district.happened(paid(1), paid(2, 1), paid(3, 1), ev.BillRefunded("B2", "S2", 1, "op1"))

    assert district.days(31) == Forgotten(bills=2, announcements=2)

    bills = {row["bill"]: row for row in district.rows("SELECT * FROM bill")}
    states = {name: (row["state"], row["name"], row["account_no"], row["address"]) for name, row in bills.items()}
    assert states == {
        "B1": ("posted", "", "****4567", None), "B2": ("reversed", "", "****4567", None),
        "B3": ("refused", NAME, ACCOUNT, ADDRESS), "B4": ("unpaid", NAME, ACCOUNT, ADDRESS),
    }  # fmt: skip
    assert [row["fen"] for row in district.rows("SELECT fen FROM posting")] == [8_650]
    district.happened(ev.BillRefunded("B3", "S3", 1, "op1"))
    assert district.days(31) == Forgotten(bills=1, announcements=1)


def test_the_same_file_sent_again_brings_nobody_back(district: District) -> None:
    file = {"parcels": [parcel_row()], "bills": [bill_row()]}
    district.send(file)
    district.happened(*comes(), goes(), paid())
    district.days(31)

    assert district.send(file) == manifest.Sent(0, 0, 0, 2)

    for value in (PHONE, NAME, ADDRESS, ACCOUNT):
        assert value not in district.everything()


def test_another_account_is_another_bill_also_when_its_payer_was_forgotten(district: District) -> None:
    district.send({"bills": [bill_row()]})
    district.happened(paid())
    district.days(31)

    with pytest.raises(manifest.BadManifest):
        district.send({"bills": [bill_row() | {"account_no": "5009999999"}]})


def test_a_parcel_that_came_before_its_announcement_goes_whole_and_stays_whole(district: District) -> None:
    """The announcement bears an id that no row has any more, and must be found all the same."""
    district.send({"parcels": [parcel_row(1), parcel_row(2)]})
    district.days(31)  # walked while the announced parcels had rows
    district.happened(*comes(1, "own1", expected=False))
    district.happened(*comes(2, "own2", expected=False))
    district.happened(*comes(3, "own3", expected=False))
    district.send({"parcels": [parcel_row(3)]})
    district.happened(goes(1, "own1"), goes(3, "own3"))

    assert district.days(31) == Forgotten(parcels=2, facts=2, announcements=2)

    assert district.days(200) == Forgotten()
    assert (district.parcel("own2")["recipient"], district.personal("down"), district.personal("fact")) == (NAME, 1, 1)
    district.happened(goes(2, "own2"))
    assert district.days(31) == Forgotten(parcels=1, facts=1, announcements=1)
    assert district.rows("SELECT * FROM holding") == []


def test_a_bill_paid_at_another_point_is_settled_for_both_but_not_where_cash_is_to_go_back(open_at: OpenAt) -> None:
    third = SiteCode("QJ-0003")
    district = open_at(sites=(SITE, OTHER, third))
    for site in district.points:
        district.send({"bills": [bill_row()]}, site)
    district.happened(paid())
    district.happened(ev.BillAccepted("B1", 8_650, "cash", "T1", "op"), site=third)

    district.days(32)

    names = {row["site"]: row["name"] for row in district.rows("SELECT * FROM bill")}
    assert names == {SITE: "", OTHER: "", third: NAME}
    assert [district.personal("down", site) for site in (SITE, OTHER, third)] == [0, 0, 1]
    district.happened(ev.BillRefunded("B1", "T1", 8_650, "op"), site=third)
    district.days(31)
    assert district.personal("down", third) == 0


# --- every kind ---------------------------------------------------------------------------------------------------


def sample(kind: str) -> ev.Fact:
    """A fact of this kind about parcel p1 or bill B1, with every personal field filled."""
    cls = ev.KINDS[kind]
    personal = dict(ev.personal_of(cls))
    plain = {"parcel": "p1", "bill": "B1", "cell": 3, "fen": 8_650, "expected": False, "waybill_no": "SF1"}
    values = {
        name: VALUES[personal[name]] if name in personal else plain.get(name, "x") for name in cls.__struct_fields__
    }
    return cls(**values)


def test_there_are_kinds_with_personal_fields() -> None:
    assert len(PERSONAL) >= 5


@pytest.mark.parametrize("kind", PERSONAL)
def test_every_kind_with_personal_fields_has_a_rule_and_keeps_it(district: District, kind: str) -> None:
    cls = ev.KINDS[kind]
    assert RULES.get(cls) in ENDINGS.values(), f"{kind} has personal fields and no rule in sync/hub/purpose.py"
    assert RULES[cls] in cls.__struct_fields__
    district.send({"bills": [bill_row()]})
    opening = ev.ParcelArrived("p1", "SF1", "SF", False, "op1", 3, None, Phone(PHONE))
    district.happened(opening, sample(kind))
    with district.store.transaction() as tx:
        tx.hold(SITE)
        down.DownLog(tx, SITE).append(sample(kind))
    district.days(40)
    still = district.personal("down")
    assert still >= 2

    district.happened(goes(1, "p1"), paid())
    district.days(31)

    assert (district.personal("fact"), district.personal("down")) == (0, 0)
    for value in (PHONE, NAME, ADDRESS, ACCOUNT, "482913", "A" * 26):
        assert value not in district.everything()


def test_an_unknown_kind_goes_with_the_parcel_it_names_or_after_half_a_year(
    district: District, caplog: pytest.LogCaptureFixture
) -> None:
    district.happened(*comes(1, "p1", expected=False))
    for body in ('{"parcel":"p1","~":{}}', '{"visitor":"v1","~":{}}', '{"bill":"B9"}', '{"parcel":"\\ud800"}', "[]"):
        district.points[SITE].wrote("visitor_came.7", body, {"who": ("00" * 16, NAME)})
    district.happened(goes(1, "p1"))
    assert district.personal("fact") == 6

    district.days(31)
    assert district.personal("fact") == 4
    assert district.days(lived.MOST_DAYS - 32) == Forgotten()
    assert district.days(2) == Forgotten(facts=4)

    assert NAME not in district.everything()
    assert NAME not in caplog.text


def test_a_damaged_row_keeps_nobody_else_and_goes_after_half_a_year(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), *comes(2, "p2", expected=False), goes(1, "p1"), goes(2, "p2"))
    with district.store.transaction() as tx:
        tx.execute("UPDATE fact SET body = ?, personal = ? WHERE seq = 1", ("no json", '{"phone":'))
        tx.execute("DELETE FROM sms WHERE parcel = 'p2'")
        tx.execute("DELETE FROM parcel WHERE parcel = 'p2'")

    assert district.days(31) == Forgotten(parcels=1)
    assert district.personal("fact") == 2
    assert district.days(lived.MOST_DAYS) == Forgotten(facts=2)


# --- logs and sites -----------------------------------------------------------------------------------------------


def test_a_card_that_was_put_back_is_walked_too_though_its_numbers_were(district: District) -> None:
    point = district.points[SITE]
    district.happened(ev.DoorOpened("o1", 1))
    old = point.copy_disk()
    district.happened(*(ev.DoorOpened(f"o{n}", 2) for n in range(20)))
    district.days(40)

    point.put_back(old)
    point.new_names = iter([LogId("second")])
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    assert district.days(29) == Forgotten()
    assert district.days(2) == Forgotten(parcels=1, facts=1)


def test_a_parcel_that_left_twice_is_gone_since_the_second_time(district: District) -> None:
    """The card was put back to a day when it lay here; it was given out once more."""
    point = district.points[SITE]
    district.happened(*comes(1, "p1", expected=False))
    old = point.copy_disk()
    district.happened(goes(1, "p1"))
    district.days(20)
    point.put_back(old)
    point.new_names = iter([LogId("second")])
    district.happened(ev.ParcelExcepted("p1", "not found"), goes(1, "p1"))

    assert district.days(29) == Forgotten()
    assert district.days(2) == Forgotten(parcels=1, facts=1)


def test_what_still_comes_of_a_forgotten_parcel_is_forgotten_in_its_turn(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.days(40)
    district.points[SITE].wrote("visitor_came.7", '{"parcel":"p1"}', {"who": ("00" * 16, NAME)})
    district.happened(ev.DoorOpened("o1", 1))

    assert district.days(29) == Forgotten()
    assert district.days(2) == Forgotten(facts=1)


def test_a_site_that_no_settings_name_any_more_is_forgotten_as_well(open_at: OpenAt) -> None:
    both = open_at(sites=(SITE, OTHER))
    both.round()
    both.happened(*comes(1, "p1", expected=False), goes(1, "p1"), site=OTHER)
    one = open_at(clock=both.clock)

    assert one.days(31) == Forgotten(parcels=1, facts=1)


def test_a_worker_forgets_for_the_sites_it_serves(open_at: OpenAt) -> None:
    district = open_at(sites=(SITE, OTHER))
    district.round()
    for site in (SITE, OTHER):
        district.happened(*comes(1, "p1", expected=False), goes(1, "p1"), site=site)
    for _ in range(31):
        district.clock.passes(DAY)
        district.forgetter._note_day()
    own = Forgetter(district.store, 30, lambda: [OTHER])

    assert asyncio.run(own.go_round()) == Forgotten(parcels=1, facts=1)

    assert [district.personal("fact", site) for site in (SITE, OTHER)] == [1, 0]


# --- clocks -------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_ten_years_ahead_forgets_nobody_at_once(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.days(10)

    district.clock.at += 3_650 * DAY
    assert district.round() == Forgotten()
    for _ in range(50):  # a day of rounds, and of restarts of the program
        district.clock.passes(DAY // 50)
        district.forgetter = Forgetter(district.store, 30, lambda: district.store.keys)
        assert district.round() == Forgotten()
    assert district.days(15) == Forgotten()
    assert district.days(6) == Forgotten(parcels=1, facts=1)  # the false day counted as one


def test_an_old_hub_whose_clock_jumps_forgets_those_of_its_own_old_days_alone(district: District) -> None:
    district.days(100)
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.days(25)
    district.happened(*comes(2, "p2", expected=False), goes(2, "p2"))

    district.clock.at += 3_650 * DAY
    assert district.days(3) == Forgotten()
    assert district.days(3) == Forgotten(parcels=1, facts=1)
    assert district.days(20) == Forgotten()
    assert district.days(5) == Forgotten(parcels=1, facts=1)


def test_thirty_days_are_thirty_times_a_whole_day(district: District) -> None:
    midnight = DAY - district.clock.at % DAY
    district.clock.passes(midnight + DAY)
    district.round()
    district.clock.passes(23 * DAY // 24)
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.clock.passes(2 * DAY // 24)
    district.round()

    assert district.days(29) == Forgotten()  # the thirtieth day has begun, an hour ago
    district.clock.passes(22 * DAY // 24)
    assert district.round() == Forgotten(parcels=1, facts=1)


def test_a_clock_that_jumps_about_lives_no_more_days(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.days(5)

    for year in range(60):
        district.clock.at += 365 * DAY
        district.clock.passes(60_000)
        assert district.round() == Forgotten(), year


def test_what_came_while_the_clock_was_ahead_goes_in_its_turn(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "BATCH", 3)
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.clock.at += 3_650 * DAY
    for number in range(2, 7):
        district.happened(*comes(number, f"p{number}", expected=False), goes(number, f"p{number}"))
    district.clock.at -= 3_650 * DAY
    district.days(3)
    district.happened(*comes(9, "p9", expected=False))

    assert district.days(28) == Forgotten(parcels=1, facts=1)
    assert district.days(3) == Forgotten(parcels=5, facts=5)
    assert district.personal("fact") == 1


def test_a_clock_years_behind_forgets_nobody(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.clock.at -= 5 * 365 * DAY

    assert district.days(29) == Forgotten()


def test_days_on_which_the_hub_stood_still_do_not_count(district: District) -> None:
    district.happened(*comes(1, "p1", expected=False), goes(1, "p1"))
    district.days(20)
    district.clock.passes(60 * DAY)

    assert district.days(9) == Forgotten()
    assert district.days(2) == Forgotten(parcels=1, facts=1)


def test_a_hub_of_an_earlier_release_has_lived_the_days_of_its_answers(places: Places, open_at: OpenAt) -> None:
    first = open_at()
    for number in range(32):
        first.happened(*comes(number, f"p{number}", expected=False))
        first.happened(goes(number, f"p{number}"))
        first.clock.passes(DAY)
    first.store.close()
    tables = ("site", "head", "fact", "down", "parcel", "sms")
    first.store.open()
    held = {table: first.rows(f"SELECT * FROM {table}") for table in tables}
    first.store.close()
    older = places.database("older")
    older.open(MIGRATIONS[: MIGRATIONS.index(FORGETTING)])
    with older.transaction() as session:
        for table, kept in held.items():
            for row in kept:
                names, marks = ", ".join(row), ", ".join("?" * len(row))
                session.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    older.close()

    again = open_at("older", first.clock)

    assert again.round() == Forgotten(parcels=3, facts=3)


# --- faults -------------------------------------------------------------------------------------------------------


def full_district(district: District) -> None:
    """Fourteen parcels, some bills, all kinds of ends."""
    district.send({"parcels": [parcel_row(n) for n in range(8)], "bills": [bill_row(n) for n in range(4)]})
    for number in range(8):
        district.happened(*comes(number), *([goes(number)] if number % 4 else []))
    for number in range(10, 16):
        district.happened(*comes(number, f"own{number}", expected=False), goes(number, f"own{number}"))
    district.happened(paid(1), paid(2, 1), ev.BillRefunded("B2", "S2", 1, "op1"))


ALL = Forgotten(parcels=12, bills=2, facts=6, announcements=8)


def live(district: District, days: int) -> None:
    """Days pass and nobody is forgotten yet."""
    for _ in range(days):
        district.clock.passes(DAY)
        district.forgetter._note_day()


class Killed(BaseException):
    """The process ends here."""


def test_killed_in_any_step_the_next_round_goes_on_and_ends_the_same(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (walks, forgetting):
        monkeypatch.setattr(module, "BATCH", 4)
    district = open_at()
    district.round()
    full_district(district)
    live(district, 31)
    really = forgetting.walked
    kills = steps = 0

    def dies(*args: Any) -> None:
        nonlocal steps
        steps += 1
        really(*args)
        if steps % 3 == 2:
            raise Killed

    monkeypatch.setattr(forgetting, "walked", dies)
    while kills < 100:
        again = open_at(clock=district.clock)
        try:
            with pytest.raises(Killed):
                again.round()
        except pytest.fail.Exception:
            break
        kills += 1
    assert kills >= 5

    left = district.everything()
    assert district.round() == Forgotten()
    assert district.everything() == left
    assert (district.personal("fact"), district.personal("down")) == (0, 4)
    names = {row["parcel"] for row in district.rows("SELECT parcel FROM parcel WHERE phone IS NOT NULL")}
    assert names == {ident(0), ident(4)}


def test_a_program_killed_again_and_again_comes_through(places: Places, open_at: OpenAt, tmp_path: Path) -> None:
    district = open_at()
    district.round()
    full_district(district)
    live(district, 31)
    district.store.close()
    is_postgres = isinstance(places, PostgresPlaces)
    place = places.url("hub") if isinstance(places, PostgresPlaces) else str(tmp_path / "hub")
    victim = [sys.executable, str(Path(__file__).with_name("forget_victim.py"))]
    where = ["postgresql" if is_postgres else "sqlite", place, str(district.clock.at)]
    kills = 0

    for act in (2, 5, 9, 10, 1000):  # each begins where the one before was killed
        ended = subprocess.run([*victim, *where, str(act)], capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode in (0, -9), ended.stderr
        kills += ended.returncode == -9

    assert kills == 4
    assert ended.returncode == 0
    district.store.open()
    assert district.round() == Forgotten()
    assert (district.personal("fact"), district.personal("down")) == (0, 4)
    names = {row["parcel"] for row in district.rows("SELECT parcel FROM parcel WHERE phone IS NOT NULL")}
    assert names == {ident(0), ident(4)}
    assert {row["name"] for row in district.rows("SELECT name FROM bill WHERE bill IN ('B1', 'B2')")} == {""}


def test_a_round_is_counted_before_it_is_made(district: District) -> None:
    full_district(district)
    live(district, 31)
    before = district.everything()
    with district.store.reading() as tx:
        now = lived.times(tx, 30)

    assert would_forget(district.store, SITE, now) == ALL
    assert district.everything() == before
    assert district.round() == ALL
    assert would_forget(district.store, SITE, now) == Forgotten()
    assert district.round() == Forgotten()


def test_two_workers_and_the_intake_at_the_same_time_do_it_once(
    open_at: OpenAt, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (walks, forgetting):
        monkeypatch.setattr(module, "BATCH", 2)
    district = open_at()
    district.round()
    full_district(district)
    live(district, 31)
    done: list[Forgotten] = []
    faults: list[str] = []

    def forgets() -> None:
        store = HubStore(places.database("hub"), district.clock, SystemDice(), {SITE: KEY})
        store.open()
        own = District(store, district.clock, district.folder)
        with closing(store):
            for _ in range(20):
                try:
                    some = own.round()
                except StoreFault as fault:
                    faults.append(fault.code)
                else:
                    done.append(some)
                    return

    threads = [threading.Thread(target=forgets) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20, 40):
        district.happened(*comes(number, f"own{number}", expected=False))
    for thread in threads:
        thread.join(60)

    assert done[0] + done[1] == ALL
    assert set(faults) <= {"busy"}
    assert district.personal("fact") == 20
    assert len(district.rows("SELECT * FROM parcel WHERE phone IS NOT NULL")) == 22


def test_a_stretch_that_another_worker_has_walked_is_left_to_it(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "BATCH", 4)
    district = open_at()
    district.round()
    full_district(district)
    live(district, 31)
    other = open_at(clock=district.clock)
    with district.store.reading() as tx:
        now = lived.times(tx, 30)
        stale = walks.next_stretch(tx, SITE, now, {})
    other.round()
    kept, marks = district.everything(), district.rows("SELECT * FROM walked ORDER BY way, log_id")
    monkeypatch.setattr(forgetting, "next_stretch", lambda *_: stale)

    assert forgetting.step(district.store, SITE, now) == Forgotten()
    assert district.everything() == kept
    assert district.rows("SELECT * FROM walked ORDER BY way, log_id") == marks


def test_one_site_that_cannot_be_walked_keeps_nobody_elses_people(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    district = open_at(sites=(SITE, OTHER))
    district.round()
    for site in (SITE, OTHER):
        district.happened(*comes(1, "p1", expected=False), goes(1, "p1"), site=site)
    live(district, 31)
    really = forgetting.look

    def stumbles(tx: Any, site: SiteCode, *rest: Any) -> Any:
        if site == SITE:
            raise ValueError(PHONE)
        return really(tx, site, *rest)

    monkeypatch.setattr(forgetting, "look", stumbles)

    assert district.round() == Forgotten(parcels=1, facts=1)
    assert district.forgetter.failed == 1
    assert "could not be forgotten: ValueError" in caplog.text
    assert PHONE not in caplog.text


# --- the running hub and the command ------------------------------------------------------------------------------


def test_the_running_hub_forgets_by_itself_also_without_its_broker(
    open_at: OpenAt, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forgetter, "FIRST_S", 0.01)
    district = open_at()
    district.forgetter._note_day()
    full_district(district)
    live(district, 31)
    caplog.set_level("INFO", forgetter.__name__)

    async def until_it_has_forgotten() -> None:
        hub = Hub(district.store, Broker("127.0.0.1", 1), HubOutside(lambda: 0.5, lambda: None))
        running = asyncio.create_task(hub.run())
        async with asyncio.timeout(20):
            while "forgotten" not in caplog.text:
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(until_it_has_forgotten())

    assert "the people of 12 parcels and 2 bills, in 6 facts and 8 announcements" in caplog.text
    for value in (PHONE, NAME, ADDRESS, ACCOUNT):
        assert value not in caplog.text


@pytest.fixture
def hub_file(places: Places, tmp_path: Path) -> Path:
    (tmp_path / "link.key").write_text(KEY.hex())
    file = tmp_path / "hub.toml"
    setting = places.setting("hub")
    setting += "" if "[hub]" in setting else "[hub]\n"
    broker = '[broker]\nhost = "127.0.0.1"\n'
    file.write_text(
        setting + "personal_keep_days = 30\n" + broker + f'[sites.{SITE}]\nname = "a"\nlink_key_file = "link.key"\n'
    )
    return file


def test_the_command_counts_first_and_prints_counts_alone(
    open_at: OpenAt, hub_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    district = open_at()
    district.round()
    full_district(district)
    monkeypatch.setattr(cli, "SystemClock", lambda: district.clock)

    def forget(*options: str) -> tuple[int, Any, str]:
        code = cli.main(["forget", *options, "--config", str(hub_file)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    counts = {"parcels": 12, "bills": 2, "facts": 6, "announcements": 8}
    none = dict.fromkeys(counts, 0)
    code, told, said = forget()
    assert (code, told["forgotten"]) == (0, none)
    assert "has not worked for 30 days yet" in said
    live(district, 31)
    before = district.everything()

    assert forget("--dry-run") == (0, {"keep_days": 30, "would_forget": counts}, "")
    assert district.everything() == before
    assert forget("--site", SITE) == (0, {"keep_days": 30, "forgotten": counts}, "")
    assert forget() == (0, {"keep_days": 30, "forgotten": none}, "")
    code, told, said = forget("--site", "QJ-9999")
    assert (code, told) == (1, None)
    assert "QJ-9999" in said


@pytest.mark.parametrize("days", ["6", "181", "0", "-1", '"30"', "true", "30.5"])
def test_a_number_of_days_that_cannot_be_meant_is_named(tmp_path: Path, days: str) -> None:
    file = tmp_path / "hub.toml"
    (tmp_path / "k").write_text(KEY.hex())
    file.write_text(
        f'data_dir = "d"\n[hub]\npersonal_keep_days = {days}\n[broker]\nhost = "h"\n'
        f'[sites.{SITE}]\nname = "a"\nlink_key_file = "k"\n'
    )

    with pytest.raises(ConfigError) as caught:
        load(file)

    assert english(caught.value).endswith("hub.personal_keep_days: must be a whole number from 7 to 180")


def test_the_days_are_thirty_unless_set(tmp_path: Path) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(
        f'data_dir = "d"\n[broker]\nhost = "h"\n[sites.{SITE}]\nname = "a"\nlink_key_file = "k"\n', encoding="utf-8"
    )

    assert load(file).work.personal_keep_days == 30
