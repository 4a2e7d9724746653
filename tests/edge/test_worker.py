"""The one thread behind the store: order, answers, askers who go away."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge import cores
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


def test_what_comes_too_late_for_loops_that_have_ended_is_written_into_no_file(worker: Worker, tmp_path: Path) -> None:
    """Their bells' numbers may belong to any file by then: to the database."""
    go_on = threading.Event()

    async def leaves() -> None:
        worker.ask(lambda: go_on.wait(PATIENCE_S), lambda _: None)

    async def main() -> list[bytes]:
        asked = worker.ask(lambda: 7, lambda _: None)
        files = [(tmp_path / str(n)).open("w+b", buffering=0) for n in range(8)]
        go_on.set()
        assert await asyncio.wait_for(asked, PATIENCE_S) == 7
        for file in files:
            file.close()
        return [each.read_bytes() for each in tmp_path.iterdir()]

    loops = [asyncio.new_event_loop() for _ in range(3)]
    for loop in loops:
        loop.run_until_complete(leaves())
    for loop in loops:
        loop.close()

    assert asyncio.run(main()) == [b""] * 8


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


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_two_loops_at_once_each_get_their_own_answers(worker: Worker) -> None:
    async def main(first: int) -> list[int]:
        return [await worker.ask(lambda n=n: n, lambda _: None) for n in range(first, first + 200)]

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda first: asyncio.run(main(first)), (0, 1_000)))

    assert found == [list(range(200)), list(range(1_000, 1_200))]


def test_many_loops_one_after_another_leave_one_bell(worker: Worker) -> None:
    async def main() -> int:
        return await worker.ask(lambda: 7, lambda _: None)

    asyncio.run(main())
    before = open_files()
    assert [asyncio.run(main()) for _ in range(20)] == [7] * 20
    assert open_files() <= before + 1


def test_the_end_within_a_loop_answers_and_takes_the_bell_down() -> None:
    """Ports opened afterwards get the bell's number: the loop must not take them for it."""

    async def main() -> tuple[int, list[bytes]]:
        worker = Worker("ends")
        asked = worker.ask(lambda: 7, lambda _: None)
        worker.end()
        seven = await asked
        await asyncio.sleep(0)
        pipes = [os.pipe() for _ in range(4)]
        return seven, [await first_byte(*pipe) for pipe in pipes]

    assert asyncio.run(main()) == (7, [b"x"] * 4)


async def first_byte(reads: int, writes: int) -> bytes:
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()
    loop.add_reader(reads, lambda: heard.set_result(os.read(reads, 1)))
    os.write(writes, b"x")
    try:
        return await asyncio.wait_for(heard, PATIENCE_S)
    finally:
        loop.remove_reader(reads)
        os.close(reads)
        os.close(writes)


def test_a_listener_that_fails_takes_no_answer_from_the_others(worker: Worker) -> None:
    said: list[str] = []

    def fail(_: object) -> None:
        raise ZeroDivisionError

    async def main() -> list[int]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context["message"]))
        asked = [worker.ask(lambda n=n: n, fail if n == 1 else told.append) for n in range(4)]
        return await asyncio.gather(*asked)

    told: list[object] = []
    assert asyncio.run(main()) == [0, 1, 2, 3]
    assert told == [0, 2, 3]
    assert said == ["a listener failed"]


def test_an_error_that_no_future_takes_reaches_the_asker(worker: Worker) -> None:
    def ends() -> None:
        raise StopIteration

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(worker.ask(ends, lambda _: None), PATIENCE_S)

    asyncio.run(main())


def test_a_listener_that_stops_the_program_takes_no_answer_from_the_others() -> None:
    def stops(_: object) -> None:
        raise SystemExit

    async def main() -> None:
        asked.extend(worker.ask(lambda n=n: n, stops if n == 1 else told.append) for n in range(4))
        worker.wait(lambda: None)
        await asyncio.gather(*asked)

    worker = Worker("stops")
    told: list[object] = []
    asked: list[asyncio.Future[int]] = []
    before = open_files()
    loop = asyncio.new_event_loop()
    with pytest.raises(SystemExit):
        loop.run_until_complete(main())
    loop.run_until_complete(asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S))
    worker.end()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()

    assert told == [0, 2, 3]
    assert open_files() == before


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: nothing to choose")
def test_loop_and_thread_share_a_core_and_what_is_done_aside_runs_on_any() -> None:
    everywhere = os.sched_getaffinity(0)

    async def main() -> tuple[set[int], set[int], set[int]]:
        cores.stay_on_one(asyncio.get_running_loop())
        aside = await asyncio.to_thread(os.sched_getaffinity, 0)
        return os.sched_getaffinity(0), await worker.ask(lambda: os.sched_getaffinity(0), lambda _: None), aside

    worker = Worker("shares")
    with ThreadPoolExecutor(1) as threads:
        here, there, aside = threads.submit(lambda: asyncio.run(main())).result(PATIENCE_S)
    worker.end()

    assert here == there
    assert len(here) == 1
    assert aside == everywhere == os.sched_getaffinity(0)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL, errno.ESRCH])
def test_where_no_core_may_be_chosen_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    async def main() -> tuple[int, int]:
        cores.stay_on_one(asyncio.get_running_loop())
        return await asyncio.to_thread(lambda: 1), await worker.ask(lambda: 2, lambda _: None)

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    worker = Worker("anywhere")
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: asyncio.run(main())).result(PATIENCE_S) == (1, 2)
    worker.end()


def test_a_wait_has_an_end(worker: Worker) -> None:
    go_on = threading.Event()

    with pytest.raises(TimeoutError):
        worker.wait(lambda: go_on.wait(PATIENCE_S), 0.05)

    go_on.set()
