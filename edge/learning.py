"""What the operators of this point have taught: of which carrier a number of some shape is. See codes.recognise."""

from __future__ import annotations

from edge.model import WaybillNo
from edge.store import Tx


def learnt(tx: Tx) -> dict[tuple[int, str], str]:
    """Return carriers by length and first three signs of the number."""
    rows = tx.rows("SELECT length, prefix, carrier FROM carrier_choice")
    return {(row["length"], row["prefix"]): row["carrier"] for row in rows}


def learn(tx: Tx, number: WaybillNo, carrier: str) -> None:
    tx.bookkeeping = True
    tx.execute(
        "INSERT OR REPLACE INTO carrier_choice (length, prefix, carrier) VALUES (?, ?, ?)",
        (len(number), number[:3], carrier),
    )
