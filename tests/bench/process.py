"""What the kernel tells of a process: memory and time."""

from __future__ import annotations

import os
from pathlib import Path

PRIORITY = -15  # nice; above ordinary programs, below the kernel's own


def go_first(pid: int | None = None) -> bool:
    """Put ourselves, or the session of a program we started, before the neighbours; tell whether we may.

    Linux groups programs by session and compares groups first (autogroup): the priority of a process alone counts
    among its own only, and each program of a stand has a session of its own.
    """
    try:
        if pid is None:
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        Path(f"/proc/{pid or 'self'}/autogroup").write_text(str(PRIORITY), "ascii")
    except FileNotFoundError:
        return True  # a kernel without groups: what was started has inherited ours
    except OSError:
        return False
    return True


def memory_kb(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError(f"process {pid} tells no VmRSS")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def thread_cpu_s(pid: int) -> dict[int, float]:
    """User and system seconds of each thread so far, by its number; that of the main thread is the process's."""
    spent = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
        spent[int(task.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent
