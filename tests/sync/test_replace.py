"""A dead terminal replaced, with a real broker, reception and hub: open parcels, codes and money come back."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_first_start import SITE, Blank
from tls_district import ROOT, TlsDistrict

from edge import bills, cells, guard, keys, log, parcels, pickups
from edge.clock import SystemClock, SystemDice
from edge.config import load
from edge.model import BillId, Fen, OperatorId, Parcel, PickupCode, Role, WaybillNo
from edge.parcels import Arrival
from edge.setup import begin
from edge.steps.first import FirstStart
from edge.store import Store

OP = OperatorId("op1")
PIN = "271828"
PATIENCE_S = 60.0
PROFILE = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "village_point"
language = "zh"
[cabinet]
locker = "locker"
cells = "SSSSMMMM"
[[shelf]]
name = "A"
levels = 1
positions = 9
[devices.locker]
kind = "lock_8a80"
path = "/dev/village-point-none"
"""
NAMES = ("王小明", "李小红", "张大山", "赵小兰", "陈小军")


def manifest() -> dict[str, list[dict[str, Any]]]:
    rows = [
        {
            "waybill_no": f"SF12345678901{n:02d}", "carrier": "SF", "recipient": NAMES[n],
            "phone": f"1380000{1000 + n}", "address": "金溪村3组12号", "consent": "locker", "size": "S",
        }
        for n in range(5)
    ]  # fmt: skip
    due = [
        {
            "bill_id": f"B{n}", "biller": "供电所", "kind": "power", "account_no": f"500{n}", "name": NAMES[n],
            "address": None, "period": "2026-02", "fen": 8650 + n, "due": "2027-03-31",
        }
        for n in range(4)
    ]  # fmt: skip
    return {"parcels": rows, "bills": due, "notices": []}


