#!/usr/bin/env bash
# Print apt sources for the image, one a line: Debian 12 from wherever this machine gets its own packages.
# Nothing of it stays in the image. VILLAGE_APT_URI and VILLAGE_APT_SECURITY_URI name other places.
set -euo pipefail

suite=bookworm
components="main non-free-firmware"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

uris() { # of this machine, for a suite
    apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 'Origin: Debian' |
        awk -v suite="$1" '$2 == suite { print $1; exit }'
}
main=${VILLAGE_APT_URI:-$(uris $suite)}
security=${VILLAGE_APT_SECURITY_URI:-$(uris $suite-security)}
if [ -z "$main" ] || [ -z "$security" ]; then
    echo "sources: this machine's apt knows no $suite and $suite-security (is apt-get update due?)." >&2
    echo "         Name them: VILLAGE_APT_URI=... VILLAGE_APT_SECURITY_URI=... make image" >&2
    exit 1
fi
echo "deb [signed-by=$keyring] $main $suite $components"
echo "deb [signed-by=$keyring] $main $suite-updates $components"
echo "deb [signed-by=$keyring] $security $suite-security $components"
