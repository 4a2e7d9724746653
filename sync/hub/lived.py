"""The days this hub has lived, and what is old by them: a clock that jumps makes nothing old.

Something is old enough when the clock says so and the hub has worked on as many days since. A clock that is ten years
ahead adds one day, like any other; days on which the hub stood still are not counted.
"""

from __future__ import annotations

from typing import NamedTuple

from sync.hub.store import Tx

DAY_MS = 24 * 3_600_000
LEAST_DAYS, USUAL_DAYS, MOST_DAYS = 7, 30, 180  # the least is what terminals keep after a parcel has left
REMEMBERED = 400  # days; more than anything asks for


class Times(NamedTuple):
    """What is old, in UTC milliseconds by the hub's clock. None as long as the hub has not lived so long.

    Shape: `old` is the last moment of what was kept long enough, `very_old` of what nobody can tell the use of;
    `future` begins what cannot have come yet: the clock was wrong then.
    """

    old: int | None
    very_old: int | None
    now: int
    future: int


def note_day(tx: Tx) -> None:
    """Today was lived."""
    tx.execute("INSERT INTO lived (day) VALUES (?) ON CONFLICT DO NOTHING", (tx.stamp.at // DAY_MS,))
    tx.execute(
        "DELETE FROM lived WHERE day < (SELECT day FROM lived ORDER BY day DESC LIMIT 1 OFFSET ?)", (REMEMBERED,)
    )


def times(tx: Tx, keep_days: int) -> Times:
    """What is old now."""
    now = tx.stamp.at
    return Times(_end(tx, keep_days), _end(tx, MOST_DAYS), now, now + DAY_MS)


def _end(tx: Tx, days: int) -> int | None:
    now = tx.stamp.at
    day = tx.value("SELECT day FROM lived WHERE day <= ? ORDER BY day DESC LIMIT 1 OFFSET ?", (now // DAY_MS, days))
    return None if day is None else min(now - days * DAY_MS, (int(day) + 1) * DAY_MS - 1)