class Village:
    """One site of the district: its terminal dies and another takes its place."""

    def __init__(self, district: TlsDistrict, folder: Path) -> None:
        self.district = district
        self.folder = folder
        self.now = self.terminal("first")

    def terminal(self, name: str) -> Blank:
        blank = Blank(self.district, self.folder / name)
        blank.district_toml(blank.place.boot)
        return blank

    def approve(self, blank: Blank) -> list[FirstStart]:
        """Let it in; return what it showed until it was a kiosk."""
        code = blank.turn().code
        self.district.hub("approve", code, "--site", SITE, "--replace")
        shown = [blank.turn()]
        while not blank.beginning.is_done:
            shown.append(blank.turn())
            assert len(shown) < 6, shown
        self.now = blank
        return shown

    @contextmanager
    def books(self) -> Iterator[Store]:
        """The books of the terminal, while its kiosk does not run."""
        settings = load(self.now.place.config)
        store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
        store.open()
        try:
            store.run_now(begin, settings)
            yield store
        finally:
            store.close()

    def point(self, *words: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "edge.cli", *words, "--config", str(self.now.place.config)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def online(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Run the kiosk until the hub has all it has, and all the hub has for it is here; the figures of both."""
        command = [sys.executable, "-m", "edge.cli", "run", "--headless", "--config", str(self.now.place.config)]
        kiosk = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                time.sleep(0.5)
                hub = self.hubs()
                if not hub["online"]:  # a kiosk that is still starting has no books yet
                    continue
                own = self.point("status")
                came = hub["down"]["confirmed"] == hub["down"]["upto"]
                if came and own["pending"] == 0 and own["facts"] == hub["logs"][-1]["upto"]:
                    return own, hub
            raise AssertionError(f"the line does not come to rest: {hub}")
        finally:
            kiosk.send_signal(signal.SIGTERM)
            assert kiosk.wait(20) == 0

    def hubs(self) -> dict[str, Any]:
        [site] = [each for each in self.district.hub("status")[0]["sites"] if each["site"] == SITE]
        return dict(site)


def take_in(store: Store, number: int, target: str = "shelf") -> tuple[Parcel, str]:
    """Take a parcel in and return it with its code."""
    arrival = Arrival(WaybillNo(f"SF12345678901{number:02d}"), "SF", OP, target)
    parcel = store.run_now(parcels.take_in, arrival)
    if parcel.cell is not None:
        opening = store.run_now(cells.authorise, parcel.cell, "deposit", parcel.id, OP)
        store.run_now(cells.opened, opening)
        store.run_now(cells.closed, opening)
        parcel = store.run_now(parcels.deposited, parcel.id, "sensor")
    return parcel, code_of(store, parcel)


def code_of(store: Store, parcel: Parcel) -> str:
    return str(store.run_now(lambda tx: tx.value("SELECT code FROM parcel WHERE id = ?", (parcel.id,))))


def give_out(store: Store, parcel: Parcel, code: str, last4: str) -> None:
    found = store.run_now(pickups.identify, PickupCode(code), last4)
    assert found is not None
    assert found.id == parcel.id
    store.run_now(pickups.begin_pickup, parcel.id, "code")
    store.run_now(pickups.picked_up, parcel.id, "self", "confirmed")


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    (tmp_path / "district").mkdir()
    district = TlsDistrict(tmp_path / "district")
    district.start()
    (tmp_path / "profile.toml").write_text(PROFILE, "utf-8")
    district.hub("profile", "set", "--site", SITE, str(tmp_path / "profile.toml"))
    (tmp_path / "m.json").write_text(json.dumps(manifest()))
    district.hub("send", "--site", SITE, str(tmp_path / "m.json"))
    command = [sys.executable, "-m", "sync.hub.cli", "run", "--config", str(district.settings_file)]
    hub = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield Village(district, tmp_path)
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.wait(20)
        district.stop()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "copy", ["hub", pytest.param("stick", marks=pytest.mark.soak), pytest.param("none", marks=pytest.mark.soak)]
)
def test_a_dead_terminal_is_replaced_and_nothing_is_lost_or_doubled(village: Village, copy: str) -> None:
    assert [each.state for each in village.approve(village.now)] == ["starting"]
    old = village.now
    village.online()
    with village.books() as store:
        store.run_now(guard.add_operator, OP, Role.OPERATOR, guard.hash_pin(PIN, store.keys.device))
        early, early_code = take_in(store, 0)
        gone, gone_code = take_in(store, 1)
        store.run_now(bills.accept, BillId("B0"), Fen(8650), OP)
        store.run_now(bills.slip_shown, BillId("B0"))
    stick = village.folder / "stick"
    stick.mkdir()
    if copy != "none":
        village.point("keep", *([str(stick)] if copy == "stick" else []))
    with village.books() as store:  # after the copy: the hub hears of it
        late, late_code = take_in(store, 2, "locker")
        give_out(store, gone, gone_code, "1001")
        accepted, _ = store.run_now(bills.accept, BillId("B1"), Fen(8651), OP)
    before, _ = village.online()
    with village.books() as store:  # and of this nobody hears: the card dies with it
        store.run_now(bills.accept, BillId("B2"), Fen(8652), OP)
        lost_slip = store.run_now(lambda tx: tx.value("SELECT slip FROM bill WHERE id = 'B2'"))
        lost_end = store.run_now(log.head)
    shutil.rmtree(old.place.data_dir)

    new = village.terminal("second")
    shutil.copytree(stick, new.stick, dirs_exist_ok=True)
    shown = village.approve(new)

    assert [each.state for each in shown] == ["restoring", "starting"]
    with village.books() as store:
        assert store.run_now(log.verify) is None
        states = store.run_now(lambda tx: {row["id"]: row["state"] for row in tx.rows("SELECT * FROM parcel")})
        assert [states[each.id] for each in (early, gone, late)] == ["on_shelf", "picked_up", "in_locker"]
        assert (code_of(store, early), code_of(store, late)) == (early_code, late_code)
        assert store.run_now(lambda tx: tx.value("SELECT parcel FROM cell WHERE cell = ?", (late.cell,))) == late.id
        held = store.run_now(lambda tx: {row["id"]: row["state"] for row in tx.rows("SELECT * FROM bill")})
        assert held == {"B0": "posted", "B1": "posted", "B2": "unpaid", "B3": "unpaid"}
        people = store.run_now(guard.operators)
        assert any(guard.fits(text, PIN, store.keys.device) for _, _, text in people) == (copy != "none")
        give_out(store, early, early_code, "1000")
        fresh, _ = store.run_now(bills.accept, BillId("B3"), Fen(8653), OP)
        assert fresh.slip is not None
        assert int(fresh.slip) > max(int(lost_slip), int(accepted.slip or 0))
        end = store.run_now(log.head)
        assert end.log_id != lost_end.log_id
        alarms = store.run_now(lambda tx: {(row["code"], row["subject"]) for row in tx.rows("SELECT * FROM alarm")})
        assert ("new_pin", OP) in alarms if copy == "none" else ("new_pin", OP) not in alarms
    after, hub = village.online()
    assert after["digest"] == hub["digest"]
    assert after["facts"] == hub["facts"] > before["facts"]
    assert village.point("log", "verify")["ok"] is True
    assert after["bills"]["posted"]["count"] == 3
    [ended, alive] = [each for each in village.district.hub("certificates") if each["site"] == SITE]
    assert (ended["reason"], alive["reason"]) == ("replaced", None)
