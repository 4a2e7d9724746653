"""Whether somebody serves the sites at all: without a running hub the page shows old news."""

from __future__ import annotations

from pathlib import Path

from sync.hub.config import HubSettings
from sync.hub.store import Tx

LOCKS = "hub.running*"  # what `village-hub run` holds in its folder
KERNEL_LOCKS = Path("/proc/locks")  # looked at, for trying a lock could keep a hub from starting


def is_running(tx: Tx, settings: HubSettings) -> bool:
    """False when certainly nobody serves. A hub of one worker on a server may run on another machine."""
    if settings.work.shards > 1:
        return tx.row("SELECT name FROM worker WHERE until > ? LIMIT 1", (tx.session.now_ms(),)) is not None
    return settings.work.database is not None or _is_locked(settings.data_dir)


def _is_locked(folder: Path) -> bool:
    try:
        ours = {file.stat().st_ino for file in folder.glob(LOCKS)}
        lines = KERNEL_LOCKS.read_text("ascii").splitlines()
    except OSError:
        return True  # nobody can tell
    held = {line.split()[5].rpartition(":")[2] for line in lines if " FLOCK " in line and "->" not in line}
    return any(str(inode) in held for inode in ours)
