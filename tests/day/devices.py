"""The devices of the day, heard and seen from their own end: beeps, the gun's memory, slips, weighings."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from acts import IN_STOCK, Acts
from eyes import Eyes, until
from stand import Stand

from drivers.wire.ssi import BEEP_ACCEPTED, BEEP_REFUSED

BEEPED = 6  # parcels taken in under the eyes, or ears, of the day; as many are scanned again
STORED = 7  # codes in the gun's memory
GOODS = ((1250, 860), (3480, 420))  # grams, fen per kilogram


@dataclass(slots=True)
class Heard:
    """What the devices themselves say of the day."""

    accepted: int = 0  # scans of the wand that the point took
    refused: int = 0
    beeps: tuple[int, int] = (0, 0)  # accepted and refused, as the wand sounded them for these
    uploaded: set[str] = field(default_factory=set)
    pulses_by_upload: int = 0
    beeps_by_upload: int = 0
    reprints: int = 0
    tickets_printed: int = 0


class Counter:
    """Acts with the devices of the counter. `open_list` brings a living operator to the day board."""

    def __init__(self, stand: Stand, eyes: Eyes, heard: Heard) -> None:
        self._stand, self._eyes, self.heard = stand, eyes, heard

    def beeps(self) -> tuple[int, int]:
        told = self._stand.poke("wand", "state")["beeps"]
        return told.count(BEEP_ACCEPTED), told.count(BEEP_REFUSED)

    def listen(self, acts: Acts, rows: Sequence[dict[str, Any]]) -> set[str]:
        """Take parcels in with the beeping gun, then scan each again: one beep each, of the right kind."""
        time.sleep(3.5)  # an answer that comes later than three seconds beeps no more: the old ones are over
        before = self.beeps()
        taken = set()
        for row in rows:
            assert acts.take_in(row, gun="wand"), "an announced parcel was not taken in"
            taken.add(row["waybill_no"])
            self.heard.accepted += 1
            self._until_beeped(before)
        for row in rows:
            acts.scan(row["waybill_no"], "wand")
            self.heard.refused += 1
            self._until_beeped(before)
        now = self.beeps()
        self.heard.beeps = now[0] - before[0], now[1] - before[1]
        return taken

    def _until_beeped(self, before: tuple[int, int]) -> None:
        wanted = before[0] + self.heard.accepted + before[1] + self.heard.refused
        until("a beep at the hand", lambda: sum(self.beeps()) >= wanted, 5)

    def upload(self, acts: Acts, rows: Sequence[dict[str, Any]], kill: Callable[[], None]) -> set[str]:
        """A gun was out of range. Its memory is a list; the kiosk dies while it is taken up; it is sent again."""
        numbers = [row["waybill_no"] for row in rows]
        pulses, beeps = self._pulses(), sum(self.beeps())
        self._send(numbers)
        self._open_list(acts)
        acts.shot("batch")
        acts.driver.tap("batch.take")
        until("the first of the list on the shelf", lambda: any(self._is_in(number) for number in numbers))
        kill()
        self._send(numbers)  # the gun kept its memory: all of it comes once more
        acts.log_in()
        if self._waiting():
            self._open_list(acts)
            acts.driver.tap("batch.take")
        else:
            acts.driver.tap("board.batch") if "board.batch" in acts.driver.screen()["buttons"] else None
        until("the whole list on the shelf", lambda: all(self._is_in(number) for number in numbers))
        self.heard.uploaded = set(numbers)
        self.heard.pulses_by_upload = self._pulses() - pulses
        self.heard.beeps_by_upload = sum(self.beeps()) - beeps
        self._leave_list(acts)
        return set(numbers)

    def _send(self, numbers: Sequence[str]) -> None:
        uploads = self._uploads()
        self._stand.poke("wand", "store", *numbers)
        self._stand.poke("wand", "upload")
        until("the upload at the point", lambda: self._uploads() == uploads + 1)

    def _open_list(self, acts: Acts) -> None:
        until("the list on the board", lambda: "board.batch" in acts.driver.screen()["buttons"])
        acts.driver.tap("board.batch")
        acts.driver.wait("batch")
        until("its lines", lambda: "batch.take" in acts.driver.screen()["buttons"])

    def _leave_list(self, acts: Acts) -> None:
        if acts.driver.screen()["screen"] == "batch":
            time.sleep(0.5)
            acts.shot("batch_taken")
            acts.driver.tap("batch.close")
            until("the list is done", lambda: "batch.close" not in acts.driver.screen()["buttons"])
            acts.driver.tap("batch.back")
            acts.driver.wait("board")

    def _pulses(self) -> int:
        return sum(self._stand.cells("pulses").values())

    def _uploads(self) -> int:
        return int(self._eyes.point("SELECT count(*) FROM fact WHERE kind = 'codes_uploaded.1'")[0][0])

    def _waiting(self) -> int:
        return int(self._eyes.point("SELECT count(*) FROM batch_code WHERE state = 'waiting'")[0][0])

    def _is_in(self, number: str) -> bool:
        return self._eyes.state(number) in IN_STOCK

    def weigh(self, acts: Acts) -> None:
        """Two sorts of goods; the first buyer wants the ticket on paper."""
        acts.log_in()
        acts.driver.tap("board.weigh")
        acts.driver.wait("weigh")
        for number, (grams, price) in enumerate(GOODS):
            acts.weigh(grams, price, printed=number == 0)
            self.heard.tickets_printed += number == 0
        acts.driver.tap("weigh.back")
        acts.driver.wait("board")
        acts.log_out()

    def slips(self, numbers: Sequence[str]) -> list[tuple[str, bool]]:
        """The slips on the counter, as (number, whether it says that it is a copy)."""
        torn: list[list[str]] = self._stand.poke("printer", "state")["slips"]
        found = []
        for slip in torn:
            text = "\n".join(slip)
            here = [number for number in numbers if re.search(rf"(?<!\w){re.escape(number)}(?!\w)", text)]
            found.append((here[0] if here else "?", "补打" in text))
        return found
