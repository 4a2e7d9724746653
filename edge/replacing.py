"""A terminal that takes another one's place: the books of its site come back before it works.

    newest copy (hub's or a stick's) -> facts the hub has beyond it -> its own state after them -> a new name of the log

Built in a folder of its own; the database takes its place in one rename, last, so that a power cut leaves either
nothing or all. Which facts bring which state back is in edge/rebuild.py. Blocking, in the thread of the first start.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge import events, inbox, keys, log, rebuild
from edge.chain import GENESIS, Item, Position, walk
from edge.clock import Clock, SystemDice
from edge.config import Settings
from edge.copies import FILE, last_fact
from edge.events import BadFact, Encoded
from edge.first_files import Place
from edge.leftovers import COPY, RESTORING
from edge.model import LogId, Seq, Stamp
from edge.rebuild import Rebuild
from edge.setup import lay_out
from edge.store import Keys, Store, StoreFault, Tx
from sync import kept
from sync.files import replace_file, sync_folder
from sync.kept import KeptHead
from sync.stick_file import BadStick

AGAIN = (events.ParcelExpected, events.NoticeSent, events.BillIssued, events.BillPosted, events.BillRefused)

logger = logging.getLogger(__name__)


class Voice(Protocol):
    """What is asked of the hub (`sync.enrol.Enroller`). Errors: EnrolFault."""

    def ask_time(self) -> None: ...

    def say(self, what: str, content: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A copy that may be used: where it lies, where it came from (hub | stick), what it is."""

    origin: str
    file: Path
    head: KeptHead


@dataclass(frozen=True, slots=True)
class Page:
    """Facts of one answer of the hub, each with its hash, and where the whole log ends."""

    end: Position
    known: bool
    items: tuple[tuple[Item, str], ...]
    codes: Mapping[str, str]


class Unusable(Exception):
    """This copy, or an answer, cannot be built upon. The text says why, for the log."""


