"""Work for hubs and what became of it: the batches of some sites, and one digest over every table.

As a program it is one worker that takes all batches of a file, to be killed:

    hub_work.py KIND PLACE PAYLOADS SEED
"""

from __future__ import annotations

import hashlib
import json
import pickle
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from points import Point

from edge import events as ev
from edge.model import Ms, Phone, PickupCode, Seq, SiteCode, Stamp
from sync.hub.database import Database
from sync.hub.intake import Intake
from sync.hub.postgres_db import PostgresDatabase
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore, StoreFault
from sync.wire import Batch, encode_batch

KEY = bytes(range(32))
STATE = (
    "site", "head", "fact", "unprojected", "down", "alarm", "parcel", "sms", "door", "device", "bill", "posting",
    "refusal", "notice",
)  # fmt: skip
GROUPS = (1, 2, 5, 16)
Arrivals = list[tuple[SiteCode, bytes]]


class OneMoment:
    """A clock that stands still, so that two runs can be compared to the last column."""

    def stamp(self) -> Stamp:
        return Stamp(1_760_000_000_000, "0a1b2c3d", 5_000, True)

    def ms(self) -> Ms:
        return Ms(5_000)


class OneFace:
    """Dice that always show the same."""

    def code(self) -> str:
        return "000000"

    def token(self) -> str:
        return "A" * 26

    def ident(self) -> str:
        return "0" * 16

    def salt(self) -> bytes:
        return bytes(16)


def sites(count: int) -> list[SiteCode]:
    return [SiteCode(f"QJ-{number:04d}") for number in range(count)]


def open_store(database: Database, codes: Sequence[SiteCode]) -> HubStore:
    store = HubStore(database, OneMoment(), OneFace(), dict.fromkeys(codes, KEY))
    store.open()
    return store


def life(site: int) -> Iterator[ev.Fact]:
    """What happens at a point: parcels in and out, a cell that fails, money without a bill, something unknown."""
    number = 0
    while True:
        number += 1
        parcel, cell = f"{site:04x}{number:012x}", 1 + number % 48
        yield ev.ParcelArrived(
            parcel, f"SF{site:04d}{number:09d}", "SF", False, "op1", cell, None, Phone("13800001234")
        )
        yield ev.DoorAuthorised(f"d{number}", cell, "deposit", parcel, "op1")
        yield ev.DoorOpened(f"d{number}", cell)
        yield ev.DoorClosed(f"d{number}", cell)
        yield ev.ParcelDeposited(parcel, cell, "sensor", PickupCode(f"{number % 1_000_000:06d}"), None)
        if number % 7 == 0:
            yield ev.CellFaulted(cell, "jammed")
        if number % 5 == 0 and site == 0:  # one book for all: the serial numbers are those of one site
            yield ev.BillAccepted(f"B{number % 40}", 8_650, "cash", f"S-{site}-{number}", "op1")
        if number % 11 == 0:
            yield ev.BillRefunded("B-never", f"S-{number}", 100, "op1")
        yield ev.DoorAuthorised(f"p{number}", cell, "pickup", parcel, None)
        yield ev.DoorOpened(f"p{number}", cell)
        yield ev.ParcelPickedUp(parcel, "self", "sensor")
        yield ev.DoorClosed(f"p{number}", cell)


def batches(codes: Sequence[SiteCode], facts: int, per_batch: int) -> Arrivals:
    """What all sites send, as it comes in: a batch of each in turn."""
    rounds: list[list[tuple[SiteCode, bytes]]] = []
    for number, code in enumerate(codes):
        point, happens = Point(KEY), life(number)
        point.happened(*(next(happens) for _ in range(facts)))
        disk = point.disk
        sent = []
        for first in range(0, facts, per_batch):
            items = tuple(disk.items[first : first + per_batch])
            mark = disk.mark_at(items[-1].seq)
            sent.append((code, encode_batch(Batch(disk.log_id, Seq(first + 1), disk.mark_at(first), items, mark))))
        rounds.append(sent)
    return [arrival for turn in zip(*rounds, strict=True) for arrival in turn]


def owe_bills(store: HubStore, code: SiteCode) -> None:
    with store.transaction() as tx:
        for number in range(0, 40, 10):
            tx.execute(
                "INSERT INTO bill (site, bill, biller, sort, account_no, name, period, fen, due, state, changed_at) "
                "VALUES (?, ?, 'b', 'power', '1', 'n', '2026-02', 8650, '2026-03-31', 'unpaid', 0)",
                (code, f"B{number}"),
            )


def state_digest(store: HubStore) -> str:
    """One hash over every row of every table of the hub's state."""
    whole = hashlib.sha256()
    with store.reading() as tx:
        for table in STATE:
            rows = sorted(json.dumps(row, sort_keys=True) for row in tx.rows(f"SELECT * FROM {table}"))
            whole.update("\n".join([table, *rows]).encode())
    return whole.hexdigest()


def work(store: HubStore, arrivals: Arrivals, dice: random.Random, position: int = 0) -> None:
    """Take batches in groups of any size; some come twice, and a busy database is tried again."""
    intake = Intake(store)
    while position < len(arrivals):
        size = dice.choice(GROUPS)
        try:
            intake.accept(arrivals[max(0, position - dice.randrange(3)) : position + size])
        except StoreFault as fault:
            if fault.code != "busy":
                raise
            continue
        position += size


def database(kind: str, place: str) -> Database:
    return SqliteDatabase(Path(place), durable=False) if kind == "sqlite" else PostgresDatabase(place, durable=False)


def main() -> None:
    kind, place, payloads, seed = sys.argv[1:]
    codes, arrivals = pickle.loads(Path(payloads).read_bytes())
    store = open_store(database(kind, place), codes)
    print("ready", flush=True)
    work(store, arrivals, random.Random(seed))
    print("done", flush=True)
    store.close()


if __name__ == "__main__":
    main()
