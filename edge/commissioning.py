"""Rules of the commissioning: which run is open, what each step came to, and when the point counts as commissioned.

A run goes on where it was after whatever happens: each result is a row and a fact in one transaction. What a step does
is in edge/workbench; how the record looks in edge/slips and ui/.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge import events, log
from edge.commissioning_record import Record, Run, StepResult, code_of, counted, digest_of
from edge.events import CommissioningConfirmed
from edge.model import OperatorId, Rejected
from edge.store import Tx

RESTORED = "restored"  # key in meta: the books of a dead terminal came to this one, so the devices are to be tried anew
MARK = "C"  # of the number under which a record is printed


def is_due(tx: Tx) -> bool:
    """Whether a technician who logs in should be led through: a run is open, or this point has never been at work."""
    newest = tx.row("SELECT ended_at FROM commissioning ORDER BY seq DESC LIMIT 1")
    if newest is not None and newest["ended_at"] is None:
        return True
    if tx.value("SELECT 1 FROM meta WHERE key = ?", (RESTORED,)):
        return True
    return newest is None and tx.value("SELECT 1 FROM parcel WHERE arrived_at IS NOT NULL LIMIT 1") is None


def begin(tx: Tx, run: Run, operator: OperatorId) -> str:
    """Begin a run, or go on with the open one; its steps follow the settings. Return the name of the run.

    Results of steps that are still there stay, with whatever version they were made.
    """
    row = tx.row("SELECT run, steps FROM commissioning WHERE ended_at IS NULL ORDER BY seq DESC LIMIT 1")
    steps = " ".join(run.steps)
    if row is not None and row["steps"] == steps:
        return str(row["run"])
    name = tx.dice.ident() if row is None else str(row["run"])
    seq = log.append(tx, events.CommissioningBegun(name, run.version, run.device, steps, operator)).seq
    if row is not None:
        tx.update("commissioning", ("run", name), {"steps": steps})
    else:
        values = {"run": name, "steps": steps, "version": run.version, "device": run.device, "operator": operator}
        tx.insert("commissioning", {**values, "at": tx.stamp.at, "seq": seq})
    return name


def settle(tx: Tx, run: str, result: StepResult) -> None:
    """Write down how a step came out. Errors: Rejected wizard_over when the run has ended or does not have the step."""
    row = tx.row("SELECT steps, ended_at FROM commissioning WHERE run = ?", (run,))
    if row is None or row["ended_at"] is not None or result.step not in row["steps"].split():
        raise Rejected("wizard_over")
    values = (result.step, result.result, result.code, result.reason, result.detail, result.operator)
    seq = log.append(tx, events.CommissioningStepDone(run, *values)).seq
    tx.execute("INSERT OR REPLACE INTO commissioning_step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
               (run, *values, tx.stamp.at, seq))  # fmt: skip


def finish(tx: Tx, site: str, version: str, operator: OperatorId) -> None:
    """End the open run. Errors: Rejected wizard_over without one, steps_left while a step has no result."""
    record = newest(tx, site)
    if record is None or record.ended_at is not None:
        raise Rejected("wizard_over")
    if record.left:
        raise Rejected("steps_left", n=len(record.left))
    old = record.run
    run = Run(old.site, old.run, version, old.device, old.steps)  # an update may have come in between
    digest = digest_of(run, record.rows)
    fact = events.PointCommissioned(
        run.run, version, run.device, " ".join(run.steps), **counted(record.rows), digest=digest, operator=operator
    )
    ended = log.append(tx, fact)
    changes = {"ended_at": tx.stamp.at, "ended_seq": ended.seq, "digest": digest, "version": version}
    tx.update("commissioning", ("run", run.run), {**changes, "operator": operator})
    tx.execute("DELETE FROM meta WHERE key = ?", (RESTORED,))


def try_line(tx: Tx, run: str, operator: OperatorId) -> int:
    """Append the fact whose answer is waited for; return its number."""
    return int(log.append(tx, events.LineTried(run, operator)).seq)


def confirmed(tx: Tx, fact: CommissioningConfirmed) -> None:
    """The hub has made the digest for itself. An answer about another run is passed over."""
    tx.bookkeeping = True
    tx.execute("UPDATE commissioning SET hub = ?, code = ? WHERE run = ?", (fact.digest, fact.code, fact.run))


def newest(tx: Tx, site: str, *, ended: bool = False) -> Record | None:
    """The record of the newest run, or of the newest that has ended; None when there is none."""
    only = "WHERE ended_at IS NOT NULL" if ended else ""
    row = tx.row(f"SELECT * FROM commissioning {only} ORDER BY seq DESC LIMIT 1")  # noqa: S608 ours
    if row is None:
        return None
    run = Run(site, row["run"], row["version"], row["device"], tuple(row["steps"].split()))
    hub, code = row["hub"] or "", row["code"] or ""
    return Record(
        run=run,
        results={each.step: each for each in _results(tx, row["run"])},
        operator=row["operator"],
        begun_at=row["at"],
        ended_at=row["ended_at"],
        digest=row["digest"] or "",
        hub=hub,
        code=code,
        is_genuine=bool(hub) and code == code_of(tx.keys.link, row["run"], hub),
        is_sent=row["ended_seq"] is not None and log.cursor(tx, log.UP).upto >= row["ended_seq"],
    )


def _results(tx: Tx, run: str) -> Sequence[StepResult]:
    names = "step, result, code, reason, detail, operator, at"
    return [StepResult(*row) for row in tx.execute(f"SELECT {names} FROM commissioning_step WHERE run = ?", (run,))]  # noqa: S608 ours


def is_record(slip: str) -> bool:
    """Whether a number of a slip is a record's."""
    return slip.startswith(MARK)


def slip_of(record: Record) -> str:
    """The number under which a record is printed."""
    return f"{MARK}-{record.run.run}"
