"""The district's certificate authority as files: its key, the server's and the hub's own pairs, the revocation list.

Two folders. `ca/` in the hub's data (mode 700) holds the key that signs; losing it means enrolling every terminal
again, so it belongs into the hub's backup. `broker/` holds what the broker reads: certificates, its pair, the list and
its access list. What is signed for whom is decided in sync/hub/enrolment.py, the signing itself is sync/x509.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sync import x509
from sync.files import replace_file
from sync.hub import broker_files
from sync.x509 import Certificate, Span, Subject

CA_YEARS = 20  # longer than a terminal lives; the key never leaves the hub
SERVER_DAYS = 365
LAST_PART = 3  # renewed when a third of the life is left: a month for a certificate of 90 days
HUB_NAME = "hub"  # never a site code: those are capital letters and at least three of them
GROUP_READS = 0o640


class NoAuthority(Exception):
    """`village-hub ca init` was not run, or its files are gone; the text says which."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """One certificate that ended before its time."""

    serial: str
    at: datetime


class Authority:
    """The files of one district. `now` is UTC; `ports`: of the broker, for terminals and for hub programs."""

    def __init__(self, data_dir: Path, broker_dir: Path, hosts: tuple[str, ...], ports: tuple[int, int]) -> None:
        self._ca = data_dir / "ca"
        self._broker = broker_dir
        self._hosts = hosts
        self._ports = ports

    @property
    def server_file(self) -> Path:
        """Key and certificate of broker and HTTPS, in one file."""
        return self._broker / broker_files.SERVER

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority."""
        return self._broker / broker_files.CA

    def init(self, name: str, now: datetime) -> bool:
        """Make what is missing; what is there stays. Tell whether the authority itself is new."""
        self._ca.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._broker.mkdir(mode=0o750, parents=True, exist_ok=True)
        is_new = not (self._ca / "ca.pem").exists()
        if is_new:
            self._make(name, now)
        replace_file(self.ca_file, self.certificate(), GROUP_READS)
        if not (self._broker / broker_files.REVOKED).exists():
            self.publish_revoked((), now)
        for file, text in broker_files.texts(self._broker, self._ports).items():
            replace_file(self._broker / file, text.encode(), GROUP_READS)
        self.renew_own(now)
        return is_new

    def certificate(self) -> bytes:
        """The authority's certificate, PEM. Errors: NoAuthority."""
        return self._pair()[0]

    def fingerprint(self) -> str:
        """What terminals are told about this hub. Errors: NoAuthority."""
        return x509.fingerprint(self.certificate())

    def grant(self, subject: Subject, public_key: bytes, span: Span) -> bytes:
        """Sign a terminal's certificate, PEM. Errors: NoAuthority, x509.BadPem."""
        return x509.issue(self._pair(), subject, public_key, span)

    def sign(self, content: bytes) -> bytes:
        """Sign bytes that begin with their purpose. Errors: NoAuthority, x509.BadPem."""
        return x509.sign(self._pair()[1], content)

    def unseal(self, sealed: bytes, purpose: bytes) -> bytes:
        """Open what was sealed for the authority. Errors: NoAuthority, x509.BadPem."""
        return x509.unseal(self._pair()[1], sealed, purpose)

    def publish_revoked(self, revoked: Sequence[Revoked], now: datetime) -> None:
        """Write the whole list for the broker, which has to reload it. Errors: NoAuthority."""
        listed = x509.revocation_list(self._pair(), [(each.serial, each.at) for each in revoked], now)
        replace_file(self._broker / broker_files.REVOKED, listed, GROUP_READS)

    def renew_own(self, now: datetime) -> list[str]:
        """Renew the server's and the hub's own pair when due. Return which: then the broker has to reload."""
        pairs = {
            self.server_file: Subject(self._hosts[0], hosts=self._hosts),
            self._broker / broker_files.HUB: Subject(HUB_NAME),
        }
        renewed = []
        for file, subject in pairs.items():
            if self._is_due(file, subject, now):
                key = x509.new_key()
                span = Span(now, now + timedelta(days=SERVER_DAYS))
                replace_file(file, key + self.grant(subject, x509.public_of(key), span), GROUP_READS)
                renewed.append(file.name)
        return renewed

    def server(self) -> Certificate:
        """What the server's certificate says. Errors: NoAuthority."""
        return x509.describe(_cert_part(_read(self.server_file)))

    def _is_due(self, file: Path, subject: Subject, now: datetime) -> bool:
        """Whether a pair is missing, near its end, of another authority, or made for other host names."""
        if not file.exists():
            return True
        pem = file.read_bytes()
        cert = x509.describe(_cert_part(pem))
        fits = cert.hosts == subject.hosts and x509.belongs(_cert_part(pem), pem, self.certificate())
        return not fits or is_due(cert.span, now)

    def _make(self, name: str, now: datetime) -> None:
        key = x509.new_key()
        cert = x509.new_authority(key, name, Span(now, now + timedelta(days=365 * CA_YEARS)))
        replace_file(self._ca / "ca.key", key)
        replace_file(self._ca / "ca.pem", cert)  # last: with it the authority exists

    def _pair(self) -> tuple[bytes, bytes]:
        return _read(self._ca / "ca.pem"), _read(self._ca / "ca.key")


def is_due(span: Span, now: datetime) -> bool:
    """Tell whether the last third of a life has begun."""
    return now >= span.end - (span.end - span.begin) / LAST_PART


def _cert_part(pem: bytes) -> bytes:
    return pem[pem.find(b"-----BEGIN CERTIFICATE") :]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NoAuthority(f"{file} cannot be read; village-hub ca init makes it") from error
