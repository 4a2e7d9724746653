"""A point's database with people waiting for parcels, made by the real rules; for benches that need no window."""

from __future__ import annotations

import secrets
from pathlib import Path

from edge import events, inbox, log, shelves
from edge.clock import SystemClock, SystemDice
from edge.model import Address, Name, OperatorId, Phone, WaybillNo
from edge.parcels import Arrival
from edge.store import Keys, Store, Tx

OPERATOR = OperatorId("op1")
CHUNK = 1_000
SHELF_LEVELS = 9


def opened(folder: Path) -> Store:
    store = Store(folder, SystemClock(), SystemDice(), Keys(secrets.token_bytes(32), secrets.token_bytes(32)))
    store.open()
    store.run_now(log.begin)
    return store


def waybill(number: int) -> str:
    """A number in the shape of a known carrier, different for each `number`."""
    return f"SF{1_000_000_000_000 + number * 7:013d}"


def expect(store: Store, first: int, count: int, consent: str = "shelf") -> None:
    """Tell the point of parcels on their way, as the hub does."""
    for start in range(first, first + count, CHUNK):
        store.run_now(_expect, range(start, min(start + CHUNK, first + count)), consent)


def _expect(tx: Tx, numbers: range, consent: str) -> None:
    tx.bookkeeping = True
    for number in numbers:
        inbox.apply(tx, announced(number, consent))


def announced(number: int, consent: str) -> events.ParcelExpected:
    return events.ParcelExpected(
        parcel=f"{number:016x}",
        waybill_no=waybill(number),
        carrier="SF",
        size="SML"[number % 3],
        consent=consent,
        recipient=Name(f"王{number % 97}"),
        phone=Phone(f"138{number % 100_000_000:08d}"),
        address=Address(f"金溪村{number % 7}组{number % 60}号"),
    )


def lay_shelves(store: Store, places: int) -> None:
    store.run_now(shelves.lay_out, [("Z", f"Z-{1 + n % SHELF_LEVELS}-{n // SHELF_LEVELS:05d}") for n in range(places)])


def arrival(number: int, target: str = "shelf") -> Arrival:
    return Arrival(WaybillNo(waybill(number)), "SF", OPERATOR, target)
