"""Bytes of a batch deflated and inflated, with dictionaries of our own facts. Pure.

A dictionary is a text that both ends hold: what stands in it need not travel. Its number is agreed in the answers (the
receiver tells the newest it can read); its checksum stands in the packed bytes themselves (RFC 1950, DICTID), so that
every batch of every release is read with the right one, on the line and years later from a file. Numbers are only ever
added: see tests/sync/train_dictionary.py.
"""

from __future__ import annotations

import zlib

from sync import dictionary_1
from sync.strict import BadBatch

LEVEL = 6
NEWEST = 1
FDICT = 0x20  # second byte of a zlib stream: four bytes with the checksum of a dictionary follow

_DICTIONARIES = {1: dictionary_1.TEXT.encode()}
_BY_CHECKSUM = {zlib.adler32(text).to_bytes(4, "big"): number for number, text in _DICTIONARIES.items()}


def pack(plain: bytes, dictionary: int = 0) -> bytes:
    """Deflate, with the newest dictionary that is not newer than `dictionary`; 0 is none."""
    text = _DICTIONARIES.get(min(dictionary, NEWEST))
    packer = zlib.compressobj(LEVEL) if text is None else zlib.compressobj(LEVEL, zdict=text)
    return packer.compress(plain) + packer.flush()


def unpack(payload: bytes, most: int) -> bytes:
    """Inflate within a bound, so that a few kilobytes never become a gigabyte. Errors: BadBatch."""
    number = dictionary_of(payload)
    unpacker = zlib.decompressobj(zdict=_DICTIONARIES[number]) if number else zlib.decompressobj()
    try:
        plain = unpacker.decompress(payload, most)
    except zlib.error:
        raise BadBatch("not deflated") from None
    if not unpacker.eof or unpacker.unused_data:
        raise BadBatch("truncated, too large, or something follows")
    return plain


def dictionary_of(payload: bytes) -> int:
    """Which dictionary a packed batch needs, 0 for none. Errors: BadBatch for one that this release does not hold."""
    if len(payload) < 6 or not payload[1] & FDICT or int.from_bytes(payload[:2], "big") % 31:
        return 0  # RFC 1950: a header is a multiple of 31; anything else is no zlib stream at all
    number = _BY_CHECKSUM.get(payload[2:6])
    if number is None:
        raise BadBatch("packed with a dictionary of another release")
    return number
