"""A bundle file as both ends judge it before a byte of it is used: signature, what it is for, and whether it is whole.

RAUC itself reads the signature (`rauc info`); what it does not look at before it installs, the content of a bundle in
the format `verity`, is compared here with the signed hash. Nothing is mounted or written.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from edge.release import MAX_BUNDLE, BadSheet, Unfit, number

RAUC = "rauc"
INFO_S = 120.0  # a bundle in the format `plain` is read whole for its signature: 200 MB on a slow card
BLOCK = 4096
DIGEST = 32
TAIL = 8  # bytes: the size of the signature, big-endian, at the end of the file
MAX_SIGNATURE = 64 * 1024
BASE = re.compile(r"on ([0-9.]{3,24})")  # description of a bundle that builds on a running release
_VERITY = {
    "root": re.compile(rb"verity-hash=([0-9a-f]{64})\n"),
    "salt": re.compile(rb"verity-salt=([0-9a-f]{64})\n"),
    "size": re.compile(rb"verity-size=(\d{4,12})\n"),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a signed bundle says of itself. `base`: the release it builds on, empty for a whole one."""

    version: str
    compatible: str
    base: str
    size: int


def read(file: Path, keyring: Path) -> Bundle:
    """Check the signature and read what it covers. Errors: Unfit, OSError."""
    size = file.stat().st_size
    if not TAIL < size <= MAX_BUNDLE:
        raise Unfit("too_large" if size > MAX_BUNDLE else "half", f"{size} bytes")
    try:
        done = subprocess.run(
            [RAUC, f"--keyring={keyring}", "info", "--output-format=json", str(file)],
            capture_output=True, text=True, timeout=INFO_S, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise Unfit("no_slots", "rauc is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unfit("damaged", "it could not be read in time") from error
    if done.returncode != 0:
        raise Unfit(_word(done.stderr), _last_line(done.stderr))
    return _read(done.stdout, size)


def check_whole(file: Path) -> None:
    """Compare the content with its signed hash. Errors: Unfit half, damaged; OSError.

    Shape: `read` has accepted the signature. A bundle in the format `plain` is signed as a whole: nothing is left.
    """
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(size - TAIL)
        signature = int.from_bytes(opened.read(TAIL), "big")
        if not 0 < signature <= MAX_SIGNATURE or signature + TAIL > size:
            raise Unfit("half", "no signature at its end")
        opened.seek(size - TAIL - signature)
        blob = opened.read(signature)
        told = {name: rule.search(blob) for name, rule in _VERITY.items()}
        root, salt, tree_size = (told[name] for name in ("root", "salt", "size"))
        if root is None or salt is None or tree_size is None:
            return
        end = size - TAIL - signature - int(tree_size[1])
        if end <= 0 or end % BLOCK:
            raise Unfit("half", "its parts do not fit together")
        opened.seek(0)
        level = bytearray()
        salted = hashlib.sha256(bytes.fromhex(salt[1].decode()))
        for _ in range(end // BLOCK):
            level += _hash(salted, opened.read(BLOCK))
        stored = opened.read(int(tree_size[1]))
    tree = _tree(level, salted)
    if tree != stored or _hash(salted, tree[:BLOCK]).hex() != root[1].decode():
        raise Unfit("damaged", "its content does not fit its signed hash")


def _tree(level: bytearray, salted: hashlib._Hash) -> bytes:
    """The hash blocks as they lie on the disk, the top first. Shape: `level` holds the digests of the data blocks."""
    tree = b""
    while True:
        level += bytes(-len(level) % BLOCK)
        tree = bytes(level) + tree
        if len(level) == BLOCK:
            return tree
        above = bytearray()
        for at in range(0, len(level), BLOCK):
            above += _hash(salted, level[at : at + BLOCK])
        level = above


def _hash(salted: hashlib._Hash, block: bytes | bytearray) -> bytes:
    made = salted.copy()
    made.update(block)
    return made.digest()


def _read(text: str, size: int) -> Bundle:
    try:
        told = json.loads(text)
        version, compatible = str(told["version"]), str(told["compatible"])
        described = BASE.fullmatch(str(told.get("description") or ""))
        number(version)
        if described:
            number(described[1])
    except (ValueError, KeyError, TypeError, BadSheet) as error:
        raise Unfit("not_ours", "its manifest names no version of ours") from error
    return Bundle(version, compatible, described[1] if described else "", size)


def _word(said: str) -> str:
    """What RAUC's refusal means. Source: RAUC 1.8, messages seen in tests/sync/test_bundle.py."""
    if "exceeds bundle size" in said or "Failed to seek" in said or "Failed to read signature" in said:
        return "half"
    if "failed to load CA file" in said:
        return "no_keyring"
    if "issuer certificate" in said or "self-signed" in said or "self signed" in said:
        return "foreign_key"
    return "bad_signature"


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return "".join(sign for sign in lines[-1] if sign.isprintable())[:200] if lines else ""
