"""The one thread behind the store: order, answers, askers who go away."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from edge.worker import Worker

PATIENCE_S = 10.0


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.end()


def test_work_is_done_in_order_in_one_thread_and_told_before_the_asker_goes_on(worker: Worker) -> None:
    told: list[object] = []

    async def main() -> list[tuple[int, str]]:
        asked = [worker.ask(lambda n=n: (n, threading.current_thread().name), told.append) for n in range(20)]
        first = await asked[0]
        assert first in told
        return await asyncio.gather(*asked)

    answers = asyncio.run(main())

    assert answers == [(n, "test") for n in range(20)]
    assert told == answers


def test_an_error_reaches_the_asker_and_the_next_one_is_served(worker: Worker) -> None:
    told: list[object] = []

    async def main() -> int:
        with pytest.raises(ZeroDivisionError):
            await worker.ask(lambda: 1 // 0, told.append)
        return await worker.ask(lambda: 7, told.append)

    assert asyncio.run(main()) == 7
    assert told == [7]
    with pytest.raises(ZeroDivisionError):
        worker.wait(lambda: 1 // 0)
    assert worker.wait(lambda: 8) == 8


def test_work_that_was_taken_back_is_not_done_and_work_that_had_begun_is_told(worker: Worker) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []
    told: list[object] = []

    def long() -> str:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        done.append("long")
        return "long"

    async def main() -> None:
        first, second = worker.ask(long, told.append), worker.ask(lambda: done.append("second"), told.append)
        assert await asyncio.to_thread(begun.wait, PATIENCE_S)
        first.cancel()
        second.cancel()
        go_on.set()
        await worker.ask(lambda: None, lambda _: None)

    asyncio.run(main())

    assert done == ["long"]
    assert told == ["long"]


def test_a_loop_that_has_ended_is_no_trouble(worker: Worker) -> None:
    go_on = threading.Event()

    async def main() -> None:
        worker.ask(lambda: go_on.wait(PATIENCE_S), lambda _: None)

    asyncio.run(main())
    go_on.set()

    assert worker.wait(lambda: "alive", PATIENCE_S) == "alive"


def test_a_result_is_not_kept_alive(worker: Worker) -> None:
    class Big:
        pass

    async def main() -> weakref.ref[Big]:
        return weakref.ref(await worker.ask(Big, lambda _: None))

    kept = asyncio.run(main())
    worker.wait(lambda: None)
    gc.collect()

    assert kept() is None


def test_the_end_waits_for_what_was_asked() -> None:
    worker = Worker("ends")
    done: list[int] = []

    async def main() -> None:
        for number in range(50):
            worker.ask(lambda n=number: done.append(n), lambda _: None)

    asyncio.run(main())
    worker.end()

    assert done == list(range(50))


def test_nobody_waits_behind_the_end() -> None:
    worker = Worker("ends")
    worker.end()

    async def main() -> None:
        await worker.ask(lambda: 1, lambda _: None)

    with pytest.raises(RuntimeError):
        asyncio.run(main())
    with pytest.raises(RuntimeError):
        worker.wait(lambda: 1)


def test_a_wait_has_an_end(worker: Worker) -> None:
    go_on = threading.Event()

    with pytest.raises(TimeoutError):
        worker.wait(lambda: go_on.wait(PATIENCE_S), 0.05)

    go_on.set()
