"""Rules of weighing with a ticket: its number, its value, which weighing repeats which. Knows no scale.

A ticket says what goods weighed, and what that comes to at a price somebody named. It settles nothing: no money is
owed, taken or paid out by it, and no farmer is named on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge import events, log
from edge.model import Fen, OperatorId, Rejected
from edge.steps import Ticket
from edge.store import Tx

DIGITS = 6  # a million tickets before the number grows longer
MARK = "W"  # tickets and bill slips never share a number
LAST = "ticket"  # the key of the last number in `meta`


@dataclass(frozen=True, slots=True)
class Load:
    """What the scale said. Units: grams. `tare_g` None: the instrument itself had been tared, nobody knows by what."""

    net_g: int
    tare_g: int | None = 0


def value(fen_per_kg: Fen, grams: int) -> Fen:
    """Return price times weight, rounded half up to whole fen: 8.60 yuan/kg x 1.250 kg is 10.75 yuan.

    Source: reference domain.md 3.4, "rounding": no legal rule was found, this one is ours and stands on the ticket.
    Errors: ValueError for a negative price or weight; half up would then favour the other side.
    """
    if fen_per_kg < 0 or grams < 0:
        raise ValueError(f"{fen_per_kg} fen/kg, {grams} g")
    return Fen((fen_per_kg * grams + 500) // 1000)


def weighed(tx: Tx, load: Load, fen_per_kg: Fen | None, operator: OperatorId, reweigh: str | None = None) -> Ticket:
    """Give a weighing its number and write it down, in one commit. Errors: ValueError for a load of nothing."""
    if load.net_g <= 0:
        raise ValueError(f"a load of {load.net_g} g")
    fen = None if fen_per_kg is None else value(fen_per_kg, load.net_g)
    ticket = _next(tx)
    fact = events.GoodsWeighed(ticket, load.net_g, load.tare_g, fen_per_kg, fen, operator, reweigh)
    seq = log.append(tx, fact).seq
    tx.insert(
        "weighing",
        {
            "ticket": ticket,
            "net_g": load.net_g,
            "tare_g": load.tare_g,
            "fen_per_kg": fen_per_kg,
            "fen": fen,
            "operator": operator,
            "reweigh": reweigh,
            "at": tx.stamp.at,
            "seq": seq,
        },
    )
    return load_ticket(tx, ticket)


def load_ticket(tx: Tx, ticket: str) -> Ticket:
    """Return a ticket. Errors: Rejected unknown_slip."""
    row = tx.row(
        "SELECT w.*, substr(f.hash, 1, 8) AS mark FROM weighing w JOIN fact f ON f.seq = w.seq WHERE ticket = ?",
        (ticket,),
    )
    if row is None:
        raise Rejected("unknown_slip")
    return Ticket(
        ticket=row["ticket"],
        net_g=row["net_g"],
        tare_g=row["tare_g"],
        fen_per_kg=None if row["fen_per_kg"] is None else Fen(row["fen_per_kg"]),
        fen=None if row["fen"] is None else Fen(row["fen"]),
        operator=row["operator"],
        at=row["at"],
        check=row["mark"],
        reweigh=row["reweigh"],
    )


def newest(tx: Tx) -> Ticket | None:
    """Return the last ticket, None before the first."""
    found = tx.value("SELECT ticket FROM weighing ORDER BY seq DESC LIMIT 1")
    return None if found is None else load_ticket(tx, found)


def is_ticket(slip: str) -> bool:
    """Whether a slip number is a weighing's."""
    return slip.startswith(MARK)


def _next(tx: Tx) -> str:
    number = int(tx.value("SELECT value FROM meta WHERE key = ?", (LAST,)) or 0) + 1
    tx.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (LAST, str(number)))
    return f"{MARK}{number:0{DIGITS}d}"
