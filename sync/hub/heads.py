"""How far the hub has each log of a site: read under the site's lock, moved by compare-and-set with the facts.

One site has one log as long as its card is never restored, copied or replaced; each new name is one more head. The
position mark makes a repeated batch nearly free: what is not the next one is answered, not inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.chain import GENESIS, Position, event_id
from edge.model import LogId, Seq, SiteCode
from sync.hub.database import StoreFault, Values
from sync.hub.store import Tx
from sync.relay import Verdict, ladder

MAX_LOGS_OFFERED = 8  # newest names of a site whose ends go into a ladder
NOBODY = Position(LogId("none"), Seq(0), GENESIS)  # where a site stands that was never heard
MOVE = "UPDATE head SET upto = ?, mark = ?, heard_at = ? WHERE site = ? AND log_id = ? AND upto = ? AND mark = ?"
BEGIN = "INSERT INTO head (site, log_id, nth, began_at, upto, mark, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
AT = "SELECT hash FROM fact WHERE site = ? AND seq = ? ORDER BY received_at DESC, event LIMIT 1"


@dataclass(slots=True)
class Head:
    """One log. `stored` is the position in the database, None for a log that begins in this transaction."""

    nth: int
    began_at: int
    now: Position
    stored: Position | None


class Heads:
    """The logs of one site, oldest first."""

    def __init__(self, site: SiteCode) -> None:
        self.site = site
        self._all: dict[LogId, Head] = {}

    def add(self, nth: int, began_at: int, at: Position) -> None:
        """Note a log as it stands in the database."""
        self._all[at.log_id] = Head(nth, began_at, at, at)

    @property
    def count(self) -> int:
        """How many names the log of this site has had."""
        return len(self._all)

    @property
    def newest(self) -> Position:
        """Where the newest log stands."""
        return max(self._all.values(), key=lambda head: head.nth).now if self._all else NOBODY

    def of(self, log_id: LogId) -> Position | None:
        """Where this log stands, None if it is not known."""
        head = self._all.get(log_id)
        return None if head is None else head.now

    def move(self, verdict: Verdict) -> None:
        """Follow a batch that is kept in this transaction."""
        at = verdict.position
        if verdict.opens:
            nth = 1 + max((head.nth for head in self._all.values()), default=0)
            self._all[at.log_id] = Head(nth, int(verdict.base.upto), at, None)
        else:
            self._all[at.log_id].now = at

    def changes(self, now: int) -> tuple[list[Values], list[Values]]:
        """What BEGIN and MOVE are to write, which is stored from here on. `now`: UTC milliseconds."""
        begun: list[Values] = []
        moved: list[Values] = []
        for head in self._all.values():
            at, was = head.now, head.stored
            if was is None:
                begun.append((self.site, at.log_id, head.nth, head.began_at, at.upto, at.mark, now))
            elif at != was:
                moved.append((at.upto, at.mark, now, self.site, at.log_id, was.upto, was.mark))
            head.stored = at
        return begun, moved

    def ladder(self, tx: Tx) -> list[tuple[Seq, str]]:
        """Hashes a sender that lost track may go on from: ends of the newest logs, steps back from the last, zero."""
        newest = sorted(self._all.values(), key=lambda head: -head.nth)[:MAX_LOGS_OFFERED]
        known = {(head.now.upto, head.now.mark) for head in newest}
        for seq in ladder(newest[0].now.upto)[1:-1] if newest else []:
            known.update((seq, row["hash"]) for row in tx.rows(AT, (self.site, seq)))
        return [*sorted(known, reverse=True), (Seq(0), GENESIS)]

    def knows(self, tx: Tx, seq: Seq, mark: str) -> bool:
        """Whether this site's fact `seq` with this hash is held, under whatever name of the log."""
        place = (self.site, seq, event_id(mark), mark)
        return tx.row("SELECT seq FROM fact WHERE site = ? AND seq = ? AND event = ? AND hash = ?", place) is not None


def write_heads(tx: Tx, sites: Iterable[Heads]) -> None:
    """Write the positions. Errors: StoreFault when somebody moved one although this transaction holds the site."""
    begun: list[Values] = []
    moved: list[Values] = []
    for heads in sites:
        new, further = heads.changes(tx.stamp.at)
        begun += new
        moved += further
    if begun:
        tx.session.execute_each(BEGIN, begun)
    if moved and tx.session.execute_each(MOVE, moved) != len(moved):
        raise StoreFault("busy", "another worker has moved the position of a log")


def read_heads(tx: Tx, sites: Sequence[SiteCode]) -> dict[SiteCode, Heads]:
    """Read the logs of some sites."""
    heads = {site: Heads(site) for site in sites}
    marks = ", ".join("?" * len(heads))
    found = tx.rows(
        f"SELECT site, log_id, nth, began_at, upto, mark FROM head WHERE site IN ({marks}) ORDER BY nth",  # noqa: S608
        tuple(heads),
    )
    for row in found:
        at = Position(LogId(row["log_id"]), Seq(row["upto"]), row["mark"])
        heads[SiteCode(row["site"])].add(row["nth"], row["began_at"], at)
    return heads


def newest(tx: Tx, site: SiteCode) -> Position:
    """Where the newest log of a site stands; nothing yet is position 0 of a log named `none`."""
    return read_heads(tx, [site])[site].newest
