"""The link keys of the sites, at the hub: one file each, made here when a site is new.

A site keeps its key for ever: it is the key of both hash chains, which must go on when the terminal is exchanged.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from sync.files import replace_file

KEY_BYTES = 32


def make_missing(files: Iterable[Path]) -> list[Path]:
    """Make a key, mode 600, where none is; tell which are new. Errors: OSError."""
    new = [file for file in files if not file.exists()]
    for file in new:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, secrets.token_hex(KEY_BYTES).encode("ascii") + b"\n")
    return new
