"""A PostgreSQL server of one's own: in a folder, on a socket in that folder, gone with it. Never the machine's service.

The server refuses to run as root; then it runs as the account that its Debian package has made.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

ROLE = "hub"
ACCOUNT = "postgres"
START_S = 60
# A server that is thrown away: no power cut to survive, small, no network.
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}
IN_MEMORY_TOO = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def program(name: str) -> Path | None:
    """Find a program of the server, the newest release first; None when the package is missing."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return found[-1] if found else None


class PrivatePostgres:
    """One server. `durable`: commits reach the disk, as a bench needs and a test does not."""

    def __init__(self, *, durable: bool = False, parent: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vp-pg-", dir=parent))  # a short path: sockets allow 107 bytes
        self._durable = durable
        self._account = ACCOUNT if os.geteuid() == 0 else None

    def start(self) -> None:
        """Make the cluster and start it."""
        if self._account is not None:
            account = pwd.getpwnam(self._account)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._call("initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={ROLE}")
        settings = SETTINGS | ({} if self._durable else IN_MEMORY_TOO) | {"unix_socket_directories": str(self.folder)}
        with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._call("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}")

    def stop(self) -> None:
        """Stop it and forget everything."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._call("pg_ctl", "stop", "--mode=immediate", "--wait")
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """As after a crash of the server."""
        self._call("pg_ctl", "restart", "--mode=immediate", "--wait", f"--log={self.folder / 'log'}")

    def url(self, database: str) -> str:
        """Where a hub finds a database of this server."""
        return f"postgresql://{ROLE}@/{database}?host={quote(str(self.folder), safe='')}"

    def _call(self, name: str, *arguments: str) -> None:
        path = program(name)
        if path is None:
            raise FileNotFoundError(f"{name}: the package postgresql-15 is missing (packaging/setup.sh installs it)")
        done = subprocess.run(
            [str(path), f"--pgdata={self.folder / 'data'}", *arguments],
            user=self._account,
            group=self._account,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if name == "initdb" else subprocess.DEVNULL,
            timeout=START_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {(done.stderr or b'').decode()[-400:]}")
