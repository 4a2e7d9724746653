"""How the certificate of the line stands, for the check-up: read from the settings' file or the terminal's own pair.

What it means is judged in edge/doctor.py; renewal is sync/renewal.py.
"""

from __future__ import annotations

from pathlib import Path

from edge.config import HubLink
from edge.doctor_facts import CertificateFacts
from edge.examine import DAY_S, certificate_days


def certificate(hub: HubLink | None, now_s: int) -> CertificateFacts:
    """Look at it. A terminal that enrols has a pair of its own, any other at most an authority in a file."""
    if hub is None:
        return CertificateFacts()
    if hub.identity_dir is not None:
        return _own(hub.identity_dir, now_s)
    file = hub.tls_ca_file
    return CertificateFacts() if file is None else CertificateFacts("file", certificate_days(file, now_s))


def _own(folder: Path, now_s: int) -> CertificateFacts:
    from sync.identity import Identity  # the library behind it is loaded where there is a certificate
    from sync.x509 import BadPem

    identity = Identity(folder)
    if not identity.is_enrolled:
        return CertificateFacts("missing")
    try:
        span = identity.certificate().span
    except (OSError, BadPem):
        return CertificateFacts("own")
    life_s = span.end.timestamp() - span.begin.timestamp()
    return CertificateFacts("own", int(span.end.timestamp() - now_s) // DAY_S, int(life_s) // DAY_S)
