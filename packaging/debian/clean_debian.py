"""A Debian 12 with nothing in it, and commands inside it. No process and no mount of it outlives a command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

# What apt, dpkg and the libraries they call keep for themselves.
FORGOTTEN = ("var/lib/dpkg", "var/lib/apt", "var/log", "var/cache", "run", "tmp", "proc", "sys", "dev", "root")
BACKUPS = ("etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/ld.so.cache")
SURROUNDINGS = {
    "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
}
INSIDE = """
set -eu
mount --make-rprivate /
mount --rbind /dev "$1/dev"; mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/run"; mount -t tmpfs tmpfs "$1/tmp"
ip link set lo up
exec chroot "$1" /bin/sh -euc "$2"
"""


class CleanDebian:
    """A root file system below `folder`; made from `packed`, which is fetched once."""

    def __init__(self, folder: Path, packed: Path) -> None:
        self.folder = folder
        if not packed.exists():
            part = packed.with_suffix(".part")
            subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "bookworm", part], check=True)
            part.rename(packed)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        subprocess.run(["tar", "--extract", "--numeric-owner", "--file", packed, "--directory", folder], check=True)
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")

    def do(self, script: str, timeout_s: float = 600, *, alone: bool = False) -> str:
        """Run a script as root inside and return what it said. `alone`: with a network of its own, only the loopback.

        Errors: Failed with the end of what it said.
        """
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *(["--net"] if alone else [])]
        inside = INSIDE if alone else INSIDE.replace("ip link set lo up\n", "")
        done = subprocess.run(
            [*spaces, "sh", "-c", inside, "sh", self.folder, script],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=timeout_s,
            env=SURROUNDINGS, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise Failed(f"{script}\n{done.stdout[-3000:]}")
        return done.stdout

    def tree(self) -> dict[str, str]:
        """Every file with its kind, owner and mode, and the content of links and of /etc."""
        found = {}
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            if name.startswith(FORGOTTEN) or name in BACKUPS:
                continue
            told = path.lstat()
            content = ""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file() and name.startswith("etc/"):
                content = path.read_bytes().hex()
            found[name] = f"{told.st_mode:o} {told.st_uid} {told.st_gid} {content}"
        return found


class Failed(Exception):
    """A command inside did not do what it should."""
