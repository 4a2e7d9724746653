"""What the hub gives a terminal that takes another one's place: the facts of its site, and the codes of open parcels.

The facts come in the order of the chain that goes on: where a card was copied or put back, two facts may bear one
number, and the one is meant that leads to the newest log's end. Codes are no part of the facts here (sync/hub/keeping);
they stand in the messages to recipients until the parcel is collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.chain import GENESIS, Item, event_id, link
from edge.model import Seq, SiteCode
from sync.hub import down, heads
from sync.hub.store import HubStore, Tx

LIMIT = 200
MAX_BYTES = 200 * 1024  # of one answer
ON_LINE = "SELECT * FROM fact WHERE site = ? AND seq > ? AND seq <= ? ORDER BY seq, event LIMIT ?"
TWICE = "SELECT seq FROM fact WHERE site = ? AND seq <= ? GROUP BY seq HAVING COUNT(*) > 1 ORDER BY seq DESC"


def up(store: HubStore, site: SiteCode, after: int, mark: str) -> dict[str, Any]:
    """Facts of the point after a position, and where they end. `known`: whether that position lies on their way."""
    with store.reading() as tx:
        end = heads.newest(tx, site)
        told = {"log": end.log_id, "upto": int(end.upto), "mark": end.mark}
        chosen = _chosen(tx, site, int(end.upto), end.mark)
        if not _is_on_line(tx, site, (after, mark), int(end.upto), chosen):
            return told | {"known": False, "items": []}
        rows = [
            row for row in tx.rows(ON_LINE, (site, after, end.upto, 2 * LIMIT))
            if chosen.get(row["seq"], row["event"]) == row["event"]
        ]  # fmt: skip
        return told | {"known": True, "items": _bounded([_told(row) for row in rows[:LIMIT]])}


def down_facts(store: HubStore, site: SiteCode, after: int, mark: str) -> dict[str, Any]:
    """Facts of the hub after a position, as `up`."""
    with store.reading() as tx:
        end = down.head(tx, site)
        told = {"log": end.log_id, "upto": int(end.upto), "mark": end.mark}
        if down.mark_at(tx, site, Seq(after)) != mark:
            return told | {"known": False, "items": []}
        rows = tx.rows("SELECT * FROM down WHERE site = ? AND seq > ? ORDER BY seq LIMIT ?", (site, after, LIMIT))
        return told | {"known": True, "items": _bounded([_told(row) for row in rows])}


def codes(store: HubStore, site: SiteCode) -> dict[str, str]:
    """The codes of parcels that wait at the point, by parcel: the newest message of each."""
    with store.reading() as tx:
        rows = tx.rows(
            "SELECT parcel, code FROM sms WHERE site = ? AND code IS NOT NULL AND code <> '' ORDER BY at, event",
            (site,),
        )
        return {row["parcel"]: row["code"] for row in rows}


# --- inside -------------------------------------------------------------------------------------------------------


def _chosen(tx: Tx, site: SiteCode, upto: int, mark: str) -> dict[int, str]:
    """Where several facts bear one number, the event of the one that leads on, from the end backwards."""
    chosen: dict[int, str] = {}
    for row in list(tx.rows(TWICE, (site, upto))):
        seq = int(row["seq"])
        rows = list(tx.rows("SELECT * FROM fact WHERE site = ? AND seq = ?", (site, seq)))
        if seq == upto:
            chosen[seq] = event_id(mark)
            continue
        following = [
            each for each in tx.rows("SELECT * FROM fact WHERE site = ? AND seq = ?", (site, seq + 1))
            if chosen.get(seq + 1, each["event"]) == each["event"]
        ]  # fmt: skip
        for each in rows:
            if any(link(tx.keys[site], each["hash"], _item(after)) == after["hash"] for after in following):
                chosen[seq] = each["event"]
    return chosen


def _is_on_line(tx: Tx, site: SiteCode, at: tuple[int, str], upto: int, chosen: Mapping[int, str]) -> bool:
    seq, mark = at
    if seq == 0:
        return mark == GENESIS
    if seq > upto:
        return False
    event = event_id(mark)
    held = tx.value("SELECT hash FROM fact WHERE site = ? AND seq = ? AND event = ?", (site, seq, event))
    return held == mark and chosen.get(seq, event) == event


def _item(row: Mapping[str, Any]) -> Item:
    return down.item_of({**row, "personal": None})


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A fact as it travels, with its hash: whoever holds the key can prove that it follows."""
    return {
        "seq": row["seq"], "kind": row["kind"], "body": row["body"], "at": row["at"], "boot": row["boot"],
        "ms": row["ms"], "synced": row["synced"], "mark": row["hash"], "personal": down.personal_of(row["personal"]),
    }  # fmt: skip


def _bounded(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as one answer holds, one at least."""
    size = 0
    for at, item in enumerate(items):
        size += 3 * len(item["body"]) + sum(6 * len(value) for _, value in item["personal"].values()) + 300
        if at and size > MAX_BYTES:
            return items[:at]
    return items
