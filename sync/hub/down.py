"""The hub's log for one site: append, read, and the cursor of what the site has confirmed.

The same chain as at the point, with the same key. It never loses a fact by itself; only a restored backup can, and
then the log gets a new name and is offered from the beginning (see sync/relay.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from edge import events
from edge.chain import GENESIS, Item, Linked, Position, event_id, link
from edge.events import Fact
from edge.model import EventId, LogId, Seq, SiteCode, Stamp
from sync.facts import personal_json
from sync.hub.database import Values
from sync.hub.schema import DOWN
from sync.hub.store import Tx

ENDS = (
    "SELECT d.site, d.seq, d.hash FROM site s JOIN down d ON d.site = s.code "
    "AND d.seq = (SELECT max(e.seq) FROM down e WHERE e.site = s.code) WHERE s.code IN ({marks})"
)


class DownLog:
    """The end of one site's log inside one transaction, which holds the site.

    Shape: `later` collects rows that the caller writes at its end; None writes each at once. `stored`: where the log
    ends in the database, if that has been read.
    """

    def __init__(
        self, tx: Tx, site: SiteCode, later: list[Values] | None = None, stored: tuple[int, str] | None = None
    ) -> None:
        self._tx = tx
        self._site = site
        self._later = later
        self._known = stored
        self._end: tuple[int, str] | None = None

    @property
    def end(self) -> tuple[int, str] | None:
        """Where the log ends, for `back_to`; None as long as nobody has asked."""
        return self._end

    def back_to(self, end: tuple[int, str] | None) -> None:
        """Forget what was appended since."""
        if self._later is not None and self._end is not None and end != self._end:
            stays = (end or self._stored())[0]
            self._later[:] = [row for row in self._later if row[0] != self._site or row[1] <= stays]
        self._end = end

    def append(self, fact: Fact) -> EventId:
        """Put a fact at the end, stamped with the transaction."""
        encoded = events.encode(fact, self._tx.dice.salt)
        return self.append_encoded(encoded.kind, encoded.body, personal_text(encoded.personal))

    def append_encoded(self, kind: str, body: str, personal: str | None) -> EventId:
        """Put a fact at the end that was encoded before."""
        at = self._tx.stamp
        before, mark = self._end or self._stored()
        seq = before + 1
        mark = link(self._tx.keys[self._site], mark, Item(Seq(seq), kind, body, at))
        event = event_id(mark)
        row = (self._site, seq, event, kind, body, at.at, at.boot, at.ms, int(at.synced), mark, personal)
        if self._later is None:
            self._tx.session.append(DOWN, [row])
            self._tx.session.announce()
        else:
            self._later.append(row)
        self._end = seq, mark
        return event

    def _stored(self) -> tuple[int, str]:
        if self._known is None:
            self._known = read_ends(self._tx, [self._site])[self._site]
        return self._known


def read_ends(tx: Tx, sites: Sequence[SiteCode]) -> dict[SiteCode, tuple[int, str]]:
    """Number and hash of the newest fact of each site's log."""
    found = tx.session.execute(ENDS.format(marks=", ".join("?" * len(sites))), tuple(sites))
    return {**dict.fromkeys(sites, (0, GENESIS)), **{site: (int(seq), mark) for site, seq, mark in found}}


def head(tx: Tx, site: SiteCode) -> Position:
    """The newest fact of the site's log."""
    upto, mark = read_ends(tx, [site])[site]
    return Position(LogId(tx.value("SELECT down_log FROM site WHERE code = ?", (site,))), Seq(upto), mark)


def cursor(tx: Tx, site: SiteCode) -> Position:
    """What the site has confirmed."""
    row = tx.row("SELECT sent_log, sent_upto, sent_mark FROM site WHERE code = ?", (site,))
    if row is None:
        raise AssertionError("a site without a row")
    return Position(LogId(row["sent_log"]), Seq(row["sent_upto"]), row["sent_mark"])


def mark_at(tx: Tx, site: SiteCode, seq: Seq) -> str | None:
    """The hash at a position, GENESIS for 0, None for what is not held."""
    if seq == 0:
        return GENESIS
    value: str | None = tx.value("SELECT hash FROM down WHERE site = ? AND seq = ?", (site, seq))
    return value


def confirm(tx: Tx, site: SiteCode, position: Position) -> None:
    """Move the cursor, also back. A position in a log that was renamed meanwhile means nothing."""
    tx.execute(
        "UPDATE site SET sent_log = ?, sent_upto = ?, sent_mark = ? WHERE code = ? AND down_log = ?",
        (position.log_id, position.upto, position.mark, site, position.log_id),
    )


def fork(tx: Tx, site: SiteCode) -> Position:
    """The site holds another history than ours (we were restored from a backup): give the log a new name."""
    at = cursor(tx, site)
    name = LogId(tx.dice.ident())
    tx.execute("UPDATE site SET down_log = ? WHERE code = ?", (name, site))
    renamed = Position(name, at.upto, at.mark)
    confirm(tx, site, renamed)
    return renamed


def read_after(tx: Tx, site: SiteCode, seq: Seq, limit: int, max_bytes: int) -> tuple[Item, ...]:
    """The facts after `seq`, at most `limit` and about `max_bytes` (always one if there is one)."""
    taken: list[Item] = []
    size = 0
    for row in tx.rows("SELECT * FROM down WHERE site = ? AND seq > ? ORDER BY seq LIMIT ?", (site, seq, limit)):
        size += len(row["body"].encode()) + len((row["personal"] or "").encode())
        if taken and size > max_bytes:
            break
        taken.append(item_of(row))
    return tuple(taken)


def next_of(tx: Tx, site: SiteCode, kinds: Sequence[str], after: Seq, limit: int) -> list[Linked]:
    """The next facts of these kinds after `after`, at most `limit`, each with its two hashes."""
    marks = ", ".join("?" * len(kinds))
    found = tx.rows(
        "SELECT d.*, (SELECT hash FROM down b WHERE b.site = d.site AND b.seq = d.seq - 1) AS prev FROM down d "  # noqa: S608  marks only
        f"WHERE d.site = ? AND d.seq > ? AND d.kind IN ({marks}) ORDER BY d.seq LIMIT ?",
        (site, after, *kinds, limit),
    )
    return [Linked(row["prev"] or GENESIS, item_of(row), row["hash"]) for row in found]


def item_of(row: Mapping[str, Any]) -> Item:
    """A row of the log as it travels."""
    stamp = Stamp(row["at"], row["boot"], row["ms"], bool(row["synced"]))
    return Item(Seq(row["seq"]), row["kind"], row["body"], stamp, personal_of(row["personal"]))


def personal_text(personal: Mapping[str, tuple[str, str]]) -> str | None:
    """Personal values as they rest in their column beside the body: None when there are none."""
    return personal_json(personal) if personal else None


def personal_of(text: str | None) -> dict[str, tuple[str, str]]:
    """Read that column."""
    return {} if text is None else {name: (salt, value) for name, (salt, value) in json.loads(text).items()}
