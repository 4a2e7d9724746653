"""What Mosquitto reads: its settings for certificates, and the access list by the name in the certificate.

Two listeners. Terminals come to the one for everybody: there the client id is the name in the certificate, so that no
terminal throws another off. Hub programs come to one on the loopback, several with one certificate and ids of their
own. A terminal's certificate opens that one too, but only to its own topics.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge.model import SiteCode
from sync.wire import Topics

CA, SERVER, HUB, REVOKED, ACCESS, CONF = "ca.pem", "server.pem", "hub.pem", "revoked.pem", "acl", "mosquitto.conf"
ANY = SiteCode("%u")
RELOAD_S = 30.0
TERMINAL_WRITES = (Topics(ANY).up, Topics(ANY).down_ack, Topics(ANY).state)
TERMINAL_READS = (Topics(ANY).up_ack, Topics(ANY).down)

ACCESS_HEAD = """\
# Who may touch which topic. The name comes from the certificate: a site code, or hub. Written by village-hub ca init.
user hub
topic readwrite vp/#

# A terminal touches its own topics alone; %u is the name in its certificate.
"""

LISTENER = """
listener {port}{address}
cafile {folder}/{ca}
certfile {folder}/{server}
keyfile {folder}/{server}
crlfile {folder}/{revoked}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid {fixed_id}
allow_anonymous false
"""


def texts(folder: Path, ports: tuple[int, int]) -> dict[str, str]:
    """The broker's settings and access list, by file name. `folder`: where they will lie; `ports`: see Authority."""
    return {CONF: _settings(folder.absolute(), *ports), ACCESS: _access()}


def _access() -> str:
    writes = [f"pattern write {topic}" for topic in TERMINAL_WRITES]
    reads = [f"pattern read {topic}" for topic in TERMINAL_READS]
    return ACCESS_HEAD + "\n".join([*writes, *reads, ""])


def _settings(folder: Path, port: int, loopback_port: int) -> str:
    names = {"folder": folder, "ca": CA, "server": SERVER, "revoked": REVOKED}
    return "\n".join(
        [
            "# Mosquitto of a district: include it, or start the broker with it. Written by village-hub ca init.",
            f"acl_file {folder}/{ACCESS}",
            "# The logs at both ends are the queue: nothing is kept here, and what is dropped is sent again.",
            "# Not 0 (no bound): then Mosquitto 2.0.11 cuts the line of whoever publishes where it may not.",
            "persistence false",
            "max_queued_messages 100000",
            "# Messages on their way to one client: the hub takes 24 in one transaction, the default is 20.",
            "max_inflight_messages 100",
            LISTENER.format(port=port, address="", fixed_id="true", **names),
            LISTENER.format(port=loopback_port, address=" 127.0.0.1", fixed_id="false", **names),
        ]
    )


def reload(command: Sequence[str]) -> bool:
    """Let the broker read its files again. False when that did not work: then somebody has to do it."""
    if not command:
        return False
    try:
        return subprocess.run(command, timeout=RELOAD_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
