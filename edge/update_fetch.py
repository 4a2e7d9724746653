"""Fetch a file of a release piece by piece, go on where it stopped, never faster than allowed. Blocks; run it aside.

What lies on the disk is believed only as far as its pieces fit their SHA-256, after every start anew: a power cut may
have left a file longer than what was written. Whole pieces stay; the broken tail of the last one is fetched on, too,
and the piece thrown away if it does not fit in the end.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from edge.release import MAX_PIECES_LIST, Offer, Sheet, Unfit, digest, read_pieces, read_sheet, spans
from edge.update_folder import DONE, PART
from sync.enrol import EnrolFault
from sync.files import sync_folder

SPARE = 96 * 1024 * 1024  # bytes left free: the reserve of the books, a backup, logs
BUSY_S = 5.0  # the hub said that it has no time now
BUSY_TRIES = 60
TRIES = 3  # of one piece that came damaged; the line corrects its own bits, so more means something else
SYNC_EVERY = 16  # pieces, 4 MB: what a power cut costs at most, and a page of the card is written once


class Interrupted(Exception):
    """The line, the hour or the program ended it; what came is kept."""


class Source(Protocol):
    """The hub's reception. Errors of `fetch`: sync.enrol.EnrolFault, and what the sink raises."""

    def fetch(self, name: str, span: tuple[int, int] | None, sink: Callable[[bytes], None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and until when. `may_go_on` is asked for every chunk; `rest` sleeps seconds; `ms` is monotonic."""

    kbit: int
    may_go_on: Callable[[], bool]
    rest: Callable[[float], None]
    ms: Callable[[], int]


def sheet(source: Source, name: str) -> Sheet:
    """Fetch a release's sheet. Errors: Unfit damaged, BadSheet; those of the source."""
    return read_sheet(_text(source, name))


def pieces(source: Source, offer: Offer) -> tuple[str, ...]:
    """Fetch the names of a file's pieces. Errors: as `sheet`."""
    return read_pieces(_text(source, offer.pieces), offer.size)


class Fetching:
    """One file of a release on its way into a folder."""

    def __init__(self, folder: Path, offer: Offer, names: tuple[str, ...], source: Source) -> None:
        self._offer = offer
        self._names = names
        self._source = source
        self._part = folder / f"{offer.sha256}{PART}"
        self._spans = spans(offer.size)
        self.done = folder / f"{offer.sha256}{DONE}"
        self.came = 0  # bytes over the line, in this life of the program

    def run(self, pace: Pace) -> Path:
        """Fetch what is missing. Errors: Interrupted, Unfit damaged or disk_full, OSError; those of the source."""
        if self.done.exists():
            with self.done.open("rb") as whole:
                if _digest_of(whole) == self._offer.sha256:
                    return self.done
            self.done.replace(self._part)  # put on by hand, and the power went: what fits of it is kept
        self._part.parent.mkdir(parents=True, exist_ok=True)
        with self._part.open("a+b") as file:
            have = self._whole_pieces(file)
            self._see_room(file)
            for at in range(have, len(self._names)):
                self._piece(file, at, pace)
                if at % SYNC_EVERY == SYNC_EVERY - 1:
                    os.fsync(file.fileno())
            os.fsync(file.fileno())
            if _digest_of(file) != self._offer.sha256:
                file.truncate(0)
                raise Unfit("damaged", "the pieces fit, the file does not")
        self._part.replace(self.done)
        sync_folder(self.done.parent)
        return self.done

    def left(self) -> int:
        """Bytes that are not here yet, as far as the size of the file tells."""
        if self.done.exists():
            return 0
        return self._offer.size - (self._part.stat().st_size if self._part.exists() else 0)

    def _whole_pieces(self, file: BinaryIO) -> int:
        """How many pieces from the first on are here and right; what does not fit is cut off."""
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        for at, (first, end) in enumerate(self._spans):
            if end > size:
                return at  # the rest of this piece is fetched on
            if digest(file.read(end - first)) != self._names[at]:
                file.truncate(first)
                return at
        file.truncate(self._offer.size)
        return len(self._spans)

    def _see_room(self, file: BinaryIO) -> None:
        room = os.statvfs(self._part.parent)
        missing = self._offer.size - file.seek(0, os.SEEK_END)
        if missing > 0 and room.f_bavail * room.f_frsize < missing + SPARE:
            raise Unfit("disk_full", f"{missing} bytes are missing, {room.f_bavail * room.f_frsize} are free")

    def _piece(self, file: BinaryIO, at: int, pace: Pace) -> None:
        first, end = self._spans[at]
        for _ in range(TRIES):
            begin = file.seek(0, os.SEEK_END)
            if begin < end:
                self._patiently((begin, end), file, pace)
            file.seek(first)
            if digest(file.read(end - first)) == self._names[at]:
                return
            if file.seek(0, os.SEEK_END) < end:
                raise Interrupted("the answer ended early")
            file.truncate(first)
        raise Unfit("damaged", f"piece {at} came wrong {TRIES} times")

    def _patiently(self, span: tuple[int, int], file: BinaryIO, pace: Pace) -> None:
        for _ in range(BUSY_TRIES):
            try:
                self._source.fetch(self._offer.sha256, span, self._sink(file, pace))
            except EnrolFault as fault:
                if fault.word != "busy":
                    raise
                if not pace.may_go_on():
                    raise Interrupted("the time for it is over") from fault
                pace.rest(BUSY_S)
            else:
                return
        raise Interrupted("the hub has no time")

    def _sink(self, file: BinaryIO, pace: Pace) -> Callable[[bytes], None]:
        began = pace.ms()
        taken = 0

        def take(chunk: bytes) -> None:
            nonlocal taken
            if not pace.may_go_on():
                raise Interrupted("the time for it is over")
            _write(file, chunk)
            taken += len(chunk)
            self.came += len(chunk)
            ahead_ms = taken * 8 / pace.kbit - (pace.ms() - began)  # kilobits a second are bits a millisecond
            if ahead_ms > 0:
                pace.rest(ahead_ms / 1000)

        return take


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
        file.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Unfit("disk_full", "while it came") from error
        raise Interrupted(f"it cannot be kept: {error.strerror}") from error


def _text(source: Source, name: str) -> bytes:
    heard = bytearray()

    def take(chunk: bytes) -> None:
        heard.extend(chunk)
        if len(heard) > MAX_PIECES_LIST:
            raise Unfit("damaged", "a list without an end")

    source.fetch(name, None, take)
    if digest(bytes(heard)) != name:
        raise Unfit("damaged", "not what was asked for")
    return bytes(heard)


def _digest_of(file: BinaryIO) -> str:
    file.seek(0)
    made = hashlib.sha256()
    while block := file.read(1 << 20):
        made.update(block)
    return made.hexdigest()
