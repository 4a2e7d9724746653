"""The end of the day: every figure from two sides, and whether they agree."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sample
from devices import GOODS, Counter
from eyes import Eyes, manifest
from stand import Stand

WAITING = "SELECT count(*) FROM batch_code WHERE state = 'waiting'"
PRINTS = "SELECT count(*) FROM fact WHERE kind = 'print_{}.1'"


@dataclass(slots=True)
class Report:
    """Rows of (what, one side, other side); a row disagrees when the sides differ."""

    rows: list[tuple[str, Any, Any]] = field(default_factory=list)

    def add(self, what: str, one: Any, other: Any) -> None:
        self.rows.append((what, one, other))

    @property
    def bad(self) -> list[str]:
        return [what for what, one, other in self.rows if one != other]

    def text(self) -> str:
        wide = max(len(what) for what, _, _ in self.rows)
        lines = [
            f"{'ok ' if one == other else 'BAD'} {what:<{wide}}  {_short(one)}"
            + ("" if one == other else f"  !=  {_short(other)}")
            for what, one, other in self.rows
        ]
        return "\n".join(lines)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 64 else text[:61] + "..."


@dataclass(slots=True)
class Tally:
    """What the people of the day did, counted by themselves."""

    taken_in: set[str] = field(default_factory=set)
    collected: set[str] = field(default_factory=set)
    paid_fen: int = 0
    paid: int = 0
    kills: int = 0
    cut_s: float = 0.0
    secrets: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a day was planned to be. `all_boards`: parcels went through cells of every lock board."""

    shots: Path
    kills: int
    pictures: int
    all_boards: bool = True


def compare(stand: Stand, eyes: Eyes, tally: Tally, pulses: dict[int, int], expected: Expected) -> Report:
    """Compare what people did with what point and hub say."""
    report = Report()
    point = json.loads(stand.point_command("status"))
    hub_site = _site(json.loads(stand.hub_command("status")))
    states: dict[str, int] = point["parcels"]
    stock = sum(states.get(s, 0) for s in ("in_locker", "on_shelf"))
    report.add("parcels in: people vs point", len(tally.taken_in), _arrived(eyes))
    report.add("parcels out: people vs point", len(tally.collected), states.get("picked_up", 0))
    report.add("parcels still here: people vs point", len(tally.taken_in - tally.collected), stock)
    report.add("parcels half done at the point", 0, states.get("arrived", 0) + states.get("releasing", 0))
    report.add("parcels out: point vs hub", states.get("picked_up", 0), _hub_parcels(eyes, "picked_up"))
    report.add(
        "parcels still here: point vs hub", stock, _hub_parcels(eyes, "in_locker") + _hub_parcels(eyes, "on_shelf")
    )
    _doors(report, eyes, pulses)
    if expected.all_boards:
        _boards(report, eyes)
    _money(report, eyes, tally, point)
    report.add("facts: point vs hub", point["facts"], _hub_facts(eyes))
    report.add("digest: point vs hub", point["digest"], hub_site["digest"])
    report.add("facts pending", 0, point["pending"])
    report.add(
        "messages to recipients: one per stored parcel", len(tally.taken_in), eyes.hub("SELECT count(*) FROM sms")[0][0]
    )
    report.add("chain verifies", True, json.loads(stand.point_command("log", "verify"))["ok"])
    report.add("kiosk killed", expected.kills, tally.kills)
    report.add("personal data in logs", [], leaks(stand.folder, eyes, tally.secrets))
    report.add("pictures kept", True, len(list(expected.shots.glob("*.png"))) >= expected.pictures)
    return report


def _doors(report: Report, eyes: Eyes, pulses: dict[int, int]) -> None:
    authorised = eyes.point("SELECT count(*) FROM fact WHERE kind = 'door_authorised.1'")[0][0]
    ends = eyes.point("SELECT count(*) FROM fact WHERE kind IN ('door_opened.1', 'door_not_opened.1')")[0][0]
    per_cell = eyes.point("SELECT cell, count(*) FROM opening GROUP BY cell")
    report.add("doors authorised vs outcomes written", authorised, ends)
    unsure = eyes.point("SELECT count(*) FROM opening WHERE outcome = 'power_cut'")[0][0]
    extra = sum(count - pulses.get(cell, 0) for cell, count in per_cell)
    failed = eyes.point("SELECT cell, outcome FROM opening WHERE outcome NOT IN ('open', 'power_cut')")
    report.add("doors that did not open", [], failed)
    report.add("doors pulsed never more than authorised", True, all(pulses.get(c, 0) <= n for c, n in per_cell))
    report.add("doors authorised and not pulsed only by a power cut", True, 0 <= extra <= unsure)
    report.add("doors pulsed outside of any opening", set(), set(pulses) - {c for c, _ in per_cell})
    for board, cells in sample.BOARDS.items():
        opened = sum(count for cell, count in per_cell if cell in cells)
        lost = sum(1 for (cell,) in eyes.point("SELECT cell FROM opening WHERE outcome = 'power_cut'") if cell in cells)
        sent = sum(count for cell, count in pulses.items() if cell in cells)
        report.add(
            f"pulses of {board} vs openings at it, less at most its power cuts", True, 0 <= opened - sent <= lost
        )
    by_pickup = eyes.point(
        "SELECT count(*) FROM opening o JOIN parcel p ON p.id = o.parcel"
        " WHERE o.purpose = 'pickup' AND o.outcome = 'open' AND p.state = 'picked_up'"
    )[0][0]
    left_cell = eyes.point(
        "SELECT count(*) FROM fact WHERE kind = 'parcel_picked_up.1' AND json_extract(body, '$.evidence')"
        " IN ('sensor', 'confirmed', 'reconciled', 'left_open')"
    )[0][0]
    report.add("doors opened for pick-up vs parcels that left a cell", by_pickup, left_cell)


