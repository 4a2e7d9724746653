"""A point without devices for tests: settable clock, seeded dice, a real store on a file, and a hub that talks down."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edge import cells, events, inbox, log, parcels, shelves
from edge.chain import GENESIS, Item, Position, link
from edge.events import Fact
from edge.model import UTC8, AccountNo, LogId, Ms, Name, OperatorId, Parcel, ParcelId, Phone, Seq, Stamp, WaybillNo
from edge.parcels import Arrival
from edge.store import Keys, Store, Tx

SOAK = bool(os.environ.get("VP_SOAK"))  # the long versions
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # files that need no disk
NOON = 1_795_320_000_000  # 2026-11-22 12:00 in China
KEYS = Keys(link=b"l" * 32, device=b"d" * 32)
OPERATOR = OperatorId("op1")
PHONE = "13800138000"
MINUTE = 60_000


@dataclass
class Clock:
    """Wall and monotonic time as a test sets them. `stopped`: a board whose clock does not run at all."""

    wall: int = NOON
    boot: str = "b0070001"
    now: int = 3_600_000
    synced: bool = True
    stopped: bool = False

    def stamp(self) -> Stamp:
        return Stamp(self.wall, self.boot, self.now, self.synced)

    def ms(self) -> Ms:
        return Ms(self.now)

    def local(self) -> datetime:
        return datetime.fromtimestamp(self.wall / 1000, UTC8)

    def advance(self, ms: int) -> None:
        if not self.stopped:
            self.wall += ms
        self.now += ms

    def restart(self, boot: str, up_ms: int = 30_000) -> None:
        """The board was switched off and on: another boot id, monotonic time starts anew."""
        self.boot = boot
        self.now = up_ms


class Dice:
    """Seeded chance. `codes` are drawn first, if a test wants certain ones."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.codes: list[str] = []

    def code(self) -> str:
        return self.codes.pop(0) if self.codes else f"{self._random.randrange(1_000_000):06d}"

    def token(self) -> str:
        return "".join(self._random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=26))

    def ident(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    def salt(self) -> bytes:
        return self._random.randbytes(16)


def new_store(folder: Path, clock: Clock, dice: Dice, *, strict: bool = True) -> Store:
    """Return a store that is not open yet."""
    return Store(folder, clock, dice, KEYS, strict=strict)


def furnish(tx: Tx, sizes: str = "SSML", places: int = 4) -> None:
    """Begin the log and lay out cells and shelf places."""
    log.begin(tx)
    cells.lay_out(tx, sizes)
    shelves.lay_out(tx, [("A", f"A-1-{number:03d}") for number in range(1, places + 1)])


@dataclass
class Hub:
    """The other end of the down log: chains its facts and hands them over as `sync` would."""

    name: str = "hub0000000000001"
    seq: int = 0
    mark: str = GENESIS
    dice: Dice = field(default_factory=lambda: Dice(99))

    def items(self, facts: Sequence[Fact | tuple[str, str]]) -> tuple[list[Item], list[str]]:
        """Chain facts, or raw (kind, body) pairs that no codec of ours would write."""
        made: list[Item] = []
        marks: list[str] = []
        for fact in facts:
            if isinstance(fact, Fact):
                encoded = events.encode(fact, self.dice.salt)
                kind, body, personal = encoded.kind, encoded.body, encoded.personal
            else:
                (kind, body), personal = fact, {}
            self.seq += 1
            item = Item(Seq(self.seq), kind, body, Stamp(NOON, "hub00001", self.seq, True), personal)
            self.mark = link(KEYS.link, self.mark, item)
            made.append(item)
            marks.append(self.mark)
        return made, marks

    def tell(self, store: Store, *facts: Fact | tuple[str, str]) -> Position:
        items, marks = self.items(facts)
        return store.run_now(log.apply_down, LogId(self.name), items, marks, inbox.apply)


def expected(
    number: int, *, phone: str | None = PHONE, consent: str = "locker", size: str = "S"
) -> events.ParcelExpected:
    """What the hub tells of parcel `number`."""
    tel = None if phone is None else Phone(phone)
    return events.ParcelExpected(f"p{number}", waybill(number), "SF", None, tel, None, consent, size)


def bill(number: int, fen: int = 100, account: str = "110001") -> events.BillIssued:
    """A water bill of one yuan, numbered."""
    who, where = AccountNo(account), Name("王小二")
    return events.BillIssued(f"b{number}", "water", "water", who, where, None, "2026-10", fen, "2026-12-01")


def waybill(number: int) -> WaybillNo:
    return WaybillNo(f"SF{number:013d}")


def arrival(number: int, target: str = "auto") -> Arrival:
    return Arrival(waybill(number), "SF", OPERATOR, target)


def stored(store: Store, hub: Hub, number: int, target: str = "auto", **told: str | None) -> Parcel:
    """Bring parcel `number` into stock by the rules."""
    hub.tell(store, expected(number, **told))  # type: ignore[arg-type]
    parcel = store.run_now(parcels.arrive, arrival(number, target))
    if parcel.cell is None:
        return store.run_now(parcels.shelved, parcel.id)
    return store.run_now(parcels.deposited, parcel.id, "sensor")


def parcel_of(store: Store, number: int) -> Parcel:
    return store.run_now(parcels.load, ParcelId(f"p{number}"))


def code_of(store: Store, parcel: ParcelId) -> str:
    code: str = store.run_now(Tx.value, "SELECT code FROM parcel WHERE id = ?", (parcel,))
    return code


def kinds(store: Store, last: int | None = None) -> list[str]:
    """The names of the facts so far, the newest last."""
    rows = store.run_now(Tx.rows, "SELECT kind FROM fact ORDER BY seq")
    names = [row["kind"].partition(".")[0] for row in rows]
    return names if last is None else names[-last:]


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table: to see that a refusal changed nothing."""
    from edge.schema import TABLES

    def read(tx: Tx) -> dict[str, list[tuple[object, ...]]]:
        found = {table: [tuple(row.values()) for row in tx.rows(f"SELECT * FROM {table}")] for table in TABLES}
        return {table: sorted(rows, key=repr) for table, rows in found.items()}

    return store.run_now(read)


def disagreements(tx: Tx) -> list[dict[str, object]]:
    """Cell and parcel must name each other, a place is taken exactly when a parcel has it, and a code is there for
    what can be collected and for nothing else, as the index in memory says. Returns what is not so.
    """
    return tx.rows(
        "SELECT 'cell of parcel' AS what, p.id AS which FROM parcel p LEFT JOIN cell c ON c.cell = p.cell"
        " WHERE p.cell IS NOT NULL AND c.parcel IS NOT p.id"
        " UNION ALL SELECT 'parcel of cell', c.cell FROM cell c LEFT JOIN parcel p ON p.id = c.parcel"
        " WHERE c.parcel IS NOT NULL AND p.cell IS NOT c.cell"
        " UNION ALL SELECT 'cell without parcel', cell FROM cell"
        " WHERE (state IN ('reserved', 'occupied')) AND parcel IS NULL OR state = 'free' AND parcel IS NOT NULL"
        " UNION ALL SELECT 'place', l.place FROM place l LEFT JOIN parcel p ON p.place = l.place"
        " WHERE l.taken <> (p.id IS NOT NULL)"
        " UNION ALL SELECT 'nowhere or twice', id FROM parcel WHERE (cell IS NULL) = (place IS NULL)"
        " AND state IN ('arrived', 'on_shelf', 'in_locker', 'releasing', 'exception')"
        " UNION ALL SELECT 'code', id FROM parcel"
        " WHERE (code IS NULL) <> (state IN ('expected', 'arrived', 'picked_up'))"
        " AND state NOT IN ('returned', 'return_pending')"
        " UNION ALL SELECT 'index in memory', code FROM (SELECT substr(code, 4) AS tail, code FROM parcel"
        " WHERE code IS NOT NULL EXCEPT SELECT tail, code FROM code_tail)"
        " UNION ALL SELECT 'index in memory', code FROM (SELECT tail, code FROM code_tail"
        " EXCEPT SELECT substr(code, 4), code FROM parcel WHERE code IS NOT NULL)"
    )
