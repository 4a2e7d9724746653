"""A point's database with people waiting for parcels, made by the real rules; for benches that need no window."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from pathlib import Path

from edge import events, inbox, log, parcels, shelves
from edge.clock import SystemClock, SystemDice
from edge.model import Address, CellNo, Name, OperatorId, Phone, PickupCode, PickupToken, WaybillNo
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


def announced(number: int, consent: str, phone: str = "") -> events.ParcelExpected:
    return events.ParcelExpected(
        parcel=f"{number:016x}",
        waybill_no=waybill(number),
        carrier="SF",
        size="S" if consent == "locker" else "SML"[number % 3],  # the smallest fits every cell
        consent=consent,
        recipient=Name(f"王{number % 97}"),
        phone=Phone(phone or f"138{number % 100_000_000:08d}"),
        address=Address(f"金溪村{number % 7}组{number % 60}号"),
    )


def lay_shelves(store: Store, places: int) -> None:
    store.run_now(shelves.lay_out, [("Z", f"Z-{1 + n % SHELF_LEVELS}-{n // SHELF_LEVELS:05d}") for n in range(places)])


def arrival(number: int, target: str = "shelf") -> Arrival:
    return Arrival(WaybillNo(waybill(number)), "SF", OPERATOR, target)


def stock(tx: Tx, first: int, count: int) -> list[str]:
    """Put parcels into free cells, as if an operator had; tell their tokens."""
    tokens = []
    for number in range(first, first + count):
        inbox.apply(tx, announced(number, "locker", phone=f"139{number:08d}"))  # each for another person
        parcel = parcels.arrive(tx, arrival(number, "locker"))
        parcels.deposited(tx, parcel.id, "sensor")
        tokens.append(str(tx.value("SELECT token FROM parcel WHERE id = ?", (parcel.id,))))
    return tokens


def backlog(store: Store, count: int) -> None:
    """Facts that wait for the hub, of the kinds and sizes of a day: a parcel comes in and goes out."""
    for start in range(0, count, CHUNK):
        store.run_now(_facts, range(start, min(start + CHUNK, count)))


def _facts(tx: Tx, numbers: range) -> None:
    for number in numbers:
        log.append(tx, fact(number))


def more_facts(tx: Tx, first: int, count: int) -> int:
    """Further facts of a backlog, in one transaction; tell how many."""
    _facts(tx, range(first, first + count))
    return count


def fact(number: int) -> events.Fact:
    day, kind = divmod(number, 5)
    parcel, cell, opening = _ident("parcel", day), CellNo(1 + day % 24), _ident("opening", day)
    match kind:
        case 0:
            return events.ParcelArrived(parcel, waybill(9_000_000 + day), "SF", True, OPERATOR, cell, None, None)
        case 1:
            code, token = PickupCode(f"{day * 7919 % 1_000_000:06d}"), PickupToken(_ident("token", day))
            return events.ParcelDeposited(parcel, cell, "sensor", code, token)
        case 2:
            return events.DoorAuthorised(opening, cell, "pickup", parcel, None)
        case 3:
            return events.DoorOpened(opening, cell)
        case _:
            return events.ParcelPickedUp(parcel, "self", "sensor", None)


def _ident(what: str, number: int) -> str:
    """Sixteen hex digits that compress as badly as random ones."""
    return blake2b(f"{what} {number}".encode(), digest_size=8).hexdigest()
