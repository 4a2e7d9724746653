#!/usr/bin/env bash
# Install the broker of the cluster drill where it is missing: nats-server of Debian 12, 3.6 MB, no other packages.
# Its service for everybody is not left running; the drill starts three private nodes on the loopback.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../need.sh"

if [ -x /usr/sbin/nats-server ]; then exit 0; fi
need nats-server
if [ -d /run/systemd/system ]; then as_root systemctl disable --now nats-server.service; fi
