"""A copy of the books outside this terminal, for the day it dies: at the hub every night, and on a stick when asked.

What a copy is and how it is sealed is in sync/kept.py; how it comes back in edge/replacing.py. What happened since the
copy was made the hub has as facts, so a day is often enough.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import backup, keys
from edge.chain import GENESIS, Position
from edge.config import Settings
from edge.copies import Copy, copies, newest_good, read_only
from edge.model import LogId, Seq
from edge.store import StoreFault
from sync import kept
from sync.kept import KeptHead
from sync.renewal import FAULTS
from sync.stick_file import BadStick, remove

FIRST_S, EVERY_S, AGAIN_S = 1_800.0, 24 * 3_600.0, 3_600.0
SPREAD_S = 3_600.0  # points that start together after a power cut do not send together
BEGUN_MS = 24 * 3_600_000  # a copy that could not be sent within a day gives way to a newer one
PIECE = 64 * 1024
FOLDER = "kept"  # in the data folder: the sealed file while it is sent

log = logging.getLogger(__name__)

Say = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Books:
    """Of which terminal copies are made."""

    site: str
    folder: Path
    link_key: bytes
    device_key: bytes

    def to_hub(self, say: Say, now_ms: int) -> int:
        """Seal the newest backup and send it; return its last fact. One that a broken line left unsent goes on first.

        Sealed anew it would be other bytes, and the hub would begin from nothing. Errors: StoreFault without a backup,
        BadStick, OSError, what `say` raises.
        """
        folder = self.folder / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        file = self._begun(folder, now_ms) or self._sealed(self._newest(), folder, now_ms)
        self._send(say, file)
        upto = kept.head_of(file, self.link_key).end.upto
        file.unlink(missing_ok=True)
        return int(upto)

    def to_stick(self, stick: Path, now_ms: int) -> Path:
        """Put a copy on a stick, in the place of older ones. Errors: as `to_hub`."""
        older = kept.on(stick, self.link_key)
        file = self._sealed(backup.make(self.folder), stick, now_ms)
        remove(older)
        return file

    def newest_upto(self) -> int:
        """The last fact of the newest backup, 0 without one."""
        found = copies(self.folder)
        return found[0].upto if found else 0

    def _newest(self) -> Copy:
        """The newest backup that is sound: a damaged one would take the place of the good copy at the hub."""
        good = newest_good(self.folder)
        found = next((copy for copy in copies(self.folder) if copy.path == good), None)
        return backup.make(self.folder) if found is None else found

    def _begun(self, folder: Path, now_ms: int) -> Path | None:
        """The copy of the day that was begun and not sent whole; what is older or damaged is removed."""
        for file in kept.on(folder, self.link_key):
            with contextlib.suppress(BadStick):
                if abs(now_ms - kept.head_of(file, self.link_key).made) < BEGUN_MS:
                    return file
            file.unlink(missing_ok=True)
        return None

    def _sealed(self, copy: Copy, folder: Path, now_ms: int) -> Path:
        head = KeptHead(self.site, _end(copy.path), now_ms, self.device_key.hex())
        return kept.write(folder, self.link_key, head, copy.path)

    def _send(self, say: Say, file: Path) -> None:
        content = file.read_bytes()
        told = {"digest": hashlib.sha256(content).hexdigest(), "size": len(content)}
        at, last = 0, -1
        while at < len(content):
            piece = base64.b64encode(content[at : at + PIECE]).decode("ascii")
            last, at = at, int(say("kept", told | {"at": at, "piece": piece})["at"])
            if at <= last and at != 0:
                raise StoreFault("S3", "the hub takes no copy")


def books_of(settings: Settings) -> Books:
    """The books of these settings, whose terminal is enrolled or has a link key. Errors: ConfigError."""
    own = keys.load(settings)
    return Books(settings.site, settings.data_dir, own.link, own.device)


async def keep(books: Books, say: Callable[[], Say], clock_ms: Callable[[], int], dice: Callable[[], float]) -> None:
    """Send a copy every day, for ever. `say` makes the voice, which asks the time first; it runs in a helper thread."""
    sent = 0
    await asyncio.sleep(FIRST_S + dice() * SPREAD_S)
    while True:
        pause_s = EVERY_S
        if books.newest_upto() > sent:
            try:
                sent = await asyncio.to_thread(lambda: books.to_hub(say(), clock_ms()))
            except (*FAULTS, StoreFault, BadStick, sqlite3.Error) as error:
                log.warning("the hub has no new copy of the books: %s", error)
                pause_s = AGAIN_S
        await asyncio.sleep(pause_s)


def _end(path: Path) -> Position:
    with closing(read_only(path, immutable=True)) as db:
        name = db.execute("SELECT value FROM meta WHERE key = 'log_id'").fetchone()
        last = db.execute("SELECT seq, hash FROM fact ORDER BY seq DESC LIMIT 1").fetchone()
    seq, mark = (0, GENESIS) if last is None else last
    return Position(LogId("none" if name is None else name[0]), Seq(int(seq)), str(mark))
