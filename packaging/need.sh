# Sourced by the scripts that install something. Says what it installs; what is there already costs a look.

APT_LOCK_S=300 # another apt may be running: unattended upgrades take minutes on a small machine

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
    command -v sudo >/dev/null || { echo "$(basename "$0"): root or sudo is needed for: $*" >&2; exit 1; }
    sudo "$@"
}

missing_of() { # PACKAGE... -> those that are not installed, a line each
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

need() { # PACKAGE...: install what is missing
    local missing apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o "DPkg::Lock::Timeout=$APT_LOCK_S")
    mapfile -t missing < <(missing_of "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    printf '  %-9s %s\n' apt "${missing[*]}"
    as_root "${apt[@]}" update </dev/null
    as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null
}
