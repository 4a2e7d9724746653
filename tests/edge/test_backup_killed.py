"""A backup and a restore, killed before each of their steps on the disk: the next start finds whole files only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stockroom import Clock, Dice, new_store

from edge import backup, events, log
from edge.copies import copies, last_fact, newest_good
from edge.store import FILE, Store, StoreFault

KILLED = 9
STEPS = 60  # more than there are; the last ones run to their end
# The n-th event of these kinds is a step that changes or opens a file; the process is gone just before it.
PROGRAM = """
import os, sys
from pathlib import Path
from edge import backup
work, folder, source, left = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
began = False
def hook(event, _arguments):
    global left
    if began and event in {"open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "sqlite3.connect", "os.listdir"}:
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(hook)
began = True
if work == "make":
    backup.make(folder)
else:
    backup.restore(folder, Path(source))
os._exit(0)
"""


def run(work: str, folder: Path, source: Path, step: int) -> int:
    command = [sys.executable, "-c", PROGRAM, work, str(folder), str(source), str(step)]
    return subprocess.run(command, check=False, timeout=60, capture_output=True).returncode


def call(store: Store, times: int) -> None:
    for _ in range(times):
        store.run_now(log.append, events.HelpCalled("home"))


@pytest.fixture
def point(tmp_path: Path) -> Store:
    store = new_store(tmp_path / "point", Clock(), Dice(5))
    store.open()
    store.run_now(log.begin)
    call(store, 3)
    return store


def test_a_backup_killed_at_any_step_leaves_only_whole_copies(point: Store) -> None:
    killed = 0
    for step in range(STEPS):
        call(point, 1)
        code = run("make", point.folder, point.path, step)
        killed += code == KILLED
        assert code in {0, KILLED}
        for copy in copies(point.folder):
            assert last_fact(copy.path) == copy.upto
        if code == 0:
            break
    made = backup.make(point.folder)

    assert killed >= 5
    assert made.upto == point.run_now(log.head).upto
    assert not list((point.folder / "backup").glob("new.tmp*"))
    assert len(copies(point.folder)) <= backup.KEEP
    point.close()


def test_a_restore_killed_at_any_step_leaves_a_database_or_a_named_backup(point: Store) -> None:
    made = backup.make(point.folder)
    call(point, 2)
    point.close()
    killed = 0
    for step in range(STEPS):
        code = run("restore", point.folder, made.path, step)
        killed += code == KILLED
        assert code in {0, KILLED}
        assert newest_good(point.folder) == made.path
        again = new_store(point.folder, Clock(), Dice(5))
        if not (point.folder / FILE).exists():  # set aside, not yet replaced: said, never begun anew
            with pytest.raises(StoreFault) as caught:
                again.open()
            assert (caught.value.code, caught.value.backup) == ("S1", made.path)
            backup.restore(point.folder, made.path)
        again.open()
        assert again.run_now(log.verify) is None
        again.close()
        if code == 0:
            break

    assert killed >= 5
    assert last_fact(point.folder / FILE) == made.upto
