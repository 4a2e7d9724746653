"""Opens what a fault left behind as the next start would, and tells what is wrong with it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from edge import log
from edge.clock import SystemClock, SystemDice
from edge.store import Store, StoreFault
from tests.stories.invariants import broken, double_pulses
from tests.stories.point import KEYS


def judged(folder: Path, confirmed: int, sent: Counter[int] | None = None) -> list[str]:
    """Open the database and check every invariant. Return what is broken: "lost N", "closed S1", "money", ..."""
    store = Store(folder, SystemClock(), SystemDice(), KEYS)
    try:
        store.open()
    except StoreFault as fault:
        return [f"closed {fault.code}: {fault}"]
    try:
        if not store.run_now(lambda tx: tx.value("SELECT count(*) FROM cursor")):
            return ["lost all"] if confirmed else []
        bad = store.run_now(broken)
        bad += ["double_pulse" for _ in store.run_now(double_pulses, sent or Counter())]
        upto = store.run_now(log.head).upto
        return [*bad, f"lost {confirmed - upto}"] if upto < confirmed else bad
    except StoreFault as fault:
        return [f"closed {fault.code}: {fault}"]
    except sqlite3.Error as error:  # a damaged table definition comes up as a misspelling of ours
        return [f"closed without a code: {error}"]
    finally:
        store.close()
