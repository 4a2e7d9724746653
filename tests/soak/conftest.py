"""Fault tests come in two lengths: short in every run, long under `-m soak` or with VP_SOAK set; the ledger ends both.

A test takes its length from the fixture `count(short, long)` and is collected twice: plain, and marked `soak`. With
VP_SOAK_ADD a run goes on with the ledger of the last one, so that a soak in parts ends with one table.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soak.ledger import OUT, SOAK, Ledger

SHARE = float(os.environ.get("VP_SOAK_SHARE", "1"))  # for a soak that must end within the hour
_LEDGER = pytest.StashKey[Ledger]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash.setdefault(_LEDGER, Ledger.loaded() if os.environ.get("VP_SOAK_ADD") else Ledger())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "count" in metafunc.fixturenames:
        lengths = [] if SOAK else [pytest.param("short", id="short")]
        metafunc.parametrize(
            "count", [*lengths, pytest.param("long", id="long", marks=pytest.mark.soak)], indirect=True
        )


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Choose between the short and the long figure of a test, or a share of the long one (VP_SOAK_SHARE, 0 to 1)."""
    return lambda short, long: max(short, round(long * SHARE)) if request.param == "long" else short


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return request.config.stash.setdefault(_LEDGER, Ledger())


@pytest.fixture
def fast_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: for states that are many and need no disk of their own."""
    shm = Path("/dev/shm")
    if not shm.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="vp-soak-", dir=shm))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ledger = config.stash.get(_LEDGER, None)
    if ledger is None or not ledger.rows:
        return
    stats = terminalreporter.stats
    for outcome, where in (("failed", ledger.failed), ("error", ledger.failed), ("skipped", ledger.left_out)):
        reports = stats.get(outcome, ())
        where += [each.nodeid for each in reports if outcome != "skipped" or "/soak/" in each.nodeid]
    ledger.save()
    terminalreporter.section("ledger of invariants")
    for line in [*ledger.table(), *ledger.holes()]:
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"written to {OUT}")
