"""A short day at an emulated point: parcels in by the keyboard gun, out by touches, a bill; and both sides compared."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sample
from emulated_point import EmulatedPoint, NoSuchButton
from image_district import ImageDistrict
from ledger import Ledger, NotSeen, until
from scenes_start import status, verified

PIN = next(each.pin for each in sample.OPERATORS if each.role == "operator")
TURN_S = 8.0  # from a touch to the next page
PAGE_S = 60.0  # an emulated machine draws some frames a second
SCANS = 3
HUB_S = 180.0
WAITING = """
SELECT sms.code, sms.phone FROM sms JOIN parcel ON parcel.site = sms.site AND parcel.parcel = sms.parcel
WHERE parcel.state = 'in_locker' AND sms.code <> '' ORDER BY sms.at DESC
"""


class Counter:
    """Operator and villagers before the emulated screen. Guns type, fingers touch, doors are the simulator's."""

    def __init__(self, point: EmulatedPoint, district: ImageDistrict, ledger: Ledger) -> None:
        self.point, self.district, self.ledger = point, district, ledger
        manifest = json.loads(district.stand.manifest.read_text("utf-8"))
        self.parcels: list[dict[str, Any]] = [row for row in manifest["parcels"] if row["consent"] == "locker"]
        self.bills: list[dict[str, Any]] = manifest["bills"]
        self.taken_in: list[str] = []
        self.paid_fen = 0
        self.thanked = self.slips = 0  # pick-ups and payments that the screen confirmed
        self.seen: Callable[[], None] = lambda: None  # called when the world has seen something happen

    def go_home(self) -> None:
        self._walk("home", ("start", "home", "done", "logout", "back", "later", "here"))

    def log_out(self) -> None:
        self._walk("standby", ("logout", "back", "home", "done"))

    def _walk(self, to: str, ways: tuple[str, ...]) -> None:
        """Leave page after page. One may leave by itself between the look and the touch: then look again."""
        for _ in range(12):
            page = self.point.page()
            here = page["screen"]
            if here == to:
                return
            way = next((way for way in ways if f"{here}.{way}" in page["buttons"]), None)
            if way is not None:
                with suppress(NoSuchButton):
                    self.point.tap(f"{here}.{way}")
            with suppress(NotSeen):
                until("another page", lambda here=here: self.point.page()["screen"] != here, TURN_S, 0.2)
        self.point.wait(to, PAGE_S)

    def log_in(self) -> None:
        self.go_home()
        self.point.tap("home.operator")
        self.point.wait("login", PAGE_S)
        self.point.type(PIN)
        self.point.tap("login.ok")
        self.point.wait("board", PAGE_S)

    def open_intake(self) -> None:
        here = self.point.page()["screen"]
        if here != "intake":
            if here != "board":
                self.log_in()
            self.point.tap("board.intake")
            self.point.wait("intake", PAGE_S)

    def board(self) -> str:
        """What the operator's board says, opened anew: it tells how things were when it was opened."""
        self.open_intake()
        self._walk("board", ("done", "back"))
        return " ".join(map(str, self.point.page()["texts"]))

    def take_in(self, waybill_no: str) -> None:
        """Scan with the gun; the cell opens at the simulated board; the door is shut there.

        An operator who sees nothing happen scans again: the emulated keyboard loses keys that a slow guest does not
        fetch in time, as no gun does. How often is told.
        """
        before = self.pulses()
        for _ in range(SCANS):
            self.point.machine.qmp.scan(waybill_no)
            with suppress(NotSeen):
                until(f"parcel {waybill_no} in a cell", lambda: self.pulses() > before, PAGE_S)
                break
            self.ledger.count("scans that the machine lost")
        else:
            raise NotSeen(f"parcel {waybill_no} came into no cell, scanned {SCANS} times")
        self.point.wait("intake", PAGE_S)
        self.taken_in.append(waybill_no)
        self.seen()

    def collect(self, waybill_no: str) -> None:
        """Type the code of the message and the tail of the phone; the cell opens, the door is shut."""
        code, tail = until("the message to the recipient", lambda: self.message(waybill_no), HUB_S)
        self.fetch(self.before_pickup(code, tail))

    def before_pickup(self, code: str, tail: str) -> str:
        """Type code and tail but for the last digit, and tell that."""
        self.go_home()
        self.point.tap("home.pickup")
        self.point.wait("pickup", PAGE_S)
        self.point.type(code + tail[:-1])
        return tail[-1]

    def fetch(self, last: str) -> None:
        """Type the last digit; the cell opens, the door is shut, the screen says thanks."""
        before = self.pulses()
        self.point.tap(f"pickup.{last}")
        page = self.point.wait("choose|door|thanks", PAGE_S)
        if page["screen"] == "choose":
            self.point.tap("choose.all")
        until("a cell opened for the pick-up", lambda: self.pulses() > before, PAGE_S)
        self.point.wait("thanks", 2 * PAGE_S)
        self.thanked += 1
        self.seen()

    def pay(self, bill: dict[str, Any]) -> None:
        """Find the bill by its account, hand the cash over, the operator types the PIN."""
        self.before_payment(bill)
        self.take_cash(bill)

    def before_payment(self, bill: dict[str, Any]) -> None:
        """Everything up to the key that takes the cash."""
        self.go_home()
        self.point.tap("home.bill")
        self.point.wait("bill", PAGE_S)
        self.point.tap(f"bill.{bill['kind']}")
        self.point.wait("account", PAGE_S)
        self.point.type(bill["account_no"])
        self.point.tap("account.ok")
        self.point.wait("bills", PAGE_S)
        self.point.tap("bills.row_0")
        self.point.wait("confirm", PAGE_S)
        self.point.tap("confirm.pay")
        self.point.wait("cash", PAGE_S)
        self.point.type(PIN)

    def take_cash(self, bill: dict[str, Any]) -> None:
        """The key that takes the cash; the slip's page comes."""
        self.point.tap("cash.ok")
        self.point.wait("slip", PAGE_S)
        self.seen()
        self.slips += 1
        self.paid_fen += bill["fen"]

    # -- what an outside eye sees

    def pulses(self) -> int:
        """How many times the simulated board was told to open a lock."""
        return sum(int(count) for count in self.district.stand.poke("locker", "state")["pulses"].values())

    def message(self, waybill_no: str) -> tuple[str, str] | None:
        """Code and phone tail, as the recipient has them from the hub's message."""
        phone = next(row["phone"] for row in self.parcels if row["waybill_no"] == waybill_no)
        rows = hub_rows(self.district.stand.folder, "SELECT code FROM sms WHERE phone = ? AND code IS NOT NULL", phone)
        return (str(rows[-1][0]), phone[-4:]) if rows else None

    def waiting(self) -> tuple[str, str] | None:
        """Code and phone tail of the parcel that was put into a cell last, and that nobody has fetched."""
        rows = hub_rows(self.district.stand.folder, WAITING)
        return (str(rows[0][0]), str(rows[0][1])[-4:]) if rows else None

    def compare(self) -> None:
        """Facts at the hub are the facts of the point, in the same order."""
        until("all facts at the hub", lambda: status(self.point)["pending"] == 0, HUB_S, 5.0)
        here, there = status(self.point), self.district.hub_site()
        self.ledger.check("digest over all facts: point and hub", here["digest"] == there["digest"], (here, there))
        proof = verified(self.point)
        self.ledger.check("the chain of facts verifies", proof["ok"], proof)
        self.ledger.figure("facts at the point and at the hub", here["facts"], "facts")


def hub_rows(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the hub's file from outside."""
    db = sqlite3.connect(f"file:{next((folder / 'hub').glob('*.db'))}?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def short_day(counter: Counter, parcels: int = 2, bills: int = 1) -> None:
    """Parcels in, one of them out, bills paid, all compared."""
    counter.open_intake()
    for row in counter.parcels[:parcels]:
        counter.take_in(row["waybill_no"])
    counter.log_out()
    counter.collect(counter.taken_in[0])
    for bill in counter.bills[:bills]:
        counter.pay(bill)
    counter.compare()
    states = status(counter.point)
    counter.ledger.check("one parcel is out", states["parcels"].get("picked_up") == 1, states["parcels"])
    counter.ledger.check(
        "the others lie in cells", states["parcels"].get("in_locker") == parcels - 1, states["parcels"]
    )
    paid = sum(each["fen"] for each in states["bills"].values() if each["count"]) - sum(
        each["fen"] for name, each in states["bills"].items() if name == "unpaid"
    )
    counter.ledger.check("the money of the bills", paid == counter.paid_fen, states["bills"])
