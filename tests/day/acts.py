"""What the people of the day do, through the real screens and the simulated devices. One method per act."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sample
from eyes import Eyes, until
from stand import Stand

from ui.drive_client import DriveError, Driver

IN_STOCK = ("in_locker", "on_shelf")
GUNS = ("gun", "wand")  # one that types lines, one that talks and beeps
PIN = next(o.pin for o in sample.OPERATORS if o.role == "operator")
TECHNICIAN_PIN = next(o.pin for o in sample.OPERATORS if o.role == "technician")


class Acts:
    """Operator, villagers and technician before one kiosk. The kiosk may die under every act (DriveError)."""

    def __init__(self, stand: Stand, eyes: Eyes, dice: random.Random, shots: Path) -> None:
        self._stand, self._eyes, self._dice, self._shots = stand, eyes, dice, shots
        self.driver: Driver = stand.driver()
        self.amounts: list[tuple[int, list[str]]] = []  # fen to pay, and what the price display showed then
        self.secrets: set[str] = set()  # codes and tokens that people held today: no log may know them

    def reconnect(self) -> None:
        self.driver = self._stand.driver()

    def shot(self, name: str) -> None:
        self.driver.shot(self._shots / f"{name}.png")

    def scan(self, text: str, gun: str = "") -> None:
        """Scan with this gun, or with whichever lies nearer."""
        self._stand.poke(gun or self._dice.choice(GUNS), "send", text)

    # -- operator

    def log_in(self, pin: str = PIN) -> None:
        self.to_home()
        self.driver.tap("home.operator")
        self.driver.wait("login")
        self.driver.type(pin)
        self.driver.tap("login.ok")
        self.driver.wait("board" if pin == PIN else "devices|wizard", 15)

    def log_out(self) -> None:
        self.driver.tap(f"{self.driver.screen()['screen']}.logout")
        self.driver.wait("standby")

    def to_home(self) -> None:
        for _ in range(6):
            page = self.driver.screen()
            here, buttons = page["screen"], page["buttons"]
            if here == "home":
                return
            step = next(b for b in ("start", "home", "done", "logout", "back", "later") if f"{here}.{b}" in buttons)
            self.driver.tap(f"{here}.{step}")
            time.sleep(0.35)
        raise DriveError("no way home")

    def to_intake(self) -> None:
        if self.driver.screen()["screen"] != "intake":
            self.driver.tap("board.intake")
            self.driver.wait("intake")

    def take_in(self, parcel: dict[str, Any], *, agreed: bool = True, gun: str = "") -> bool:
        """Scan one parcel in and do what the screen asks. Return whether it is in stock afterwards."""
        number = parcel["waybill_no"]
        self.scan(number, gun)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self._eyes.state(number) in IN_STOCK:
                self.driver.wait("intake", 10)
                return True
            here = self.driver.screen()["screen"]
            match here:
                case "intake_consent":
                    self.shot("intake_consent")
                    self.driver.tap("intake_consent.shelf" if agreed else "intake_consent.back")
                    if not agreed:
                        self.driver.wait("intake")
                        return False
                case "intake_carrier":
                    self.shot("intake_carrier")
                    self.driver.tap(f"intake_carrier.{parcel['carrier']}")
                case "intake_phone":
                    self.shot("intake_phone")
                    self.driver.type(parcel["phone"])
                    self.driver.tap("intake_phone.consent")
                    self.driver.tap("intake_phone.ok")
                case "intake_door":
                    self._once("intake_door")
            time.sleep(0.05)
        raise DriveError(f"the intake of a parcel did not end (screen {here})")

    # -- villagers

    def collect_by_code(self, number: str, name: str | None = None) -> None:
        """Type code and phone tail; take what the screen offers."""
        code, _, tail = self._eyes.slip(number)
        self.secrets.add(code)
        self.to_home()
        self.driver.tap("home.pickup")
        self.driver.wait("pickup")
        self.driver.type(code)
        if name:
            self.shot(name)
        self.driver.type(tail)
        self._leave_with(number)

    def collect_by_token(self, number: str) -> None:
        """Hold the slip before the scanner, from whatever screen is open."""
        _, token, _ = self._eyes.slip(number)
        self.secrets.add(token)
        self.to_home()
        self.scan(f"VP1:{token}")
        self._leave_with(number)

    def _leave_with(self, number: str) -> None:
        end = time.monotonic() + 40
        while time.monotonic() < end:
            page = self.driver.screen()
            match page["screen"]:
                case "choose":
                    self._once("choose")
                    self.driver.tap("choose.all")
                case "door":
                    self._once("door")
                case "fetch":
                    self._once("fetch")
                    waiting = self._eyes.point(
                        "SELECT waybill_no FROM parcel WHERE state = 'releasing' AND cell IS NULL"
                    )
                    if waiting:
                        self.scan(waiting[0][0])
                        until("handed over", lambda n=waiting[0][0]: self._eyes.state(n) == "picked_up")
                case "thanks":
                    self._once("thanks")
                    return
                case "staff" | "refused":
                    return
            time.sleep(0.05)
        raise DriveError(f"a pick-up did not end (screen {page['screen']}, parcel {self._eyes.state(number)})")

    def wrong_code(self) -> None:
        self.to_home()
        self.driver.tap("home.pickup")
        self.driver.wait("pickup")
        self.driver.type("000000")
        self.driver.type("0000")
        self.driver.wait("refused", 10)
        self._once("refused_code")

    def call_help(self) -> None:
        self.to_home()
        self.driver.tap("home.help")
        self.driver.wait("help")
        self.shot("help")

    def pay(self, bill: dict[str, Any]) -> None:
        """Find the bill, confirm, hand the cash to the operator, who types the PIN; keep the slip."""
        self.to_home()
        self.driver.tap("home.bill")
        self.driver.wait("bill")
        self._once("bill")
        self.driver.tap(f"bill.{bill['kind']}")
        self.driver.wait("account")
        self.driver.type(bill["account_no"])
        self._once("account")
        self.driver.tap("account.ok")
        self.driver.wait("bills", 10)
        self._once("bills")
        self.driver.tap("bills.row_0")
        self.driver.wait("confirm")
        self._once("confirm")
        self.driver.tap("confirm.pay")
        self.driver.wait("cash")
        self.driver.type(PIN)
        self._once("cash")
        self.amounts.append((bill["fen"], self._stand.poke("price", "shown")))
        self.driver.tap("cash.ok")
        self.driver.wait("slip", 15)
        self._once("slip")

    def print_again(self) -> None:
        """The payer wants the slip once more, with the number it has."""
        until("the slip's button", lambda: "slip.print" in self.driver.screen()["buttons"], 60)
        self.shot("slip_unsure")
        self.driver.tap("slip.print")

    # -- round the boards

    def look_at_boards(self, when: str) -> None:
        self.log_in()
        self.shot(f"{when}_board")
        for name in ("search", "money", "sync", "cells"):
            self.driver.tap(f"board.{name}")
            self.driver.wait(name)
            time.sleep(0.4)
            self.shot(f"{when}_{name}")
            self.driver.tap(f"{name}.back")
            self.driver.wait("board")
        self.log_out()

    def weigh(self, grams: int, fen_per_kg: int, *, printed: bool) -> None:
        """Goods on the pan, a price keyed in, a ticket; the scale's page is open."""
        self._stand.poke("scale", "put", grams)
        tickets = len(self._eyes.point("SELECT ticket FROM weighing"))
        self.driver.type(str(fen_per_kg))
        self.driver.tap("weigh.weigh")
        until("a ticket", lambda: len(self._eyes.point("SELECT ticket FROM weighing")) == tickets + 1)
        time.sleep(0.3)
        self._once("weigh")
        if printed:
            self.driver.tap("weigh.print")
        self._stand.poke("scale", "take")
        time.sleep(1.0)  # an empty pan, long enough for the scale to see it
        self.driver.tap("weigh.clear")

    def technician(self) -> None:
        self.log_in(TECHNICIAN_PIN)
        time.sleep(0.4)
        self.shot("devices")
        self.log_out()

    def _once(self, name: str) -> None:
        if not (self._shots / f"{name}.png").exists():
            self.shot(name)


def retried(act: Callable[[], Any], revive: Callable[[], None]) -> Any:
    """Do an act; when the kiosk dies under it, bring it back and do it again."""
    for _ in range(3):
        try:
            return act()
        except (DriveError, OSError):
            revive()
    return act()
