"""One thread that does what it is asked, in order, and brings each answer back. No SQL and no rule here.

Leaner than an executor: a future of a pool and a notice beside it wake the loop twice, each through a socket that is
read until it is empty. Here one bell wakes it once, and a single read silences the bell.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")

Then = Callable[[T], None]


class Worker:
    """Owned by whoever made it, who calls `end`. Its thread stays on the cores of the loop that asked first."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._gate = Lock()  # nobody is let in behind the end, where he would wait for ever
        self._has_ended = False
        self._bells: dict[asyncio.AbstractEventLoop, _Bell] = {}
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def ask(self, work: Callable[[], T], then: Then[T]) -> asyncio.Future[T]:
        """Have it done for the running loop, where `then` gets the result before the asker goes on.

        An asker who is cancelled takes the work back while it has not begun; afterwards `then` is told all the same.
        Errors: what `work` raises; RuntimeError after the end.
        """
        loop = asyncio.get_running_loop()
        bell = self._bells.get(loop) or self._hang_bell(loop)
        answer: asyncio.Future[T] = loop.create_future()
        self._put(partial(_do, work, bell, answer, then))
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
        while self._bells:
            _take_down(*self._bells.popitem())

    def _put(self, job: Callable[[], None]) -> None:
        with self._gate:
            if self._has_ended:
                raise RuntimeError("the thread has ended")
            self._jobs.put(job)

    def _hang_bell(self, loop: asyncio.AbstractEventLoop) -> _Bell:
        with self._gate:
            if self._has_ended:
                raise RuntimeError("the thread has ended")
            if not self._bells and self._thread.native_id is not None:
                with suppress(OSError):  # not allowed: slower, not wrong
                    os.sched_setaffinity(self._thread.native_id, os.sched_getaffinity(0))
            for old in [each for each in self._bells if each.is_closed()]:
                self._jobs.put(self._bells.pop(old).close)  # behind what rings it: its number will be another file's
            self._bells[loop] = bell = _Bell(loop)
            return bell

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # its result is not kept alive until the next one comes


class _Bell:
    """Where the thread lays down what it brings to one loop, and rings."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._brought: deque[Callable[[], None]] = deque()
        self._handle = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        loop.add_reader(self._handle, self._answer)

    def ring(self, bring: Callable[[], None]) -> None:
        self._brought.append(bring)
        os.eventfd_write(self._handle, 1)

    def _answer(self) -> None:
        os.eventfd_read(self._handle)
        try:
            while self._brought:
                self._bring(self._brought.popleft())
        finally:
            if self._brought:  # a listener stops the program: the others have their answers while it winds up
                os.eventfd_write(self._handle, 1)

    def _bring(self, bring: Callable[[], None]) -> None:
        try:
            bring()
        except Exception as error:  # noqa: BLE001  of a listener; the others have their answers all the same
            self._loop.call_exception_handler({"message": "a listener failed", "exception": error})

    def leave(self) -> None:
        """Called in the loop: the number of the handle will belong to somebody else."""
        if self._brought:
            self._answer()
        self._loop.remove_reader(self._handle)
        self.close()

    def close(self) -> None:
        os.close(self._handle)


def _take_down(loop: asyncio.AbstractEventLoop, bell: _Bell) -> None:
    try:
        loop.call_soon_threadsafe(bell.leave)
    except RuntimeError:  # the loop has ended
        bell.close()


def _do(work: Callable[[], T], bell: _Bell, answer: asyncio.Future[T], then: Then[T]) -> None:
    if answer.cancelled():
        return
    try:
        bell.ring(partial(_succeed, answer, work(), then))
    except BaseException as error:  # noqa: BLE001  raised again where it is awaited
        bell.ring(partial(_fail, answer, error))


def _do_now(work: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(work())
    except BaseException as error:  # noqa: BLE001  raised again where it is awaited
        answer.set_exception(error)


def _succeed(answer: asyncio.Future[Any], result: T, then: Then[T]) -> None:
    if not answer.done():
        answer.set_result(result)
    then(result)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if answer.done():
        return
    if isinstance(error, StopIteration):  # a future takes none: it would end the coroutine that waits
        said = RuntimeError("the work raised StopIteration")
        said.__cause__ = error
        error = said
    answer.set_exception(error)
