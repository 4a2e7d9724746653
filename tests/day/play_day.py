"""The first day of `make day`: a whole day at the point, with a cut line and three kill -9. The second is in second.py.

Scan bytes go into the simulated gun's terminal, touches onto the real screens, hands shut the simulated doors, the line
is cut for part of the day, the kiosk is killed twice at a random moment and once while a gun's memory is taken up.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import sample
from acts import Acts, retried
from devices import BEEPED, STORED, Counter, Heard
from district import Kind
from eyes import Eyes, NotSeen, manifest, until
from hands import Hands
from report import Expected, Report, Tally, compare, compare_devices
from run import kiosk_environment
from stand import Stand

KEEP_BACK = 30  # parcels whose people do not come today (a family member may still take them along)
BILLS_ONLINE, BILLS_OFFLINE = 3, 6
BY_CODE = 8  # pick-ups that are typed; the others hold the slip before the scanner
UNANNOUNCED = [
    {"waybill_no": "SF1385628716739", "carrier": "SF", "phone": "13900001357"},
    {"waybill_no": "YT8962646785389", "carrier": "YTO", "phone": "13900001357"},
]  # public sample numbers; the phone is made up
NOISE = ["120061098828009406", "A" * 4000, "\x1b\x1b[2J\x03\x04", "693461", "]C0", "%%%EBM"]
ENCRYPTED = Kind(has_tls=True)


class Day:
    """People and devices before one kiosk, from morning to evening."""

    def __init__(self, folder: Path, shots: Path, seed: int, kind: Kind = ENCRYPTED) -> None:
        self.dice = random.Random(seed)
        self.shots = shots
        self.stand = Stand(folder, kiosk_environment(os.environ), kind)
        self.eyes = Eyes(folder, kind.database)
        self.tally = Tally()
        self.hands = Hands(self.stand)
        self.counter = Counter(self.stand, self.eyes, Heard())
        self.began = time.monotonic()
        self._fuse: threading.Timer | None = None
        self._wanted_kills = 0

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    # -- the day

    def play(self) -> Report:
        self.morning()
        self.intake()
        self.counter_devices()
        self.noon()
        self.afternoon()
        return self.evening()

    def morning(self) -> None:
        self.say("the district opens: broker, hub, devices, kiosk")
        self.stand.start_all()
        for board in sample.BOARDS:
            self.stand.poke(board, "auto_close", "0")
        self.hands.start()
        self.acts = Acts(self.stand, self.eyes, self.dice, self.shots)
        self.acts.shot("standby")
        parcels, bills = len(manifest(self.stand.folder)["parcels"]), len(manifest(self.stand.folder)["bills"])
        until("the manifest at the point", lambda: self.eyes.point("SELECT count(*) FROM parcel")[0][0] == parcels, 60)
        until("the bills at the point", lambda: self.eyes.point("SELECT count(*) FROM bill")[0][0] == bills, 60)
        self.acts.to_home()
        self.acts.shot("home")
        self.acts.driver.lang("en")
        self.acts.shot("home_en")
        self.acts.driver.lang("zh")

    def intake(self) -> None:
        rows = manifest(self.stand.folder)["parcels"]
        self.dice.shuffle(rows)
        self.say(f"the van brings {len(rows)} parcels and {len(UNANNOUNCED)} that nobody announced")
        shelved = [row for row in rows if row["consent"] == "shelf"]
        self.for_beeps, self.for_upload = shelved[:BEEPED], shelved[BEEPED : BEEPED + STORED]
        rows = [row for row in rows if row not in shelved[: BEEPED + STORED]]
        self.light_fuse(3.0, 12.0)
        retried(self.open_intake, self.revive)
        for number, row in enumerate(rows):
            agreed = row["consent"] != "none" or number % 2 == 0
            self.take_in(row, agreed=agreed)
            if number % 20 == 7:
                retried(lambda row=row: self.again(row), self.revive)
        self.burn_out()
        for row in UNANNOUNCED:
            self.take_in(row, agreed=True)
        self.acts.shot("intake")
        self.say(f"the beeping gun takes {BEEPED} parcels in, and meets them again")
        self.tally.taken_in |= self.counter.listen(self.acts, self.for_beeps)
        for text in NOISE:
            self.acts.scan(text)
            time.sleep(0.2)
        self.acts.shot("intake_noise")
        time.sleep(1.0)
        self.back_to_board()
        self.say(f"{len(self.tally.taken_in)} parcels are in")

    def counter_devices(self) -> None:
        """A gun's memory is taken up, with a kill -9 in the middle of it; goods are weighed."""
        self.acts.log_in()
        self.say(f"a gun comes back with {STORED} codes in its memory")
        self.tally.taken_in |= self.counter.upload(self.acts, self.for_upload, self.cut_off)
        self.acts.to_home()
        self.counter.weigh(self.acts)
        self.say(f"{len(self.tally.taken_in)} parcels are in, goods are weighed")

    def cut_off(self) -> None:
        """The power goes, at this moment."""
        self._wanted_kills += 1
        self.kill()
        self.revive()

    def take_in(self, row: dict[str, Any], *, agreed: bool) -> None:
        def act() -> bool:
            self.open_intake()
            return self.acts.take_in(row, agreed=agreed)

        if retried(act, self.revive):
            self.tally.taken_in.add(row["waybill_no"])

    def open_intake(self) -> None:
        here = self.acts.driver.screen()["screen"]
        if not here.startswith("intake") and here != "board":
            self.acts.log_in()
        self.acts.to_intake()

    def again(self, row: dict[str, Any]) -> None:
        """The same parcel scanned twice: refused with its place, no second row."""
        before = self.eyes.point("SELECT count(*) FROM parcel")[0][0]
        self.acts.scan(row["waybill_no"])
        time.sleep(0.6)
        self.acts._once("intake_again")
        if self.eyes.point("SELECT count(*) FROM parcel")[0][0] != before:
            raise NotSeen("a second scan of one parcel made a second row")
        if self.acts.driver.screen()["screen"] == "intake_consent":
            self.acts.driver.tap("intake_consent.back")

    def back_to_board(self) -> None:
        here = self.acts.driver.screen()["screen"]
        if here.startswith("intake"):
            self.acts.driver.tap(f"{here}.back")
            self.acts.driver.wait("intake|board")
            if self.acts.driver.screen()["screen"] == "intake":
                self.acts.driver.tap("intake.back")
        self.acts.driver.wait("board")
        self.acts.shot("board")
        self.acts.log_out()

    def noon(self) -> None:
        bills = manifest(self.stand.folder)["bills"]
        self.dice.shuffle(bills)
        self.bills = bills
        for bill in bills[: BILLS_ONLINE - 1]:
            self.pay(bill)
        self.stand.poke("printer", "confirms", "off")  # the slip comes out, and nobody can know it
        self.pay(bills[BILLS_ONLINE - 1])
        self.acts.print_again()
        self.stand.poke("printer", "confirms", "on")
        self.counter.heard.reprints += 1
        self.say(f"{BILLS_ONLINE} bills paid with the line up")
        until("the bills posted", lambda: self.bills_in("posted") == BILLS_ONLINE, 30)
        self.stand.cut_line()
        self.cut_at = time.monotonic()
        self.say("the line is cut")
        for bill in bills[BILLS_ONLINE : BILLS_ONLINE + BILLS_OFFLINE]:
            self.pay(bill)
        if self.bills_in("accepted") != BILLS_OFFLINE:
            raise NotSeen("bills accepted offline are not all waiting")
        self.say(f"{BILLS_OFFLINE} bills accepted without a line")

    def pay(self, bill: dict[str, Any]) -> None:
        self.acts.pay(bill)
        self.tally.paid += 1
        self.tally.paid_fen += bill["fen"]

    def bills_in(self, state: str) -> int:
        return int(self.eyes.point("SELECT count(*) FROM bill WHERE state = ?", state)[0][0])

    def afternoon(self) -> None:
        here = sorted(self.tally.taken_in)
        self.dice.shuffle(here)
        wanted = here[: len(here) - KEEP_BACK]
        self.say(f"{len(wanted)} parcels will be collected, still without a line")
        self.light_fuse(4.0, 25.0)
        for number, waybill_no in enumerate(wanted):
            retried(lambda n=number, w=waybill_no: self.collect(n, w), self.revive)
        self.burn_out()
        self.acts.wrong_code()
        self.acts.call_help()
        self.acts.look_at_boards("offline")
        self.stand.restore_line()
        self.tally.cut_s = time.monotonic() - self.cut_at
        self.say(f"the line is back after {self.tally.cut_s:.0f} s")

    def collect(self, number: int, waybill_no: str) -> None:
        if self.eyes.state(waybill_no) in ("in_locker", "on_shelf"):
            if number < BY_CODE:
                self.acts.collect_by_code(waybill_no, "pickup" if number == 0 else None)
            else:
                self.acts.collect_by_token(waybill_no)
        until("the parcel has left", lambda: self.eyes.state(waybill_no) == "picked_up", 10)
        self.count_out()

    def count_out(self) -> None:
        """A person takes all of theirs at once: count whatever has left through a hand."""
        rows = self.eyes.point("SELECT waybill_no FROM parcel WHERE state = 'picked_up'")
        self.tally.collected |= {row[0] for row in rows}

    def evening(self) -> Report:
        until("all facts at the hub", lambda: self.pending() == 0 and self.bills_in("accepted") == 0, 90)
        self.acts.look_at_boards("online")
        self.acts.technician()
        until("the last facts at the hub", lambda: self.pending() == 0, 60)
        self.hands.stop()
        self.say("the day is compared")
        self.tally.secrets = self.acts.secrets
        expected = Expected(self.shots, kills=3, pictures=20)
        report = compare(self.stand, self.eyes, self.tally, self.stand.cells("pulses"), expected)
        compare_devices(report, self.eyes, self.counter, self.acts.amounts)
        self.stand.stop_all()
        return report

    def pending(self) -> int:
        return int(json.loads(self.stand.point_command("status"))["pending"])

    # -- the kiosk dies

    def light_fuse(self, soonest: float, latest: float) -> None:
        self._wanted_kills += 1
        self._fuse = threading.Timer(self.dice.uniform(soonest, latest), self.kill)
        self._fuse.start()

    def kill(self) -> None:
        self.tally.kills += 1
        self.say("kill -9 of the kiosk")
        self.stand.programs.kill("kiosk")

    def burn_out(self) -> None:
        """The work was done before the fuse was burnt: kill now."""
        if self._fuse is not None:
            self._fuse.cancel()
        if self.tally.kills < self._wanted_kills:
            self.kill()
            self.revive()

    def revive(self) -> None:
        ended = self.stand.programs.ended()
        alive = ended is None and self.tally.kills == self._revived
        if not alive:
            self.stand.programs.stop("kiosk")
            self.stand.start_kiosk()
            self._revived = self.tally.kills
            self.say("the kiosk is back")
        self.acts.reconnect()

    _revived = 0
