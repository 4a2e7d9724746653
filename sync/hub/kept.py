"""Copies of the books of terminals: the newest of each site, and the one before. Sealed; never opened here.

They come and go in pieces over the reception, each piece with its place, so that a bad line costs one piece. A file
takes its name when it is whole and bears the seal of its site.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.model import SiteCode
from sync.files import sync_folder
from sync.sealed import HEAD_BYTES, Way, fits

MAX_SIZE = 64 * 1024 * 1024  # bytes; a sealed copy of ten years
PIECE = 64 * 1024
DIGEST = re.compile(r"[0-9a-f]{64}")


class Unfit(ValueError):
    """A piece that is none, or a file that is not of its site. The text says which."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One folder for all sites. Errors of all methods: OSError."""

    folder: Path

    def take(self, site: SiteCode, link_key: bytes, told: dict[str, Any]) -> dict[str, Any]:
        """Take a piece `{digest, size, at, piece}`; tell where the next one begins. Errors: Unfit."""
        digest, size, at = told.get("digest"), told.get("size"), told.get("at")
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest) or type(size) is not int or type(at) is not int:
            raise Unfit("digest, size or at")
        if not 0 < size <= MAX_SIZE:
            raise Unfit("size")
        if at == 0 and self._digest(site) == digest:
            return {"at": size, "whole": True}
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f"{site}.{digest[:16]}.part"
        for other in self.folder.glob(f"{site}.*.part"):  # one at a time: a newer copy ends an older one
            if other != part:
                other.unlink(missing_ok=True)
        have = part.stat().st_size if part.exists() else 0
        piece = base64.b64decode(str(told.get("piece", "")), validate=True)
        if at != have or len(piece) > PIECE or have + len(piece) > size:
            return {"at": have, "whole": False}
        with part.open("ab") as out:
            out.write(piece)
        if have + len(piece) < size:
            return {"at": have + len(piece), "whole": False}
        self._finish(site, link_key, part, digest)
        return {"at": size, "whole": True}

    def give(self, site: SiteCode, at: int) -> dict[str, Any]:
        """A piece of the newest copy from `at` on, with its size and digest; size 0 where there is none."""
        file = self._file(site)
        if not file.exists() or at < 0:
            return {"size": 0, "digest": "", "piece": ""}
        with file.open("rb") as opened:
            opened.seek(at)
            piece = opened.read(PIECE)
        return {
            "size": file.stat().st_size, "digest": self._digest(site) if at == 0 else "",
            "piece": base64.b64encode(piece).decode("ascii"),
        }  # fmt: skip

    def _finish(self, site: SiteCode, link_key: bytes, part: Path, digest: str) -> None:
        content = part.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest or not fits(link_key, Way.KEPT, content[:HEAD_BYTES]):
            part.unlink()
            raise Unfit("this is no copy of that site")
        file = self._file(site)
        if file.exists():
            file.replace(file.with_suffix(".old"))
        part.replace(file)
        sync_folder(self.folder)

    def _digest(self, site: SiteCode) -> str:
        file = self._file(site)
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""

    def _file(self, site: SiteCode) -> Path:
        return self.folder / f"{site}.kept"
