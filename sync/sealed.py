"""A stream of bytes, sealed under a site's link key and signed: what a stick carries between a point and the hub. Pure.

Shape:  salt 32 | hint 16 | chunks of 64 KiB, each encrypted and authenticated | signature 32. Every byte looks random
        to whoever does not hold the key: no name, no kind, no length. Which file it is on a stick, and what stands in
        the plain stream, is in sync/stick_file.py.

Keys for encryption and for signing are derived from the link key apart from each other (HKDF-SHA256), for one file
(salt) and one way (up or down): a file that was sent up is not one that came down. A chunk's number and whether it is
the last are in its nonce, so chunks cannot be left out, swapped or appended. The signature covers the whole file and
is checked before anything in it is used.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum

CHUNK = 64 * 1024  # plain bytes of each chunk
SALT_BYTES = 32
HINT_BYTES = 16
HEAD_BYTES = SALT_BYTES + HINT_BYTES
TAG_BYTES = 16
SIGNATURE_BYTES = 32
SEALED_CHUNK = CHUNK + TAG_BYTES
INFO = b"village-point stick 1 "


class Way(StrEnum):
    """Which way a file goes."""

    UP = "up"  # from the point
    DOWN = "down"  # from the hub
    KEPT = "kept"  # a copy of the books, for the next terminal of the same site


class NotOurs(ValueError):
    """Bytes that this key did not seal at this place."""


@dataclass(frozen=True, slots=True, repr=False)
class FileKeys:
    """The keys of one file. Shape: 32 bytes each."""

    salt: bytes
    seal: bytes
    sign: bytes

    @property
    def head(self) -> bytes:
        """The first bytes of the file."""
        return self.salt + hmac.digest(self.sign, b"hint", "sha256")[:HINT_BYTES]


def keys_of(link_key: bytes, way: Way, salt: bytes) -> FileKeys:
    """Derive the keys of one file."""
    return FileKeys(
        salt, _derived(link_key, salt, b"seal " + way.encode()), _derived(link_key, salt, b"sign " + way.encode())
    )


def fits(link_key: bytes, way: Way, head: bytes) -> bool:
    """Tell whether a file with this head was sealed with this key, for this way."""
    if len(head) < HEAD_BYTES:
        return False
    return hmac.compare_digest(keys_of(link_key, way, head[:SALT_BYTES]).head, head[:HEAD_BYTES])


class Signature:
    """Grows with the bytes of the file, from its head on."""

    def __init__(self, keys: FileKeys) -> None:
        self._hash = hmac.new(keys.sign, b"file", "sha256")
        self.add(keys.head)

    def add(self, sealed: bytes) -> None:
        """The next bytes of the file."""
        self._hash.update(sealed)

    def whole(self) -> bytes:
        """The signature of what was added."""
        return self._hash.digest()

    def is_of(self, signature: bytes) -> bool:
        """Tell whether this is the signature of what was added."""
        return hmac.compare_digest(self.whole(), signature)


def seal(keys: FileKeys, number: int, plain: bytes, *, last: bool) -> bytes:
    """Seal one chunk. Each number only once per file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # here and below: no start waits for a stick

    return AESGCM(keys.seal).encrypt(_nonce(number, last=last), plain, None)


def unseal(keys: FileKeys, number: int, sealed: bytes, *, last: bool) -> bytes:
    """Open one chunk. Errors: NotOurs for any other byte, place or end."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(keys.seal).decrypt(_nonce(number, last=last), sealed, None)
    except InvalidTag:
        raise NotOurs("a chunk that this key did not seal at this place") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _derived(link_key: bytes, salt: bytes, what: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(hashes.SHA256(), 32, salt, INFO + what).derive(link_key)
