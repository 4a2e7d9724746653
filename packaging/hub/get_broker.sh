#!/usr/bin/env bash
# Install the broker of the cluster drill where it is missing: nats-server of Debian 12, 3.6 MB, no other packages.
# Its service for everybody is not left running; the drill starts three private nodes on the loopback.
set -euo pipefail

if [ -x /usr/sbin/nats-server ]; then exit 0; fi
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "get_broker: root or sudo is needed once, for nats-server" >&2; exit 1; }
    run=(sudo)
fi
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install --yes \
    --no-install-recommends nats-server </dev/null
if [ -d /run/systemd/system ]; then "${run[@]}" systemctl disable --now nats-server.service; fi
