"""The hub's side of reconciliation sheets: what it holds of a stretch of a site's log, counted by itself.

Asked by the fact of an ended outage, by a stick, or by a person. How it is counted and signed is in edge/sheet.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge import events
from edge.chain import GENESIS, Position
from edge.events import OutageEnded
from edge.model import LogId, Seq, SiteCode
from edge.sheet import Counted, Figures, Settled, Sheet, Stretch, code_of, confirmation, tally
from sync.hub.case import Case
from sync.hub.heads import newest
from sync.hub.rows import Rows
from sync.hub.store import HubStore, Tx

RANGE = "site = ? AND seq > ? AND seq <= ?"
SETTLED = (
    "SELECT count(*) AS n, CAST(coalesce(sum(s.fen), 0) AS BIGINT) AS fen FROM fact f CROSS JOIN {table} s "
    "WHERE s.site = f.site AND s.event = f.event AND f.site = ? AND f.seq > ? AND f.seq <= ?"
)
LAST = "SELECT body FROM fact WHERE site = ? AND kind = 'outage_ended.1' ORDER BY seq DESC, event LIMIT 1"


def outage_ended(rows: Rows, case: Case, fact: OutageEnded) -> None:
    """Answer with our own count. The point tells of it only after we had confirmed all of it.

    Unless a backup was restored here since: then the facts come again first, in this same transaction, and are not all
    in their table yet. No answer is better than a wrong one; a person can ask for the sheet.
    """
    rows.flush()
    if rows.tx.value(f"SELECT count(*) FROM fact WHERE {RANGE}", (case.site, fact.after, fact.upto)) < (  # noqa: S608
        fact.upto - fact.after
    ):
        return
    stretch = Stretch(case.site, fact.after, Position(LogId(fact.log), Seq(fact.upto), fact.mark))
    case.down.append(confirmation(rows.tx.keys[case.site], stretch, figures(rows.tx, stretch)))


def for_stick(store: HubStore, site: SiteCode, after: int) -> bytes:
    """Our side of what the point asked about on a stick; b"" when we have nothing after that."""
    with store.reading() as tx:
        end = newest(tx, site)
        if end.upto <= after:
            return b""
        stretch = Stretch(site, after, end)
        fact = confirmation(tx.keys[site], stretch, figures(tx, stretch))
        return events.encode(fact, tx.dice.salt).body.encode()


def sheet(store: HubStore, site: SiteCode, after: int | None = None, upto: int | None = None) -> Sheet:
    """Our side of the newest outage that the point has told of, or of the stretch that is asked for."""
    with store.reading() as tx:
        told = _told(tx, site)
        if after is not None or upto is not None or told is None:
            told = None
            end = _end(tx, site, upto)
            stretch, since, until = Stretch(site, after or 0, end), 0, 0
        else:
            stretch = Stretch(site, told.after, Position(LogId(told.log), Seq(told.upto), told.mark))
            since, until = told.since, told.until
        ours = figures(tx, stretch)
        return Sheet(stretch, since, until, ours, ours, code_of(tx.keys[site], stretch, ours), is_genuine=True)


def figures(tx: Tx, stretch: Stretch) -> Figures:
    """Count what is here."""
    place = (stretch.site, stretch.after, stretch.end.upto)
    return tally(_counted(tx, place), _settled(tx, place))


def _counted(tx: Tx, place: tuple[Any, ...]) -> Iterator[Counted]:
    found = tx.execute(f"SELECT event, kind, body FROM fact WHERE {RANGE} ORDER BY seq, event", place)  # noqa: S608
    yield from found


def _settled(tx: Tx, place: tuple[Any, ...]) -> Settled:
    sums: list[int] = []
    for table in ("posting", "refusal"):
        row = tx.row(SETTLED.format(table=table), place) or {"n": 0, "fen": 0}
        sums += [int(row["n"]), int(row["fen"])]
    return Settled(*sums)


def _told(tx: Tx, site: SiteCode) -> OutageEnded | None:
    body = tx.value(LAST, (site,))
    fact = None if body is None else events.decode(events.Encoded(OutageEnded.kind, body, {}))
    return fact if isinstance(fact, OutageEnded) else None


def _end(tx: Tx, site: SiteCode, upto: int | None) -> Position:
    at = newest(tx, site)
    if upto is None or upto == at.upto:
        return at
    mark = tx.value("SELECT hash FROM fact WHERE site = ? AND seq = ? ORDER BY received_at DESC, event", (site, upto))
    return Position(at.log_id, Seq(upto), mark or GENESIS)
