"""The walk over the logs of a site: each once, from its beginning to what is old enough, a few facts at a time.

Logs are walked by name, for facts of two may bear the same numbers. Inside one they were received in their order, so
that what was walked past need not be looked at again. When facts are old is in sync/hub/lived.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.model import SiteCode
from sync.hub.lived import Times
from sync.hub.store import Tx

BATCH = 300  # facts in one transaction: some 10 ms, so that no batch of a point waits long
UP, DOWN = "up", "down"
Mark = tuple[str, str]  # way and log
Row = dict[str, Any]

_SOME = {
    UP: "SELECT seq, event, kind, body, at, received_at, personal IS NOT NULL AS personal FROM fact "
    "WHERE site = ? AND log_id = ? AND seq > ? AND seq <= ? ORDER BY seq, event LIMIT ?",
    DOWN: "SELECT seq, event, kind, body, at, at AS received_at, personal IS NOT NULL AS personal FROM down "
    "WHERE site = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
}
_LATER = {
    UP: "SELECT received_at FROM fact WHERE site = ? AND log_id = ? AND seq > ? AND seq <= ? AND received_at <= ? "
    "ORDER BY seq LIMIT 1",
    DOWN: "SELECT at FROM down WHERE site = ? AND seq > ? AND seq <= ? AND at <= ? ORDER BY seq LIMIT 1",
}
_TOLD = "SELECT down_log AS log_id, 0 AS began_at, (SELECT coalesce(max(seq), 0) FROM down WHERE site = s.code) AS upto"
_LOGS = {
    DOWN: f"{_TOLD} FROM site s WHERE code = ?",
    UP: "SELECT log_id, began_at, upto FROM head WHERE site = ? ORDER BY nth",
}
_WALKED = (
    "INSERT INTO walked (site, way, log_id, upto) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (site, way, log_id) DO UPDATE SET upto = excluded.upto"
)


class Stretch(NamedTuple):
    """The next facts of a log that are old enough. `walked`: how far it was before, None for not at all."""

    mark: Mark
    walked: int | None
    rows: Sequence[Row]

    @property
    def upto(self) -> int:
        """How far the log is walked with it."""
        return int(self.rows[-1]["seq"])


def marks_of(tx: Tx, site: SiteCode) -> dict[Mark, int]:
    """How far each log of a site was walked."""
    rows = tx.rows("SELECT way, log_id, upto FROM walked WHERE site = ?", (site,))
    return {(row["way"], row["log_id"]): int(row["upto"]) for row in rows}


def next_stretch(tx: Tx, site: SiteCode, times: Times, marks: Mapping[Mark, int]) -> Stretch | None:
    """What is to be walked next: announcements before the facts of their parcels."""
    if times.old is None:
        return None
    for way, sql in _LOGS.items():
        for log in list(tx.rows(sql, (site,))):
            mark = (way, "" if way == DOWN else log["log_id"])
            after = marks.get(mark, int(log["began_at"]))
            if after < log["upto"] and (rows := _old(tx, site, mark, (after, int(log["upto"])), times)):
                return Stretch(mark, marks.get(mark), rows)
    return None


def walked(tx: Tx, site: SiteCode, stretch: Stretch) -> None:
    """These facts were walked over. The site is held."""
    tx.execute(_WALKED, (site, *stretch.mark, stretch.upto))


def _old(tx: Tx, site: SiteCode, mark: Mark, span: tuple[int, int], times: Times) -> list[Row]:
    """The next facts that are old: all before the last that is, unless a young one comes first.

    One from the future tells nothing of its age; those that came after it do.
    """
    way, log = mark
    assert times.old is not None
    where = (site, *span) if way == DOWN else (site, log, *span)
    first = tx.row(_SOME[way], (*where, 1))
    if first is None or times.old < first["received_at"] <= times.future:
        return []
    rows = list(tx.rows(_SOME[way], (*where, BATCH)))
    old = 0
    for number, row in enumerate(rows, 1):
        if row["received_at"] <= times.old:
            old = number
        elif row["received_at"] <= times.future:
            return rows[:old]
    if old == 0:
        where = (*where[:-2], rows[-1]["seq"], span[1])
        later = tx.value(_LATER[way], (*where, times.future))
        return rows if later is not None and later <= times.old else []
    return rows[:old]
