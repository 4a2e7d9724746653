"""Forgetting people: personal values go when their purpose is done and the hub has what it needs of them."""

from __future__ import annotations

import json

from edge import events, log
from edge.model import AccountNo, Seq
from edge.store import Tx

BATCH = 200  # rows per transaction: the counter must not wait


def erase_collected(tx: Tx, before: int) -> int:
    """Forget the people behind parcels closed before `before` (UTC ms), the oldest first. Return how many parcels.

    A parcel whose facts still wait for the hub keeps its people until the hub has them.
    """
    confirmed = log.cursor(tx, log.UP).upto
    rows = tx.rows(
        "SELECT id FROM parcel WHERE closed_at < ? AND coalesce(recipient, phone, address) IS NOT NULL"
        " ORDER BY closed_at LIMIT ?",
        (before, BATCH),
    )
    fields = parcels = 0
    facts = _facts_of(tx, [row["id"] for row in rows])
    for row in rows:
        held = facts.get(row["id"], [])
        if held and max(held) > confirmed:
            continue
        tx.update("parcel", ("id", row["id"]), {"recipient": None, "phone": None, "address": None})
        fields += sum(log.erase(tx, seq) for seq in held)
        parcels += 1
    if parcels:
        log.append(tx, events.PersonalErased(fields, "retention"))
    return parcels


def erase_used_codes(tx: Tx) -> int:
    """Forget codes of parcels that left before the hub had the fact with the code. Return how many facts."""
    confirmed = log.cursor(tx, log.UP).upto
    rows = tx.rows("SELECT seq FROM owed WHERE seq <= ? ORDER BY seq LIMIT ?", (confirmed, BATCH))
    fields = sum(log.erase(tx, row["seq"]) for row in rows)
    if rows:
        tx.execute("DELETE FROM owed WHERE seq <= ?", (rows[-1]["seq"],))
        log.append(tx, events.PersonalErased(fields, "used"))
    return len(rows)


def erase_settled_bills(tx: Tx, before: int) -> int:
    """Forget the payers of bills that were settled and accepted before `before` (UTC ms). Return how many bills.

    Amount, slip and serial stay for the ledger; of the account number only its masked form.
    """
    rows = tx.rows(
        "SELECT id, account_no FROM bill WHERE accepted_seq IS NOT NULL AND accepted_at < ? AND name <> ''"
        " AND state IN ('posted', 'reversed') LIMIT ?",
        (before, BATCH),
    )
    for row in rows:
        masked = AccountNo(row["account_no"]).masked()
        tx.update("bill", ("id", row["id"]), {"name": "", "address": None, "account_no": masked})
    if rows:
        log.append(tx, events.PersonalErased(3 * len(rows), "retention"))
    return len(rows)


def _facts_of(tx: Tx, parcels: list[str]) -> dict[str, list[Seq]]:
    """The facts that still hold personal values of these parcels, found in one walk over what is held."""
    found: dict[str, list[Seq]] = {}
    if parcels:
        sql = (
            "SELECT DISTINCT p.seq, json_extract(f.body, '$.parcel') AS parcel FROM personal p"
            " JOIN fact f ON f.seq = p.seq WHERE parcel IN (SELECT value FROM json_each(?))"
        )
        for row in tx.rows(sql, (json.dumps(parcels),)):
            found.setdefault(row["parcel"], []).append(row["seq"])
    return found
