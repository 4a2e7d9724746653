"""Who may touch which topic at a NATS broker: users.conf out of the certificates that the hub has given.

    nats_users.py --config /etc/village-hub/hub.toml > /etc/village-broker/users.conf && nats-server --signal reload

With `verify_and_map` the subject of a certificate is the user: CN and serial number, as NATS writes them. NATS 2.9
reads no revocation list: a terminal whose certificates were taken back is left out here, and the reload cuts its line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.clock import SystemClock, SystemDice
from edge.model import SiteCode
from sync.hub.broker_files import TERMINAL_READS, TERMINAL_WRITES
from sync.hub.config import load
from sync.hub.place import database_of
from sync.hub.store import HubStore

HEAD = "# Written by packaging/hub/nats_users.py out of the certificates in force; do not edit.\n"
IN_FORCE = "SELECT DISTINCT site, device FROM certificate WHERE revoked_at IS NULL AND end_at > ? ORDER BY site, device"


def users(terminals: Iterable[tuple[SiteCode, str]]) -> str:
    """The file. Shape: each terminal as site and device, as they stand in its certificate."""
    lines = [HEAD + "authorization {", "  users = ["]
    lines.append('    { user: "CN=hub", permissions: { publish: "vp.>", subscribe: "vp.>" } }')
    for site, device in terminals:
        writes, reads = (_subjects(topics, site) for topics in (TERMINAL_WRITES, TERMINAL_READS))
        name = f"SERIALNUMBER={device},CN={site}" if device else f"CN={site}"
        lines.append(f'    {{ user: "{name}", permissions: {{ publish: [{writes}], subscribe: [{reads}] }} }}')
    return "\n".join([*lines, "  ]", "}", ""])


def _subjects(topics: Iterable[str], site: SiteCode) -> str:
    """MQTT topics as NATS calls them: vp/X/up is vp.X.up."""
    return ", ".join(f'"{topic.replace("%u", site).replace("/", ".")}"' for topic in topics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    settings = load(parser.parse_args().config)
    clock = SystemClock()
    store = HubStore(database_of(settings), clock, SystemDice(), settings.keys())
    store.open()
    with store.reading() as tx:
        found = list(tx.rows(IN_FORCE, (clock.stamp().at,)))
    store.close()
    sys.stdout.write(users((SiteCode(row["site"]), row["device"]) for row in found))


if __name__ == "__main__":
    main()
