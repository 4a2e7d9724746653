"""The ledger itself: what parts of a soak have noted adds up, and what failed is not hidden by a zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.ledger import Ledger


def test_parts_of_a_soak_add_up_to_one_table(tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    first = Ledger.loaded(file)
    first.note("R3", "kill -9", 500, 1, kills=500)
    first.failed.append("test_one")
    first.save(file)

    second = Ledger.loaded(file)
    second.note("R3", "line", 20, 0, kills=20)
    second.note("R5", "line", 20)
    second.save(file)

    third = Ledger.loaded(file)
    row = third.rows["R3"]
    assert (row.faults, row.violations, row.figures, row.harnesses) == (520, 1, {"kills": 520}, {"kill -9", "line"})
    assert third.rows["R5"].faults == 20
    assert third.holes() == ["FAILED, perhaps before it could note anything: test_one"]


def test_the_table_has_a_line_for_every_invariant_and_says_what_did_not_run() -> None:
    ledger = Ledger()
    ledger.note("R1", "cuts", 7, 2, crash_states=1234)

    lines = {line.split()[0]: line for line in ledger.table()[1:]}

    assert lines["R1"].split()[-5:] == ["7", "2", "1,234", "crash", "states"]
    assert lines["R2"].endswith("not run")
    with pytest.raises(KeyError):
        ledger.note("R99", "nobody", 1)
