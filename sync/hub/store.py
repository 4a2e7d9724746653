"""The hub's store: one transaction at a time on whichever database there is. What the rows mean does not live here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from edge.chain import GENESIS
from edge.clock import Clock, Dice
from edge.model import SiteCode, Stamp
from sync.hub.database import Cursor, Database, Session, StoreFault, Values
from sync.hub.schema import MIGRATIONS

__all__ = ["HubStore", "StoreFault", "Tx"]
BEGIN = (
    "INSERT INTO site (code, down_log, sent_log, sent_upto, sent_mark) VALUES (?, ?, ?, 0, ?) "
    "ON CONFLICT (code) DO NOTHING"
)


class Tx:
    """One transaction: the session, one stamp for all of it, and the dice."""

    def __init__(self, session: Session, stamp: Stamp, dice: Dice, keys: Mapping[SiteCode, bytes]) -> None:
        self.session = session
        self.stamp = stamp
        self.dice = dice
        self.keys = keys

    def execute(self, sql: str, parameters: Values = ()) -> Cursor:
        """Run one statement."""
        return self.session.execute(sql, parameters)

    def rows(self, sql: str, parameters: Values = ()) -> Iterator[dict[str, Any]]:
        """Yield rows as dictionaries."""
        cursor = self.session.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def row(self, sql: str, parameters: Values = ()) -> dict[str, Any] | None:
        """Return the first row, None if there is none."""
        return next(self.rows(sql, parameters), None)

    def value(self, sql: str, parameters: Values = ()) -> Any:
        """Return the first column of the first row, None if there is none."""
        found = self.session.execute(sql, parameters).fetchone()
        return None if found is None else found[0]

    def hold(self, *names: str) -> None:
        """Work on these names (sites, books) alone from here to the end of the transaction."""
        self.session.hold(names)

    def attempt(self) -> AbstractContextManager[None]:
        """A part that may fail alone: an exception undoes what was written inside it and travels on."""
        return self.session.attempt()


class HubStore:
    """The store of this process, on one connection."""

    def __init__(self, database: Database, clock: Clock, dice: Dice, keys: Mapping[SiteCode, bytes]) -> None:
        self.database = database
        self.keys = dict(keys)
        self.clock = clock
        self.dice = dice

    def open(self) -> None:
        """Open or make the database, bring it to this release's schema and begin new sites. Errors: StoreFault."""
        self.database.open(MIGRATIONS)
        with self.reading() as tx:
            known = {row["code"] for row in tx.rows("SELECT code FROM site")}
        new = [site for site in self.keys if site not in known]
        if new:
            with self.transaction() as tx:
                begin_sites(tx, new)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Run one transaction: all of it or nothing. Errors: StoreFault; any other exception undoes all and travels."""
        with self.database.transaction() as session:
            yield Tx(session, self.clock.stamp(), self.dice, self.keys)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """Read one unchanging state. Errors: StoreFault."""
        with self.database.reading() as session:
            yield Tx(session, self.clock.stamp(), self.dice, self.keys)

    def changed_elsewhere(self) -> bool:
        """Tell whether another process has written what the points must hear of, since the last call."""
        return self.database.changed_elsewhere()


def begin_sites(tx: Tx, sites: Sequence[SiteCode]) -> None:
    """Give new sites their row and the name of their down log. Does nothing for an old one."""
    for site in sites:
        name = tx.dice.ident()
        tx.execute(BEGIN, (site, name, name, GENESIS))
