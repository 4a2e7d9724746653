"""The hub's end of a stick: files of many sites taken in, one file for a site written. The rules are those of the line.

Facts go through the same intake, answers through the same sender (sync/hub/line.py). What is written carries the
position the hub has committed, and its answer to the question in the point's file, if that lies on the stick: after a
backup was restored here, only that answer takes the point back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.chain import GENESIS, Position
from edge.model import Seq, SiteCode
from sync.hub import down, sheets
from sync.hub.heads import newest
from sync.hub.intake import GROUP, Intake
from sync.hub.line import DownLine
from sync.hub.store import HubStore, Tx
from sync.relay import Sender
from sync.rhythm import Timing
from sync.sealed import Way, fits
from sync.stick import first_question
from sync.stick_file import BadStick, Kind, Writing, files_for, frames, head_of, is_unfinished, names, remove
from sync.strict import BadBatch
from sync.wire import MAX_BATCH_BYTES, MAX_FACTS, Ack, Batch, Why, encode_ack, encode_batch


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file. `refused`: why nothing more of it was taken, a word of BadStick or of sync.wire.Why."""

    site: SiteCode
    file: str
    facts: int = 0  # facts that were not here before
    upto: int = 0  # the last fact of the newest log that is here
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file for a point. `more`: some facts did not fit."""

    file: Path
    facts: int
    more: bool


class HubStick:
    """One folder of a mounted stick. Errors of both methods: BadStick, StoreFault."""

    def __init__(self, store: HubStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._intake = Intake(store)

    def read(self) -> Iterator[Taken]:
        """Take in what points have written, file by file; what is refused in one file stops no other."""
        own = found = False
        for file in names(self._folder):
            head = head_of(file)
            site = next((code for code, key in self._store.keys.items() if fits(key, Way.UP, head)), None)
            if site is not None:
                found = True
                yield self._taken(site, file)
            own = own or any(fits(key, Way.DOWN, head) for key in self._store.keys.values())
        if not found:
            raise BadStick("unfinished" if is_unfinished(self._folder) else "own" if own else "nothing")

    def write(self, site: SiteCode) -> Written:
        """Write our answers and our log for a site; it replaces what we wrote for it before."""
        key = self._store.keys[site]
        questions = self._questions(site)
        acks = [encode_ack(ack) for ack in self._answers(site, questions)]
        figures = sheets.for_stick(self._store, site, questions[-1].first - 1) if questions else b""
        old = files_for(self._folder, key, Way.DOWN)
        with Writing(self._folder, key, Way.DOWN) as writing:
            for ack in acks:
                writing.add(Kind.ACK, ack)
            with self._store.reading() as tx:
                facts, more = _log(tx, site, writing)
            if figures:
                writing.add(Kind.FIGURES, figures)
            file = writing.finish()
        remove(old)
        return Written(file, facts, more)

    def _questions(self, site: SiteCode) -> list[Batch]:
        """What the point asks in its files on this stick. Errors: BadStick for the folder; bad files ask nothing."""
        asked: list[Batch] = []
        for file in files_for(self._folder, self._store.keys[site], Way.UP):
            try:
                question = first_question(file, self._store.keys[site], Way.UP)
            except BadStick:
                continue
            if question is not None:
                asked.append(question)
        return asked

    def _answers(self, site: SiteCode, questions: list[Batch]) -> list[Ack]:
        with self._store.reading() as tx:
            at = newest(tx, site)
        answers = [Ack(at)] if at.upto > 0 else []
        return (
            answers + self._intake.accept([(site, encode_batch(each)) for each in questions]) if questions else answers
        )

    def _taken(self, site: SiteCode, file: Path) -> Taken:
        before = self._upto(site)
        refused: str | None = None
        try:
            refused = self._take(site, file)
        except BadStick as error:
            refused = error.word
        after = self._upto(site)
        with self._store.reading() as tx:
            upto = newest(tx, site).upto
        return Taken(site, file.name, after - before, upto, refused)

    def _take(self, site: SiteCode, file: Path) -> str | None:
        line = DownLine(self._store, site, lambda: 0.0, Timing())
        waiting: list[bytes] = []
        answers: list[Ack] = []
        for frame in frames(file, self._store.keys[site], Way.UP):
            match frame.kind:
                case Kind.ACK:
                    self._on_ack(line, site, frame.payload)
                case Kind.BATCH:
                    waiting.append(frame.payload)
            if len(waiting) == GROUP:
                answers += self._intake.accept([(site, each) for each in waiting])
                waiting.clear()
        if waiting:
            answers += self._intake.accept([(site, each) for each in waiting])
        whys = {ack.why for ack in answers}
        return next((why.value for why in (Why.BAD, Why.FORK, Why.GAP) if why in whys), None)

    def _on_ack(self, line: DownLine, site: SiteCode, payload: bytes) -> None:
        """Let the line judge it. Where it renames our log, go to its first fact at once: a point takes no other."""
        with self._store.reading() as tx:
            before = down.cursor(tx, site).log_id
        line.on_ack(payload, 0)
        with self._store.transaction() as tx:
            now = down.cursor(tx, site).log_id
            if now != before:
                down.confirm(tx, site, Position(now, Seq(0), GENESIS))

    def _upto(self, site: SiteCode) -> int:
        with self._store.reading() as tx:
            return int(tx.value("SELECT count(*) FROM fact WHERE site = ?", (site,)))


def _log(tx: Tx, site: SiteCode, writing: Writing) -> tuple[int, bool]:
    """Write our question and our log after what the site has confirmed; how many facts, and whether more are left."""
    sender = Sender(down.cursor(tx, site))
    begun = sender.tip
    try:
        writing.add(Kind.BATCH, encode_batch(sender.question()))
        while items := down.read_after(tx, site, sender.tip, MAX_FACTS, MAX_BATCH_BYTES):
            if not writing.has_room:
                return sender.tip - begun, True
            mark = down.mark_at(tx, site, items[-1].seq)
            assert mark is not None, "read in the same transaction"
            writing.add(Kind.BATCH, encode_batch(sender.batch(items, mark)))
    except BadBatch as error:
        raise BadStick("too_large") from error
    return sender.tip - begun, False
