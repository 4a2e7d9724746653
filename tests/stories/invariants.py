"""What must hold in every database of a terminal, whatever happened to it. Reads only; used by stories and soaks."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from drivers.sim.lock_board import Cabinet, LockBoard
from edge import events, log
from edge.events import Encoded, Fact, name_of
from edge.model import PARCEL_MOVES, IllegalMove, ParcelState, moved
from edge.store import FILE, Tx

MOVES = {move for moves in PARCEL_MOVES.values() for move in moves}
OUTCOMES = (events.DoorOpened, events.DoorNotOpened)


def broken(tx: Tx) -> list[str]:
    """Return every invariant that does not hold, as "name detail"."""
    bad: list[str] = []
    if (answer := tx.value("PRAGMA integrity_check(1)")) != "ok":
        bad.append(f"integrity {answer}")
    if tx.rows("PRAGMA foreign_key_check"):
        bad.append("foreign_key")
    hole = log.verify(tx)
    if hole is not None:
        return [*bad, f"chain {hole.seq} {hole.why}"]
    facts = list(all_facts(tx))
    return [*bad, *_parcels(tx, facts), *_cells(tx), *_doors(tx, facts), *_money(tx, facts)]


def all_facts(tx: Tx) -> Iterator[Fact]:
    for item, _ in log.items(tx):
        yield events.decode(Encoded(item.kind, item.body, {}))


def _parcels(tx: Tx, facts: list[Fact]) -> Iterator[str]:
    """The table says what the facts say when they are played again."""
    states: dict[str, ParcelState] = {}
    for fact in facts:
        if name_of(fact) in MOVES:
            before = states.get(fact.parcel, ParcelState.EXPECTED)
            try:
                states[fact.parcel] = moved(before, name_of(fact))
            except IllegalMove as error:
                yield f"illegal_move {fact.parcel} {error}"
    for row in tx.rows("SELECT id, state FROM parcel"):
        if row["state"] != states.pop(row["id"], ParcelState.EXPECTED):
            yield f"half_event parcel {row['id']} is {row['state']}"
    for parcel in states:
        yield f"half_event parcel {parcel} has facts and no row"


def _cells(tx: Tx) -> Iterator[str]:
    """A cell holds at most one parcel, a parcel lies in at most one cell, and both say the same."""
    in_cells = {row["parcel"]: row["cell"] for row in tx.rows("SELECT cell, parcel FROM cell WHERE parcel IS NOT NULL")}
    of_parcels = {row["id"]: row["cell"] for row in tx.rows("SELECT id, cell FROM parcel WHERE cell IS NOT NULL")}
    if in_cells != of_parcels:
        yield f"cell_and_parcel {in_cells} {of_parcels}"
    for row in tx.rows("SELECT cell, state, parcel FROM cell"):
        if row["state"] in ("reserved", "occupied") and row["parcel"] is None:
            yield f"ghost cell {row['cell']} is {row['state']} and empty"
        if row["state"] == "free" and row["parcel"] is not None:
            yield f"ghost cell {row['cell']} is free and holds a parcel"


def _doors(tx: Tx, facts: list[Fact]) -> Iterator[str]:
    """Each opening is authorised once, ends at most once, and always for its own cell."""
    authorised = {fact.opening: fact.cell for fact in facts if isinstance(fact, events.DoorAuthorised)}
    rows = {row["id"]: row for row in tx.rows("SELECT * FROM opening")}
    if {name: row["cell"] for name, row in rows.items()} != authorised:
        yield "opening_and_audit differ"
    ends = Counter(fact.opening for fact in facts if isinstance(fact, OUTCOMES))
    for fact in facts:
        if isinstance(fact, (*OUTCOMES, events.DoorClosed)) and authorised.get(fact.opening) != fact.cell:
            yield f"wrong_door {fact.cell} in opening {fact.opening}"
    for opening, times in ends.items():
        if times > 1:
            yield f"double_outcome {opening}"
        if opening in rows and rows[opening]["outcome"] is None:
            yield f"half_event opening {opening}"
    for opening, row in rows.items():
        if row["outcome"] is not None and not ends[opening]:
            yield f"half_event opening {opening} has an outcome and no fact"


def _money(tx: Tx, facts: list[Fact]) -> Iterator[str]:
    """The drawer holds what the facts say, a bill is taken once, and slip numbers have no gap."""
    taken = [fact for fact in facts if isinstance(fact, events.BillAccepted)]
    back = [fact for fact in facts if isinstance(fact, events.BillRefunded)]
    drawer = tx.value("SELECT coalesce(sum(fen), 0) FROM bill WHERE state IN ('accepted', 'posted', 'refused')")
    if drawer != sum(fact.fen for fact in taken) - sum(fact.fen for fact in back):
        yield f"money {drawer}"
    bills = Counter(fact.bill for fact in taken)
    if any(times > 1 for times in bills.values()):
        yield f"paid_twice {bills.most_common(1)}"
    if [fact.slip for fact in taken] != [f"{n:06d}" for n in range(1, len(taken) + 1)]:
        yield "slip_numbers"
    rows = {row["id"]: row["slip"] for row in tx.rows("SELECT id, slip FROM bill WHERE slip IS NOT NULL")}
    if rows != {fact.bill: fact.slip for fact in taken}:
        yield "half_event bills and slips differ"


class WitnessBoard(LockBoard):
    """A lock board that looks into the terminal's database at every pulse: is the opening written down already?

    `sent` counts the openings as the terminal sent them, before any damage on the line.
    """

    def __init__(self, cabinet: Cabinet, folder: Path | None) -> None:
        super().__init__(cabinet)
        self.folder = folder
        self.sent: Counter[int] = Counter()
        self.unaudited: list[int] = []

    def receive(self, chunk: bytes) -> list[bytes]:
        if chunk[:1] == b"\x8a":
            cell = (chunk[1] - 1) * self.cabinet.ways + chunk[2]
            self.sent[cell] += 1
            if self.folder is not None and authorised(self.folder, cell) < self.sent[cell]:
                self.unaudited.append(cell)
        return super().receive(chunk)


def authorised(folder: Path, cell: int) -> int:
    """Count the committed openings of a cell, through a connection of our own."""
    db = sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True, timeout=5)
    try:
        sql = "SELECT count(*) FROM fact WHERE kind = 'door_authorised.1' AND json_extract(body, '$.cell') = ?"
        return int(db.execute(sql, (cell,)).fetchone()[0])
    finally:
        db.close()


def double_pulses(tx: Tx, sent: Counter[int]) -> list[int]:
    """Return the cells that were pulsed more often than openings were authorised for them."""
    openings = {row["cell"]: row["n"] for row in tx.rows("SELECT cell, count(*) AS n FROM opening GROUP BY cell")}
    return [cell for cell, pulses in sent.items() if pulses > openings.get(cell, 0)]
