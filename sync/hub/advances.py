"""Facts that came ahead of their place in a site's log: proved, acted on once, known again when the log reaches them.

One row for each that the log has not reached; no position moves. Money is booked at once, by the event id that the fact
has in its place too; a door that was forced is shown. The log then brings the same fact: it is kept like any other, and
what was done is not done again. If it brings another fact in that place, two histories have told us of one moment: the
row stays and an alarm calls a person.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.chain import event_id
from edge.events import BillAccepted, BillRefunded
from edge.model import EventId, LogId, Seq, SiteCode
from sync.hub.rows import Rows
from sync.hub.schema import ADVANCE
from sync.hub.store import Tx
from sync.wire import Batch

DONE = "done"  # its projection was applied
SHOWN = "shown"  # only its row tells of it
DIFFERS = "differs"  # the log holds another fact in its place
BOOKED = (BillAccepted, BillRefunded)  # what is acted on: right whatever came before, for each bill is booked once
OPEN = "SELECT site, event, log_id, seq, state FROM advance WHERE state <> 'differs' AND site IN ({marks})"


class SiteAdvances:
    """The advance facts of one site that its log has not reached, within one transaction."""

    def __init__(self, site: SiteCode) -> None:
        self._site = site
        self._open: dict[EventId, tuple[LogId, Seq, str]] = {}

    def add(self, event: EventId, log_id: LogId, seq: Seq, state: str) -> None:
        """Note one that is in the database."""
        self._open[event] = log_id, seq, state

    def __bool__(self) -> bool:
        return bool(self._open)

    def holds(self, event: EventId) -> bool:
        """Whether this fact came ahead."""
        return event in self._open

    def was_done(self, event: EventId) -> bool:
        """Whether this fact came ahead and was acted on then."""
        return self._open[event][2] == DONE if event in self._open else False

    def upto(self, log_id: LogId) -> Seq:
        """The last of this log that came ahead; 0 for none."""
        return max((seq for log, seq, _ in self._open.values() if log == log_id), default=Seq(0))

    def keep(self, rows: Rows, batch: Batch, body: str, state: str) -> None:
        """Keep one that was proved. `body`: as a database keeps it."""
        [item], event = batch.items, event_id(batch.mark)
        self.add(event, batch.log_id, item.seq, state)
        told = {"log_id": batch.log_id, "seq": item.seq, "kind": item.kind, "body": body, "at": item.stamp.at}
        rows.add(ADVANCE, (self._site, event), **told, state=state, received_at=rows.tx.stamp.at)

    def reached(self, rows: Rows, first: Seq, marks: Sequence[str]) -> bool:
        """The log has reached these facts; tell whether it holds another one in the place of one that came ahead."""
        differs = False
        for event, (_, seq, _) in list(self._open.items()):
            if not first <= seq < first + len(marks):
                continue
            del self._open[event]
            if event_id(marks[seq - first]) == event:
                rows.drop(ADVANCE, (self._site, event))
            else:
                rows.change(ADVANCE, (self._site, event), state=DIFFERS)
                differs = True
        return differs


def read_advances(tx: Tx, sites: Sequence[SiteCode]) -> dict[SiteCode, SiteAdvances]:
    """Read what is open for some sites: nearly always nothing."""
    advances = {site: SiteAdvances(site) for site in sites}
    marks = ", ".join("?" * len(advances))
    for row in tx.rows(OPEN.format(marks=marks), tuple(advances)):
        advances[row["site"]].add(row["event"], row["log_id"], row["seq"], row["state"])
    return advances
