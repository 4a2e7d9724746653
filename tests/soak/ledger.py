"""The ledger of invariants: what was attacked, how often, and what broke. Every figure was measured in this run."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOAK = bool(os.environ.get("VP_SOAK"))
OUT = Path(__file__).parents[2] / "build" / "soak" / "ledger.json"

INVARIANTS = {
    "R1": "what was confirmed on the screen survives a power cut",
    "R2": "no crash state is damaged or holds half an event",
    "R3": "no kill of the program breaks anything",
    "R4": "the cash drawer holds what the facts say",
    "R5": "a bill is taken at most once, at the point and at the hub",
    "R6": "a cell holds at most one parcel, a parcel lies in at most one cell",
    "R7": "a door is pulsed only for a committed, unused opening of that cell",
    "R8": "the audit row is on the disk before the pulse is on the wire",
    "R9": "a time-out never causes a second pulse",
    "R11": "sequence numbers have no gap, here and at the hub",
    "R12": "history is never rewritten in silence",
    "R13": "over a real broker each fact, posting, message and order of the hub is there once",
    "R14": "a full or failing disk loses nothing that was confirmed",
    "R15": "damage is detected, never trusted",
    "R16": "a backup restores to a verified state",
    "R17": "a wrong clock opens, pays, unlocks and blocks nothing",
    "R18": "no frame, scan or payload crashes or moves anything",
    "R21": "no personal value in logs",
    "R22": "guessing stays below the limit across power cuts",
    "R24": "the screen answers while disk, scanner and line are at their worst",
    "R25": "after a cut the point is usable again within a minute",
}


@dataclass(slots=True)
class Row:
    """One invariant. `figures` are further counts, each the sum over the run."""

    faults: int = 0
    violations: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    harnesses: set[str] = field(default_factory=set)


class Ledger:
    """Collects rows over a whole run of the tests."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.failed: list[str] = []  # tests; one that broke off has noted nothing, so its rows are not whole
        self.left_out: list[str] = []

    @classmethod
    def loaded(cls, path: Path = OUT) -> Ledger:
        """Go on with what an earlier run has saved; empty where there was none."""
        ledger = cls()
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            for name, row in kept["rows"].items():
                ledger.rows[name] = Row(row["faults"], row["violations"], row["figures"], set(row["harnesses"]))
            ledger.failed, ledger.left_out = kept["failed"], kept["left_out"]
        return ledger

    def note(self, invariant: str, harness: str, faults: int, violations: int = 0, **figures: float) -> None:
        """Add what one harness did to one invariant."""
        if invariant not in INVARIANTS:
            raise KeyError(invariant)
        row = self.rows.setdefault(invariant, Row())
        row.faults += faults
        row.violations += violations
        row.harnesses.add(harness)
        for name, count in figures.items():
            row.figures[name] = row.figures.get(name, 0) + count

    def table(self) -> list[str]:
        """The lines of the table, in the order of the invariants."""
        lines = [f"{'':4} {'invariant':72} {'faults injected':>15} {'violations':>10}  seen"]
        for name, text in INVARIANTS.items():
            row = self.rows.get(name)
            if row is None:
                lines.append(f"{name:4} {text:72} {'not run':>15}")
                continue
            seen = ", ".join(f"{count:,.10g} {what.replace('_', ' ')}" for what, count in row.figures.items())
            lines.append(f"{name:4} {text:72} {row.faults:>15,} {row.violations:>10,}  {seen}")
        return lines

    def holes(self) -> list[str]:
        """What the table does not show: a zero in it counts only where nothing failed or was left out."""
        lines = [f"FAILED, perhaps before it could note anything: {name}" for name in self.failed]
        return lines + [f"left out: {name}" for name in self.left_out]

    def save(self, path: Path = OUT) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows: dict[str, Any] = {
            name: {
                "invariant": INVARIANTS[name],
                "faults": row.faults,
                "violations": row.violations,
                "figures": row.figures,
                "harnesses": sorted(row.harnesses),
            }
            for name, row in sorted(self.rows.items(), key=lambda pair: int(pair[0][1:]))
        }
        kept = {"soak": SOAK, "rows": rows, "failed": self.failed, "left_out": self.left_out}
        path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
