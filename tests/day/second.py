"""The second day of `make day`: the line is cut, and facts, answers and orders travel on a stick; then it comes back.

The line is encrypted and the hub keeps its rows in PostgreSQL. One batch of facts goes by stick alone, one by stick and
line together; a stick is read twice. The end compares what every end counted. How people act is in acts.py.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sample
from commission import Commission, Gone, compare_commissioning
from district import Kind
from eyes import manifest, until
from play_day import Day
from ports import HOST
from private_postgres import PrivatePostgres, program
from report import Expected, Report, compare

BEFORE, DURING, LATER = 4, 6, 2  # parcels taken in with the line, without it, and announced by the stick
PAID_BEFORE, PAID_DURING = 1, 3
COLLECTED = 4
NEWS_SEED = 7  # other parcels than those of the sample
PLAIN_HELLO = bytes.fromhex("101000044d5154540502003c000000035550")  # MQTT 5 CONNECT without encryption
HELLO_S = 3.0
NO_DATABASE = "SQLite: postgresql-15 is not installed"


@dataclass(slots=True)
class Carried:
    """What the ends of the stick said."""

    pending: int = 0  # at the point, before the first stick
    written: int = 0
    taken: int = 0  # by the hub
    confirmed: int = 0  # told by the answer on the stick
    posted: int = 0  # bills, with the line still cut
    announced: int = 0  # parcels that came down
    again: int = 0  # facts the hub found new on a stick it had read
    both_ways: int = 0  # facts that came by stick and by line
    answered_twice: int = 0  # facts of the hub applied from a stick after the line had brought them
    plain_is_let_in: bool = True


class SecondDay(Day):
    """A short day on a stick."""

    def __init__(self, folder: Path, shots: Path, seed: int, server: PrivatePostgres | None) -> None:
        database = "" if server is None else server.url("postgres")
        super().__init__(folder, shots, seed, Kind(has_tls=True, database=database))
        self._has_postgres = server is not None
        self._stick = folder / "stick"
        self._stick.mkdir()
        self.carried = Carried()
        self.gone = Gone()
        self.rows: list[dict[str, Any]] = []

    def play(self) -> Report:
        self.morning()
        self._commission()
        self.carried.plain_is_let_in = self._plain_is_let_in()
        self._with_the_line()
        self._without_it()
        self._by_stick()
        self._by_stick_and_line()
        return self._compared()

    # -- the day

    def _commission(self) -> None:
        """Before anything is taken in a technician goes through the point, with a kill -9 in the middle."""
        self.stand.poke("printer", "paper_out")
        technician = Commission(self.stand, self.eyes, self.acts, self.hands, self.cut_off)
        self.gone = technician.play()
        self.say(f"the point is commissioned: {len(self.gone.results)} steps")

    def _with_the_line(self) -> None:
        found = manifest(self.stand.folder)
        self.rows, self.bills = found["parcels"], found["bills"]
        self.dice.shuffle(self.rows)
        self._take_in(self.rows[:BEFORE])
        for bill in self.bills[:PAID_BEFORE]:
            self.pay(bill)
        until("the bill posted", lambda: self.bills_in("posted") == PAID_BEFORE, 30)
        # A fact whose answer the cut swallows would go on the stick as well, and not be new at the hub.
        until("every fact confirmed", lambda: self.pending() == 0, 30)
        self.stand.cut_line()
        self.cut_at = time.monotonic()
        self.say(f"{BEFORE} parcels and {PAID_BEFORE} bill with the line; it is cut")

    def _without_it(self) -> None:
        self._take_in(self.rows[BEFORE : BEFORE + DURING])
        for bill in self.bills[PAID_BEFORE : PAID_BEFORE + PAID_DURING]:
            self.pay(bill)
        here = sorted(self.tally.taken_in)
        self.dice.shuffle(here)
        for number, waybill_no in enumerate(here[:COLLECTED]):
            self.collect(number * 8, waybill_no)  # the first one types, the others hold their slip
        self.kill()
        self.revive()
        self.acts.look_at_boards("stick")
        self.say(f"{DURING} parcels in, {COLLECTED} out, {PAID_DURING} bills without a line")

    def _by_stick(self) -> None:
        news = self.stand.folder / "news.json"
        self.news = sample.manifest(datetime.now(UTC).date(), seed=NEWS_SEED)["parcels"][:LATER]
        news.write_text(json.dumps({"parcels": self.news}, ensure_ascii=False), "utf-8")
        self.stand.hub_command("send", "--site", sample.SITE, str(news))
        self.carried.pending = self.pending()
        self.carried.written = self._point_writes()
        self.carried.taken = self._hub_reads()
        self._hub_writes()
        self.carried.confirmed = self._point_reads()["confirmed"]
        self.carried.posted = self.bills_in("posted")
        self.carried.announced = sum(self.eyes.state(row["waybill_no"]) == "expected" for row in self.news)
        self.say(f"{self.carried.taken} facts went up by stick, answers and {self.carried.announced} parcels came down")

    def _by_stick_and_line(self) -> None:
        self._take_in(self.news)
        self.pay(self.bills[PAID_BEFORE + PAID_DURING])
        self._point_writes()
        self.carried.both_ways = self._hub_reads()
        self.carried.again = self._hub_reads()
        self.stand.restore_line()
        self.tally.cut_s = time.monotonic() - self.cut_at
        until("all facts at the hub", lambda: self.pending() == 0 and self.bills_in("accepted") == 0, 60)
        self._hub_writes()
        self.carried.answered_twice = self._point_reads()["applied"]
        until("the last facts at the hub", lambda: self.pending() == 0, 60)
        self.say(f"{self.carried.both_ways} facts came by stick, then the line was back after {self.tally.cut_s:.0f} s")

    def _take_in(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self.take_in(row, agreed=True)
        self.back_to_board()

    # -- the stick

    def _point_writes(self) -> int:
        return int(json.loads(self.stand.point_command("stick", "write", str(self._stick)))["facts"])

    def _hub_reads(self) -> int:
        told = [json.loads(line) for line in self.stand.hub_command("stick", "read", str(self._stick)).splitlines()]
        return sum(each["facts"] for each in told)

    def _hub_writes(self) -> None:
        self.stand.hub_command("stick", "write", str(self._stick), "--site", sample.SITE)

    def _point_reads(self) -> dict[str, Any]:
        """The command needs the books alone, so the kiosk rests meanwhile."""
        self.stand.programs.stop("kiosk")
        told: dict[str, Any] = json.loads(self.stand.point_command("stick", "read", str(self._stick)))
        self.stand.start_kiosk()
        self.acts.reconnect()
        return told

    def _plain_is_let_in(self) -> bool:
        """Whether the broker talks to somebody who does not encrypt."""
        assert self.stand.ports is not None, "the district stands"
        with socket.create_connection((HOST, self.stand.ports.broker), HELLO_S) as line:
            line.settimeout(HELLO_S)
            line.sendall(PLAIN_HELLO)
            try:
                return line.recv(1) == b"\x20"  # CONNACK
            except OSError:
                return False

    # -- the end

    def _compared(self) -> Report:
        self.hands.stop()
        self.tally.secrets = self.acts.secrets
        pulses = self.stand.cells("pulses")
        report = compare(self.stand, self.eyes, self.tally, pulses, Expected(self.shots, 2, 15, all_boards=False))
        compare_commissioning(report, self.stand, self.eyes, self.gone, self.shots / "record_slip.png")
        told = self.carried
        database = "PostgreSQL" if self._has_postgres else NO_DATABASE
        has_file = any((self.stand.folder / "hub").glob("*.db"))
        report.add("rows of the hub are in", database, NO_DATABASE if has_file else "PostgreSQL")
        report.add("somebody without encryption is let in", False, told.plain_is_let_in)
        report.add("stick: facts pending vs written", told.pending, told.written)
        report.add("stick: facts written vs new at the hub", told.written, told.taken)
        report.add("stick: facts written vs confirmed by the answer on it", told.written, told.confirmed)
        report.add("stick: bills posted with the line cut", PAID_BEFORE + PAID_DURING, told.posted)
        report.add("stick: parcels announced by it", LATER, told.announced)
        report.add("stick: facts on the second one, before the line", True, told.both_ways > 0)
        report.add("stick: files on it, searched for personal data above", True, any(self._stick.iterdir()))
        report.add("stick: new facts when read again", 0, told.again)
        report.add("stick: facts of the hub applied after the line brought them", 0, told.answered_twice)
        kinds = "SELECT kind, count(*) FROM fact GROUP BY kind ORDER BY kind"
        report.add("facts of each kind: point vs hub", dict(self.eyes.point(kinds)), dict(self.eyes.hub(kinds)))
        once = "SELECT event, count(*) FROM fact GROUP BY event HAVING count(*) > 1"
        report.add("facts twice at the hub", [], self.eyes.hub(once))
        self.stand.stop_all()
        return report


def server() -> PrivatePostgres | None:
    """A PostgreSQL of the day's own; None where the package is missing. Errors: RuntimeError, OSError."""
    if program("initdb") is None:
        return None
    started = PrivatePostgres()
    started.start()
    return started
