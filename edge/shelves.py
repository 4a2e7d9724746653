"""Shelf places (shelf-level-position): given out least recently used first, so that a spoken place rests a while."""

from __future__ import annotations

import json
from collections.abc import Iterable

from edge.model import Place
from edge.store import Tx

TAKEN_DOWN = ""  # the shelf of a place that the settings do not name any more
COOLDOWN = 48 * 3_600_000  # code_cooldown_hours of the policy table; a busy shelf may fall below it


def lay_out(tx: Tx, places: Iterable[tuple[str, str]]) -> None:
    """Make a row for each (shelf, place). One that is no more goes: a free one now, one in use with its parcel."""
    tx.bookkeeping = True
    named: list[str] = []
    for shelf, place in places:
        named.append(place)
        tx.execute(
            "INSERT INTO place (place, shelf, free_seq, free_at, taken) VALUES (?, ?, 0, 0, 0)"
            " ON CONFLICT (place) DO UPDATE SET shelf = excluded.shelf WHERE shelf <> excluded.shelf",
            (place, shelf),
        )
    no_more = "place NOT IN (SELECT value FROM json_each(?))"
    tx.execute(f"DELETE FROM place WHERE taken = 0 AND {no_more}", (json.dumps(named),))  # noqa: S608 constant
    tx.execute(f"UPDATE place SET shelf = ? WHERE {no_more}", (TAKEN_DOWN, json.dumps(named)))  # noqa: S608 constant


def take(tx: Tx) -> Place | None:
    """Reserve the place that has been free for longest; None when all are taken."""
    taken: Place | None = tx.value(
        "UPDATE place SET taken = 1"
        " WHERE place = (SELECT place FROM place WHERE taken = 0 ORDER BY free_seq, place LIMIT 1) RETURNING place"
    )
    return taken


def give_back(tx: Tx, place: Place) -> None:
    seq = tx.value("SELECT coalesce(max(seq), 0) FROM fact")
    tx.update("place", ("place", place), {"taken": 0, "free_seq": seq, "free_at": tx.stamp.at})
    tx.execute("DELETE FROM place WHERE place = ? AND shelf = ?", (place, TAKEN_DOWN))


def rested(tx: Tx, place: Place) -> bool:
    """Tell whether the place has been free for the cool-down (for the label print and the stock count)."""
    free_at = tx.value("SELECT free_at FROM place WHERE place = ?", (place,))
    return free_at is None or tx.stamp.at - int(free_at) >= COOLDOWN