def _boards(report: Report, eyes: Eyes) -> None:
    for board, cells in sample.BOARDS.items():
        kept, left = _through(eyes, cells)
        report.add(f"parcels went into and out of cells of {board}", True, kept > 0 and left > 0)


def _through(eyes: Eyes, cells: range) -> tuple[int, int]:
    """How many parcels were laid into these cells, and taken out of them."""
    bounds = cells[0], cells[-1]
    sql = "SELECT count(*) FROM opening WHERE purpose = ? AND outcome = 'open' AND cell BETWEEN ? AND ?"
    kept, left = (eyes.point(sql, purpose, *bounds)[0][0] for purpose in ("deposit", "pickup"))
    return kept, left


def compare_devices(report: Report, eyes: Eyes, counter: Counter, amounts: list[tuple[int, list[str]]]) -> None:
    """Beeps, the gun's memory, slips and weighings: what the devices say against what the point says."""
    heard = counter.heard
    report.add("beeps for accepted: scans vs the gun", heard.accepted, heard.beeps[0])
    report.add("beeps for refused: scans vs the gun", heard.refused, heard.beeps[1])
    from_batch = eyes.point("SELECT count(*) FROM fact WHERE kind = 'parcel_from_batch.1'")[0][0]
    report.add("parcels out of a gun's memory: people vs point", len(heard.uploaded), from_batch)
    report.add("codes of it that still wait, after it came twice", 0, eyes.point(WAITING)[0][0])
    report.add("doors and beeps caused by it", (0, 0), (heard.pulses_by_upload, heard.beeps_by_upload))
    bills = [row[0] for row in eyes.point("SELECT slip FROM bill WHERE slip IS NOT NULL")]
    tickets = [row[0] for row in eyes.point("SELECT ticket FROM weighing ORDER BY seq")]
    report.add("weighings: people vs point", len(GOODS), len(tickets))
    weighed = eyes.point("SELECT net_g, fen_per_kg FROM weighing ORDER BY seq")
    report.add("grams and prices: scale vs point", list(GOODS), weighed)
    paper = counter.slips([*bills, *tickets])
    originals, copies = (sorted(n for n, is_copy in paper if is_copy is which) for which in (False, True))
    report.add("slips on paper, each number once", sorted([*bills, *tickets[: heard.tickets_printed]]), originals)
    report.add("copies on paper", heard.reprints, len(copies))
    report.add("prints begun vs ended", *(eyes.point(PRINTS.format(kind))[0][0] for kind in ("started", "ended")))
    report.add("amounts on the price display", [[f"{fen / 100:.2f}"] for fen, _ in amounts], [s for _, s in amounts])


def _money(report: Report, eyes: Eyes, tally: Tally, point: dict[str, Any]) -> None:
    bills: dict[str, dict[str, int]] = point["bills"]
    done = {state: bills.get(state, {"count": 0, "fen": 0}) for state in ("accepted", "posted", "refused")}
    report.add("bills paid: people vs point", tally.paid, sum(d["count"] for d in done.values()))
    report.add("cash in fen: people vs point", tally.paid_fen, sum(d["fen"] for d in done.values()))
    report.add("bills accepted and not yet answered", 0, done["accepted"]["count"])
    report.add("bills posted: point vs hub", done["posted"]["count"], eyes.hub("SELECT count(*) FROM posting")[0][0])
    slips = [row[0] for row in eyes.point("SELECT slip FROM bill WHERE slip IS NOT NULL ORDER BY slip")]
    report.add("slip numbers without gap or repeat", [f"{n:06d}" for n in range(1, len(slips) + 1)], slips)


def _arrived(eyes: Eyes) -> int:
    return int(eyes.point("SELECT count(*) FROM parcel WHERE arrived_at IS NOT NULL AND state <> 'arrived'")[0][0])


def _hub_parcels(eyes: Eyes, state: str) -> int:
    return int(eyes.hub("SELECT count(*) FROM parcel WHERE state = ?", state)[0][0])


def _hub_facts(eyes: Eyes) -> int:
    return int(eyes.hub("SELECT count(*) FROM fact WHERE site = ?", sample.SITE)[0][0])


def _site(status: dict[str, Any]) -> dict[str, Any]:
    sites = status["sites"]
    return sites[sample.SITE] if isinstance(sites, dict) else next(s for s in sites if s.get("site") == sample.SITE)


def leaks(folder: Path, eyes: Eyes, held: set[str]) -> list[str]:
    """Search every log of every program, and a stick, for phones, names, accounts, codes, tokens and addresses."""
    rows = manifest(folder)
    secrets = {row[key] for row in rows["parcels"] for key in ("phone", "recipient", "address")}
    secrets |= {row[key] for row in rows["bills"] for key in ("account_no", "name", "address")}
    secrets |= {row[0] for row in eyes.hub("SELECT code FROM sms WHERE code IS NOT NULL")}
    secrets |= {o.pin for o in sample.OPERATORS} | held
    found = []
    for path in [each for part in ("log", "point/log", "hub/log", "stick") for each in folder.glob(f"{part}/*")]:
        text = path.read_text("utf-8", "replace")
        found += [f"{path.name}: {len(secret)} signs" for secret in secrets if _holds(text, secret)]
    return found


def _holds(text: str, secret: str) -> bool:
    return re.search(rf"(?<![0-9a-f]){re.escape(secret)}(?![0-9a-f])", text) is not None
