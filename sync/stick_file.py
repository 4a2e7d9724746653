"""Files on a stick: written whole or not at all, checked whole before a byte is used, one per site and way.

A file's name is random and its time is always the same; its size is one of few steps. Inside the sealed stream
(sync/sealed.py) stand frames: `length 4 | kind 1 | payload`, then an end, then nothing but zeros up to the size step.
What the frames mean is decided in sync/stick.py (the point) and sync/hub/stick.py.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from sync.files import sync_folder
from sync.sealed import (
    CHUNK,
    HEAD_BYTES,
    SALT_BYTES,
    SEALED_CHUNK,
    SIGNATURE_BYTES,
    FileKeys,
    NotOurs,
    Signature,
    Way,
    fits,
    keys_of,
    seal,
    unseal,
)
from sync.strict import BadBatch, dump, load
from sync.wire import MAX_PACKED

VERSION = 1
MAX_CHUNKS = 4096  # 256 MB: seven million facts; more goes with the next stick
MAX_FRAME = MAX_PACKED
MAX_FILES = 20_000  # names looked at in one folder: twice the points of a city
SAME_TIME = 315_619_200  # 1980-01-02 00:00 UTC, near the first that a FAT stick can say: times tell nothing
NAME = re.compile(r"[0-9a-f]{32}\.bin")
PART = re.compile(r"\.[0-9a-f]{32}\.part")
FRAME_HEAD = 5
FOR_ALL = 0o644  # point and hub work under other users; what may be read is in the seal


class Kind(IntEnum):
    """What a frame holds."""

    END = 0
    HEAD = 1
    ACK = 2
    BATCH = 3
    FIGURES = 4  # the hub's side of a reconciliation sheet
    COPY = 5  # of what a copy of the books is (sync/kept.py)
    PIECE = 6  # of that copy


class BadStick(Exception):
    """Nothing of this file, or no file, is used. `word` says why; the sentence is said where people read.

    Words: nothing (no file for us) | own (only what we wrote) | unfinished | cut_off | altered | version | gone |
           full | read_only | not_a_folder | hole | too_large
    """

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(f"{word}: {detail}" if detail else word)
        self.word = word


@dataclass(frozen=True, slots=True)
class Frame:
    """One thing inside."""

    kind: int
    payload: bytes


class Writing:
    """A file that grows under another name; `finish` gives it its own. Leaving without `finish` removes it.

    Errors of all: BadStick full, read_only, gone.
    """

    def __init__(self, folder: Path, link_key: bytes, way: Way) -> None:
        self._folder = folder
        self._name = os.urandom(16).hex()
        self._part = folder / f".{self._name}.part"
        self._keys = keys_of(link_key, way, os.urandom(SALT_BYTES))
        self._signature = Signature(self._keys)
        self._waiting = bytearray()
        self._chunks = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Writing:
        if not self._folder.is_dir():
            raise BadStick("not_a_folder", str(self._folder))
        try:
            handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FOR_ALL)
            self._file = os.fdopen(handle, "wb")
            self._file.write(self._keys.head)
        except OSError as error:
            self._give_up()
            raise trouble(error) from error
        self.add(Kind.HEAD, dump({"v": VERSION}))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._give_up()

    @property
    def has_room(self) -> bool:
        """Whether another full frame fits."""
        return self._chunks * CHUNK + len(self._waiting) + MAX_FRAME < (MAX_CHUNKS - 1) * CHUNK

    def add(self, kind: Kind, payload: bytes) -> None:
        """Put a frame at the end."""
        self._waiting += len(payload).to_bytes(4, "big") + bytes([kind]) + payload
        while len(self._waiting) > CHUNK:  # the last chunk is sealed at the end, when it is known to be the last
            self._write(last=False)

    def finish(self) -> Path:
        """Fill up to a size step, sign, make durable, give the file its name. Return where it lies."""
        self.add(Kind.END, b"")
        steps = 1 << (self._chunks).bit_length()  # the smallest power of two above the chunks written
        while self._chunks < steps:
            self._waiting += bytes(max(0, CHUNK - len(self._waiting)))
            self._write(last=self._chunks + 1 == steps)
        file = self._open_file()
        end = self._folder / f"{self._name}.bin"
        try:
            file.write(self._signature.whole())
            file.flush()
            os.utime(file.fileno(), (SAME_TIME, SAME_TIME))
            os.fsync(file.fileno())
            file.close()
            self._part.replace(end)
            sync_folder(self._folder)
        except OSError as error:
            raise trouble(error) from error
        self._file = None
        return end

    def _write(self, *, last: bool) -> None:
        plain = bytes(self._waiting[:CHUNK])
        del self._waiting[:CHUNK]
        sealed = seal(self._keys, self._chunks, plain, last=last)
        self._signature.add(sealed)
        self._chunks += 1
        try:
            self._open_file().write(sealed)
        except OSError as error:
            raise trouble(error) from error

    def _open_file(self) -> BinaryIO:
        assert self._file is not None, "a file that was not begun, or is finished"
        return self._file

    def _give_up(self) -> None:
        """Leave nothing behind; a stick that was pulled keeps its half file, which nobody will ever read."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)
        self._file = None


