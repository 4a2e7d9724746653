"""The terminal's identity on its disk: key and certificate, the authority it trusts, the link key. No network here.

Everything lies in one folder of mode 700 and is written whole or not at all, so that a power cut at any moment leaves
a pair that works. Key and certificate are one file: they can never be of two different days. Keys are made here and
never leave; nothing of this is on a card that was only prepared.

    authority.pem   whom we believe; written once its fingerprint was right
    claim.key       the key we ask with, until we are let in
    identity.pem    our key and certificate; with it the terminal is enrolled
    link.key        64 hex digits, shared by site and hub
    next.key        the key of the next certificate, while it is being asked for
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync import x509
from sync.files import replace_file, sync_folder
from sync.x509 import Certificate

AUTHORITY, CLAIM, PAIR, LINK, NEXT = "authority.pem", "claim.key", "identity.pem", "link.key", "next.key"
LINK_BYTES = 32


class WrongGrant(Exception):
    """What the hub sent does not fit this terminal; nothing was changed. The text says what to do."""


class InUse(Exception):
    """Another program is at the identity of this terminal right now."""


class Identity:
    """The files of one terminal. Errors of all methods: OSError, x509.BadPem for a damaged file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority_file = folder / AUTHORITY
        self.pair_file = folder / PAIR
        self.link_file = folder / LINK

    @property
    def is_enrolled(self) -> bool:
        """Whether a certificate was ever given to this terminal."""
        return self.pair_file.exists()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other programs away while files are changed. Errors: InUse."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InUse("another program is enrolling or renewing this terminal") from None
            yield

    def certificate(self) -> Certificate:
        """What our certificate says."""
        return x509.describe(_certificate_part(self.pair_file.read_bytes()))

    def keep_authority(self, pem: bytes, fingerprint: str) -> bool:
        """Believe this authority if it is the one we were told of; tell whether it is."""
        if x509.fingerprint(pem) != fingerprint.lower():
            return False
        replace_file(self.authority_file, pem)
        return True

    def trusts(self, fingerprint: str) -> bool:
        """Whether the authority we hold is this one; also true as long as we hold none."""
        return not self.authority_file.exists() or x509.fingerprint(self.authority_file.read_bytes()) == fingerprint

    def ask_anew(self) -> None:
        """Forget the key we asked with, and the authority: the next question is another device's, with another code.

        Only before we are let in.
        """
        if not self.is_enrolled:
            self._drop(CLAIM)
            self._drop(AUTHORITY)

    def claim_key(self) -> bytes:
        """The key to ask with; made at the first call."""
        return self._made_once(CLAIM)

    def next_key(self) -> bytes:
        """The key for the next certificate; kept until that is here, so that a repeated question is the same one."""
        file = self.folder / NEXT
        if file.exists() and x509.public_of(file.read_bytes()) == self.certificate().public_key:
            self._drop(NEXT)  # it is in force already; the power went before this line
        return self._made_once(NEXT)

    def let_in(self, site: str, certificate: bytes, sealed: bytes) -> None:
        """Take what the hub granted to the claim key. Errors: WrongGrant."""
        key = self.claim_key()
        self._check(certificate, key, site)
        link = x509.unseal(key, sealed)
        if len(link) != LINK_BYTES:
            raise WrongGrant("the hub sent a link key of the wrong length")
        if self.link_file.exists() and self.link_file.read_text("ascii").strip() != link.hex():
            raise WrongGrant("this terminal kept its log under another link key; empty its data folder to start anew")
        replace_file(self.link_file, link.hex().encode("ascii") + b"\n")
        replace_file(self.pair_file, key + certificate)  # from here on we are enrolled
        self._drop(CLAIM)

    def code(self, fingerprint: str) -> str:
        """Our claim code under an authority: of the key we ask with, or of the one we were let in with."""
        key = self.pair_file.read_bytes() if self.is_enrolled else self.claim_key()
        return x509.claim_code(x509.public_of(key), fingerprint)

    def renewed(self, certificate: bytes) -> None:
        """Take the next certificate, for the next key. Errors: WrongGrant."""
        key = (self.folder / NEXT).read_bytes()
        self._check(certificate, key, self.certificate().name)
        replace_file(self.pair_file, key + certificate)
        self._drop(NEXT)

    def _check(self, certificate: bytes, key: bytes, site: str) -> None:
        if not x509.belongs(certificate, key, self.authority_file.read_bytes()):
            raise WrongGrant("the hub sent a certificate that is not for this device")
        if x509.describe(certificate).name != site:
            raise WrongGrant("the hub sent a certificate of another site")

    def _made_once(self, name: str) -> bytes:
        file = self.folder / name
        if not file.exists():
            replace_file(file, x509.new_key())
        return file.read_bytes()

    def _drop(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
        sync_folder(self.folder)


def _certificate_part(pem: bytes) -> bytes:
    return pem[max(0, pem.find(b"-----BEGIN CERTIFICATE")) :]
