"""A copy of a terminal's books for the one that takes its place: a file at the hub or on a stick, sealed.

The seal is of the site's link key (sync/stick_file.py), which a new terminal gets with its approval and nobody else
has but the hub. Inside: what the copy is, the device key (the PINs are bound to it), and the database, deflated.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.chain import Position
from edge.model import LogId, Seq
from sync.sealed import Way
from sync.stick_file import BadStick, Frame, Kind, Writing, files_for, frames
from sync.strict import BadBatch, dump, load, log_id_of, mark_of, text_of, whole

VERSION = 1
PIECE = 48 * 1024  # bytes of a frame
READ = 256 * 1024
MAX_DATABASE = 1024 * 1024 * 1024  # bytes unpacked; a busy point writes some 40 MB a year
KEY_SIGNS = 64


@dataclass(frozen=True, slots=True, repr=False)
class KeptHead:
    """What a copy is. Units: `made` UTC ms. `device_key` hex, a secret."""

    site: str
    end: Position
    made: int
    device_key: str


def write(folder: Path, link_key: bytes, head: KeptHead, database: Path) -> Path:
    """Seal a copy of the database into a folder. Return the file. Errors: BadStick, OSError for the database."""
    with Writing(folder, link_key, Way.KEPT) as writing:
        end = head.end
        told = {"v": VERSION, "site": head.site, "log": end.log_id, "upto": end.upto, "mark": end.mark}
        writing.add(Kind.COPY, dump(told | {"made": head.made, "key": head.device_key}))
        for piece in _deflated(database):
            if not writing.has_room:
                raise BadStick("too_large")
            writing.add(Kind.PIECE, piece)
        return writing.finish()


def head_of(file: Path, link_key: bytes) -> KeptHead:
    """What a copy is; all of it was found unaltered. Errors: BadStick."""
    frame = next(frames(file, link_key, Way.KEPT), None)
    return _head(frame)


def on(folder: Path, link_key: bytes) -> list[Path]:
    """The copies of this site in a folder. Errors: BadStick."""
    return files_for(folder, link_key, Way.KEPT)


def unpack(file: Path, link_key: bytes, target: Path) -> KeptHead:
    """Write the database of a copy to `target`. Errors: BadStick, OSError."""
    inside = frames(file, link_key, Way.KEPT)
    head = _head(next(inside, None))
    inflate = zlib.decompressobj()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    size = 0
    with os.fdopen(handle, "wb") as out:
        for frame in inside:
            if frame.kind != Kind.PIECE:
                continue
            size += out.write(_inflated(inflate, frame.payload))
            if size > MAX_DATABASE:
                raise BadStick("too_large")
        out.flush()
        os.fsync(out.fileno())
    if not inflate.eof:
        raise BadStick("cut_off")
    return head


def _deflated(database: Path) -> Iterator[bytes]:
    deflate = zlib.compressobj(6)
    held = bytearray()
    with database.open("rb") as opened:
        while content := opened.read(READ):
            held += deflate.compress(content)
            while len(held) >= PIECE:
                yield bytes(held[:PIECE])
                del held[:PIECE]
    held += deflate.flush()
    for at in range(0, len(held), PIECE):
        yield bytes(held[at : at + PIECE])


def _inflated(inflate: zlib._Decompress, piece: bytes) -> bytes:
    try:
        return inflate.decompress(piece)
    except zlib.error as error:
        raise BadStick("altered") from error


def _head(frame: Frame | None) -> KeptHead:
    if frame is None or frame.kind != Kind.COPY:
        raise BadStick("version")
    try:
        top = load(frame.payload, VERSION)
        end = Position(LogId(log_id_of(top)), Seq(whole(top, "upto", 0)), mark_of(top.get("mark")))
        key = text_of(top.get("key"), "key", KEY_SIGNS)
        return KeptHead(text_of(top.get("site"), "site", 40), end, whole(top, "made", 0), key)
    except BadBatch as error:
        raise BadStick("version") from error
