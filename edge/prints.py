"""Rules of slips on paper: which print is the original, which a copy, and what became of each. Knows no printer.

A print is written down before its first byte goes out, as an opening is before its pulse: after a power cut nobody has
to guess, and nothing is printed by itself a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge import events, log
from edge.model import Rejected
from edge.store import Tx

DONE, SENT, UNKNOWN = "done", "sent", "unknown"
# Certain: nothing of the slip came out, so the next print is no copy of it.
PAPER, COVER, FAULT, AWAY, SILENT = NOTHING = ("paper", "cover", "fault", "away", "silent")
NEVER = "never"  # what `last` says of a slip that nobody has tried to print
NUMBER_GAP = 1_000  # slips and tickets given out that the books do not know of: no number is used twice
_FURTHER = (
    "INSERT INTO meta (key, value) VALUES (?, CAST(? AS TEXT))"
    " ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ? AS TEXT)"
)
MOST_UNASKED = 3  # prints of a slip that need no operator: whoever has just paid may try again


@dataclass(frozen=True, slots=True)
class Run:
    """One print of one slip, written down and not ended yet."""

    seq: int
    slip: str
    copy: int


def begin(tx: Tx, slip: str, operator: str) -> Run:
    """Write down that a slip goes to the printer. Errors: Rejected busy while a print of it is under way.

    Without an operator a slip is printed so often and no more: then Rejected login_first.
    """
    outcomes = [row["outcome"] for row in tx.rows("SELECT outcome FROM print WHERE slip = ? ORDER BY seq", (slip,))]
    if None in outcomes:
        raise Rejected("busy")
    if not operator and len(outcomes) >= MOST_UNASKED:
        raise Rejected("login_first")
    copy = sum(outcome not in NOTHING for outcome in outcomes)
    seq = log.append(tx, events.PrintStarted(slip, copy, operator)).seq
    tx.insert("print", {"seq": seq, "slip": slip, "copy": copy, "outcome": None})
    return Run(seq, slip, copy)


def ended(tx: Tx, run: Run, outcome: str) -> None:
    """Note what became of a print."""
    tx.update("print", ("seq", run.seq), {"outcome": outcome})
    log.append(tx, events.PrintEnded(run.slip, run.copy, outcome))


def last(tx: Tx, slip: str) -> str:
    """Return how the newest print of a slip ended, "never" without one, "printing" for one under way."""
    row = tx.row("SELECT outcome FROM print WHERE slip = ? ORDER BY seq DESC LIMIT 1", (slip,))
    return NEVER if row is None else row["outcome"] or "printing"


def cut_off(tx: Tx) -> tuple[str, ...]:
    """At start: a print that a power cut broke off may have come out or not. Return the slips somebody must look at."""
    rows = tx.rows("SELECT seq, slip, copy FROM print WHERE outcome IS NULL ORDER BY seq")
    for row in rows:
        ended(tx, Run(row["seq"], row["slip"], row["copy"]), UNKNOWN)
    return tuple(row["slip"] for row in rows)


def pass_over_numbers(execute: Callable[[str, tuple[Any, ...]], object]) -> None:
    """Older books take the place of newer ones: move on past the numbers of slips and tickets that may be out there."""
    for key in ("slip", "ticket"):
        execute(_FURTHER, (key, NUMBER_GAP, NUMBER_GAP))
