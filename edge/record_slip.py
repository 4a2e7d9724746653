"""The record of a commissioning line by line, for paper and picture. Pure; the words come through `Letterhead.say`."""

from __future__ import annotations

from drivers.paper import Cut, Line, Text
from edge.commissioning_record import Record, StepResult
from edge.slips import Letterhead
from edge.steps.wizard import parts_of

DIGEST_SIGNS = 16  # of 64: enough to compare by eye


def record_slip(head: Letterhead, record: Record) -> tuple[Line, ...]:
    """Set the record: which terminal, each step, who, the digest and the hub's word."""
    say, run = head.say, record.run
    at = record.ended_at or record.begun_at
    lines: list[Line] = [Text(head.site, is_centred=True)] if head.site else []
    lines += [
        Text(say("record.title"), is_big=True, is_centred=True),
        Text(say(f"record.verdict_{record.verdict}"), is_big=True, is_centred=True),
        Text(say("record.site", site=run.site)),
        Text(say("record.device", device=run.device)),
        Text(say("record.version", version=run.version)),
        Text(say("record.time", at=at)),
    ]
    for row in record.rows:
        lines += _step(head, row)
    lines += [
        Text(say("record.operator", name=record.operator)),
        Text(say("record.digest", digest=record.digest[:DIGEST_SIGNS])),
        Text(say(f"record.hub_{record.confirmation}" if record.is_sent or record.hub else "record.hub_unsent")),
    ]
    if record.is_genuine:
        # On narrow paper one line would be broken in the middle of the code.
        lines += [Text(say("record.code_head"), is_centred=True), Text(record.code, is_big=True, is_centred=True)]
    return (*lines, Cut())


def _step(head: Letterhead, row: StepResult) -> list[Line]:
    """One step: what and how it came out; below it what was measured, or why not."""
    say = head.say
    what, device = parts_of(row.step)
    name = say(f"wizard_step.{what}")
    said = say(f"record.row_{row.result}", name=f"{name} {device} {row.code}".strip())
    measured = say(f"wizard_detail.{what}", text=row.detail) if row.detail else ""
    more = say(f"wizard_why.{row.reason}") if row.reason else measured
    return [Text(said), *([Text(say("record.detail", text=more))] if more else [])]
