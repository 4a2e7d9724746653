"""The record of a commissioning: its steps with their results, what both ends make of them, and the hub's code. Pure.

Point and hub each keep the steps and each make the digest for themselves; the hub's answer carries its own and a code
made with the key both share. Nothing personal is in it: people are the ids of operators.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from edge.sheet import CODE_SIGNS, SIGNS

RESULTS = ("done", "failed", "skipped", "later")  # later: written down, and the hub has not answered yet
REASONS = ("not_installed", "waits_for_part", "no_time", "not_used")  # why a step is left out


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step as it came out. `step`: its key, what is tried and the device after a colon. Units: `at` UTC ms."""

    step: str
    result: str  # of RESULTS
    code: str
    reason: str
    detail: str
    operator: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of which terminal. `steps` are the keys in their order."""

    site: str
    run: str
    version: str
    device: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One page. Units: UTC ms.

    Shape: `results` has a step only once it came out; `ended_at` None while the run goes on, `digest` "" then.
           `hub` the digest as the hub made it, "" until it has answered; `is_genuine`: its code was made with our key.
           `is_sent`: the hub has told us that it has the end of the run.
    """

    run: Run
    results: Mapping[str, StepResult]
    operator: str
    begun_at: int
    ended_at: int | None = None
    digest: str = ""
    hub: str = ""
    code: str = ""
    is_genuine: bool = False
    is_sent: bool = False

    @property
    def rows(self) -> tuple[StepResult, ...]:
        """The results in the order of the steps."""
        return tuple(self.results[step] for step in self.run.steps if step in self.results)

    @property
    def left(self) -> tuple[str, ...]:
        """The steps that have no result yet."""
        return tuple(step for step in self.run.steps if step not in self.results)

    @property
    def verdict(self) -> str:
        """open | faults | gaps (steps left out or waiting for the hub) | whole."""
        if self.ended_at is None:
            return "open"
        count = counted(self.rows)
        return "faults" if count["failed"] else "gaps" if count["skipped"] or count["later"] else "whole"

    @property
    def confirmation(self) -> str:
        """waits (the hub has not answered) | agrees | differs | forged."""
        if not self.hub:
            return "waits"
        if not self.is_genuine:
            return "forged"
        return "agrees" if self.hub == self.digest else "differs"


def counted(rows: Iterable[StepResult]) -> dict[str, int]:
    """How many steps came out in which way."""
    count = dict.fromkeys(RESULTS, 0)
    for row in rows:
        count[row.result] += 1
    return count


def digest_of(run: Run, rows: Iterable[StepResult]) -> str:
    """SHA-256 over a run and its results. The time is left out: each end has its own."""
    lines = ["village-point commissioning 1", run.site, run.run, run.version, run.device, " ".join(run.steps)]
    lines += ["\t".join(astuple(row)[:-1]) for row in rows]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def code_of(key: bytes, run: str, digest: str) -> str:
    """The hub's code for a digest, as in 7KQ2-M0XD: 40 bits of an HMAC by the link key."""
    mac = hmac.digest(key, f"village-point commissioning 1\n{run}\n{digest}".encode(), "sha256")
    number = int.from_bytes(mac[:5], "big")
    signs = "".join(SIGNS[number >> 5 * at & 31] for at in range(CODE_SIGNS))
    return f"{signs[:4]}-{signs[4:]}"


def device_id(device_key: bytes) -> str:
    """The name of a terminal on its record, from the key that never leaves it."""
    return code_of(device_key, "", "device")


def to_json(record: Record) -> dict[str, Any]:
    """A record for a command's output."""
    return {
        "site": record.run.site,
        "run": record.run.run,
        "version": record.run.version,
        "device": record.run.device,
        "operator": record.operator,
        "begun_at": record.begun_at,
        "ended_at": record.ended_at,
        "verdict": record.verdict,
        "steps": [_step_json(record, step) for step in record.run.steps],
        "digest": record.digest or None,
        "hub": {"state": record.confirmation, "has_it": record.is_sent, "code": record.code or None},
    }


def _step_json(record: Record, step: str) -> dict[str, Any]:
    row = record.results.get(step)
    if row is None:
        return {"step": step, "result": None}
    told = {"step": step, "result": row.result, "operator": row.operator, "at": row.at}
    return told | {name: value for name in ("code", "reason", "detail") if (value := getattr(row, name))}
