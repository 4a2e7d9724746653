"""How the check-up reads the certificate of an enrolled terminal, with pairs signed by a real authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge import config
from edge.certificate import certificate
from edge.doctor_facts import CertificateFacts
from edge.hub_link import HubLink
from sync import x509
from sync.x509 import Span, Subject

NOW = datetime(2026, 7, 1, tzinfo=UTC)
NOW_S = int(NOW.timestamp())


def enrolled(folder: Path, days: int) -> HubLink:
    """A terminal whose certificate is as old as the day and lives so many days."""
    folder.mkdir()
    ca_key = x509.new_key()
    ca = x509.new_authority(ca_key, "hub", Span(NOW, NOW + timedelta(days=3650)))
    key = x509.new_key()
    span = Span(NOW, NOW + timedelta(days=days))
    pem = x509.issue((ca, ca_key), Subject("QJ-0001", "device"), x509.public_of(key), span)
    (folder / "identity.pem").write_bytes(key + pem)
    return link(folder)


def link(folder: Path) -> config.HubLink:
    return HubLink("127.0.0.1", 8883, folder / "link.key", None, None, None, identity_dir=folder, enrol_port=8443)


def test_an_enrolled_terminal_reads_its_own_certificate_not_the_authority(tmp_path: Path) -> None:
    hub = enrolled(tmp_path / "identity", 90)

    assert certificate(hub, NOW_S) == CertificateFacts("own", 90, 90)
    assert certificate(hub, NOW_S + 80 * 86_400) == CertificateFacts("own", 10, 90)
    assert certificate(hub, NOW_S + 92 * 86_400) == CertificateFacts("own", -2, 90)


def test_a_terminal_that_was_never_let_in_is_missing_one_and_a_damaged_pair_is_not_read(tmp_path: Path) -> None:
    hub = link(tmp_path)
    missing = certificate(hub, NOW_S)
    (tmp_path / "identity.pem").write_text("no certificate")

    assert missing == CertificateFacts("missing")
    assert certificate(hub, NOW_S) == CertificateFacts("own", None)


def test_a_point_without_a_hub_or_without_encryption_needs_none(tmp_path: Path) -> None:
    plain = HubLink("127.0.0.1", 1883, tmp_path / "link.key", None, None, None)

    assert certificate(None, NOW_S) == certificate(plain, NOW_S) == CertificateFacts()
