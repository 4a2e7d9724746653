"""A support bundle as bytes: a few named files, packed, and sealed for the district's authority alone. Pure.

What is gathered is in edge/support.py, how it is opened at the hub sync/hub/cli_support.py. Anybody can seal something
for the authority, so whoever opens one is careful: plain names, few files, bounded sizes.
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Callable, Mapping

from sync import x509

MAGIC = b"VPSUPPORT 1\n"
PURPOSE = b"village-point support 1"
SUFFIX = ".vpsupport"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
MAX_FILES = 40
MAX_PLAIN = 8 * 1024 * 1024  # bytes, unpacked
MAX_SEALED = 4 * 1024 * 1024


class BadBundle(ValueError):
    """This is no support bundle of this district. The text says why."""


def sealed(files: Mapping[str, bytes], authority_pem: bytes) -> bytes:
    """Pack the files and seal them. Errors: BadBundle for too much; x509.BadPem for an authority that is none."""
    if len(files) > MAX_FILES or sum(map(len, files.values())) > MAX_PLAIN:
        raise BadBundle("more than a bundle may hold")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    whole = MAGIC + x509.seal(x509.describe(authority_pem).public_key, packed.getvalue(), PURPOSE)
    if len(whole) > MAX_SEALED:
        raise BadBundle("more than a bundle may hold")
    return whole


def opened(raw: bytes, unseal: Callable[[bytes, bytes], bytes]) -> dict[str, bytes]:
    """Return the files of a bundle. `unseal` is the authority's. Errors: BadBundle."""
    if not raw.startswith(MAGIC) or len(raw) > MAX_SEALED:
        raise BadBundle("this is no support bundle")
    try:
        packed = unseal(raw[len(MAGIC) :], PURPOSE)
    except x509.BadPem as error:
        raise BadBundle("this bundle was sealed for another district, or is damaged") from error
    inflate = zlib.decompressobj(wbits=31)
    try:
        plain = inflate.decompress(packed, MAX_PLAIN + 1024 * 1024)
    except zlib.error as error:
        raise BadBundle("its content cannot be unpacked") from error
    if inflate.unconsumed_tail:
        raise BadBundle("more than a bundle may hold")
    return _files(plain)


def _files(plain: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isreg() else None
                is_ours = NAME.fullmatch(entry.name) and entry.size <= len(plain)  # holes would be filled in memory
                if content is None or not is_ours or len(found) >= MAX_FILES:
                    raise BadBundle(f"an entry that does not belong into a bundle: {entry.name[:60]!r}")
                found[entry.name] = content.read()
    except (tarfile.TarError, OSError) as error:
        raise BadBundle("its content cannot be unpacked") from error
    return found
