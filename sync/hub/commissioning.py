"""The hub's side of a commissioning: what each step of a site came to, and our own digest over it as the answer.

How a digest and its code are made is in edge/commissioning_record.py, the same for both ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge import events as ev
from edge.commissioning_record import Run, StepResult, code_of, counted, digest_of
from edge.model import SiteCode
from sync.hub.case import Case, NotApplicable
from sync.hub.rows import Rows
from sync.hub.schema import COMMISSIONING, COMMISSIONING_STEP
from sync.hub.store import Tx

NEWEST = "SELECT * FROM commissioning WHERE site = ? ORDER BY begun_at DESC, run DESC LIMIT 1"
STEPS = "SELECT * FROM commissioning_step WHERE site = ? AND run = ?"


def begun(rows: Rows, case: Case, fact: ev.CommissioningBegun) -> None:
    """A run began, or goes on with other steps."""
    key = (case.site, fact.run)
    if not rows.change(COMMISSIONING, key, steps=fact.steps):
        values = {"steps": fact.steps, "version": fact.version, "device": fact.device, "operator": fact.operator}
        rows.put(COMMISSIONING, key, **values, begun_at=case.at, digest="", agrees=0)


def step_done(rows: Rows, case: Case, fact: ev.CommissioningStepDone) -> None:
    """One step came out; a later try replaces it."""
    values = {name: getattr(fact, name) for name in ("result", "code", "reason", "detail", "operator")}
    rows.put(COMMISSIONING_STEP, (case.site, fact.run, fact.step), **values, at=case.at)


def ended(rows: Rows, case: Case, fact: ev.PointCommissioned) -> None:
    """The run is over: make the digest of what is here and answer with it. Errors: NotApplicable steps_missing."""
    run = Run(case.site, fact.run, fact.version, fact.device, tuple(fact.steps.split()))
    found = [_result(rows.get(COMMISSIONING_STEP, (case.site, fact.run, step))) for step in run.steps]
    results = [each for each in found if each is not None]
    if len(results) != len(run.steps):
        raise NotApplicable("steps_missing")
    digest = digest_of(run, results)
    count = counted(results)
    rows.put(
        COMMISSIONING, (case.site, fact.run), steps=fact.steps, version=fact.version, device=fact.device,
        operator=fact.operator, ended_at=case.at, digest=digest, agrees=int(digest == fact.digest), **count,
    )  # fmt: skip
    key = rows.tx.keys[case.site]
    case.down.append(ev.CommissioningConfirmed(fact.run, digest, code_of(key, fact.run, digest)))


def _result(row: Mapping[str, Any] | None) -> StepResult | None:
    if row is None:
        return None
    return StepResult(row["step"], row["result"], row["code"], row["reason"], row["detail"], row["operator"], row["at"])


def newest(tx: Tx, site: SiteCode) -> dict[str, Any] | None:
    """The newest run of a site with its steps in order, for people; None when there never was one."""
    row = tx.row(NEWEST, (site,))
    if row is None:
        return None
    steps = str(row["steps"]).split()
    there = {each["step"]: each for each in list(tx.rows(STEPS, (site, row["run"])))}
    told = {name: row[name] for name in ("run", "version", "device", "operator", "begun_at", "ended_at")}
    key = tx.keys.get(site)
    return told | {
        "digest": row["digest"] or None,
        "agrees": bool(row["agrees"]) if row["ended_at"] else None,
        "code": code_of(key, row["run"], row["digest"]) if key and row["digest"] else None,
        "steps": [_told(step, there.get(step)) for step in steps],
    }


def _told(step: str, row: Mapping[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"step": step, "result": None, "code": "", "reason": "", "detail": "", "operator": "", "at": None}
    return {name: row[name] for name in ("step", "result", "code", "reason", "detail", "operator", "at")}
