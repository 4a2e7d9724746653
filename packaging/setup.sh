#!/usr/bin/env bash
# Bring a bare Debian 12 machine to the point where every target of the Makefile works.
# Each step looks first and does nothing when its work is done, so a second call takes well under a second.
# Needs: bash, apt, python3.11, root or sudo (only when a Debian package is missing).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/need.sh

VENV=.venv
LIBRARIES=(libgl1 libegl1 libgles2 libmtdev1)   # what the window library loads at run time
TOOLS=(mosquitto fonts-noto-cjk strace alsa-utils) # broker, source of the font, witness of "audit before pulse", aplay
UPDATES=(rauc squashfs-tools dbus-daemon openssl)  # signs, reads and installs bundles in the tests of updates, on a bus of its own
DATABASE=(postgresql-15 postgresql-client-15)   # a private server for tests, bench and the hub at scale
COMPILER=(gcc libc6-dev linux-libc-dev)         # python-evdev is compiled against the kernel's headers

say() { printf '  %-9s %s\n' "$1" "$2"; }
stop() { printf 'setup: %s\n' "$1" >&2; exit 1; }

choose_python() {
    local candidate
    # Debian's own comes first: it is the one that points run, and it is a third quicker than one built without profile.
    for candidate in ${PYTHON:-} /usr/bin/python3.11 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            # the real program, not a version manager's stand-in that depends on the folder
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    stop "Python 3.11 is missing. Install it (apt-get install python3.11) or name it: make setup PYTHON=/path/to/python3.11"
}

missing_packages() {
    local wanted=("${LIBRARIES[@]}" "${TOOLS[@]}" "${UPDATES[@]}" "${DATABASE[@]}" "${COMPILER[@]}")
    "$1" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv python3.11-venv)
    "$1" -c 'import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || wanted+=(python3-dev python3.11-dev)
    missing_of "${wanted[@]}"
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$1")
    if [ "${#missing[@]}" -eq 0 ]; then return; fi
    need "${missing[@]}"
    # The package starts a broker on port 1883 for everybody. Ours is private and has its own port, so a service
    # that was not here before us is not left running. One that was here stays as it was.
    if [[ " ${missing[*]} " == *" mosquitto "* && -d /run/systemd/system ]]; then
        as_root systemctl disable --now mosquitto.service
    fi
    if [[ " ${missing[*]} " == *" postgresql-15 "* && -d /run/systemd/system ]]; then
        as_root systemctl disable --now postgresql.service
    fi
}

build_venv() {
    # The stamp names the interpreter and this folder too: a virtual environment cannot be moved.
    local stamp=$VENV/.village-point wanted place="$1 $PWD"
    wanted="$(cat setup.py packaging/requirements.lock | sha256sum) $place"
    if $VENV/bin/python -c '' 2>/dev/null && [ "$(cat $stamp 2>/dev/null)" = "$wanted" ]; then return; fi
    if ! $VENV/bin/python -c '' 2>/dev/null || [[ "$(cat $stamp 2>/dev/null)" != *" $place" ]]; then
        say venv "$VENV with $("$1" --version)"
        "$1" -m venv --clear $VENV
        echo "unfinished $place" >$stamp
    fi
    say pip "$(grep -c == packaging/requirements.lock) pinned packages; one is compiled, about a minute"
    $VENV/bin/python -m pip install --quiet --quiet --progress-bar off --disable-pip-version-check \
        --constraint packaging/requirements.lock --editable '.[kiosk,hub,dev]' </dev/null
    echo "$wanted" >$stamp
}

build_font() {
    if $VENV/bin/python ui/fonts/build.py --check; then return; fi
    say font "kiosk-regular.otf and kiosk-bold.otf out of Debian's Noto Sans CJK, about half a minute"
    $VENV/bin/python ui/fonts/build.py
}

python=$(choose_python)
install_packages "$python"
build_venv "$python"
build_font
