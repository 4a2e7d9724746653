"""The settings of a site, signed by the district's authority: what the hub gives a terminal, by the line or on a stick.

Pure: bytes in, values or bytes out. What stands in the settings is checked in edge/site_profile.py, what the hub keeps
is in sync/hub/profiles.py. A profile is no secret: secrets never stand in settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from edge.site_profile import MAX_TEXT, BadProfile
from sync import x509
from sync.strict import BadBatch, dump, load, text_of, whole

__all__ = ["SUFFIX", "BadProfile", "Profile", "check_use", "opened", "signed"]

VERSION = 1
PURPOSE = b"village-point profile 1\n"  # before what is signed: never taken for a certificate, which begins with 0x30
MAX_FILE = 256 * 1024  # bytes; the settings themselves are at most 64 KB
SUFFIX = ".vpprofile"


@dataclass(frozen=True, slots=True)
class Profile:
    """One version of a site's settings.

    Shape: `district` the fingerprint of the authority; `device` the claim code of the one terminal it is for, empty
           for any; `number` counts the versions of a site from 1; `made` and `until` UTC seconds, `until` 0 for ever.
    """

    site: str
    district: str
    device: str
    number: int
    made: int
    until: int
    text: str


def signed(profile: Profile, authority_pem: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Write the file. `sign` is the authority's (`Authority.sign`); its certificate goes along, public as it is."""
    content = dump({"v": VERSION, **asdict(profile)}).decode()
    signature = sign(PURPOSE + content.encode()).hex()
    top = {"village_point_profile": VERSION, "content": content, "signature": signature}
    return json.dumps(top | {"authority": authority_pem.decode("ascii")}).encode() + b"\n"


def opened(raw: bytes, fingerprint: str) -> Profile:
    """Read a file and believe it, if the authority with this fingerprint signed it.

    Errors: BadProfile damaged, version, other_district, altered.
    """
    content, signature, authority_pem = _parts(raw)
    profile = _profile(content)
    try:
        is_ours = x509.fingerprint(authority_pem) == fingerprint
    except x509.BadPem as error:
        raise BadProfile("damaged") from error
    if not is_ours or profile.district != fingerprint:
        raise BadProfile("other_district")
    if not x509.is_signed(authority_pem, PURPOSE + content.encode(), signature):
        raise BadProfile("altered")
    return profile


def check_use(profile: Profile, site: str, device: str, now_s: float) -> None:
    """Tell whether this terminal may use it now. `site`: as which it was let in, empty before.

    Errors: BadProfile other_device, other_site, expired.
    """
    if profile.device and profile.device != device:
        raise BadProfile("other_device", profile.device)
    if site and profile.site != site:
        raise BadProfile("other_site", profile.site)
    if profile.until and now_s > profile.until:
        raise BadProfile("expired")


def _parts(raw: bytes) -> tuple[str, bytes, bytes]:
    if len(raw) > MAX_FILE:
        raise BadProfile("damaged", "too large")
    try:
        top = json.loads(raw)
        version, content = top["village_point_profile"], top["content"]
        signature, authority = bytes.fromhex(top["signature"]), top["authority"].encode("ascii")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadProfile("damaged") from error
    if version != VERSION:
        raise BadProfile("version")
    if not isinstance(content, str):
        raise BadProfile("damaged")
    return content, signature, authority


def _profile(content: str) -> Profile:
    try:
        top = load(content.encode(), VERSION)
        site, district, device = (text_of(top.get(name), name, 200) for name in ("site", "district", "device"))
        number, made, until = (whole(top, name, 0) for name in ("number", "made", "until"))
        return Profile(site, district, device, number, made, until, text_of(top.get("text"), "text", MAX_TEXT))
    except (BadBatch, UnicodeEncodeError) as error:
        raise BadProfile("damaged", str(error)) from error
