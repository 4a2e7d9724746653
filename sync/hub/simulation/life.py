"""What happens at a simulated point: the facts of its day, each computed from its number alone.

Nothing is kept: the fact with a number is the same whenever it is asked for, so a point is a few words of memory. The
mix is that of a counter: parcels in and out of cells, a cell that jams, money for a bill that nobody has issued (the
hub refuses it, so that something goes down, too).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from edge import events as ev
from edge.chain import Item
from edge.model import Phone, PickupCode, Seq, SiteCode, Stamp

CELLS = 48
ROUND = 10  # facts of one parcel
STEP_MS = 30_000  # between two facts: 300 parcels in a day of 25 hours
DAY_ONE = 1_767_225_600_000  # 2026-01-01 UTC: stamps of a simulation tell nothing about the clock
PHONE = Phone("13800000000")
FEN = 8_650


def key_of(seed: bytes, site: SiteCode) -> bytes:
    """The link key of a simulated point: 32 bytes from the seed of the simulated district."""
    return hmac.digest(seed, b"link key of " + site.encode(), "sha256")


class Life:
    """The facts of one point in one run. `run` makes them other facts than those of the run before."""

    def __init__(self, site: SiteCode, run: str) -> None:
        self._name = f"{site}/{run}"
        self._run = run
        self._boot = hashlib.sha256(run.encode()).hexdigest()[:8]

    def item(self, seq: Seq) -> Item:
        """The fact with this number."""
        stamp = Stamp(DAY_ONE + STEP_MS * seq, self._boot, STEP_MS * seq, True)
        encoded = ev.encode(self._fact(seq), self._salts(seq))
        return Item(seq, encoded.kind, encoded.body, stamp, encoded.personal)

    def _fact(self, seq: Seq) -> ev.Fact:
        number, step = divmod(seq - 1, ROUND)
        parcel = hashlib.blake2b(f"{self._name}/{number}".encode(), digest_size=8).hexdigest()
        cell, opening = 1 + number % CELLS, f"{self._run}{number}"
        match step:
            case 0:
                return ev.ParcelArrived(parcel, f"SF{parcel[:13].upper()}", "SF", False, "op1", cell, None, PHONE)
            case 1:
                return ev.DoorAuthorised(f"d{opening}", cell, "deposit", parcel, "op1")
            case 2:
                return ev.DoorOpened(f"d{opening}", cell)
            case 3:
                return ev.DoorClosed(f"d{opening}", cell)
            case 4:
                return ev.ParcelDeposited(parcel, cell, "sensor", PickupCode(f"{number % 1_000_000:06d}"), None)
            case 5:
                return self._aside(number, cell)
            case 6:
                return ev.DoorAuthorised(f"p{opening}", cell, "pickup", parcel, None)
            case 7:
                return ev.DoorOpened(f"p{opening}", cell)
            case 8:
                return ev.ParcelPickedUp(parcel, "self", "sensor")
            case _:
                return ev.DoorClosed(f"p{opening}", cell)

    def _aside(self, number: int, cell: int) -> ev.Fact:
        if number % 8 == 0:
            return ev.BillAccepted(f"B{self._run}{number}", FEN, "cash", f"S{self._run}{number}", "op1")
        if number % 8 == 4:
            return ev.CellFaulted(cell, "jammed")
        return ev.LoggedIn("op1", "operator")

    def _salts(self, seq: Seq) -> Callable[[], bytes]:
        """Salts that are the same each time a fact is made, one after the other."""
        count = 0

        def salt() -> bytes:
            nonlocal count
            count += 1
            return hashlib.blake2b(f"{self._name}/{seq}/{count}".encode(), digest_size=16).digest()

        return salt
