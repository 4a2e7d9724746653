"""Damaged pages, failing disks and backups: what is damaged is told, what was confirmed is there, a backup is whole."""

from __future__ import annotations

import errno
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import backup, log
from edge.clock import SystemClock, SystemDice
from edge.store import Store, StoreFault
from tests.soak import recorder
from tests.soak.judge import judged
from tests.soak.ledger import Ledger
from tests.soak.writer import Writer
from tests.stories.point import KEYS

DB = "point.db"
CHAINED = "SELECT seq, kind, body, at, boot, ms, synced, hash FROM fact ORDER BY seq"


def filled(folder: Path, rounds: int, seed: int = 1) -> int:
    """A database as it is after a day, closed in order. Returns the last confirmed fact."""
    confirmed: list[int] = []
    writer = Writer(folder, confirmed.append, seed)
    writer.begin("FULL")
    writer.works(1, rounds)
    writer.store.close()
    return confirmed[-1]


def history(folder: Path) -> list[tuple[object, ...]] | None:
    """All chained columns as the terminal itself would read them; None when it does not open or trust the file."""
    if judged(folder, 0):
        return None
    store = Store(folder, SystemClock(), SystemDice(), KEYS)
    try:
        store.open()
        return store.run_now(lambda tx: [tuple(row.values()) for row in tx.rows(CHAINED)])
    finally:
        store.close()


def test_a_flipped_bit_is_told_or_harmless_and_never_believed(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    confirmed = filled(fast_path / "whole", 40)
    shutil.rmtree(fast_path / "whole" / "backup")
    whole = history(fast_path / "whole")
    assert whole is not None
    raw = (fast_path / "whole" / DB).read_bytes()
    dice = random.Random(15)
    flips, told, believed = count(120, 5000), 0, 0

    for _ in range(flips):
        folder = fast_path / "flipped"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(fast_path / "whole", folder)
        at = dice.randrange(len(raw) * 8)
        damaged = bytearray(raw)
        damaged[at // 8] ^= 1 << at % 8
        (folder / DB).write_bytes(damaged)
        try:
            seen = history(folder)
        except (UnicodeDecodeError, ValueError, KeyError):  # of SQLite's wrapper or of a rule: stopped, not believed
            seen = None
        told += seen is None
        believed += seen is not None and seen != whole

    ledger.note("R15", "bit flips", flips, believed, told=told, harmless=flips - told - believed)
    assert believed == 0
    assert told > flips // 20
    assert confirmed == whole[-1][0]


def test_without_the_chain_damage_would_be_believed(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(fast_path / "data", 5)
    raw = (fast_path / "data" / DB).read_bytes()
    assert b"parcel_arrived.1" in raw
    (fast_path / "data" / DB).write_bytes(raw.replace(b'"carrier":"SF"', b'"carrier":"SG"'))

    assert [bad.split()[0] for bad in judged(fast_path / "data", 0)] == ["chain"]

    monkeypatch.setattr(log, "verify", lambda _tx, _last=None: None)
    assert judged(fast_path / "data", 0) == []


# --- a disk that fails --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not recorder.has_compiler(), reason="no gcc to build the recorder with")
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_disk_that_fails_at_any_call_loses_nothing_that_was_confirmed(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger, error: int
) -> None:
    library = recorder.build(fast_path)
    dice = random.Random(error)
    found: Counter[str] = Counter()
    faults = reported = 0
    for number in range(count(6, 600)):
        folder = fast_path / f"disk-{number}"
        folder.mkdir()
        at, times = (number + 1) * 7 if number < 200 else dice.randint(1, 900), dice.choice((1, 3, 12))
        done = recorder.run(
            library, folder, fast_path / "notes", ["tests.soak.writer", str(folder), "FULL", "12", "5", "keep-going"],
            IOLOG_FAIL=f"{at} {error}", IOLOG_HEAL=str(times),
        )  # fmt: skip
        (fast_path / "notes").unlink(missing_ok=True)
        told = done.stdout.split("\n")
        faults += times
        reported += sum(line.startswith(("fault", "closed")) for line in told)
        if done.returncode != 0:
            found[f"crash: {done.stderr.strip().splitlines()[-1]}"] += 1
        confirmed = max((int(line) for line in told if line.isdigit()), default=0)
        found.update(judged(folder, confirmed))
        shutil.rmtree(folder)

    ledger.note("R14", "failing disk", faults, found.total(), faults_reported=reported)
    assert found == {}


# --- backups ------------------------------------------------------------------------------------------------------


def test_a_backup_taken_under_a_busy_writer_restores_to_a_verified_state(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    folder = fast_path / "data"
    confirmed: list[int] = []
    writer = Writer(folder, confirmed.append, 16)
    writer.begin("FULL")
    writer.works(1, 5)
    stop = threading.Event()

    def busy() -> None:
        number = 10
        while not stop.is_set():
            number += 1
            writer.works(number, 1)

    thread = threading.Thread(target=busy)
    thread.start()
    bad: Counter[str] = Counter()
    backups = count(8, 300)
    try:
        made = 0
        while made < backups:
            known = confirmed[-1]
            try:
                copy = backup.make(folder)
            except StoreFault as fault:  # the writer is at a backup of its own
                if fault.code != "S4":
                    raise
                time.sleep(0.005)
                continue
            made += 1
            again = fast_path / "again"
            again.mkdir()
            backup.restore(again, copy.path)
            bad.update(judged(again, known))
            shutil.rmtree(again)
    finally:
        stop.set()
        thread.join()
        writer.store.close()

    ledger.note("R16", "backups", backups, bad.total(), facts_meanwhile=confirmed[-1])
    assert bad == {}
