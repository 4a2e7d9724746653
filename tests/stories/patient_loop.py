"""A loop on virtual time for stories with a real store: time stands still while a thread works for the loop."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar
from unittest.mock import patch

from edge.worker import Then, Worker

T = TypeVar("T")
THREAD_S = 5.0  # real seconds between looks at a thread that works


class _PatientSelector(selectors.DefaultSelector):
    """Goes on to the next timer instead of sleeping, but really waits for a thread that has an answer coming."""

    loop: PatientLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout == 0:
            return super().select(0)
        if self.loop.at_work:
            return super().select(THREAD_S)
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:  # nothing but a thread nobody told us of can go on, as when the loop ends its executor
            ready = super().select(THREAD_S)
            if not ready:
                raise RuntimeError("the loop would wait for ever: no timer, no byte, no thread")
            return ready
        self.loop.now += timeout
        return ready


class PatientLoop(asyncio.SelectorEventLoop):
    """A wait of an hour takes no time; a commit takes none either, however slow the disk is."""

    def __init__(self) -> None:
        selector = _PatientSelector()
        selector.loop = self
        self.now = 1000.0
        self.at_work = 0
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        return self.watched(super().run_in_executor(executor, func, *args))

    def watched(self, answer: asyncio.Future[T]) -> asyncio.Future[T]:
        """A thread works for this answer: until it is there, time stands still."""
        self.at_work += 1
        answer.add_done_callback(self._came_back)
        return answer

    def _came_back(self, _future: asyncio.Future[Any]) -> None:
        self.at_work -= 1


def run_patiently(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on virtual time."""
    ask = Worker.ask

    def asked(worker: Worker, work: Callable[[], Any], then: Then[Any]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        answer = ask(worker, work, then)
        return loop.watched(answer) if isinstance(loop, PatientLoop) else answer

    with patch.object(Worker, "ask", asked), asyncio.Runner(loop_factory=PatientLoop) as runner:
        return runner.run(main)
