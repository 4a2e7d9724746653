"""Whole histories of a point and its hub on simulated time; seeded bugs show that a wrong one would be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.model import Seq
from sync.relay import Move, Receiver, Sender, Step
from tests.soak.district import District, Tally
from tests.soak.ledger import Ledger
from tests.stories.patient_loop import run_patiently

pytestmark = pytest.mark.timeout(36_000)


def history(folder: Path, seed: int, days: float, *, honest_card: bool = True, pace_s: float = 120.0) -> Tally:
    district = District(folder / f"seed-{seed}", seed, honest_card=honest_card, pace_s=pace_s)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sync.link.Connection", district.cloud.line)
        patch.setattr("sync.hub.app.Connection", district.cloud.line)
        patch.setattr("sync.hub.app.POLL_S", 30.0)  # nobody else writes to this hub's database
        return run_patiently(district.play(days))


def tallied(ledger: Ledger, tallies: list[Tally], harness: str) -> Counter[str]:
    bad: Counter[str] = Counter(each for tally in tallies for each in tally.bad)
    faults = sum(tally.faults.total() + tally.rollbacks for tally in tallies)
    kinds = sum((tally.faults for tally in tallies), Counter[str]())
    days, facts = sum(tally.days for tally in tallies), sum(tally.facts for tally in tallies)
    ledger.note("R11", harness, faults, sum(n for what, n in bad.items() if "silence" not in what),
                point_days=days, facts=facts, **{what.replace(" ", "_"): n for what, n in kinds.items()})  # fmt: skip
    ledger.note("R5", harness, faults, bad["paid twice"])
    ledger.note("R4", harness, faults, sum(n for what, n in bad.items() if what.startswith("money")))
    ledger.note("R6", harness, faults, sum(n for what, n in bad.items() if what.startswith(("cell", "ghost"))))
    return bad


def test_whatever_the_line_does_the_hub_has_every_fact_once(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    seeds, days = count(2, 60), 0.3 * count(1, 8)

    tallies = [history(fast_path, seed, days) for seed in range(seeds)]

    assert tallied(ledger, tallies, "simulated district") == {}
    assert all(tally.facts > 50 for tally in tallies)


def test_a_card_that_goes_back_in_time_is_always_noticed(
    fast_path: Path, count: Callable[[int, int], int], ledger: Ledger
) -> None:
    seeds, days = count(2, 60), 0.3 * count(1, 8)

    tallies = [history(fast_path, 1000 + seed, days, honest_card=False) for seed in range(seeds)]

    bad = tallied(ledger, tallies, "simulated district, card goes back")
    rollbacks = sum(tally.rollbacks for tally in tallies)
    flagged = sum(tally.forks_flagged for tally in tallies)
    silent = bad["history was rewritten in silence"]
    ledger.note("R12", "simulated district, card goes back", rollbacks, silent, histories_flagged=flagged)
    assert bad == {}
    assert rollbacks > 0


# --- seeded bugs --------------------------------------------------------------------------------------------------


class TakesGaps(Receiver):
    """Seeded bug: what comes after a gap is taken as well."""

    def judge(self, batch: Any, have: Any, *, knows_prev: bool = False, **told: Any) -> Any:
        if have is None or batch.first > have.upto + 1:
            have = replace(have, log_id=batch.log_id, upto=Seq(batch.first - 1), mark=batch.prev) if have else None
            knows_prev = True
        return super().judge(batch, have, knows_prev=knows_prev, **told)


def believes_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded bug: what was handed to the broker counts as taken by the hub."""
    batch = Sender.batch

    def sent(self: Sender, items: Any, mark: str) -> Any:
        made = batch(self, items, mark)
        self._cursor = replace(self._cursor, upto=made.last, mark=mark)
        return made

    monkeypatch.setattr(Sender, "batch", sent)
    monkeypatch.setattr(Sender, "_rewind", lambda self: self._in_flight.clear())


def looks_at_no_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded bug: only numbers count, at both ends."""
    on_ack = Sender.on_ack

    def blind(self: Sender, ack: Any, own: Any) -> Any:
        mark = own.get(ack.position.upto)
        if mark is None and ack.position.upto > 0 and ack.position.log_id == self.cursor.log_id:
            self._asked = self._must_ask = False
            return Step(Move.NOTHING, self.cursor)  # the hub is ahead of us: so much the better
        at = replace(ack.position, mark=mark or ack.position.mark)
        return on_ack(self, replace(ack, position=at), own)

    monkeypatch.setattr(Sender, "on_ack", blind)
    monkeypatch.setattr(Receiver, "is_fork", lambda *_: False)


def forgets_event_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded bug: an event that is known already is taken for a new one and applied again."""
    monkeypatch.setattr("sync.hub.keeping.Keeping._known_events", lambda *_: set())


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "ack on puback": believes_the_broker,
    "no gap check": lambda patch: patch.setattr("sync.hub.keeping.Receiver", TakesGaps),
    "no event ids": forgets_event_ids,
    "no chain": looks_at_no_marks,
}


BROKEN_TEST = (TypeError, AttributeError, NameError, ImportError)  # the test fits the program no more


@pytest.mark.parametrize("bug", BUGS)
def test_a_seeded_bug_is_seen(fast_path: Path, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    BUGS[bug](monkeypatch)

    for seed in range(2003, 2011):
        try:
            tally = history(fast_path, seed, 0.4, honest_card=bug in ("ack on puback", "no gap check"), pace_s=60)
        except BROKEN_TEST:
            raise
        except Exception:  # noqa: BLE001  a bug that trips over itself is seen as well
            return
        if tally.bad:
            return
    raise AssertionError(f"{bug}: nobody noticed in eight histories")
