"""A program that keeps a point's books at full speed: real store, real rules, no devices. It never closes in order.

It acknowledges each commit that a person would have seen, to the recorder (`iolog_ack`) or as a line on its output.
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge import backup, bills, cells, events, guard, inbox, log, parcels, pickups
from edge.clock import SystemClock, SystemDice
from edge.model import AccountNo, BillId, Fen, Name, OperatorId, ParcelId, Phone, Rejected, WaybillNo
from edge.parcels import Arrival
from edge.store import Store, StoreFault, Tx
from tests.stories.point import KEYS, Fittings, lay_out

OPERATOR = OperatorId("op-1")


def expect(tx: Tx, number: int) -> None:
    tx.bookkeeping = True
    parcel, phone = f"p-{number}", Phone(f"139{number:08d}")
    inbox.apply(tx, events.ParcelExpected(parcel, f"SF{number:013d}", "SF", Name("王小明"), phone, None, "locker", "S"))
    inbox.apply(
        tx,
        events.BillIssued(
            f"b-{number}", "water", "water", AccountNo(f"88{number:08d}"), Name("王小明"), None, "2026-10",
            100 + number, "2026-11-30",
        ),
    )  # fmt: skip


def deposit(tx: Tx, number: int) -> None:
    """One commit, as on a shelf; a cell where there is one."""
    parcel = parcels.arrive(tx, Arrival(WaybillNo(f"SF{number:013d}"), "SF", OPERATOR))
    if parcel.cell is None:
        parcels.shelved(tx, parcel.id)
        return
    opening = cells.authorise(tx, parcel.cell, "deposit", parcel.id, OPERATOR)
    cells.opened(tx, opening)
    cells.closed(tx, opening)
    parcels.deposited(tx, parcel.id, "sensor")


def collect(tx: Tx, dice: random.Random) -> None:
    here = tx.rows("SELECT id FROM parcel WHERE state IN ('in_locker', 'on_shelf') ORDER BY id")
    if not here:
        raise Rejected("not_here")
    parcel = pickups.begin_pickup(tx, ParcelId(dice.choice(here)["id"]), "code")
    if parcel.cell is not None:
        opening = cells.authorise(tx, parcel.cell, "pickup", parcel.id, None)
        cells.opened(tx, opening)
        cells.closed(tx, opening)
    pickups.picked_up(tx, parcel.id, "self", "sensor")


def pay(tx: Tx, number: int) -> None:
    bills.accept(tx, BillId(f"b-{number}"), Fen(100 + number), OPERATOR)
    bills.slip_shown(tx, BillId(f"b-{number}"))


class Writer:
    """`confirm` is told the number of the last fact after each commit."""

    def __init__(self, folder: Path, confirm: Callable[[int], None], seed: int) -> None:
        self.store = Store(folder, SystemClock(), SystemDice(), KEYS, strict=True)
        self._confirm = confirm
        self._dice = random.Random(seed)

    def begin(self, synchronous: str) -> None:
        self.store.open()
        assert self.store._db is not None
        self.store.run_now(lambda _tx: None)  # the connection belongs to the store's thread; it is idle now
        self.store._db.conn.execute(f"PRAGMA synchronous = {synchronous}")
        self.store._db.conn.execute("PRAGMA wal_autocheckpoint = 30")  # small, so that checkpoints are cut as well
        self.does(lay_out, Fittings(sizes=("S",) * 6, places=12))

    def does(self, fn: Callable[..., Any], *args: Any) -> bool:
        """Run one transaction and confirm it. A refusal is no commit."""
        try:
            self.store.run_now(fn, *args)
        except Rejected:
            return False
        self._confirm(self.store.run_now(log.head).upto)
        return True

    def works(self, first: int, rounds: int) -> None:
        """Some parcels in, some out, some bills, and a backup now and then."""
        for number in range(first, first + rounds):
            self.does(expect, number)
            fate = self._dice.random()
            self.does(deposit, number)
            if fate < 0.6:
                self.does(collect, self._dice)
            if fate > 0.3:
                self.does(pay, number)
            if number % 10 == 0:
                self.does(guard.take_try)
            if number % 20 == 0:
                self._back_up()

    def _back_up(self) -> None:
        try:
            copy = backup.make(self.store.folder)
        except StoreFault as fault:
            if fault.code == "S4":  # somebody else is at it
                return
            raise
        self.does(backup.note, copy)


def told(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def main(words: list[str]) -> None:
    """FOLDER SYNCHRONOUS ROUNDS SEED [keep-going | tells FIRST]: `keep-going` works on after a fault of the disk."""
    first = int(words[5]) + 1 if "tells" in words else 1
    folder, synchronous, rounds, seed = Path(words[0]), words[1], int(words[2]), int(words[3])
    ack = getattr(ctypes.CDLL(None), "iolog_ack", None)
    if ack is None:
        confirm = told
    else:
        ack.argtypes = [ctypes.c_uint64]
        confirm = told if "keep-going" in words else ack
    writer = Writer(folder, confirm, seed)
    if "keep-going" not in words:
        writer.begin(synchronous)
        writer.works(first, rounds)
        os._exit(0)
    survive(writer, synchronous, rounds)


def survive(writer: Writer, synchronous: str, rounds: int) -> None:
    """Work on through faults: a refused commit is tried no second time, the next one is."""
    try:
        writer.begin(synchronous)
    except StoreFault as fault:
        os.write(1, f"closed {fault.code}\n".encode())
        os._exit(0)
    for number in range(1, rounds + 1):
        try:
            writer.works(number, 1)
        except StoreFault as fault:
            os.write(1, f"fault {fault.code}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
