"""A thread with a store of its own: the hub's database belongs to the thread that opened it.

The page has two of them, one that reads and one that writes, so that a long manifest does not stop the page.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import TypeVar

from sync.hub.store import HubStore, StoreFault

T = TypeVar("T")
OPEN_S = 120.0  # the indexes of a large database are made at the first opening


class StoreThread:
    """Runs one call after the other. `wait_s`: how long a caller waits for its turn and the answer."""

    def __init__(self, name: str, make: Callable[[], HubStore], wait_s: float) -> None:
        self._make = make
        self._wait_s = wait_s
        self._thread = ThreadPoolExecutor(1, name)
        self._store: HubStore | None = None

    def open(self, first: Callable[[HubStore], None] | None = None) -> None:
        """Open the store and do the first work on it. Errors: StoreFault."""
        self._thread.submit(self._open, first).result(OPEN_S)

    def run(self, work: Callable[[HubStore], T]) -> T:
        """Do work with the store. Errors: those of the work; StoreFault when the answer takes too long."""
        coming = self._thread.submit(self._run, work)
        try:
            return coming.result(self._wait_s)
        except TookTooLong:
            coming.cancel()  # what has begun ends by itself; what waits is not begun
            raise StoreFault("busy", "the database takes too long") from None

    def close(self) -> None:
        """Close the store in its own thread."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True, cancel_futures=False)

    def _open(self, first: Callable[[HubStore], None] | None) -> None:
        store = self._make()
        store.open()
        self._store = store
        if first is not None:
            first(store)

    def _run(self, work: Callable[[HubStore], T]) -> T:
        if self._store is None:
            raise AssertionError("the store is not open")
        return work(self._store)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
