"""Stories are coroutines: each runs on virtual time, with its point started before and found sound afterwards."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.stories.patient_loop import run_patiently
from tests.stories.point import Fittings, Point


@pytest.fixture
def point(tmp_path: Path, request: pytest.FixtureRequest) -> Point:
    """A terminal on simulators. `pytest.mark.parametrize("point", [Fittings(...)], indirect=True)` builds another."""
    return Point(tmp_path / "data", getattr(request, "param", Fittings()))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    run_patiently(_story(pyfuncitem.obj, wanted))
    return True


async def _story(test: Any, wanted: dict[str, Any]) -> None:
    point = wanted.get("point")
    if point is None:
        await test(**wanted)
        return
    async with point.running():
        await test(**wanted)
        await point.sound()
