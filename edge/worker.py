"""One thread that does what it is asked, in order, and brings each answer back. No SQL and no rule here.

Leaner than an executor: an answer wakes the loop once, where a future of a pool and a notice beside it wake it twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

T = TypeVar("T")

Then = Callable[[T], None]


class Worker:
    """Owned by whoever made it, who calls `end`."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gate = Lock()  # nobody is let in behind the end, where he would wait for ever
        self._has_ended = False
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def ask(self, work: Callable[[], T], then: Then[T]) -> asyncio.Future[T]:
        """Have it done for the running loop, where `then` gets the result before the asker goes on.

        An asker who is cancelled takes the work back while it has not begun; afterwards `then` is told all the same.
        Errors: what `work` raises; RuntimeError after the end.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._put(partial(_do, work, loop, answer, then))
        return answer

    def wait(self, work: Callable[[], T], timeout_s: float | None = None) -> T:
        """Have it done for a thread without a loop. Errors: as `ask`; TimeoutError."""
        answer: Future[T] = Future()
        self._put(partial(_do_now, work, answer))
        return answer.result(timeout_s)

    def end(self) -> None:
        """Return when all that was asked is done and the thread has ended."""
        with self._gate:
            self._has_ended = True
            self._jobs.put(None)
        self._thread.join()

    def _put(self, job: Callable[[], None]) -> None:
        with self._gate:
            if self._has_ended:
                raise RuntimeError("the thread has ended")
            self._jobs.put(job)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # its result is not kept alive until the next one comes


def _do(work: Callable[[], T], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], then: Then[T]) -> None:
    if answer.cancelled():
        return
    bring: Callable[[], None]
    try:
        bring = partial(_succeed, answer, work(), then)
    except BaseException as error:  # noqa: BLE001  raised again where it is awaited
        bring = partial(_fail, answer, error)
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(bring)


def _do_now(work: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:  # noqa: BLE001  raised again where it is awaited
        answer.set_exception(error)


def _succeed(answer: asyncio.Future[T], result: T, then: Then[T]) -> None:
    if not answer.done():
        answer.set_result(result)
    then(result)


def _fail(answer: asyncio.Future[T], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