class Replacing:
    """Brings the books of a site back. Errors of `run`: EnrolFault, OSError, StoreFault.

    `got_on` is told of every answer of the hub: years of facts over a slow line take longer than any look.
    """

    def __init__(self, place: Place, site: str, link_key: bytes, voice: Voice, clock: Clock) -> None:
        self.got_on: Callable[[], None] = lambda: None
        self._place = place
        self._site = site
        self._key = link_key
        self._voice = voice
        self._clock = clock
        self._work = place.data_dir / RESTORING

    @property
    def is_over(self) -> bool:
        """Whether there are books here already."""
        return (self._place.data_dir / FILE).exists()

    def finds(self) -> bool:
        """Whether this site has books anywhere: facts or a copy at the hub, a copy on a stick."""
        self._voice.ask_time()
        if self._page("up", 0, GENESIS).end.upto or int(self._voice.say("kept", {"at": 0})["size"]):
            return True
        return any(_copies_on(folder, self._key) for folder in self._place.folders())

    def run(self, settings: Settings) -> str:
        """Restore what there is. Return hub | stick | facts for what it came from.

        Errors: also StoreFault S1 when the facts of the hub do not follow each other.
        """
        self._voice.ask_time()
        for source in (*self._sources(), None):
            try:
                self._build(settings, source)
            except (Unusable, BadStick, sqlite3.Error) as error:
                logger.warning("books cannot come from %s: %s", source.origin if source else "the facts", error)
                continue
            self._take_place()
            return source.origin if source else "facts"
        raise StoreFault("S1", "the hub's facts of this site do not follow each other")

    # --- copies -----------------------------------------------------------------------------------------------------

    def _sources(self) -> list[Source]:
        """Every copy that can be read, the newest first."""
        found = [Source("hub", file, head) for file in self._from_hub() for head in self._readable(file)]
        for folder in self._place.folders():
            for file in _copies_on(folder, self._key):
                found += [Source("stick", file, head) for head in self._readable(file)]
        return sorted(found, key=lambda source: (source.head.end.upto, source.head.made), reverse=True)

    def _readable(self, file: Path) -> list[KeptHead]:
        try:
            head = kept.head_of(file, self._key)
        except BadStick as error:
            logger.warning("a copy cannot be read: %s", error)
            return []
        return [head] if head.site == self._site else []

    def _from_hub(self) -> list[Path]:
        """Fetch the hub's copy piece by piece, going on where a line broke."""
        told = self._voice.say("kept", {"at": 0})
        size, digest = int(told["size"]), str(told["digest"])
        if size == 0:
            return []
        file = self._place.data_dir / f"{digest[:16]}.{COPY}"
        have = file.stat().st_size if file.exists() else 0
        with file.open("ab") as out:
            while have < size:
                piece = base64.b64decode(str(self._voice.say("kept", {"at": have})["piece"]), validate=True)
                if not piece:
                    break
                out.write(piece)
                out.flush()
                self.got_on()
                have += len(piece)
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            file.unlink()
            return []
        return [file]

    # --- building -----------------------------------------------------------------------------------------------------

    def _build(self, settings: Settings, source: Source | None) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(mode=0o700, parents=True)
        if source is not None:
            head = kept.unpack(source.file, self._key, self._work / FILE)
            replace_file(self._work / keys.DEVICE_KEY, head.device_key.encode("ascii"))
            last_fact(self._work / FILE)
        device = keys.device_key(self._work / keys.DEVICE_KEY)
        store = Store(self._work, self._clock, SystemDice(), Keys(self._key, device))
        store.open()
        try:
            copied = store.run_now(_begun, settings)
            work = Rebuild({})
            told = self._hubs_facts(store)
            at = self._own_facts(store, copied, work)
            store.run_now(_again, told)
            store.run_now(_finish, work, source.origin if source else "facts", copied, at)
        finally:
            store.close()

    def _hubs_facts(self, store: Store) -> list[Item]:
        """What the hub told the terminal before us: applied as far as our copy does not have it."""
        at = store.run_now(log.cursor, log.DOWN)
        page = self._page("down", int(at.upto), at.mark)
        if not page.known or (at.log_id and page.end.log_id != at.log_id):
            at = Position(page.end.log_id, Seq(0), GENESIS)  # another name: from its first fact; no event counts twice
            page = self._page("down", 0, GENESIS)
        told: list[Item] = []
        while page.items:
            items, marks = [item for item, _ in page.items], [mark for _, mark in page.items]
            if walk(self._key, at.mark, items) != marks:
                raise Unusable("the hub's log does not follow")
            at = store.run_now(log.apply_down, page.end.log_id, items, marks, inbox.apply)
            told += items
            if at.upto >= page.end.upto:
                break
            page = self._page("down", int(at.upto), at.mark)
        return told

    def _own_facts(self, store: Store, copied: Position, work: Rebuild) -> Position:
        """Facts the hub has beyond our copy. Return how far the hub has the history we stand on."""
        at, mark = int(copied.upto), copied.mark
        while True:
            page = self._page("up", at, mark)
            if not page.known:
                end = page.end
                if store.run_now(log.mark_at, end.upto) == end.mark:
                    return end  # our copy is ahead of the hub: the rest goes up as usual
                raise Unusable("the hub holds another history")
            work.codes = page.codes
            if page.items and not store.run_now(rebuild.replay, page.items, work):
                raise Unusable("a fact of the hub does not follow")
            if not page.items or page.items[-1][0].seq >= page.end.upto:
                return page.end
            at, mark = int(page.items[-1][0].seq), page.items[-1][1]

    def _page(self, way: str, after: int, mark: str) -> Page:
        told = self._voice.say("books", {"way": way, "after": after, "mark": mark})
        self.got_on()
        try:
            end = Position(LogId(str(told["log"])), Seq(int(told["upto"])), str(told["mark"]))
            items = tuple(_items(told["items"]))
            codes = {str(parcel): str(code) for parcel, code in dict(told.get("codes", {})).items()}
            return Page(end, bool(told["known"]), items, codes)
        except (KeyError, TypeError, ValueError) as error:
            raise Unusable("an answer that cannot be read") from error

    def _take_place(self) -> None:
        """Key first, database last: with it the books are here."""
        folder = self._place.data_dir
        for name in (keys.DEVICE_KEY, FILE):
            (self._work / name).replace(folder / name)
            sync_folder(folder)
        for copy in folder.glob(f"*.{COPY}"):
            copy.unlink(missing_ok=True)
        shutil.rmtree(self._work, ignore_errors=True)


# --- transactions -----------------------------------------------------------------------------------------------------


def _begun(tx: Tx, settings: Settings) -> Position:
    """Prove the copy, lay cells and places out as they are now; return where it ends."""
    log.begin(tx)
    broken = log.verify(tx)
    if broken is not None:
        raise Unusable(f"its log is broken at {broken.seq}: {broken.why}")
    lay_out(tx, settings)
    return log.head(tx)


def _again(tx: Tx, told: Sequence[Item]) -> None:
    """What the hub said of parcels and bills that came back only after it: applied once more, which changes nothing."""
    tx.bookkeeping = True
    for item in told:
        try:
            fact = events.decode(Encoded(item.kind, item.body, item.personal))
        except BadFact:
            continue
        if isinstance(fact, AGAIN):
            inbox.apply(tx, fact)


def _finish(tx: Tx, work: Rebuild, origin: str, copied: Position, at: Position) -> None:
    own = log.head(tx)
    log.confirm(tx, Position(own.log_id, at.upto, at.mark))
    rebuild.finish(tx, work)
    old = log.rename(tx)
    fact = events.BooksRestored(old, origin, int(copied.upto), int(at.upto), len(work.to_check))
    log.append(tx, fact)


def _items(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Item, str]]:
    for row in rows:
        stamp = Stamp(int(row["at"]), str(row["boot"]), int(row["ms"]), bool(row["synced"]))
        personal = {str(name): (str(salt), str(value)) for name, (salt, value) in dict(row["personal"]).items()}
        yield Item(Seq(int(row["seq"])), str(row["kind"]), str(row["body"]), stamp, personal), str(row["mark"])


def _copies_on(folder: Path, key: bytes) -> list[Path]:
    try:
        return kept.on(folder, key)
    except BadStick:  # pulled while we looked
        return []
