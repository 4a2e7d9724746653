"""A release goes out in waves, on both kinds of database: what points say moves it, failures stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from memory_logs import KEY
from points import Point, exchange, hub_answers

from edge import events as ev
from edge.model import Seq, SiteCode
from edge.release import PIECE, digest, pieces_bytes, read_sheet
from sync.hub import down, releases, report, rollouts
from sync.hub.presence import note_presence
from sync.hub.rollouts import Aim, NotRolledOut, Terms
from sync.hub.store import HubStore
from sync.wire import Presence

BOARD = "village-terminal-arm64"
SITES = tuple(SiteCode(code) for code in ("AB-01-1", "AB-01-2", "AB-01-3", "AB-02-1", "AB-02-2", "CD-01-1"))
OpenHub = Callable[..., HubStore]


@dataclass
class District:
    """A hub and its points, each with a log of its own."""

    store: HubStore
    points: dict[SiteCode, Point] = field(default_factory=lambda: {site: Point(KEY) for site in SITES})

    def told(self, site: SiteCode) -> list[ev.Fact]:
        with self.store.reading() as tx:
            items = down.read_after(tx, site, Seq(0), 1000, 10**9)
        return [ev.decode(ev.Encoded(item.kind, item.body, item.personal)) for item in items]

    def orders(self) -> dict[SiteCode, list[ev.UpdateOrdered]]:
        found = {site: [f for f in self.told(site) if isinstance(f, ev.UpdateOrdered)] for site in SITES}
        return {site: facts for site, facts in found.items() if facts}

    def says(self, site: SiteCode, kind: type[ev.Fact], **more: object) -> None:
        """The point tells of its newest order, as edge/updating.py does."""
        order = self.orders()[site][-1]
        self.points[site].happened(kind(order=order.order, version=order.version, **more))  # type: ignore[call-arg]
        exchange(self.points[site], hub_answers(self.store, site))

    def installs(self, *sites: SiteCode) -> None:
        for site in sites:
            self.says(site, ev.UpdateFetched, base="", size=PIECE)
            self.says(site, ev.UpdateWritten, old="0.1.0")
            self.says(site, ev.UpdateInstalled, old="0.1.0")
        rollouts.advance(self.store)

    def status(self) -> dict[str, object]:
        with self.store.reading() as tx:
            return rollouts.status(tx)[0]


@pytest.fixture
def district(open_hub: OpenHub) -> District:
    store = open_hub(keys=dict.fromkeys(SITES, KEY))
    offer(store, "0.2.0", BOARD)
    return District(store)


def offer(store: HubStore, version: str, board: str) -> None:
    """A release as `Releases.add` writes it down; the file itself is of no matter here."""
    listed = pieces_bytes([digest(version.encode())])
    with store.transaction() as tx:
        tx.execute(
            "INSERT INTO release_file (sha256, version, compatible, base, size, pieces, list, added_at) "
            "VALUES (?, ?, ?, '', ?, ?, ?, 0)",
            (digest(f"{version}{board}".encode()), version, board, PIECE, digest(listed), listed.decode()),
        )


def test_all_goes_one_point_its_township_the_others(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("all"), Terms())
    assert set(district.orders()) == {SITES[0]}

    district.installs(SITES[0])
    assert set(district.orders()) == set(SITES[:3])

    district.installs(SITES[1], SITES[2])
    assert set(district.orders()) == set(SITES)

    district.installs(*SITES[3:])
    assert (district.status()["state"], district.status()["sites"]) == ("done", {"installed": 6})


def test_an_order_names_a_sheet_that_proves_itself(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("site", "AB-02-1"), Terms(at_once=True))

    ((order,),) = district.orders().values()
    with district.store.reading() as tx:
        text = tx.value("SELECT content FROM release_sheet WHERE digest = ?", (order.sheet,))
        now = tx.stamp.at
    sheet = read_sheet(text.encode())
    assert (sheet.version, sheet.compatible, order.compatible, order.at_once) == ("0.2.0", BOARD, BOARD, True)
    assert digest(text.encode()) == order.sheet
    assert 13 * rollouts.DAY_MS < order.until - now <= 14 * rollouts.DAY_MS


@pytest.mark.parametrize(
    ("aim", "meant"), [(Aim("site", "CD-01-1"), 1), (Aim("township", "AB-01"), 3), (Aim("all"), 6)]
)
def test_an_aim_means_its_sites(district: District, aim: Aim, meant: int) -> None:
    rollouts.start(district.store, "0.2.0", aim, Terms())

    assert sum(district.status()["sites"].values()) == meant  # type: ignore[attr-defined]


def test_a_first_point_that_falls_back_stops_it_there(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("all"), Terms())

    district.says(SITES[0], ev.UpdateFellBack, old="0.1.0", why="screen")
    rollouts.advance(district.store)

    told = district.status()
    assert (told["state"], told["why"]) == ("stopped", "the first point does not run it")
    assert told["failed"] == {"AB-01-1": "fell_back: screen"}
    assert set(district.orders()) == {SITES[0]}


def test_failures_stop_it_and_open_orders_are_withdrawn(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("all"), Terms(most_failures=2))
    district.installs(*SITES[:1])
    district.installs(*SITES[1:3])

    district.says(SITES[3], ev.UpdateFellBack, old="0.1.0", why="no_start")
    rollouts.advance(district.store)
    assert district.status()["state"] == "running"
    district.says(SITES[4], ev.UpdateRefused, why="disk_full")
    rollouts.advance(district.store)

    assert district.status()["state"] == "stopped"
    assert isinstance(district.told(SITES[5])[-1], ev.UpdateWithdrawn)
    assert district.status()["sites"] == {"fell_back": 1, "installed": 3, "refused": 1, "withdrawn": 1}


def test_it_goes_on_where_it_was_stopped(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("township", "AB-01"), Terms(most_failures=1))
    district.installs(SITES[0])
    district.says(SITES[1], ev.UpdateFellBack, old="0.1.0", why="hub")
    rollouts.advance(district.store)
    assert district.status()["state"] == "stopped"

    rollouts.resume(district.store, retry=True)
    assert len(district.orders()[SITES[1]]) == 2
    district.installs(SITES[1], SITES[2])

    assert (district.status()["state"], district.status()["sites"]) == ("done", {"installed": 3})


def test_stopped_by_hand_it_orders_no_more(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("all"), Terms())
    rollouts.stop(district.store)

    assert isinstance(district.told(SITES[0])[-1], ev.UpdateWithdrawn)
    rollouts.advance(district.store)
    assert set(district.orders()) == {SITES[0]}
    with pytest.raises(NotRolledOut, match="no roll-out is under way"):
        rollouts.stop(district.store)


def test_a_point_that_stays_silent_holds_nobody_up(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("township", "AB-01"), Terms())
    district.installs(SITES[0])
    with district.store.transaction() as tx:
        tx.execute("UPDATE rollout_site SET until = 1 WHERE site = ?", (SITES[1],))
    district.installs(SITES[2])
    rollouts.advance(district.store)

    assert (district.status()["state"], district.status()["sites"]) == ("done", {"installed": 2, "silent": 1})


def test_one_roll_out_at_a_time_of_a_release_that_is_there(district: District) -> None:
    with pytest.raises(NotRolledOut, match=r"no release 9\.9\.9"):
        rollouts.start(district.store, "9.9.9", Aim("all"), Terms())
    with pytest.raises(NotRolledOut, match="no site is meant"):
        rollouts.start(district.store, "0.2.0", Aim("township", "XX"), Terms())
    rollouts.start(district.store, "0.2.0", Aim("all"), Terms())
    with pytest.raises(NotRolledOut, match="under way"):
        rollouts.start(district.store, "0.2.0", Aim("all"), Terms())


def test_a_site_gets_the_release_for_its_board(district: District) -> None:
    offer(district.store, "0.2.0", "village-terminal-amd64")
    note_presence(district.store, SITES[3], Presence(True, "0.1.0", 0, {"board": BOARD}), retained=False)

    rollouts.start(district.store, "0.2.0", Aim("township", "AB-02"), Terms(first="AB-02-1"))

    assert district.orders()[SITES[3]][0].compatible == BOARD
    district.installs(SITES[3])
    assert district.status()["sites"] == {"installed": 1, "silent": 1}  # the other never said what it is


def test_what_runs_where_stands_in_the_status(district: District, tmp_path: Path) -> None:
    rollouts.start(district.store, "0.2.0", Aim("site", SITES[0]), Terms())
    district.says(SITES[0], ev.UpdateFellBack, old="0.1.0", why="device lock1")

    (told,) = (each for each in report.status(district.store)["sites"] if each["site"] == SITES[0])

    assert {name: told["update"][name] for name in ("version", "state", "why")} == {
        "version": "0.2.0",
        "state": "fell_back",
        "why": "device lock1",
    }


def test_a_release_by_hand_moves_no_roll_out(district: District) -> None:
    rollouts.start(district.store, "0.2.0", Aim("site", SITES[0]), Terms())
    district.points[SITES[0]].happened(ev.UpdateInstalled("", "0.3.0", "0.1.0"))
    exchange(district.points[SITES[0]], hub_answers(district.store, SITES[0]))

    assert district.status()["sites"] == {"ordered": 1}


def test_a_sheet_stays_what_it_was_when_a_file_joins(district: District) -> None:
    with district.store.transaction() as tx:
        before = releases.sheet_of(tx, "0.2.0", BOARD)
        tx.execute(
            "INSERT INTO release_file (sha256, version, compatible, base, size, pieces, list, added_at) "
            "VALUES (?, '0.2.0', ?, '0.1.0', 10, ?, '[]', 0)",
            (digest(b"delta"), BOARD, digest(b"list")),
        )
        after = releases.sheet_of(tx, "0.2.0", BOARD)
        kept = tx.value("SELECT count(*) FROM release_sheet")

    assert before != after
    assert kept == 2
