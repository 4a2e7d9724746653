"""What a fact of the hub does here: one table from kind to rule. Applied once, inside the transaction of the cursor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from edge import bills, commissioning, events, log, outages, parcels, updates
from edge.events import Fact
from edge.model import IllegalMove, Rejected
from edge.store import Tx

logger = logging.getLogger(__name__)


def _notice(tx: Tx, fact: events.NoticePublished) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO notice (id, text, valid_until) VALUES (?, ?, ?)",
        (fact.notice, fact.text, fact.valid_until),
    )


def _refused(tx: Tx, fact: events.FactRefused) -> None:
    tx.execute("INSERT OR IGNORE INTO refused (event, reason) VALUES (?, ?)", (fact.event, fact.reason))
    log.raise_alarm(tx, "fact_refused", "")


RULES: dict[type[Fact], Callable[[Tx, Any], None]] = {
    events.ParcelExpected: parcels.expected,
    events.NoticeSent: parcels.notified,
    events.BillIssued: bills.issued,
    events.BillPosted: bills.posted,
    events.BillRefused: bills.refused,
    events.NoticePublished: _notice,
    events.FactRefused: _refused,
    events.SheetConfirmed: outages.answered,
    events.CommissioningConfirmed: commissioning.confirmed,
    events.UpdateOrdered: updates.ordered,
    events.UpdateWithdrawn: updates.withdrawn,
}


def apply(tx: Tx, fact: Fact) -> None:
    """Apply a fact of the hub. What cannot be applied is logged by kind and passed over: it blocks nothing."""
    rule = RULES.get(type(fact))
    if rule is None:
        logger.warning("a fact of the hub is not understood here: %s", getattr(fact, "name", fact.kind))
        return
    try:
        with tx.attempt():
            rule(tx, fact)
    except (Rejected, IllegalMove, ValueError) as error:
        logger.warning("a fact of the hub does not fit here: %s: %s", fact.kind, type(error).__name__)