def names(folder: Path) -> list[Path]:
    """The files that may be ours, in the order of their names. Errors: BadStick not_a_folder, gone."""
    if not folder.is_dir():
        raise BadStick("not_a_folder", str(folder))
    try:
        with os.scandir(folder) as entries:
            looked_at = (entry for _, entry in zip(range(MAX_FILES), entries, strict=False))
            found = [
                each.name for each in looked_at if NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)
            ]
    except OSError as error:
        raise trouble(error) from error
    return [folder / name for name in sorted(found)]


def is_unfinished(folder: Path) -> bool:
    """Whether somebody pulled the stick while it was written."""
    try:
        return any(PART.fullmatch(name) for name in os.listdir(folder))  # noqa: PTH208 names are all we need
    except OSError as error:
        raise trouble(error) from error


def head_of(file: Path) -> bytes:
    """The first bytes of a file, by which its key is found. Errors: BadStick gone."""
    try:
        with _opened(file) as opened:
            return opened.read(HEAD_BYTES)
    except OSError as error:
        raise trouble(error) from error


def files_for(folder: Path, link_key: bytes, way: Way) -> list[Path]:
    """The files on a stick that this key sealed for this way. Errors: BadStick not_a_folder, gone."""
    return [file for file in names(folder) if fits(link_key, way, head_of(file))]


def remove(files: list[Path]) -> None:
    """Remove what a newer file replaces. Errors: BadStick."""
    try:
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise trouble(error) from error


def frames(file: Path, link_key: bytes, way: Way) -> Iterator[Frame]:
    """Yield what stands in a file, after the whole of it was found unaltered.

    Errors: BadStick cut_off, altered, version, gone; before the first frame unless the stick changes meanwhile.
    """
    try:
        with _opened(file) as opened:
            keys, chunks = _check(opened, link_key, way)
            opened.seek(HEAD_BYTES)
            yield from _frames(opened, keys, chunks)
    except OSError as error:
        raise trouble(error) from error
    except NotOurs as error:
        raise BadStick("altered") from error


def _check(opened: BinaryIO, link_key: bytes, way: Way) -> tuple[FileKeys, int]:
    size = os.fstat(opened.fileno()).st_size
    chunks, rest = divmod(size - HEAD_BYTES - SIGNATURE_BYTES, SEALED_CHUNK)
    if rest or chunks < 1 or chunks & (chunks - 1):
        raise BadStick("cut_off")
    if chunks > MAX_CHUNKS:
        raise BadStick("too_large")
    head = opened.read(HEAD_BYTES)
    if not fits(link_key, way, head):
        raise BadStick("altered")
    keys = keys_of(link_key, way, head[:SALT_BYTES])
    signature = Signature(keys)
    for _ in range(chunks):
        signature.add(opened.read(SEALED_CHUNK))
    if not signature.is_of(opened.read(SIGNATURE_BYTES)):
        raise BadStick("altered")
    return keys, chunks


def _frames(opened: BinaryIO, keys: FileKeys, chunks: int) -> Iterator[Frame]:
    held = bytearray()
    is_known = False
    for number in range(chunks):
        held += unseal(keys, number, opened.read(SEALED_CHUNK), last=number + 1 == chunks)
        while (frame := _first(held)) is not None:
            if frame.kind == Kind.END:
                return
            if not is_known:
                _check_version(frame)
                is_known = True
            else:
                yield frame
    raise BadStick("altered", "no end")


def _first(held: bytearray) -> Frame | None:
    """Take the first frame off, None while it is not whole."""
    if len(held) < FRAME_HEAD:
        return None
    length = int.from_bytes(held[:4], "big")
    if length > MAX_FRAME:
        raise BadStick("altered", "a frame without end")
    if len(held) < FRAME_HEAD + length:
        return None
    frame = Frame(held[4], bytes(held[FRAME_HEAD : FRAME_HEAD + length]))
    del held[: FRAME_HEAD + length]
    return frame


def _check_version(frame: Frame) -> None:
    try:
        if frame.kind == Kind.HEAD:
            load(frame.payload, VERSION)
            return
    except BadBatch as error:
        raise BadStick("version") from error
    raise BadStick("version")


def _opened(file: Path) -> BinaryIO:
    """Open a plain file; a stick may hold links and pipes."""
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadStick("altered", "no plain file")
    return os.fdopen(handle, "rb")


def trouble(error: OSError) -> BadStick:
    """Say what an error of the stick means."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return BadStick("full")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return BadStick("read_only")
    return BadStick("gone", os.strerror(error.errno or 0))
