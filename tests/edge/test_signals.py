"""Being asked to end, at the worst moment."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from edge.signals import on_signals


@pytest.fixture(autouse=True)
def _same_handlers_afterwards() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_obeyed_although_the_main_thread_holds_the_lock_that_stopping_needs(number: int) -> None:
    lock, stopped = threading.Lock(), threading.Event()

    def stop() -> None:
        if lock.acquire(timeout=5):  # a handler of the main thread would wait here for itself
            stopped.set()
            lock.release()

    on_signals(stop)
    with lock:
        os.kill(os.getpid(), number)

    assert stopped.wait(5)
