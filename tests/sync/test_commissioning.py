"""A commissioning at both ends: the hub makes the digest for itself, answers it, and tells the district's desk.

The last test carries real books of a point to a real hub and back, on a stick, by the commands of both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_district import Page
from plain_point import SHELF, point_with
from points import Point, exchange, hub_answers

from edge import commissioning, events, keys
from edge.cli import main as point_main
from edge.clock import SystemClock, SystemDice
from edge.commissioning_record import Run, StepResult, code_of, counted, digest_of
from edge.config import load
from edge.model import OperatorId, Seq, SiteCode
from edge.setup import begin
from edge.store import Store, Tx
from sync.hub import commissioning as hub_side
from sync.hub import down, report
from sync.hub.cli import main as hub_main
from sync.hub.sqlite_db import SqliteDatabase
from sync.hub.store import HubStore

SITE = SiteCode("QJ-0001")
KEY = bytes(range(32))
STEPS = ("scan:gun", "door:locker", "touch", "hub")
RESULTS = (
    StepResult("scan:gun", "done", "", "", "]C1 10", "tech1"),
    StepResult("door:locker", "failed", "L71", "", "3", "tech1"),
    StepResult("touch", "skipped", "", "no_time", "", "tech1"),
    StepResult("hub", "later", "N01", "", "", "tech1"),
)
RUN = Run(str(SITE), "r1", "0.1.0", "7KQ2-M0XD", STEPS)
OpenHub = Callable[..., HubStore]


def done(result: StepResult) -> events.CommissioningStepDone:
    told = (result.step, result.result, result.code, result.reason, result.detail, result.operator)
    return events.CommissioningStepDone("r1", *told)


def end(digest: str = "") -> events.PointCommissioned:
    return events.PointCommissioned(
        "r1", "0.1.0", "7KQ2-M0XD", " ".join(STEPS), **counted(RESULTS),
        digest=digest or digest_of(RUN, RESULTS), operator="tech1",
    )  # fmt: skip


def begun(steps: tuple[str, ...] = STEPS) -> events.CommissioningBegun:
    return events.CommissioningBegun("r1", "0.1.0", "7KQ2-M0XD", " ".join(steps), "tech1")


def answers(store: HubStore) -> list[events.Fact]:
    with store.reading() as tx:
        items = down.read_after(tx, SITE, Seq(0), 1000, 10**7)
    facts = [events.decode(events.Encoded(item.kind, item.body, item.personal)) for item in items]
    return [fact for fact in facts if isinstance(fact, events.CommissioningConfirmed)]


def told(store: HubStore) -> dict[str, Any]:
    with store.reading() as tx:
        found = hub_side.newest(tx, SITE)
    assert found is not None
    return found


def test_the_hub_makes_the_digest_for_itself_and_answers_with_a_code(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(begun(), *map(done, RESULTS), end())
    exchange(point, hub_answers(store, SITE))

    digest = digest_of(RUN, RESULTS)
    assert answers(store) == [events.CommissioningConfirmed("r1", digest, code_of(KEY, "r1", digest))]
    here = told(store)
    assert (here["agrees"], here["digest"], here["code"]) == (True, digest, code_of(KEY, "r1", digest))
    assert [(step["step"], step["result"]) for step in here["steps"]] == [(r.step, r.result) for r in RESULTS]


def test_the_last_try_of_a_step_counts_and_steps_that_left_the_settings_are_gone(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(
        begun((*STEPS, "price:price")),
        done(StepResult("scan:gun", "failed", "G71", "", "", "tech1")),
        done(StepResult("price:price", "failed", "C71", "", "", "tech1")),
        begun(),
        *map(done, RESULTS),
        end(),
    )
    exchange(point, hub_answers(store, SITE))

    assert told(store)["agrees"]
    assert [step["result"] for step in told(store)["steps"]] == ["done", "failed", "skipped", "later"]


def test_a_terminal_that_claims_other_results_than_it_told_is_seen(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(begun(), *map(done, RESULTS), end("f" * 64))
    exchange(point, hub_answers(store, SITE))

    assert told(store)["agrees"] is False
    assert answers(store)[0].digest == digest_of(RUN, RESULTS)  # type: ignore[attr-defined]


def test_an_end_without_its_steps_is_kept_and_not_answered(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(begun(), *map(done, RESULTS[:2]), end())
    exchange(point, hub_answers(store, SITE))

    with store.reading() as tx:
        reasons = [row["reason"] for row in tx.rows("SELECT reason FROM unprojected")]
    assert reasons == ["steps_missing"]
    assert answers(store) == []


def test_an_open_run_is_told_with_what_is_to_come(open_hub: OpenHub) -> None:
    store, point = open_hub(), Point()
    point.happened(begun(), done(RESULTS[0]))
    exchange(point, hub_answers(store, SITE))
    here = told(store)

    assert (here["ended_at"], here["agrees"], here["code"]) == (None, None, None)
    assert [step["result"] for step in here["steps"]] == ["done", None, None, None]
    assert report.status(store)["sites"][0]["commissioning"] == here


# --- both ends by their commands ----------------------------------------------------------------------------------

DEVICES = """[hub]
host = "127.0.0.1"
port = 1
link_key_file = "link.key"
[devices.gun]
kind = "serial_scanner"
path = "dev/gun"
"""
HUB_TOML = """\
data_dir = "hubdata"
[broker]
host = "127.0.0.1"
port = 1
[sites.QJ-0001]
name = "one"
link_key_file = "link.key"
"""


@pytest.fixture
def district(tmp_path: Path) -> Path:
    (tmp_path / "link.key").write_text(KEY.hex())
    (tmp_path / "link.key").chmod(0o600)
    (tmp_path / "point.toml").write_text(point_with(SHELF, DEVICES, data_dir="point"))
    (tmp_path / "hub.toml").write_text(HUB_TOML)
    return tmp_path


def played(district: Path, *acts: Callable[[Tx], object]) -> None:
    """Run acts on the books of the point."""
    settings = load(district / "point.toml")
    store = Store(settings.data_dir, SystemClock(), SystemDice(), keys.load(settings))
    store.open()
    store.run_now(begin, settings)
    for act in acts:
        store.run_now(act)
    store.close()


def gone_through(tx: Tx) -> None:
    """All three steps of these settings, then the end."""
    tech = OperatorId("tech1")
    steps = ("scan:gun", "touch", "hub")
    run = commissioning.begin(tx, Run("QJ-0001", "", "0.1.0", "7KQ2-M0XD", steps), tech)
    for step, result, reason in zip(steps, ("done", "skipped", "later"), ("", "no_time", ""), strict=True):
        commissioning.settle(tx, run, StepResult(step, result, "", reason, "", tech))
    commissioning.finish(tx, "QJ-0001", "0.1.0", tech)


def test_record_and_status_agree_with_the_hub_after_a_stick(district: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def say(program: str, *words: str | Path) -> tuple[int, dict[str, Any], str]:
        main = {"point": point_main, "hub": hub_main}[program]
        code = main([*map(str, words), "--config", str(district / f"{program}.toml")])
        out, error = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]) if out.strip() else {}, error

    played(district, lambda _tx: None)
    code, status, _ = say("point", "commission", "status")
    assert (code, status["due"], [step["step"] for step in status["steps"]]) == (0, True, ["scan:gun", "touch", "hub"])
    code, _, error = say("point", "commission", "record")
    assert (code, "no commissioning has been finished" in error) == (1, True)

    played(district, gone_through)
    _, before, _ = say("point", "commission", "record", "--picture", district / "record.png")
    assert (before["verdict"], before["hub"]) == ("gaps", {"state": "waits", "has_it": False, "code": None})
    assert (district / "record.png").read_bytes().startswith(b"\x89PNG")
    stick = district / "stick"
    stick.mkdir()
    for words in (("point", "write"), ("hub", "read"), ("hub", "write"), ("point", "read")):
        site = ("--site", "QJ-0001") if words == ("hub", "write") else ()
        assert say(words[0], "stick", words[1], stick, *site)[0] == 0
    _, after, _ = say("point", "commission", "record")
    _, theirs, _ = say("hub", "status")

    hub = theirs["sites"][0]["commissioning"]
    assert after["hub"] == {"state": "agrees", "has_it": True, "code": hub["code"]}
    assert after["digest"] == hub["digest"] == before["digest"]
    assert say("point", "commission", "status")[1]["due"] is False


@pytest.fixture
def desk(district: Path) -> Iterator[Page]:
    page = Page(district / "hub.toml")
    page.set_password()
    page.start()
    page.log_in()
    yield page
    page.stop()


def at_the_desk(district: Path) -> HubStore:
    database = SqliteDatabase(district / "hubdata", durable=False)
    store = HubStore(database, SystemClock(), SystemDice(), {SITE: KEY})
    store.open()
    return store


def test_the_desks_page_shows_each_step_and_the_hubs_code(district: Path, desk: Page) -> None:
    assert "Never commissioned" in desk.get("/site/QJ-0001?lang=en")
    store, point = at_the_desk(district), Point()
    point.happened(begun(), done(RESULTS[0]))
    exchange(point, hub_answers(store, SITE))
    under_way = desk.get("/site/QJ-0001?lang=en")
    point.happened(*map(done, RESULTS[1:]), end())
    exchange(point, hub_answers(store, SITE))
    finished = desk.get("/site/QJ-0001?lang=en")
    chinese = desk.get("/site/QJ-0001?lang=zh")
    store.close()

    assert "under way" in under_way
    assert "to do" in under_way
    for part in ("Locker door locker", "L71", "faulty", "no time that day", "no line yet", "7KQ2-M0XD"):
        assert part in finished, part
    assert code_of(KEY, "r1", digest_of(RUN, RESULTS)) in finished
    assert "这次来不及" in chinese


def test_the_desks_page_says_when_the_digests_differ(district: Path, desk: Page) -> None:
    store, point = at_the_desk(district), Point()
    point.happened(begun(), *map(done, RESULTS), end("f" * 64))
    exchange(point, hub_answers(store, SITE))
    store.close()

    assert "The digests differ" in desk.get("/site/QJ-0001?lang=en")
