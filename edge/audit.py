"""Does the log still verify? The tail at every start, the whole once a day, beside the running store.

A break is an alarm for the technician and shows at the hub, no reason to close the counter: the rows that matter today
are checked by their own rules, and the hub takes nothing that does not fit its chain.
"""

from __future__ import annotations

from pathlib import Path

from sqlite_utils import Database

from edge import log
from edge.clock import Clock, Dice
from edge.copies import FILE, read_only
from edge.log import Broken
from edge.store import Keys, Tx

TAIL = 500  # facts at every start; some 10 ms
ALARM = "log_broken"


def tail(tx: Tx) -> Broken | None:
    """Verify the newest facts and raise the alarm when they do not fit."""
    return noted(tx, log.verify(tx, TAIL))


def noted(tx: Tx, broken: Broken | None) -> Broken | None:
    """Raise or drop the alarm by what was found."""
    tx.bookkeeping = True
    if broken is None:
        log.drop_alarm(tx, ALARM, "")
    else:
        log.raise_alarm(tx, ALARM, "")
    return broken


def whole(folder: Path, keys: Keys, clock: Clock, dice: Dice) -> Broken | None:
    """Verify the whole log in a thread of its own, on a read-only connection. Errors: sqlite3.Error."""
    connection = read_only(folder / FILE)
    try:
        connection.isolation_level = None
        connection.execute("BEGIN")
        return log.verify(Tx(Database(connection, execute_plugins=False), clock.stamp(), dice, keys))
    finally:
        connection.close()
