"""What every test may ask for: a clock, dice, a store; and the rule that nobody logs a warning unannounced."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # tests/ is no package; its helpers are plain modules

from stockroom import SOAK, Clock, Dice, Hub, furnish, new_store

from edge.store import Store

CHECKED = ("edge",)  # folders whose tests must announce every warning; the others judge their logs themselves

_calm = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
settings.register_profile("quick", max_examples=30, deadline=None, suppress_health_check=_calm)
settings.register_profile("soak", max_examples=3000, deadline=None, suppress_health_check=_calm)
settings.load_profile("soak" if SOAK else "quick")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs(*parts): warnings with one of these texts in them are meant")


class _Watch(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def fail_on_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs a warning or worse without saying so: `@pytest.mark.logs("part of it")`."""
    if not set(CHECKED) & set(request.path.parts):
        yield
        return
    watch = _Watch()
    logging.getLogger().addHandler(watch)
    yield
    logging.getLogger().removeHandler(watch)
    meant = [part for mark in request.node.iter_markers("logs") for part in mark.args]
    assert [line for line in watch.told if not any(part in line for part in meant)] == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dice() -> Dice:
    return Dice()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def store(tmp_path: Path, clock: Clock, dice: Dice) -> Iterator[Store]:
    """A strict store on a real file, with four cells (S S M L) and four shelf places."""
    with_cells = new_store(tmp_path / "data", clock, dice)
    with_cells.open()
    with_cells.run_now(furnish)
    yield with_cells
    with_cells.close()
