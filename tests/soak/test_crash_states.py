"""Every crash point of a working terminal, torn and reordered: each is opened as the next start would open it."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak import recorder
from tests.soak.disk_model import Change, Disk, recorded
from tests.soak.judge import judged
from tests.soak.ledger import Ledger

pytestmark = pytest.mark.skipif(not recorder.has_compiler(), reason="no gcc to build the recorder with")


def notes_of(folder: Path, synchronous: str, rounds: int, seed: int) -> tuple[Path, list[Change]]:
    library = recorder.build(folder)
    root, notes = folder / f"disk-{synchronous}-{seed}", folder / f"notes-{synchronous}-{seed}"
    root.mkdir()
    done = recorder.run(library, root, notes, ["tests.soak.writer", str(root), synchronous, str(rounds), str(seed)])
    assert done.returncode == 0, done.stderr
    return root, list(recorded(notes))


def explored(folder: Path, synchronous: str, rounds: int, points: int, torn: int) -> tuple[int, Counter[str]]:
    """Build states at so many points and judge each. Return how many, and what was broken."""
    root, changes = notes_of(folder, synchronous, rounds, 3)
    dice = random.Random(3)
    wanted = set(dice.sample(range(len(changes)), min(points, len(changes))))
    disk, confirmed, states = Disk(), 0, 0
    found: Counter[str] = Counter()
    for number, change in enumerate(changes):
        if change.kind == "A":
            confirmed = change.at
        else:
            disk.take(change)
        if number not in wanted:
            continue
        for state in disk.states(dice, torn):
            states += 1
            for bad in judged(laid_down(folder / "state", root, state), confirmed):
                found[bad.split(":")[0].rsplit(" ", 1)[0] if bad.startswith("lost") else bad] += 1
    return states, found


def laid_down(folder: Path, root: Path, state: dict[str, bytes]) -> Path:
    """Put a state on a real disk. The shared-memory file is none of it: it does not survive a cut."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, held in state.items():
        if path.endswith("-shm"):
            continue
        target = folder / Path(path).relative_to(root)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(held)
    return folder


def test_no_crash_state_loses_a_confirmed_event_or_half_of_one(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    states, found = explored(fast_path, "FULL", count(25, 100), count(60, 800), count(2, 6))

    lost = sum(times for bad, times in found.items() if bad.startswith("lost"))
    ledger.note("R1", "crash states", states, lost, crash_states=states)
    ledger.note("R2", "crash states", states, found.total() - lost, crash_states=states)
    ledger.note("R4", "crash states", states, sum(n for bad, n in found.items() if bad.startswith("money")))
    assert found == {}
    assert states > 200


def test_the_same_harness_sees_what_a_weaker_setting_loses(fast_path: Path) -> None:
    _, found = explored(fast_path, "NORMAL", 20, 25, 2)

    assert found["lost"] > 0
